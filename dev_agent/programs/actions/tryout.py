"""tryout: of several answers, choose the one that goes on. It only chooses: what it chose is staged and judged anew.

One answer is chosen as it is, and so is the only one that can still win: judging it here would be judging it twice. Of
more, every candidate's standing is an event of its own, with its diff, before anything is chosen. If all are red the
best of them goes on, is refused where any change would be, and its failures are what the model hears.

Killed at any point, the state is entered again: what is on record about this round's candidates is not found out anew,
and the choice is a function of what is on record. Writes objects that nothing names, and events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.candidates.ranking import Candidate, Standing, best
from dev_agent.programs.candidates.records import CANDIDATE, Finding, known_of_round
from dev_agent.programs.candidates.trial import WAVE, Trial
from dev_agent.programs.reproducing import wish_of
from dev_agent.programs.resolving import proposals
from dev_agent.programs.solving.progress import progress_of
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext


def _tryout(context: ApplyContext, view: View) -> Result:
    events = context.journal.events
    contents = proposals(context)
    progress = progress_of(events, context.journal.blob, base=context.base)
    data: dict[str, Any] = {"round": progress.proposals, "answers": len(contents)}
    if len(contents) == 1:
        return Result("chosen", {**data, "chosen": min(contents), "standing": ""})
    plan = progress.plan
    free = plan is None or context.policy.outside_plan == "allow"
    trial = Trial(
        context=context,
        facts=view.facts,
        wish=wish_of(view.facts, context.policy.reproduce),
        scope=None if plan is None or free else plan.scope,
    )
    winner = _Round(context, view, trial, progress.proposals).winner(contents)
    return Result("chosen", {**data, "chosen": winner.number, "standing": winner.standing.value})


class _Round:
    """The candidates of one round on their way to a choice."""

    def __init__(self, context: ApplyContext, view: View, trial: Trial, number: int) -> None:
        self._view = view
        self._trial = trial
        self._number = number
        self._known = known_of_round(context.journal.events, number)
        self._found: dict[int, Candidate] = {}

    def winner(self, contents: dict[int, bytes]) -> Candidate:
        """The best, once everything that can matter is on record."""
        findings = self._trial.prepared(contents)
        open_ = [one for one in findings if one.candidate.standing is Standing.UNJUDGED]
        if len(open_) > 1:
            self._judge(open_)
        for one in findings:
            if one.candidate.number not in self._found:
                self._record(one)
        return best(self._found.values())

    def _judge(self, open_: list[Finding]) -> None:
        """Wave by wave, until one has somebody who lands; what is on record already is taken from there."""
        for start in range(0, len(open_), WAVE):
            wave = open_[start : start + WAVE]
            fresh = [one for one in wave if not self._recalled(one)]
            for judged in self._trial.judged(fresh, warm=start > 0 or "check" in self._view.facts):
                self._record(judged)
            if any(self._found[one.candidate.number].standing.lands for one in wave):
                return

    def _recalled(self, one: Finding) -> bool:
        """True if this very tree was judged in this round before the process died."""
        known = self._known.get(one.candidate.number)
        if known is None or (known.tree, known.base_tree) != (one.tree, one.base_tree):
            return False
        if known.candidate.standing is Standing.UNJUDGED:
            return False
        self._found[one.candidate.number] = known.candidate
        return True

    def _record(self, one: Finding) -> None:
        """Put it on record, unless it is there."""
        number = one.candidate.number
        self._found[number] = one.candidate
        known = self._known.get(number)
        if known is not None and (known.candidate, known.tree) == (one.candidate, one.tree):
            return
        data, blobs = one.recorded(self._number)
        self._view.record(CANDIDATE, data, blobs)


TRYOUT = Declared(
    name="tryout",
    outcomes=frozenset({"chosen"}),
    facts={
        "round": FactType.INT,
        "answers": FactType.INT,
        "chosen": FactType.INT,
        "standing": FactType.STR,
    },
    run=_tryout,
)
