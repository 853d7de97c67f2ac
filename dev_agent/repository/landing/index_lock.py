"""Git's own `index.lock`, held by the transaction: while it is there no git command builds on a mixture.

It is made as a hard link to a file that already has its text, so at no instant does a lock exist whose owner
cannot be told. Only a lock with our own text is ever removed. If somebody removed it (git's message tells
people to), that is noticed before the index is written.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from dev_agent.repository.landing.outcome import Code, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.transaction import Transaction

_PAUSE_S = 0.02


def _path(repository: Repository) -> Path:
    return repository.git_dir / "index.lock"


def _text(tx: Transaction) -> bytes:
    return (
        f"dev-agent {tx.id}\n"
        "A landing is under way, or was interrupted: do not delete this file, run `dev-agent recover`.\n"
    ).encode("ascii")


def take_index_lock(repository: Repository, tx: Transaction, *, wait_s: float) -> None:
    """Take the lock, waiting for a git command to end. Raises Refusal `index-locked`, OSError."""
    if not tx.lock.exists():
        temporary = tx.lock.with_suffix(".tmp")
        temporary.write_bytes(_text(tx))
        temporary.rename(tx.lock)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            os.link(tx.lock, _path(repository))
        except FileExistsError:
            if time.monotonic() > deadline:
                raise Refusal(
                    Code.INDEX_LOCKED,
                    f"{_path(repository)} is held by another git command",
                    [],
                ) from None
            time.sleep(_PAUSE_S)
        else:
            return


def holds_index_lock(repository: Repository, tx: Transaction) -> bool:
    """True if the lock is there and ours."""
    try:
        return _path(repository).read_bytes() == _text(tx)
    except FileNotFoundError:
        return False


def drop_index_lock(repository: Repository, tx: Transaction) -> bool:
    """Remove the lock if it is ours; True if it was."""
    if not holds_index_lock(repository, tx):
        return False
    _path(repository).unlink(missing_ok=True)
    return True
