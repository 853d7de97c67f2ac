"""The errors of the runtime: one small family, each with what failed and what to do.

    RuntimeFault
    ├── NotCanonical      a value has no canonical form
    ├── ProgramError      a program file is malformed (all faults at once)
    ├── ProgramRefused    a program is well formed but not provable (all faults at once)
    ├── ConditionError    an expression does not parse or type-check
    ├── FactUnusable      a fact an expression needs is absent or of another type
    │   └── MissingFact
    ├── TraceCorrupt      a trace is not what was written
    ├── JournalBusy       another process holds the journal
    ├── JournalFailed     the journal cannot be written or used any more
    ├── BlobUnavailable   a blob is erased, missing or altered
    ├── ReceiptMalformed  a receipt, or its envelope, is not of its form
    ├── NotShown          a model view was asked for what it does not show
    ├── CapabilityDenied  a capability is not this action's to resolve
    └── RunRefused        a call does not fit the run; nothing was changed
        ├── WrongProgram
        ├── WrongSignal
        └── InputsRefused

Outcomes of actions are values, not exceptions: none of these is raised for what an action does.
"""

from __future__ import annotations

from collections.abc import Sequence

from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in a file: where (a field path such as `states.plan.on`), what, and the remedy.

    `line` (from 1) is where the field, or what it should be in, begins; None if nobody knows.
    """

    where: str
    message: str
    hint: str = ""
    line: int | None = None

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


class RuntimeFault(Exception):
    """Base of the family. `message` says what failed, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotCanonical(RuntimeFault):
    """A value has no restricted canonical form (floats, large integers, foreign types, too deep …)."""


class _Faults(RuntimeFault):
    """A refusal made of several faults; the message lists them one a line, in the order of the file `source`."""

    def __init__(self, subject: str, faults: Sequence[Fault], hint: str = "", *, source: str = "") -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line or 0))
        lines = "".join(f"\n  {_place(source, fault)}{fault}" for fault in self.faults)
        super().__init__(f"{subject}:{lines}", hint)


def _place(source: str, fault: Fault) -> str:
    if not source:
        return ""
    return f"{source}: " if fault.line is None else f"{source}:{fault.line}: "


class ProgramError(_Faults):
    """A program file is malformed. `faults` holds every fault of the file."""


class ProgramRefused(_Faults):
    """A program is well formed but what must be proved about it does not hold. `faults` holds all of it."""


class ConditionError(RuntimeFault):
    """An expression is refused at load. `source` is the expression, `column` the character (from 0)."""

    def __init__(self, message: str, *, source: str, column: int, hint: str = "") -> None:
        super().__init__(message, hint)
        self.source = source
        self.column = column

    def __str__(self) -> str:
        return f"{self.message}\n    {self.source}\n    {' ' * self.column}^"


class FactUnusable(RuntimeFault):
    """A fact is absent, or not of its declared type, when a condition needs it. `name` is dotted."""

    def __init__(self, name: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.name = name


class MissingFact(FactUnusable):
    """A fact was never recorded in this run. Never the same as False."""


class TraceCorrupt(RuntimeFault):
    """A trace is not what was written. `seq` is the first bad event, counted from 0."""

    def __init__(self, seq: int, reason: str, hint: str = "do not trust this run; keep the folder") -> None:
        super().__init__(f"event {seq}: {reason}", hint)
        self.seq = seq
        self.reason = reason


class JournalBusy(RuntimeFault):
    """Another process (or another Journal of this one) is writing this run. `run` names it."""

    def __init__(self, run: str) -> None:
        super().__init__(f"run {run} is in use by another process", "wait for it to end, or stop it")
        self.run = run


class JournalFailed(RuntimeFault):
    """The journal cannot be created, opened or written."""


class BlobUnavailable(RuntimeFault):
    """A blob cannot be read back as it was written: erased, missing or altered. `commitment` names it."""

    def __init__(self, commitment: str, message: str) -> None:
        super().__init__(
            message, "an erased blob cannot come back; an altered one means the folder was changed"
        )
        self.commitment = commitment


class ReceiptMalformed(RuntimeFault):
    """A receipt, or the envelope around it, does not have its form."""


class NotShown(RuntimeFault):
    """A model view was asked for a fact or a prompt the program does not show to that state."""


class CapabilityDenied(RuntimeFault):
    """A capability is not declared by the action that asks, or not given by the host. `name` is the capability."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message, "name it in the action's `capabilities`, and give the engine a resolver")
        self.name = name


class RunRefused(RuntimeFault):
    """A call does not fit the run as it stands. Nothing was changed."""


class WrongProgram(RunRefused):
    """The run was started under another program."""


class WrongSignal(RunRefused):
    """The signal is not one the waiting state accepts, or nothing waits."""


class InputsRefused(_Faults, RunRefused):
    """The inputs are not what the program declares under [facts]. `faults` holds all of it."""
