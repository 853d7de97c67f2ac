"""The hooks the user's own `git commit` would run, found and copied as data. Nothing is run here.

A hooks folder inside the work tree (`core.hooksPath = .githooks`, husky) belongs to the judged project: what the
base commit holds of it is taken from the base, never from the change and never from the user's unsaved state.
Files there that git does not track (a hook manager's generated wrappers) are taken as they are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.repository.settings import hooks_may_be_elsewhere
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.objects import GitTree

COMMIT_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg")
"""In the order `git commit` runs them."""

_MOST_FILES = 500
_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class UserHooks:
    """The hooks to run, in order, and the files of their folder: relative path → (executable, bytes).

    `folder` is where hooks are found relative to the work tree, None if that is git's own `hooks` folder.
    """

    names: tuple[str, ...]
    folder: str | None
    files: dict[str, tuple[bool, bytes]]


def find_hooks(repository: Repository, base: GitTree) -> UserHooks | None:
    """The commit hooks of this repository, None if there are none. Raises UsageFault if they cannot be taken."""
    folder = _hooks_folder(repository)
    names = tuple(name for name in COMMIT_HOOKS if _is_hook(folder / name))
    if not names:
        return None
    inside = _inside_work_tree(repository, folder)
    files = dict(_files_of(folder))
    if inside is not None:
        files = {name: _as_in_base(base, f"{inside}/{name}", found) for name, found in files.items()}
    return UserHooks(names=names, folder=inside, files=files)


def _hooks_folder(repository: Repository) -> Path:
    """Where git looks, `core.hooksPath` included (a relative one is relative to the work tree)."""
    if not hooks_may_be_elsewhere(repository):
        return repository.common_dir / "hooks"
    said = repository.git.run("rev-parse", "--git-path", "hooks", hooks=True)
    return repository.git.cwd / said.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def _is_hook(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _inside_work_tree(repository: Repository, folder: Path) -> str | None:
    if folder.resolve().is_relative_to(repository.common_dir.resolve()) or repository.root is None:
        return None
    try:
        return folder.resolve().relative_to(repository.root.resolve()).as_posix()
    except ValueError:
        return None


def _files_of(folder: Path) -> Iterator[tuple[str, tuple[bool, bytes]]]:
    """The regular files of a hooks folder, samples left out. Raises UsageFault if it is no hooks folder by size."""
    size = 0
    count = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if name.endswith(".sample") or not path.is_file():
                continue
            data = path.read_bytes()
            size, count = size + len(data), count + 1
            if size > _LARGEST or count > _MOST_FILES:
                raise UsageFault(
                    f"the hooks folder {folder} is too large to be run apart from your work",
                    hint='keep only hooks there, or say [hooks] run = "skip" in the policy',
                )
            yield path.relative_to(folder).as_posix(), (bool(path.stat().st_mode & stat.S_IXUSR), data)


def _as_in_base(base: GitTree, path: str, found: tuple[bool, bytes]) -> tuple[bool, bytes]:
    entry = base.entry(path)
    return found if entry is None else (entry[0] == "100755", base.read(path))
