"""Two traces of one run, side by side: the same states by the same edges to the same trees, or the first difference.

Pure. A difference has a kind, because what to do about it differs: a gate that answers differently about the same tree
with the same tools is flaky; tools or an environment that changed meanwhile explain much; anything else is a puzzle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dev_agent.programs.story import told
from dev_agent.runtime.fold import BRANCH_LEFT, EXCEEDED, LEFT
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.runtime.events import Event
    from dev_agent.runtime.program import Program

_TREES = ("stage", "hooks", "rebase", "invert")


class DifferenceKind(StrEnum):
    """Why a replay went another way, as far as the two traces tell."""

    PROGRAM = "program"
    TOOL = "tool"
    ENVIRONMENT = "environment"
    FLAKY_GATE = "flaky-gate"
    TREE = "tree"
    TRANSITION = "transition"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """The first one: at which transition (from 1), in which state, what was recorded, and what came now."""

    kind: DifferenceKind
    step: int
    state: str
    recorded: str
    replayed: str
    explanation: str

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return {
            "kind": self.kind.value,
            "step": self.step,
            "state": self.state,
            "recorded": self.recorded,
            "replayed": self.replayed,
            "explanation": self.explanation,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What a replay found. `tree` is the last tree staged, "" if none was; `changes` are differences that explain."""

    run: str
    program: str
    outcome: str
    tree: str
    transitions: int
    difference: Difference | None
    changes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """True if every transition and every tree was the same."""
        return self.difference is None

    @property
    def exit_code(self) -> int:
        """0 the same, 1 not."""
        return 0 if self.same else 1

    def to_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            "run": self.run,
            "program": self.program,
            "outcome": self.outcome,
            "same": self.same,
            "tree": self.tree,
            "transitions": self.transitions,
            "difference": self.difference.to_json() if self.difference else None,
            "changes": list(self.changes),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """One transition, with the tree it left staged and what its branches said."""

    state: str
    outcome: str
    target: str
    tree: str
    branches: Mapping[str, Mapping[str, Any]]
    data: Mapping[str, Any]


def compare(recorded: Sequence[Event], replayed: Sequence[Event], program: Program) -> Comparison:
    """The comparison of a recorded run with its replay under `program`."""
    was, now = list(_steps(recorded)), list(_steps(replayed))
    before, after = told(recorded), told(replayed)
    changes = tuple(_surroundings(before.facts.get("begin", {}), after.facts.get("begin", {})))
    difference = _first(was, now, changes)
    if before.binding.get("program") != program.digest and difference is not None:
        difference = Difference(
            kind=DifferenceKind.PROGRAM,
            step=difference.step,
            state=difference.state,
            recorded=difference.recorded,
            replayed=difference.replayed,
            explanation=f"the program {program.name} is not the one the run followed",
        )
    return Comparison(
        run=before.run,
        program=program.name,
        outcome=before.state,
        tree=next((step.tree for step in reversed(was) if step.tree), ""),
        transitions=len(was),
        difference=difference,
        changes=changes,
    )


def _steps(events: Sequence[Event]) -> Iterator[_Step]:
    branches: dict[str, Mapping[str, Any]] = {}
    for event in events:
        data: Any = event.data
        if event.type == BRANCH_LEFT:
            branches[str(data["branch"])] = {"outcome": data["outcome"], **data["data"]}
        elif event.type == LEFT:
            said = data["data"]
            tree = str(said.get("tree", "")) if data["state"] in _TREES else ""
            yield _Step(
                state=str(data["state"]),
                outcome=str(data["outcome"]),
                target=str(data["next"]),
                tree=tree,
                branches=branches,
                data=said,
            )
            branches = {}
        elif event.type == EXCEEDED:
            outcome = f"budget_{data['budget']}"
            target = str(data["next"])
            yield _Step(
                state=str(data["state"]), outcome=outcome, target=target, tree="", branches={}, data={}
            )


def _first(was: Sequence[_Step], now: Sequence[_Step], changes: Sequence[str]) -> Difference | None:
    for number, (one, other) in enumerate(zip(was, now, strict=False), start=1):
        if (one.state, one.outcome, one.target) != (other.state, other.outcome, other.target):
            return _parted(number, one, other, changes)
        if one.tree != other.tree:
            return Difference(
                kind=DifferenceKind.TREE,
                step=number,
                state=one.state,
                recorded=one.tree,
                replayed=other.tree,
                explanation=f"{one.state} made another tree of the same proposal"
                + (f"; changed since: {', '.join(changes)}" if changes else ""),
            )
    if len(was) == len(now):
        return None
    longer, step = (was, len(now)) if len(was) > len(now) else (now, len(was))
    ended = "(ended)"
    return Difference(
        kind=DifferenceKind.TRANSITION,
        step=step + 1,
        state=longer[step].state,
        recorded=longer[step].outcome if longer is was else ended,
        replayed=longer[step].outcome if longer is now else ended,
        explanation="one of the two went on where the other ended",
    )


def _parted(number: int, one: _Step, other: _Step, changes: Sequence[str]) -> Difference:
    """The two left a state by different edges, or are in different states."""
    kind, why = DifferenceKind.TRANSITION, str(other.data.get("explanation", ""))
    state = one.state
    for name in sorted(one.branches.keys() & other.branches.keys()):
        mine, yours = one.branches[name], other.branches[name]
        if mine["outcome"] != yours["outcome"]:
            kind, why = _gate_cause(name, mine, yours)
            state = f"{one.state}.{name}"
            break
    else:
        if changes:
            kind, why = DifferenceKind.ENVIRONMENT, f"changed since: {', '.join(changes)}"
    return Difference(
        kind=kind, step=number, state=state, recorded=one.outcome, replayed=other.outcome, explanation=why
    )


def _gate_cause(name: str, mine: Mapping[str, Any], yours: Mapping[str, Any]) -> tuple[DifferenceKind, str]:
    was, now = _tools(mine), _tools(yours)
    if was["tools"] != now["tools"]:
        return DifferenceKind.TOOL, f"{name} was judged by {was['tools']}, now by {now['tools']}"
    if was["environments"] != now["environments"]:
        return (
            DifferenceKind.ENVIRONMENT,
            f"{name} ran in another environment: installed packages or settings changed",
        )
    failures = ", ".join(now["failures"] or was["failures"]) or str(yours.get("reason", ""))
    return (
        DifferenceKind.FLAKY_GATE,
        f"{name} answers differently about the same tree with the same tools: {failures}",
    )


def _tools(branch: Mapping[str, Any]) -> dict[str, Any]:
    verdicts = branch.get("verdicts", ())
    return {
        "tools": ", ".join(sorted({f"{one['tool']} {one['tool_version']}".strip() for one in verdicts})),
        "environments": sorted({one["environment"] for one in verdicts}),
        "failures": [failure["id"] for one in verdicts for failure in one["new_failures"]][:5],
    }


def _surroundings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What of the surroundings is not as it was when the run began."""
    for name, label in (("tool", "dev-agent"), ("git", "git")):
        if before.get(name) != after.get(name):
            yield f"{label} {before.get(name, '?')} is now {after.get(name, '?')}"
    was, now = before.get("environment", {}), after.get("environment", {})
    if was.get("digest") != now.get("digest"):
        yield "the project's environment"
    if before.get("sandbox", {}).get("name") != after.get("sandbox", {}).get("name"):
        yield "the confinement"
