"""widen: how many answers to ask for now: one, or several at once, as far as the budgets go.

Reads only; killed at any point, the state is entered again and says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.candidates.schedule import affordable, asked_for
from dev_agent.programs.solving.progress import progress_of
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.receipt import costs
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext

SAMPLES = "widen.samples"


def _widen(context: ApplyContext, view: View) -> Result:
    events = context.journal.events
    round_ = progress_of(events, context.journal.blob, base=context.base).proposals + 1
    said = str(view.facts["input"]["candidates"])  # type: ignore[call-overload,index]  # declared by the program
    wanted = asked_for(said, round_)
    samples = affordable(wanted, left=view.remaining, spent=costs(events))
    return Result("ready", {"round": round_, "wanted": wanted, "samples": samples})


WIDEN = Declared(
    name="widen",
    outcomes=frozenset({"ready"}),
    facts={"round": FactType.INT, "wanted": FactType.INT, "samples": FactType.INT},
    run=_widen,
)
