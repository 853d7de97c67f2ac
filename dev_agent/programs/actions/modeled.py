"""How an action that asks a model declares itself: as `declared` does, with its prompts, and without the context.

What the engine runs gets the projection of its state and the means to ask, and nothing else of a run: neither the
repository, nor the journal, nor policy, budgets or earlier outcomes. Binding takes two things out of the context and
forgets it: how to ask, and where to remember what was raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.runtime.actions import ModelActionSpec, Result
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext
    from dev_agent.programs.solving.asking import Asking
    from dev_agent.runtime.projection import ModelView
    from dev_agent.runtime.states import FactType

SPENDS = frozenset({"model_calls", "tokens", "money"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Modeled:
    """A function of (asking, view of the model) with the outcomes, facts and prompts it declares."""

    name: str
    outcomes: frozenset[str]
    run: Callable[[Asking, ModelView], Result]
    prompts: Mapping[str, str]
    facts: Mapping[str, FactType] = field(default_factory=dict)

    def bound(self, context: ApplyContext) -> ModelActionSpec:
        """The action as the engine runs it."""
        return self._spec(_Bound(run=self.run, asking=context.asking, faults=context.faults))

    def unbound(self) -> ModelActionSpec:
        """The declaration alone, for proving a program that will not run."""
        return self._spec(_only_declared)

    def _spec(self, run: Callable[[ModelView], Result]) -> ModelActionSpec:
        return ModelActionSpec(self.name, self.outcomes, self.facts, run, spends=SPENDS, prompts=self.prompts)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bound:
    """All that is left of the context. `asking` is None in a run of a program that asks no model."""

    run: Callable[[Asking, ModelView], Result]
    asking: Asking | None
    faults: list[Exception]

    def __call__(self, view: ModelView) -> Result:
        """Run it; what it raises is outcome `error` to the engine, and remembered for who looks for our bugs."""
        try:
            if self.asking is None:
                raise AssertionError("BUG: a model was to be asked in a run that has none")
            return self.run(self.asking, view)
        except Exception as error:
            self.faults.append(error)
            raise


def _only_declared(_view: ModelView) -> Result:
    raise AssertionError("BUG: a model was asked, but its program was only to be proved")
