"""Settings of the user's git that name a file, expanded as git expands them (`~`, `%(prefix)`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev_agent.repository.git import Git


def path_setting(git: Git, name: str) -> Path | None:
    """The file a configuration variable names, None if it is not set; relative to git's folder."""
    done = git.run("config", "--type=path", "--get", name)
    said = done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    return git.cwd / said if done.ok and said else None
