"""One run of pytest on one tree, and what can be believed of it.

A run is believed when four things agree: how the process ended, the sealed end record, the record of each
collected test, and where the project's modules came from. `fault` is "" then; otherwise it is the reason code:

    died_early            no end record: the process left before pytest was done
    inconsistent_report   two end records, a foreign record, a status or a count that does not fit
    tested_elsewhere      a module of the project came from outside of the staged tree
    interrupted crashed pytest_refused    pytest's own statuses 2, 3, 4
    timed_out memory processes disk killed cancelled unavailable    the sandbox ended it
    setup_failed pytest_missing pytest_misplaced    pytest was never started
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dev_agent.gates.bench import Ran, tail_of
from dev_agent.gates.delta import Outcome, worst
from dev_agent.gates.pytest_words import told
from dev_agent.gates.verdict import Failure
from dev_agent.sandbox.job import EndedHow
from dev_agent.values import dataclass

_STATUSES = {2: "interrupted", 3: "crashed", 4: "pytest_refused"}
_HOW = {EndedHow.SIGNALLED: "killed"}


@dataclass(frozen=True, kw_only=True, slots=True)
class TestRun:
    """`odd_status`: pytest's exit status does not fit the outcomes, as a hook of the project can bring about."""

    __test__ = False

    outcomes: Mapping[str, Outcome]
    failures: Mapping[str, Failure]
    collect_errors: frozenset[str]
    patched: tuple[str, ...]
    odd_status: bool
    fault: str
    detail: str
    exit_code: int | None
    argv: tuple[str, ...]
    ms: int
    output: bytes = b""

    @property
    def green(self) -> int:
        """How many tests ran and passed."""
        return sum(one.green for one in self.outcomes.values())

    def to_json(self) -> dict[str, Any]:
        """For the cache; the output is left out."""
        return {
            "outcomes": {test: outcome.value for test, outcome in self.outcomes.items()},
            "failures": [one.to_json() for one in self.failures.values()],
            "collect_errors": sorted(self.collect_errors),
            "patched": list(self.patched),
            "odd_status": self.odd_status,
            "exit_code": self.exit_code,
            "argv": list(self.argv),
            "ms": self.ms,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestRun:
        """The inverse, for runs without a fault. Raises KeyError, TypeError or ValueError for anything else."""
        failures = [Failure.from_json(one) for one in data["failures"]]
        return cls(
            outcomes={str(test): Outcome(one) for test, one in data["outcomes"].items()},
            failures={one.id: one for one in failures},
            collect_errors=frozenset(data["collect_errors"]),
            patched=tuple(data["patched"]),
            odd_status=bool(data["odd_status"]),
            fault="",
            detail="",
            exit_code=data["exit_code"],
            argv=tuple(data["argv"]),
            ms=int(data["ms"]),
        )


def read_run(ran: Ran, argv: Sequence[str]) -> TestRun:
    """Judge what the launcher and pytest left behind."""
    tests = ran.of("test")
    errors = ran.of("collect_error")
    end = ran.of("end")
    outcomes = _outcomes(tests, errors)
    fault, detail = _fault(ran, outcomes)
    last: Mapping[str, Any] = end[-1] if end else {}
    red = any(one.red for one in outcomes.values())
    return TestRun(
        outcomes=outcomes,
        failures={
            one.id: one for one in (*map(_failure, tests), *map(_error, errors)) if outcomes[one.id].red
        },
        collect_errors=frozenset(str(one["id"]) for one in errors),
        patched=tuple(last.get("patched", ())),
        odd_status=ran.ended.code in {0, 1} and (ran.ended.code == 1) is not red,
        fault=fault,
        detail=detail or (told(ran.output) if fault else ""),
        exit_code=ran.ended.code,
        argv=("pytest", *argv),
        ms=ran.ended.ms,
        output=ran.output,
    )


def _outcomes(tests: Sequence[Mapping[str, Any]], errors: Sequence[Mapping[str, Any]]) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    for record in tests:
        test, outcome = str(record["id"]), Outcome(str(record["outcome"]))
        outcomes[test] = worst([outcome, outcomes.get(test, outcome)])
    for record in errors:
        outcomes[str(record["id"])] = Outcome.ERROR
    return outcomes


def _fault(ran: Ran, outcomes: Mapping[str, Outcome]) -> tuple[str, str]:
    """The first reason not to believe the run, and its words."""
    ended = ran.ended
    if ended.how is EndedHow.SIGNALLED:
        said = f"pytest was ended by {_signal_name(ended.signal)}"
        return _HOW[ended.how], "\n".join(one for one in (said, tail_of(ran.output)) if one)
    if ended.how is not EndedHow.EXITED:
        return _HOW.get(ended.how, ended.how.value.replace("-", "_")), ended.detail
    if ran.forged:
        return "inconsistent_report", ran.forged
    for record in ran.of("setup_failed"):
        said = f"{' '.join(map(str, record['argv']))} ended with status {record['code']}"
        return "setup_failed", f"{said}\n{tail_of(ran.output)}"
    for record in ran.of("refused"):
        return str(record["reason"]), str(record["detail"])
    end = ran.of("end")
    if not end:
        return "died_early", f"pytest left with status {ended.code} before it had finished"
    if len(end) > 1 or len(ran.of("collected")) > 1:
        return "inconsistent_report", "pytest ran or reported more than once"
    return _end_fault(ran, end[0], outcomes)


def _end_fault(ran: Ran, end: Mapping[str, Any], outcomes: Mapping[str, Outcome]) -> tuple[str, str]:
    status = end["status"]
    if status != ran.ended.code:
        return "inconsistent_report", f"pytest ended with {status}, the process with {ran.ended.code}"
    if not end["started"]:
        return "pytest_refused", ""
    if end["strangers"]:
        listed = ", ".join(f"{name} from {where}" for name, where in sorted(end["strangers"].items()))
        return "tested_elsewhere", f"not the staged code was tested but {listed}"
    if status in _STATUSES:
        return _STATUSES[status], ""
    reported = Counter(str(one["outcome"]) for one in ran.of("test"))
    if dict(reported) != end["counts"]:
        return "inconsistent_report", "the number of test records does not fit the end record"
    collected = {str(test) for one in ran.of("collected") for test in one["ids"]}
    missing = collected - set(outcomes)
    if missing:
        return "inconsistent_report", f"{len(missing)} collected tests have no outcome: {_some(missing)}"
    return "", ""


def _failure(record: Mapping[str, Any]) -> Failure:
    line = record.get("line")
    message = str(record.get("message", ""))
    return Failure(
        id=str(record["id"]),
        path=str(record.get("path", "")),
        line=line if isinstance(line, int) else None,
        code=str(record["outcome"]),
        message=_headline(message),
        detail=message,
    )


def _error(record: Mapping[str, Any]) -> Failure:
    message = str(record.get("message", ""))
    return Failure(
        id=str(record["id"]),
        path=str(record["id"]).partition("::")[0],
        code="collection",
        message=_headline(message) or "could not be imported",
        detail=message,
    )


def _headline(text: str) -> str:
    """The line of a pytest report that says what was raised: the first of those marked `E`."""
    lines = [line for line in text.splitlines() if line.strip()]
    marked = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (marked or [line.strip() for line in lines[-1:]] or [""])[0][:300]


def _signal_name(number: int | None) -> str:
    try:
        return signal.Signals(number or 0).name
    except ValueError:
        return f"signal {number}"


def _some(names: set[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:5]) + (" ..." if len(listed) > 5 else "")
