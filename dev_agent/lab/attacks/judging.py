"""Attacks on the judgement: evidence about something else, and a change that loosens what judges it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.disarm import without
from dev_agent.lab.ground import HARMLESS, TESTS_JUDGE, replacing
from dev_agent.programs.launch import launch
from dev_agent.programs.proposers import Answer, PatchFile
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.setting import prepare
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.program import load_program
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.lab.ground import Ground
    from dev_agent.programs.report import RunReport

_WRONG = "    return 2 * sum(prices)\n"
_BREAKS_A_TEST = replacing("till.py", "    return sum(prices)\n", _WRONG)

_SWAPS = """
name = "apply"
start = "begin"
[facts]
dry_run = "bool"
[budgets]
transitions = 50
exceeded = "rejected"
[states.begin]
kind = "action"
on = { ready = "patch", refused = "rejected", error = "rejected" }
[states.patch]
kind = "action"
on = { proposed = "stage", invalid = "rejected", declined = "rejected", error = "rejected" }
[states.stage]
kind = "action"
on = { staged = "judged", unresolved = "rejected", empty = "rejected", error = "rejected" }
[states.judged]
kind = "choose"
cases = [{ when = "check.visits > 0", outcome = "once" }]
on = { once = "land", otherwise = "check_policy", error = "rejected" }
[states.check_policy]
kind = "action"
on = { allowed = "check", asked = "rejected", repairable = "rejected", denied = "rejected", error = "rejected" }
[states.check]
kind = "parallel"
branches = ["types", "tests", "checks"]
join = [{ all = ["passed", "skipped"], outcome = "passed" }, { any = ["failed", "error"], outcome = "failed" }]
on = { passed = "patch", failed = "rejected", error = "rejected" }
[states.land]
kind = "action"
on = { landed = "committed", moved = "rejected", blocked = "rejected", refused = "rejected", error = "rejected" }
[states.committed]
kind = "final"
[states.rejected]
kind = "final"
"""
"""`apply` without its invariants: what was judged may be followed by another proposal, which then lands."""


def _stands(ground: Ground) -> bool:
    """Whether the wrong code is in the owner's file."""
    return _WRONG.encode() in (ground.root / "till.py").read_bytes()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Turncoat(PatchFile):
    """Proposes something harmless to be judged, and something else the next time."""

    then: bytes
    asked: list[bytes] = field(default_factory=list)

    def propose(self) -> Answer:
        """The one, then the other."""
        self.asked.append(self.then if self.asked else self.content)
        return Answer(content=self.asked[-1])


def _evidence_for_another_tree(ground: Ground) -> Strike:
    """A program that its author proved nothing about lands a second proposal on the verdicts of the first."""
    before = ground.state()
    turncoat = _Turncoat(content=HARMLESS, then=_BREAKS_A_TEST)
    request = ApplyRequest(task="Tidy up", patch=HARMLESS, policy=str(ground.policy(TESTS_JUDGE)))
    program = load_program(_SWAPS, source="swaps.toml")
    repository = ground.repository()
    setting = prepare(repository, request, environ=ground.environ, cancel=ground.cancel)
    said = ""
    with closing(setting.trees):
        try:
            report = launch(
                repository, program, request, turncoat, setting, reporter=Reporter(), cancel=ground.cancel
            )
            said = f"the run ended: {report.outcome.value}"
        except AssertionError as refused:
            said = str(refused)
    after = ground.state()
    return Strike(
        stopped=before == after,
        by=said,
        detail=f"what no gate judged {'stands in till.py, committed' if _stands(ground) else 'did not land'}",
        before=before.digest,
        after=after.digest,
        metrics={"proposed": len(turncoat.asked), "commits": after.commits - before.commits},
    )


_STRICT = 'strict = true\nfiles = ["till.py"]\n[tool.pytest.ini_options]\n'
_LOOSE = 'ignore_errors = true\n[tool.pytest.ini_options]\npython_functions = ["test_nothing_*"]\n'
_LOOSENS = replacing("pyproject.toml", _STRICT, _LOOSE)
_OWN_POLICY = replacing(
    "pyproject.toml", "[tool.mypy]\n", '[tool.dev-agent]\npolicy = "mine.toml"\n[tool.mypy]\n'
)


def _policy_bypass(ground: Ground) -> Strike:
    """Loosen first, and break under what has become the base; both in one patch; name another policy."""
    before = ground.state()
    tries = {
        "loosened": _LOOSENS,
        "broken": _BREAKS_A_TEST,
        "both at once": _LOOSENS + b"\n" + _BREAKS_A_TEST,
        "another policy": _OWN_POLICY,
    }
    reports: dict[str, RunReport] = {}
    for name, patch in tries.items():
        if not _stands(ground):
            reports[name] = ground.apply(patch)
    after = ground.state()
    landed = [name for name, report in reports.items() if report.commit]
    said = [f"{name}: {report.reason}" for name, report in reports.items() if not report.commit]
    return Strike(
        stopped=before == after,
        by="; ".join(said),
        detail=f"landed: {', '.join(landed) or 'nothing'}",
        before=before.digest,
        after=after.digest,
        metrics={"tried": len(reports), "landed": len(landed), "commits": after.commits - before.commits},
    )


JUDGING_ATTACKS = (
    Attack(
        name="policy_bypass",
        attempt="loosen mypy and pytest in pyproject.toml or name another policy, and break code under that",
        defence="a change does not choose its judge (policy/config_facts.py)",
        strike=_policy_bypass,
        disarm=without("dev_agent.policy.facts:config_facts", lambda *_: ()),
        word="REJECTED",
    ),
    Attack(
        name="evidence_for_another_tree",
        attempt="have one tree judged and land another, by a program without invariants",
        defence="landing looks at the evidence again (programs/evidence.py: missing_evidence)",
        strike=_evidence_for_another_tree,
        disarm=without("dev_agent.programs.actions.land:missing_evidence", lambda *_, **__: ""),
        word="REJECTED",
    ),
)
