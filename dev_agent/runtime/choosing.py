"""What a state that chooses gives: the outcome of its first case that holds, and which were looked at.

A condition on a fact that is not there, or of another type than it needs, is the outcome `error`.
"""

from __future__ import annotations

from collections.abc import Mapping

from dev_agent.runtime.attempt import Attempt, failed
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.conditions import parse
from dev_agent.runtime.errors import FactUnusable
from dev_agent.runtime.fold import Position
from dev_agent.runtime.program import Program
from dev_agent.runtime.states import OTHERWISE, FactType, State
from dev_agent.runtime.written import written


class Choices:
    """The cases of a proved program's states that choose."""

    def __init__(self, program: Program, declared: Mapping[str, FactType]) -> None:
        self._cases = {
            state.name: [(parse(case.when, declared), case.outcome) for case in state.cases]
            for state in program.states.values()
            if state.cases
        }

    def attempt(self, state: State, position: Position) -> Attempt:
        """Return the attempt at this state with the facts there are. Raises nothing."""
        evaluated: list[Json] = []
        try:
            outcome = self._first_true(state, position, evaluated)
        except FactUnusable as fault:
            return failed(type(fault).__name__, fault.message)
        return Attempt(outcome=outcome, content=written({"cases": evaluated}))

    def _first_true(self, state: State, position: Position, evaluated: list[Json]) -> str:
        for condition, outcome in self._cases[state.name]:
            holds = condition.evaluate(position.lookup(condition.names))
            evaluated.append({"when": condition.source, "holds": holds})
            if holds:
                return outcome
        return OTHERWISE
