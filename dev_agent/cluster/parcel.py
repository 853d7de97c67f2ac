"""The commits in which trees travel: the same bytes whoever makes them, so that a bundle of a tree repeats.

A bundle carries commits, and a judgement is about trees. The base tree travels as a commit without parents, the judged
one as its child, so that the second bundle holds the difference only. Neither is a commit of anybody's history.
"""

from __future__ import annotations

from dev_agent.values import dataclass

MOST_OBJECT_BYTES = 8 * 1024**3
"""Of one bundle or file."""

_WHO = "dev-agent <dev-agent@localhost> 0 +0000"


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """A git bundle by its content."""

    sha256: str
    size: int


def commit_bytes(tree: str, parent: str = "") -> bytes:
    """The body of the commit that carries `tree`, the child of `parent` if there is one."""
    above = f"parent {parent}\n" if parent else ""
    return f"tree {tree}\n{above}author {_WHO}\ncommitter {_WHO}\n\njudged\n".encode("ascii")
