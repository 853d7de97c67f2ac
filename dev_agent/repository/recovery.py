"""Recovery: what every command runs first, so that no kill is ever seen by the user as a mixture.

Under the land lock, every transaction of this work tree that somebody left is brought to one of its two ends
(`landing/settle.py` decides by the ref alone). Idempotent, and may itself be killed at any line. Another work
tree's transactions are that work tree's business.

    tx without journal         nothing had begun: its private folder is removed
    tx with journal            back or forward, its index.lock and ref locks dropped, removed
    tx closed                  what is left of its folder is removed
    tx with a damaged journal  nothing can be decided: the folder is kept aside and reported
    kept-*                     reported until the user has removed it
    refs/dev-agent/**.lock     removed when provably nobody holds it

With nothing to do this costs one directory listing of ours and one of our refs' folder; no child is started.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.repository.landing.close import close, sweep
from dev_agent.repository.landing.index_lock import drop_index_lock
from dev_agent.repository.landing.journal import DamagedJournal, read_journal
from dev_agent.repository.landing.keep import Kept, all_kept
from dev_agent.repository.landing.progress import Progress
from dev_agent.repository.landing.ref_locks import drop_own_ref_locks, own_ref_locks
from dev_agent.repository.landing.settle import Settled, settle
from dev_agent.repository.landing.transaction import leftover_transactions
from dev_agent.repository.lock import LandLockBusy, land_lock_held
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.transaction import Transaction

_WAIT_S = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveryReport:
    """`actions` say in words what was done; `settled` are the transactions brought to an end.

    `kept` are all folders with files the user has to look at. `busy` names the holder of the land lock if
    that was not to be had; nothing was done then.
    """

    actions: tuple[str, ...] = ()
    settled: tuple[Settled, ...] = ()
    kept: tuple[Kept, ...] = ()
    busy: str = ""


def recover(
    repository: Repository,
    *,
    cancel: Cancel | None = None,
    timeout_s: float = _WAIT_S,
    progress: Progress | None = None,
) -> RecoveryReport:
    """Bring every leftover of this work tree to its end.

    Raises NewerJournal (a newer version's transaction), GitFailed, OSError, Refusal `index-locked`; whatever was
    not reached stays for the next call.
    """
    if not leftover_transactions(repository) and not own_ref_locks(repository):
        return RecoveryReport(kept=all_kept(repository))
    try:
        with land_lock_held(repository, "recovering", timeout_s=timeout_s, cancel=cancel) as fd:
            held = replace(repository, git=repository.git.holding(fd))
            return recover_held(held, progress or Progress())
    except LandLockBusy as busy:
        return RecoveryReport(busy=busy.holder, kept=all_kept(repository))


def recover_held(repository: Repository, progress: Progress) -> RecoveryReport:
    """The same, by whoever holds the land lock (its descriptor is in `repository.git`)."""
    actions: list[str] = []
    settled: list[Settled] = []
    for tx in leftover_transactions(repository):
        try:
            ended = _end(repository, tx, progress)
        except DamagedJournal as damaged:
            actions.append(_set_aside(repository, tx, damaged))
            continue
        if isinstance(ended, Settled):
            settled.append(ended)
            actions.append(_words(ended))
        else:
            actions.append(ended)
        progress.reached(f"recovered {tx.id}")
    actions += [f"removed the stale lock {path}" for path in drop_own_ref_locks(repository)]
    return RecoveryReport(actions=tuple(actions), settled=tuple(settled), kept=all_kept(repository))


def _end(repository: Repository, tx: Transaction, progress: Progress) -> Settled | str:
    journal = read_journal(tx.journal)
    if journal is not None:
        return settle(repository, tx, journal, progress)
    drop_index_lock(repository, tx)
    if tx.closed.exists():
        close(repository, tx, progress, linger=False)
    else:
        sweep(repository, tx)
    return f"removed what transaction {tx.id} left"


def _words(ended: Settled) -> str:
    way = "completed" if ended.landed else "took back"
    return f"{way} the landing of {ended.commit} on {ended.ref} (run {ended.run})"


def _set_aside(repository: Repository, tx: Transaction, damaged: DamagedJournal) -> str:
    """The files of a transaction that cannot be understood may be the only copies of something."""
    with contextlib.suppress(FileNotFoundError):
        tx.folder.rename(tx.kept)
    drop_index_lock(repository, tx)
    return f"{damaged.message}; its files are in {tx.kept}, compare them with git status"
