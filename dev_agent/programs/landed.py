"""Has a commit landed already? Asked of the branch itself, because that is where landing commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.landing.target import Target, tip_of
from dev_agent.repository.store import ObjectStore

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository


def already_landed(repository: Repository, target: Target, commit: str) -> bool:
    """True if the target's branch holds `commit` or something built on it. Raises GitFailed."""
    tip = tip_of(repository, target)
    if tip is None or _is_on(repository, commit, tip):
        return False
    return tip == commit or repository.git.run("merge-base", "--is-ancestor", commit, tip).ok


def _is_on(repository: Repository, commit: str, tip: str) -> bool:
    """True if `tip` is surely a parent of `commit`: nothing is an ancestor of its own parent."""
    header, _, _ = (ObjectStore(repository).read_here(commit, "commit") or b"").partition(b"\n\n")
    return f"parent {tip}".encode("ascii") in header.split(b"\n")
