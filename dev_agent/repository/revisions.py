"""A range of commits as the caller writes it, resolved to two commits.

    A..B     what B has on top of A: the tree of B against the tree of A, as given
    A...B    what B has since it left A: the tree of B against that of their merge base

An empty side is HEAD, as in git. Names are data: they never reach git as options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import RepositoryFault, UsageFault
from dev_agent.repository.discovery import resolve_commit
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_FORMS = "write it as BASE..HEAD, or BASE...HEAD for what HEAD has since the two went apart"


@dataclass(frozen=True, kw_only=True, slots=True)
class Revisions:
    """Two commits; `follows` is False if `head` lacks something `base` has, which then reads as undone."""

    base: str
    head: str
    follows: bool


def read_revisions(repository: Repository, text: str) -> Revisions:
    """The commits of the range `text`. Raises UsageFault, RepositoryFault `no-merge-base`."""
    left, dots, right = _split(text)
    base, head = _commit(repository, left), _commit(repository, right)
    if dots == "...":
        base = _merge_base(repository, base, head)
    follows = repository.git.run("merge-base", "--is-ancestor", base, head).ok
    return Revisions(base=base, head=head, follows=follows)


def _split(text: str) -> tuple[str, str, str]:
    dots = "..." if "..." in text else ".."
    left, found, right = text.partition(dots)
    # Refs neither begin nor end with a dot: one more of them is a slip, not a name.
    if not found or ".." in right or right.startswith(".") or "\0" in text or not (left or right):
        raise UsageFault(f"{text!r} is not a range of commits", hint=_FORMS)
    return left or "HEAD", dots, right or "HEAD"


def _commit(repository: Repository, name: str) -> str:
    commit = resolve_commit(repository, name)
    if commit is None:
        raise UsageFault(
            f"there is no commit {name!r} here",
            hint="look at: git log --oneline --all; a shallow clone may have to be deepened",
        )
    return commit


def _merge_base(repository: Repository, left: str, right: str) -> str:
    done = repository.git.run("merge-base", left, right)
    if not done.ok:
        raise RepositoryFault(
            "no-merge-base",
            f"{left} and {right} have no commit in common",
            hint="name the base yourself: BASE..HEAD; a shallow clone may have to be deepened",
        )
    return done.stdout.decode("ascii").split()[0]
