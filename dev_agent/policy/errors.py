"""What can be wrong with what a user wrote: a glob, a condition or a policy file.

PolicyError
├── GlobError          one pattern that means nothing, or not what its writer thinks
├── ConditionRefused   one expression that does not parse or type-check
└── ConditionFailed    one expression that could not be evaluated on the facts of a change

Every error carries `message` (what failed) and `hint` (what to do). A policy file's faults are reported
together, each with the path of its field, so that one look is enough to mend the file.
"""

from __future__ import annotations

from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault of a policy file: the field's dotted path ("" for the file), what is wrong, what to do, and the
    line (from 1) where the field, or what it should be in, begins."""

    field: str
    problem: str
    remedy: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        # A problem with a caret ends below the caret; the remedy then has a line of its own.
        between = "\n    " if "\n" in self.problem else "; "
        return f"{where}{self.problem}{between}{self.remedy}"


class PolicyError(Exception):
    """A policy cannot be used. `faults` lists everything wrong with it, in the file's order."""

    def __init__(self, message: str, hint: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.faults = faults


class GlobError(PolicyError):
    """A path pattern is not in the glob language of `globs`."""


class ConditionRefused(PolicyError):
    """An expression is refused at load. `message` may span lines: the last two show the place with a caret."""


class ConditionFailed(PolicyError):
    """An expression could not be evaluated. Never the same as False."""
