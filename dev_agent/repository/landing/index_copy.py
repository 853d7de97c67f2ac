"""The user's index after the landing, prepared as a copy and put in place by one rename.

Every other entry, flag and extension stays as it was: git itself edits the copy. The user's index is only ever
read, and replaced while the transaction holds `index.lock`. A split index keeps its shared half.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dev_agent.repository.landing.index_view import is_old, view_index
from dev_agent.repository.landing.journal import Change
from dev_agent.repository.landing.ownership import give_like

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.journal import Journal
    from dev_agent.repository.landing.transaction import Transaction

_SETTINGS = (
    # A new shared half would be written to the user's git dir, an old one deleted from it.
    "splitIndex.maxPercentChange=100",
    "splitIndex.sharedIndexExpire=never",
)


def index_bytes(repository: Repository) -> bytes | None:
    """The user's index file as it is, None if there is none yet."""
    try:
        return _index(repository).read_bytes()
    except FileNotFoundError:
        return None


def make_new_index(
    repository: Repository, tx: Transaction, source: bytes | None, changes: Sequence[Change]
) -> None:
    """Make `tx.new_index`: the index file `source` with `changes` applied. Raises GitFailed, OSError.

    It gets its name when it is complete. Killed before: an unfinished copy in the transaction's folder.
    """
    work = tx.new_index.with_suffix(".work")
    for leftover in (work, _lock_of(work), tx.new_index):
        leftover.unlink(missing_ok=True)
    if source is not None:
        work.write_bytes(source)
    rows = sorted(changes, key=lambda change: (change.new_id is not None, change.path))
    lines = [
        f"{change.new_mode or '0'} {change.new_id or repository.zero}\t{change.path}\0".encode(
            "utf-8", "surrogateescape"
        )
        for change in rows
    ]
    if lines:
        git = repository.git.with_index(work)
        git.out("update-index", "-z", "--index-info", stdin=b"".join(lines), config=_SETTINGS)
    if work.exists():
        work.rename(tx.new_index)


def refresh(repository: Repository, tx: Transaction) -> None:
    """Note in the copy what the new files look like on disk, so that the user's next command is fast.

    Only files that hold exactly what the index says are noted. Killed here: the copy stays as it was.
    """
    _lock_of(tx.new_index).unlink(missing_ok=True)
    git = repository.git.with_index(tx.new_index)
    git.run("update-index", "-q", "--refresh", config=_SETTINGS)


def publish_index(repository: Repository, tx: Transaction) -> None:
    """Put the copy in place; done already is fine. The caller holds `index.lock`. Killed: before or after.

    The copy's bytes are on the disk already, if the transaction is durable.
    """
    if not tx.new_index.exists():
        return
    target = _index(repository)
    if target.exists():
        shutil.copymode(target, tx.new_index)
    give_like((tx.new_index,), target if target.exists() else repository.git_dir)
    tx.new_index.rename(target)


def make_late_index(repository: Repository, tx: Transaction, journal: Journal) -> None:
    """`tx.new_index` once more, for an index that may have changed because our lock was removed.

    Only paths whose entry still is the base's are moved on; what the user staged meanwhile stays.
    """
    view = view_index(repository.git)
    changes = [change for change in journal.changes if is_old(view, change)]
    make_new_index(repository, tx, index_bytes(repository), changes)


def _index(repository: Repository) -> Path:
    return repository.git_dir / "index"


def _lock_of(index: Path) -> Path:
    return index.with_name(index.name + ".lock")
