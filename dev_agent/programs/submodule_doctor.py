"""What the doctor says of submodules: the judged tree names their commits and has none of their files.

Nobody notices otherwise: tests that need such a file fail before a change and after it, and what fails on both sides is
no reason to refuse one. Nothing of a submodule is fetched or judged; `include` shows the gates what is in its folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from dev_agent.gates.subject import Trees
from dev_agent.programs.finding import WARN, Finding
from dev_agent.repository.objects import SUBMODULE

_MOST_NAMED = 5


def submodule_findings(root: Path, trees: Trees, base: str, include: Iterable[str]) -> list[Finding]:
    """One finding for the submodules of `base` that have files in the work tree `root` and are not in `include`."""
    if trees.entry(base, ".gitmodules") is None:
        return []
    shown = tuple(path for glob in include for path in root.glob(glob))
    unseen = [
        path
        for path in _submodules(trees, base)
        if _has_files(root / path) and not _is_shown(root / path, shown)
    ]
    if not unseen:
        return []
    more = f" and {len(unseen) - _MOST_NAMED} more" if len(unseen) > _MOST_NAMED else ""
    named = ", ".join(f'"{path}"' for path in unseen[:_MOST_NAMED])
    return [
        Finding(
            topic="submodules",
            status=WARN,
            detail=f"types and tests do not see the files of {', '.join(unseen[:_MOST_NAMED])}{more}",
            remedy=f"if they need them, as they stand in your work tree: [tool.dev-agent] include = [{named}]",
        )
    ]


def _submodules(trees: Trees, base: str) -> list[str]:
    found = ((path, trees.entry(base, path)) for path in trees.paths(base))
    return [path for path, entry in found if entry is not None and entry[0] == SUBMODULE]


def _has_files(folder: Path) -> bool:
    """True if it is checked out: the file `.git` alone is what is left of one that is not."""
    try:
        return any(name != ".git" for name in os.listdir(folder))  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return False


def _is_shown(folder: Path, shown: Iterable[Path]) -> bool:
    """True if `include` names it, a folder around it, or something in it: then the owner has thought of it."""
    return any(folder.is_relative_to(one) or one.is_relative_to(folder) for one in shown)
