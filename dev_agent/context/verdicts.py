"""What this package asks of a gate's verdict: the gates' own values fit, and this package does not know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class FailureLike(Protocol):
    """One thing that is wrong, as a gate's verdict has it."""

    @property
    def id(self) -> str:
        """What names it: a test, or a file and symbol."""
        ...

    @property
    def path(self) -> str:
        """Its file, "" if it has none."""
        ...

    @property
    def line(self) -> int | None:
        """Its line there, if it has one."""
        ...

    @property
    def code(self) -> str:
        """The kind of error, or the outcome of the test."""
        ...

    @property
    def message(self) -> str:
        """One line of what was said."""
        ...

    @property
    def detail(self) -> str:
        """All that was said."""
        ...


class VerdictLike(Protocol):
    """What a gate says, as far as it is told to whoever is to repair it."""

    @property
    def gate(self) -> str:
        """Which gate."""
        ...

    @property
    def result(self) -> str:
        """ "failed", "error", or what needs no repair."""
        ...

    @property
    def reason(self) -> str:
        """A code for why."""
        ...

    @property
    def new_failures(self) -> Sequence[FailureLike]:
        """What fails now and did not before."""
        ...

    @property
    def hint(self) -> str:
        """What the tool said, where no failure is named."""
        ...


def is_bad(verdict: VerdictLike) -> bool:
    """Whether there is something to repair, or nothing was learned."""
    return str(verdict.result) in {"failed", "error"}
