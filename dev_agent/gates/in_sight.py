"""Where a program given to `run` is looked for, and what else is visible to it. A value; nothing is read here."""

from __future__ import annotations

from pathlib import Path

from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class InSight:
    """Host paths, which are the same inside.

    root    the repository, where the base's files stand and nothing else of the work tree
    python  the project's interpreter
    search  the folders of PATH, in order
    shown   what is visible besides the repository's files and the system's own folders
    """

    root: Path
    python: Path
    search: tuple[Path, ...]
    shown: tuple[Path, ...]
