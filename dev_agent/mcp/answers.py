"""What tools answer, as typed models: their schemas are what clients are told to expect.

The fields are those of the commands' JSON; whatever else a command says is kept, so that nothing is lost on the way.
What a repository or a proposer wrote (tasks, diffs, test output) is data here as everywhere.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    """Frozen; fields of a newer command pass through."""

    model_config = ConfigDict(frozen=True, extra="allow")


class RunAnswer(_Answer):
    """How a run ended or where it waits."""

    run: str
    outcome: str = Field(
        description="committed, verified, no_change, rejected, suspended, kept, failed, interrupted or running"
    )
    exit_code: int = Field(
        description="0 committed or verified, 1 rejected, 3 environment, 4 budget, 5 waits for a person, 6 kept"
    )
    reason: str = ""
    explanation: str = ""
    advice: str = ""
    base: str = ""
    commit: str | None = None
    tree: str | None = None
    branch: str | None = None
    files: list[str] = []
    policy: dict[str, Any] = {}
    gates: list[dict[str, Any]] = Field(
        default=[],
        description="each with name, verdict, ms and new_failures: id, path, line, code, message, detail",
    )
    cost: dict[str, Any] = {}
    receipt: str | None = None
    trace: str = ""


class RunLine(_Answer):
    """One run in a list."""

    run: str
    started: str = ""
    outcome: str = ""
    reason: str = ""
    task: str = ""
    commit: str | None = None
    files: int = 0
    ms: int = 0


class RunList(_Answer):
    """Runs, newest first; `left_out` counts those beyond the limit."""

    runs: list[RunLine]
    left_out: int = 0


class RunStory(_Answer):
    """One run whole: its report, the states it went through, verdicts and what policy found."""

    report: dict[str, Any]
    path: list[dict[str, Any]]
    gates: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    task: str = ""
    explanation: str = ""
    advice: str = ""


class TracePart(_Answer):
    """Events of a trace as they are recorded, from `first` on; `next` is where to go on, None at the end."""

    run: str
    first: int
    events: list[dict[str, Any]]
    next: int | None


class ReceiptAnswer(_Answer):
    """The receipt of a run: an in-toto statement."""

    run: str
    receipt: dict[str, Any]


class Proof(_Answer):
    """What a verification found. `ok` is True if nothing was found to be wrong."""

    run: str
    ok: bool
    events: int
    head: str
    first_bad: int | None = None
    checks: list[dict[str, Any]]


class Explained(_Answer):
    """The facts about a change, and the rules that looked at them."""


class ContextAnswer(_Answer):
    """What a model would be shown for a task, and why."""


class ProgramAnswer(_Answer):
    """How a run of a program stands; `awaited` are the outcomes a waiting state takes, `wanted` what they need."""

    run: str
    program: str = ""
    outcome: str
    state: str = ""
    reason: str = ""
    explanation: str = ""
    facts: dict[str, Any] = {}
    awaited: list[str] = []
    wanted: dict[str, str] = {}
    path: list[dict[str, Any]] = []
    cost: dict[str, Any] = {}
