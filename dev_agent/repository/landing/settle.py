"""Bringing a transaction that has begun to one of its two ends. Recovery and the driver share this.

The ref alone decides: it holds the commit → forward (index, lock, close); it does not → back (undo, lock, close).
Idempotent; killed at any line, the next call goes on.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from dev_agent.repository.landing.close import close
from dev_agent.repository.landing.commit import is_published
from dev_agent.repository.landing.index_copy import make_late_index, publish_index, refresh
from dev_agent.repository.landing.index_lock import drop_index_lock, holds_index_lock, take_index_lock
from dev_agent.repository.landing.install import site_of
from dev_agent.repository.landing.keep import Kept, all_kept
from dev_agent.repository.landing.ref_locks import drop_stale_ref_locks
from dev_agent.repository.landing.undo import undo
from dev_agent.runtime.durability import Barrier
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.journal import Journal
    from dev_agent.repository.landing.progress import Progress
    from dev_agent.repository.landing.transaction import Transaction

_INDEX_WAIT_S = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """`landed` is the end that was reached; `kept` what could not go back to its place."""

    tx: str
    run: str
    ref: str
    commit: str
    landed: bool
    kept: tuple[Kept, ...] = ()


def settle(repository: Repository, tx: Transaction, journal: Journal, progress: Progress) -> Settled:
    """Bring `tx` to its end. Raises GitFailed, OSError, Refusal `index-locked`; then it stays for later."""
    drop_stale_ref_locks(repository, tx, journal)
    landed = is_published(repository, journal)
    if landed:
        go_forward(repository, tx, journal, progress)
    else:
        go_back(repository, tx, journal, progress)
    kept = tuple(each for each in all_kept(repository) if each.folder == tx.kept)
    return Settled(
        tx=tx.id, run=journal.run, ref=journal.ref, commit=journal.commit, landed=landed, kept=kept
    )


def go_forward(repository: Repository, tx: Transaction, journal: Journal, progress: Progress) -> None:
    """The ref is new: publish the index, free its lock, close.

    Ref and index are on the disk before the journal goes: a power loss that took the ref back would else leave
    the new files without anything that says how to take them back.
    """
    if journal.has_work_tree and tx.new_index.exists():
        if not holds_index_lock(repository, tx):
            take_index_lock(repository, tx, wait_s=_INDEX_WAIT_S)
            make_late_index(repository, tx, journal)
            refresh(repository, tx)
            if journal.durable and tx.new_index.exists():
                Barrier().add_file(tx.new_index)
        publish_index(repository, tx)
        progress.reached("published index")
    drop_index_lock(repository, tx)
    progress.reached("unlocked index")
    if journal.durable:
        _flush_published(repository, journal)
    close(repository, tx, progress)


def _flush_published(repository: Repository, journal: Journal) -> None:
    barrier = Barrier()
    for folder in ((repository.common_dir / journal.ref).parent, repository.common_dir, repository.git_dir):
        with contextlib.suppress(FileNotFoundError):  # refs may be kept in other ways than files
            barrier.add_folder(folder)


def go_back(repository: Repository, tx: Transaction, journal: Journal, progress: Progress) -> None:
    """The ref is old: undo the install, free the index lock, close."""
    if journal.has_work_tree and tx.files.exists():
        with site_of(repository.work_tree, tx, journal) as site:
            undo(site, tx, journal, progress)
    drop_index_lock(repository, tx)
    progress.reached("unlocked index")
    close(repository, tx, progress)
