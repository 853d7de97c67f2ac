"""What judging a merge came to: the run's report, the two ends of the merge, and whether it is still about the head.

It can be made of a finished judgement, or read back from the trace of one, which is all that `premerge` leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev_agent.programs.report import Outcome
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev_agent.programs.merging import Merging
    from dev_agent.programs.report import RunReport

_SUPERSEDED = 130
_OWN_JUDGE = frozenset(
    f"on.{name}"
    for name in ("policy_files", "gate_configuration", "conftest_changed", "ci_files", "hooks_and_editors")
)
"""The rules about files by which a project is judged: what a head does to them counts after it has landed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeReport:
    """The judgement of merging `merging.head` into commit `base`.

    `superseded` says in words what the head's name means now, "" while that is what was judged.
    """

    run: RunReport
    merging: Merging
    base: str
    superseded: str = ""

    @property
    def passed(self) -> bool:
        """True if exactly this merge was judged good, or there was nothing to merge. What has landed, has."""
        good = self.run.outcome in (Outcome.VERIFIED, Outcome.NO_CHANGE) and not self.superseded
        return good or self.run.outcome is Outcome.COMMITTED

    @property
    def head(self) -> str:
        """The head's commit."""
        return self.merging.head

    @property
    def commit(self) -> str | None:
        """The tested commit itself: the merge commit, or the head where it needed none. None if none passed."""
        return self.run.commit

    @property
    def tree(self) -> str | None:
        """The tree that was judged."""
        return self.run.tree

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The paths in which base and head conflict."""
        return self.run.conflicts

    @property
    def own_judge(self) -> tuple[Mapping[str, Any], ...]:
        """Policy's findings about files that judge this project. They changed nothing about this judgement."""
        found = self.run.policy.get("findings") or ()
        return tuple(one for one in found if one.get("rule") in _OWN_JUDGE)

    @property
    def exit_code(self) -> int:
        """The run's, or 130 if the judgement is about a head that is none any more."""
        return (
            _SUPERSEDED
            if self.superseded and self.run.outcome is not Outcome.COMMITTED
            else self.run.exit_code
        )

    def to_json(self) -> dict[str, Any]:
        """The run's object with the two ends of the merge."""
        return {
            **self.run.to_json(),
            "base_name": self.merging.base_name,
            "head": self.merging.head,
            "head_name": self.merging.head_name,
            "superseded": self.superseded,
            "own_judge": [dict(one) for one in self.own_judge],
            "exit_code": self.exit_code,
        }
