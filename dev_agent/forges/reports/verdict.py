"""What a judged merge concludes in a code host's words. Pure.

Only `success` says that exactly this merge was judged good. `neutral` satisfies a required check too, so it is said
only where there is nothing to judge. What could not be judged is a `failure` that says so, never a word that passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.forges.check_runs import Conclusion
from dev_agent.forges.text import cut, title
from dev_agent.programs.report import Outcome
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.merge_report import MergeReport

UNVERIFIED = "could not verify"
_LONGEST = 500
_TIMED_OUT = "timed_out"
_PASSED = {
    Outcome.VERIFIED: "verified: exactly this merge passed",
    Outcome.COMMITTED: "verified and landed: the tested commit is the base now",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """The conclusion, and one line that explains it: `text` as it came, `title` encoded as a check's title."""

    conclusion: Conclusion
    text: str

    @property
    def title(self) -> str:
        """The line as a title."""
        # Cut first: what the encoder looks for takes more than the length in time.
        return title(cut(self.text, _LONGEST))

    @property
    def is_verdict(self) -> bool:
        """False if nothing was learned about the merge."""
        return not self.text.startswith(UNVERIFIED)


def conclusion_of(report: MergeReport) -> Judged:
    """The conclusion of a check run on the head."""
    run = report.run
    if report.superseded and run.outcome is not Outcome.COMMITTED:
        return _judged(Conclusion.CANCELLED, f"superseded: {report.superseded}")
    if run.outcome in _PASSED:
        return _judged(Conclusion.SUCCESS, _PASSED[run.outcome])
    if run.outcome is Outcome.NO_CHANGE:
        return _judged(Conclusion.NEUTRAL, f"nothing to verify: {run.explanation}")
    if run.outcome is Outcome.SUSPENDED:
        return _judged(Conclusion.ACTION_REQUIRED, f"a person has to agree: {run.explanation}")
    if run.outcome is Outcome.KEPT:
        return _judged(Conclusion.ACTION_REQUIRED, f"verified, but not landed: {run.explanation}")
    if _ran_out_of_time(run.gates):
        return _judged(Conclusion.TIMED_OUT, f"{UNVERIFIED}: {run.explanation}")
    if run.outcome is Outcome.REJECTED and not run.environment_fault:
        return _judged(Conclusion.FAILURE, _rejection(report))
    return _judged(Conclusion.FAILURE, f"{UNVERIFIED}: {run.explanation}")


def _rejection(report: MergeReport) -> str:
    if report.conflicts:
        return f"conflict in {len(report.conflicts)} file{'' if len(report.conflicts) == 1 else 's'}"
    return f"rejected: {report.run.explanation}" if report.run.explanation else "rejected"


def _ran_out_of_time(gates: tuple[Mapping[str, Any], ...]) -> bool:
    """True if time is all that was missing: every gate that is not good ran out of it."""
    bad = [one for one in gates if one.get("verdict") not in ("passed", "skipped")]
    return bool(bad) and all(str(one.get("reason", "")).endswith(_TIMED_OUT) for one in bad)


def _judged(conclusion: Conclusion, text: str) -> Judged:
    return Judged(conclusion=conclusion, text=text.partition("\n")[0])
