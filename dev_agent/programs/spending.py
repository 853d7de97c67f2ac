"""What a run may spend on a model: limits a caller names, in the budgets of the program it is driven by.

They are part of the program before it is proved, so the engine keeps them and the run's digest covers them. A run
that is taken up again, replayed or recovered has the limits it began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dev_agent.errors import UsageFault
from dev_agent.programs.builtin import builtin_program
from dev_agent.programs.story import program_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.story import Story
    from dev_agent.runtime.program import Program

_LARGEST = 10**12
_MICRO = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """The most a run may use up; None: as the program says. `money` is in millionths of a dollar."""

    model_calls: int | None = None
    tokens: int | None = None
    money: int | None = None
    wall_ms: int | None = None

    def __post_init__(self) -> None:
        """Raises UsageFault for a limit that cannot be meant."""
        for name, option in _OPTIONS.items():
            value = getattr(self, name)
            if value is not None and not 0 < value <= _LARGEST:
                raise UsageFault(
                    f"{option} has to be more than nothing, and less than a billion",
                    hint="leave it out for the default",
                )

    def to_json(self) -> dict[str, Any]:
        """The limits that were named."""
        return {name: value for name in _OPTIONS if (value := getattr(self, name)) is not None}

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Spending:
        """The inverse of `to_json`. Raises TypeError for anything else."""
        return cls(**{name: int(value) for name, value in known.items()})

    def within(self, program: Program) -> Program:
        """The program with these limits in the place of its own."""
        return replace(program, budgets=replace(program.budgets, **self.to_json()))


_OPTIONS = {
    "model_calls": "--max-calls",
    "tokens": "--max-tokens",
    "money": "--max-cost",
    "wall_ms": "--max-time",
}


def in_words(program: Program) -> str:
    """What a run of this program may use up, in a sentence for the person who waits for it."""
    budgets = program.budgets
    said = [
        f"{budgets.model_calls} calls" if budgets.model_calls is not None else "",
        f"{budgets.tokens:,} tokens" if budgets.tokens is not None else "",
        f"${budgets.money / _MICRO:,.2f}" if budgets.money is not None else "",
        f"{budgets.wall_ms // 60_000} minutes" if budgets.wall_ms is not None else "",
    ]
    return ", ".join(one for one in said if one)


def program_of_run(story: Story) -> Program:
    """The shipped program a run follows, with the limits it began with. Raises UsageFault for an unknown one."""
    program = builtin_program(program_of(story))
    proposer = story.request.get("proposer")
    known = proposer.get("spending") if isinstance(proposer, Mapping) else None
    return Spending.from_json(known).within(program) if isinstance(known, Mapping) else program
