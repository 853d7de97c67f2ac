"""Has a commit landed already? Asked of the branch itself, because that is where landing commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.landing.target import Target, tip_of

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository


def already_landed(repository: Repository, target: Target, commit: str) -> bool:
    """True if the target's branch holds `commit` or something built on it. Raises GitFailed."""
    tip = tip_of(repository, target)
    if tip is None:
        return False
    return tip == commit or repository.git.run("merge-base", "--is-ancestor", commit, tip).ok
