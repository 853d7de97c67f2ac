"""Where edits come from: one small Protocol, and the proposer that reads a patch somebody else made.

A proposer computes; it decides nothing. Its answer is raw bytes in some edit format, or a reason why there is
none. `revises` says whether asking again after a failure can give another answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a proposer said: the raw bytes, or None with the reason it declined."""

    content: bytes | None
    declined: str = ""


class Proposer(Protocol):
    """A source of proposals."""

    @property
    def name(self) -> str:
        """Its name in traces and receipts."""
        ...

    @property
    def revises(self) -> bool:
        """True if it may answer differently when told what was wrong."""
        ...

    def propose(self) -> Answer:
        """The proposal."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Inverse:
    """Nobody proposes an undo: it is computed from the commit it takes back, in git's own objects."""

    name: str = "undo"
    revises: bool = False

    def propose(self) -> Answer:
        """No bytes."""
        return Answer(content=None, declined="an undo is computed, not proposed")


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchFile:
    """A patch as bytes: it is what it is, so a second asking would change nothing."""

    content: bytes
    name: str = "patch"
    revises: bool = False

    def propose(self) -> Answer:
        """The bytes of the file."""
        return Answer(content=self.content)
