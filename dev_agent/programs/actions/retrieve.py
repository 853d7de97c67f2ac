"""retrieve: take note that the model wants to see more, so often and no oftener.

What it is shown then is put together by `brief`, within the read policy and the budget, together with why something is
not shown. Writes nothing; killed at any point, the state is entered again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.solving.progress import progress_of
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext

MOST_ROUNDS = 3
"""Between one plan or proposal and the next."""


def _retrieve(context: ApplyContext, _view: View) -> Result:
    progress = progress_of(context.journal.events, context.journal.blob, base=context.base)
    if progress.rounds >= MOST_ROUNDS:
        why = f"the model asked to see more {progress.rounds + 1} times in a row instead of answering"
        return Result("exhausted", {"reason": "context_exhausted", "explanation": why})
    request = progress.requests[-1]
    data = {
        "files": len(request.files),
        "symbols": len(request.symbols),
        "searches": len(request.searches),
        "reason": "",
    }
    return Result("retrieved", data)


RETRIEVE = Declared(
    name="retrieve",
    outcomes=frozenset({"retrieved", "exhausted"}),
    facts={
        "files": FactType.INT,
        "symbols": FactType.INT,
        "searches": FactType.INT,
        "reason": FactType.STR,
        "explanation": FactType.STR,
    },
    run=_retrieve,
)
