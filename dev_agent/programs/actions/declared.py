"""How an action declares itself: its outcomes and typed facts, apart from the context it will be bound to.

A program can so be proved without a repository, and the same declaration binds when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.runtime.actions import ActionSpec, Result, View
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext
    from dev_agent.runtime.states import FactType


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """A function of (context, view) with the outcomes and facts it may return."""

    name: str
    outcomes: frozenset[str]
    run: Callable[[ApplyContext, View], Result]
    facts: Mapping[str, FactType] = field(default_factory=dict)

    def bound(self, context: ApplyContext) -> ActionSpec:
        """The action as the engine runs it."""
        return ActionSpec(self.name, self.outcomes, self.facts, lambda view: self._run(context, view))

    def _run(self, context: ApplyContext, view: View) -> Result:
        """Run it; what it raises is outcome `error` to the engine, and remembered for who looks for our bugs."""
        try:
            return self.run(context, view)
        except Exception as error:
            context.faults.append(error)
            raise

    def unbound(self) -> ActionSpec:
        """The declaration alone, for proving a program that will not run."""
        return ActionSpec(self.name, self.outcomes, self.facts, _only_declared)


def _only_declared(view: View) -> Result:
    raise AssertionError(f"BUG: {view.state} was run, but its program was only to be proved")
