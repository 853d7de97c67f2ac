"""What shows a model the repository: `briefing` with budgets that shrink when the model says that it was too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dev_agent.context.fence import fenced
from dev_agent.context.plain import lines_of, source_line
from dev_agent.context.tokens import estimated_tokens
from dev_agent.context.wanted import Wanted
from dev_agent.policy.secret_patterns import redact_lines
from dev_agent.programs.briefing import FAILURES_BUDGET, FILES_BUDGET, MAP_BUDGET
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.gates.verdict import Verdict
    from dev_agent.programs.briefing import Brief, Briefer
    from dev_agent.programs.solving.answers import Request

QUOTED_BUDGET = 12_000
_CUT = "\n[the rest is left out]\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Briefs:
    """The repository as a model may see it; each time it is too much, everything but the task gets half the room.

    A tree "" is the base's.
    """

    briefer: Briefer
    shrunk: int = 0

    def map(self, task: str) -> Brief:
        """The most relevant files of the base, by their outlines."""
        return self.briefer.map(task, budget=MAP_BUDGET >> self.shrunk)

    def files(
        self,
        task: str,
        *,
        named: Sequence[str],
        symbols: Sequence[str],
        requests: Sequence[Request],
        tree: str,
    ) -> Brief:
        """The text of what a plan names and of all that was asked for, and why something is not shown."""
        wanted = Wanted(
            files=_each(requests, "files"),
            symbols=_each(requests, "symbols"),
            searches=_each(requests, "searches"),
        )
        return self.briefer.files(
            task,
            plan_files=tuple(named),
            symbols=tuple(symbols),
            wanted=wanted,
            staged_tree=tree or None,
            budget=FILES_BUDGET >> self.shrunk,
        )

    def failures(self, verdicts: Sequence[Verdict], *, tree: str) -> Brief:
        """What gates found newly wrong with a tree."""
        return self.briefer.failures(verdicts, staged_tree=tree, budget=FAILURES_BUDGET >> self.shrunk)

    def quoted(self, kind: str, label: str, text: str) -> str:
        """Text of somebody else as a block, without credentials or what reorders it, cut to the room there is."""
        clean = "\n".join(redact_lines([source_line(line) for line in lines_of(text)]))
        return fenced(kind, label, _fitting(clean, QUOTED_BUDGET))


def _each(requests: Sequence[Request], name: str) -> tuple[str, ...]:
    """What several requests ask for together, the latest first: it is what there has to be room for."""
    return tuple(dict.fromkeys(one for request in reversed(requests) for one in getattr(request, name)))


def _fitting(text: str, budget: int) -> str:
    """The beginning of a text that is too long, by halves: what it takes is estimated, not counted."""
    if estimated_tokens(text) <= budget:
        return text
    cut = text
    while estimated_tokens(cut) > budget:
        cut = cut[: len(cut) * 9 // 10]
    return cut + _CUT
