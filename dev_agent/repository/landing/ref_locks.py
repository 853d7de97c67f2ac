"""Ref locks that a killed git child of ours left behind.

`git update-ref`, or we ourselves (`ref_write`), killed between taking `<ref>.lock` and renaming it, leave the file, and
every later update of that ref fails. Removing a lock that somebody holds would be worse, so each needs a proof:

- our own child is dead: it inherits the land lock, which the caller holds;
- the file is younger than the journal, and holds the very commit that was to be landed; or
- it is empty, no process has it open, and no git process works in this repository.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.repository.refs import PREFIX

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.journal import Journal
    from dev_agent.repository.landing.transaction import Transaction

_PROC = Path("/proc")


def drop_stale_ref_locks(repository: Repository, tx: Transaction, journal: Journal) -> tuple[Path, ...]:
    """Remove the locks the transaction's own `update-ref` left; the caller holds the land lock."""
    try:
        begun = tx.journal.stat().st_mtime_ns
    except FileNotFoundError:
        return ()
    candidates = {repository.git_dir / "HEAD.lock"}
    if journal.ref != "HEAD":
        candidates.add(repository.common_dir / f"{journal.ref}.lock")
    dropped = [path for path in sorted(candidates) if _is_ours(repository, path, begun, journal.commit)]
    for path in dropped:
        path.unlink(missing_ok=True)
    return tuple(dropped)


def _is_ours(repository: Repository, path: Path, begun: int, commit: str) -> bool:
    try:
        if path.stat().st_mtime_ns < begun:
            return False
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError:
        # Mostly it is not there. A name that cannot even be asked for (another ref stands where this one's folder
        # would be, or it is too long) is one git could not lock either.
        return False
    if text == f"{commit}\n":
        return True
    # A write cut short is a beginning of our line; an empty file could still be anybody's.
    return f"{commit}\n".startswith(text) and not _may_be_held(repository, path)


def own_ref_locks(repository: Repository) -> list[Path]:
    """Every lock below our own refs. Only folders are listed."""
    found: list[Path] = []
    for folder, _, files in os.walk(repository.common_dir / PREFIX):
        found += [Path(folder, name) for name in files if name.endswith(".lock")]
    return sorted(found)


def drop_own_ref_locks(repository: Repository) -> tuple[Path, ...]:
    """Remove locks on our own refs that nobody can hold any more."""
    dropped = [path for path in own_ref_locks(repository) if not _may_be_held(repository, path)]
    for path in dropped:
        path.unlink(missing_ok=True)
    return tuple(dropped)


def _may_be_held(repository: Repository, path: Path) -> bool:
    """True if a process has the file open, or a git process works in this repository, or it cannot be told.

    Git closes a ref lock before its hooks run, so open files alone are no proof.
    """
    if not _PROC.is_dir():
        return True
    wanted = os.path.realpath(path)
    homes = [os.path.realpath(folder) for folder in (repository.root, repository.common_dir) if folder]
    return any(_has_open(process, wanted) or _is_git_in(process, homes) for process in _processes())


def _processes() -> list[Path]:
    """All of them, our own too: another thread may hold a lock."""
    return [path for path in _PROC.iterdir() if path.name.isdigit()]


def _has_open(process: Path, wanted: str) -> bool:
    try:
        return any(str(fd.readlink()) == wanted for fd in (process / "fd").iterdir())
    except OSError:
        return False


def _is_git_in(process: Path, homes: list[str]) -> bool:
    try:
        if not (process / "comm").read_text(errors="replace").startswith("git"):
            return False
        here = str((process / "cwd").readlink())
    except PermissionError:
        return True
    except OSError:
        return False
    return any(here == home or here.startswith(home + "/") for home in homes)
