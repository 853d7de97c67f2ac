"""What the answer of a child means to a campaign.

The child's exit code and its object say how its run ended; why, and what it cost, is asked of the run's own trace. What
cannot be told is trouble, with everything counted as used: it is never taken for a good end.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.errors import DevAgentError
from dev_agent.programs.campaigning.driver import Worked
from dev_agent.programs.campaigning.model import Fate
from dev_agent.programs.cost import FREE
from dev_agent.programs.folders import find_run
from dev_agent.programs.paths import recordable
from dev_agent.programs.report import Outcome
from dev_agent.programs.runs import read_run
from dev_agent.runtime.errors import RuntimeFault

if TYPE_CHECKING:
    from dev_agent.programs.report import RunReport
    from dev_agent.repository.discovery import Repository
    from dev_agent.surfaces.command import Answer

_USAGE, _ENVIRONMENT, _BUDGET = 2, 3, 4
_LONGEST = 500
_FATES = {
    Outcome.COMMITTED: Fate.LANDED,
    Outcome.VERIFIED: Fate.VERIFIED,
    Outcome.NO_CHANGE: Fate.NO_CHANGE,
    Outcome.REJECTED: Fate.REJECTED,
    Outcome.SUSPENDED: Fate.WAITING,
    Outcome.KEPT: Fate.KEPT,
    Outcome.FAILED: Fate.TROUBLE,
    Outcome.INTERRUPTED: Fate.TROUBLE,
    Outcome.RUNNING: Fate.TROUBLE,
}
_ENDS_BY_CODE = {_BUDGET: Fate.OUT_OF_BUDGET, _ENVIRONMENT: Fate.TROUBLE}


def worked(answer: Answer, repository: Repository, *, place: Path, branch: str, late: bool) -> Worked:
    """What came of the child that worked on `branch` at `place`. `late`: the campaign's time was over."""
    stopped = _was_stopped(answer)
    if stopped and not late:
        return Worked(
            fate=Fate.TROUBLE, place=str(place), stopped=answer.cancelled, why="it was stopped from outside"
        )
    if late and (stopped or answer.failure):
        run = str(answer.data.get("run") or "")
        return Worked(
            fate=Fate.OUT_OF_BUDGET,
            place=str(place),
            run=run,
            branch=branch,
            why="the campaign's time is used up",
        )
    if answer.failure:
        return _failed(answer, place)
    return _ended(answer, repository, place=place, branch=branch)


def _was_stopped(answer: Answer) -> bool:
    """True if the child ended because somebody asked it to; one that had ended all the same has an answer."""
    error = answer.data.get("error")
    asked = isinstance(error, dict) and error.get("kind") == "interrupted"
    silent = not answer.data and answer.cancelled
    return asked or silent or answer.data.get("outcome") == Outcome.INTERRUPTED.value


def _failed(answer: Answer, place: Path) -> Worked:
    error = answer.data.get("error")
    usage = isinstance(error, dict) and error.get("exit_code") == _USAGE
    why = answer.failure
    if not answer.data and answer.code < 0:
        why = f"the child was killed by {_signal(-answer.code)}; its run, if it had begun, can be taken up again"
    # What was refused before a run began cost nothing; of everything else nobody knows.
    return Worked(fate=Fate.TROUBLE, why=_short(why), place=str(place), cost=FREE if usage else None)


def _ended(answer: Answer, repository: Repository, *, place: Path, branch: str) -> Worked:
    data = answer.data
    try:
        outcome = Outcome(str(data.get("outcome")))
    except ValueError:
        return Worked(
            fate=Fate.TROUBLE,
            place=str(place),
            why=f"the child ended with status {answer.code} and no outcome",
        )
    run = str(data.get("run") or "")
    report = _report(repository, run)
    fate = _FATES[outcome]
    if outcome is Outcome.REJECTED:
        fate = _ENDS_BY_CODE.get(answer.code, fate)
    good = fate in (Fate.LANDED, Fate.NO_CHANGE, Fate.VERIFIED)
    told = report.explanation if report else str(data.get("reason") or "")
    return Worked(
        fate=fate,
        why="" if good else _short(told or outcome.value),
        place=str(place),
        run=run,
        branch=branch,
        base=_text(data.get("base")),
        commit=_text(data.get("commit")),
        cost=report.spent if report else None,
    )


def _report(repository: Repository, run: str) -> RunReport | None:
    """The run as its trace tells it, None if that cannot be read: then only the child's word is left."""
    try:
        return read_run(find_run(repository, run)).report
    except (DevAgentError, RuntimeFault, OSError):
        return None


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _short(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    shown = recordable("; ".join(filter(None, lines)))
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
