"""What the tests say of one change: which runs are made, in which order, and what their difference shows.

    1. the base, as it is (remembered between runs)
    2. the base's tests, conftests and configuration over the change's sources: this decides; where it takes long,
       the test files nearest to the change run first, and may decide for red
    3. the test files the change touches or its test side reaches, in the change's own form (with the base's
       configuration)
    4. what newly failed once more, alone, and what passes then once more with all the others: passing again means flaky
    5. what `must_pass` demands, a second time

A suite of which nothing passes, before or after, shows nothing of the change: that is no pass, but skipped or refused
as in a project without tests.

Not passed: a new failure, a test that is gone or no longer runs, a run that cannot be believed, a test runner
that the change rewrites. What the base fails too is counted, not charged, unless the mode is strict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dev_agent.gates import must_pass
from dev_agent.gates.case import Case
from dev_agent.gates.context import GateContext
from dev_agent.gates.delta import Outcome
from dev_agent.gates.quick_red import MOST_RERUN, quick_red
from dev_agent.gates.reach import reached_tests
from dev_agent.gates.settings import Mode
from dev_agent.gates.suite_runs import SuiteRuns
from dev_agent.gates.test_run import TestRun
from dev_agent.gates.unfounded import groundless, nothing_passes
from dev_agent.gates.verdict import Failure, GateResult, Verdict
from dev_agent.gates.weighing import Weighed, file_of, spread, weigh

GATE = "tests"
_NOTHING = Weighed()
# Ends that say something about the change because the base came through under the same limits.
_CHANGE_IS_TO_BLAME = frozenset(
    {
        "died_early",
        "inconsistent_report",
        "interrupted",
        "crashed",
        "pytest_refused",
        "setup_failed",
        "timed_out",
        "memory",
        "processes",
        "disk",
        "killed",
    }
)
# Of those, the ones a busy machine can bring about: judged, but not remembered.
MACHINE_MAY_BE = frozenset({"timed_out", "memory", "processes", "disk", "killed"})


class Judgement:
    """The runs of one case, in order, and the verdict on them."""

    def __init__(self, context: GateContext, case: Case, runs: SuiteRuns) -> None:
        self._context, self._case, self._runs = context, case, runs
        self._reached: tuple[str, ...] = case.affected

    def verdict(self) -> Verdict:
        """Return what the runs show of the change."""
        subject = self._case.subject
        base = self._runs.baseline()
        if base.fault:
            return self._say(
                GateResult.ERROR,
                f"baseline_{base.fault}",
                run=base,
                hint=groundless(self._context, self._case, base),
            )
        if not base.outcomes and not self._case.affected:
            allowed = self._context.settings.allow_no_tests
            hint = "" if allowed else 'add a test, or set no_tests = "allow" in the policy'
            return self._say(
                GateResult.SKIPPED if allowed else GateResult.FAILED, "no_tests", run=base, hint=hint
            )
        self._reached = reached_tests(self._context, self._case, base)
        same = self._case.kept_tree == subject.base_tree
        red = None if same else quick_red(self._context, self._case, self._runs, base, self._reached)
        if red is not None:
            return self._say(GateResult.FAILED, "new_failures", run=red.run, failures=red.failures)
        kept = base if same else self._runs.run(self._case.kept_tree, self._runs.paths(self._case.kept_tree))
        own = self._runs.run(self._case.own_tree, self._reached) if self._reached else None
        for run in (kept, own):
            if run is not None and run.fault:
                blamed = run.fault in _CHANGE_IS_TO_BLAME
                result = GateResult.FAILED if blamed else GateResult.ERROR
                return self._say(result, run.fault, run=run, hint=run.detail)
        return self._weigh(base, kept, own)

    def _weigh(self, base: TestRun, kept: TestRun, own: TestRun | None) -> Verdict:
        case, settings = self._case, self._context.settings
        weighed = weigh(base, kept, own, frozenset(self._reached))
        flaky = self._flaky(weighed, own)
        weighed = weighed.without(flaky)
        charged = list(weighed.failures)
        if settings.tests is Mode.STRICT:
            charged += self._red_anyway(weighed, kept, own)
        demands = self._demands(base, kept, own)
        self._note(weighed, own)
        reasons = (
            ("test_runner_patched", weighed.patched),
            ("inconsistent_report", weighed.odd_status),
            ("new_failures", charged),
            ("tests_vanished", weighed.vanished),
            ("newly_skipped", weighed.newly_skipped),
            ("flaky_tests", flaky and not settings.allow_flaky),
            ("changed_tests", weighed.superseded and not settings.allow_changed_tests),
            (demands[0].code if demands else "", demands),
            ("no_tests", not weighed.passed and not base.outcomes),
            ("none_pass", not weighed.passed and not flaky),
        )
        reason = next((name for name, there in reasons if there), "")
        idle = reason == "none_pass"
        if (not reason or idle) and not flaky and case.kept_tree == case.subject.tree:
            # Once it has landed this tree is the next base, and this run its baseline.
            self._runs.remember(case.subject.tree, kept)
        listed = [*charged, *demands]
        listed += [
            _named(test, "vanished", "was collected on the base and is not any more")
            for test in weighed.vanished
        ]
        listed += [
            _named(test, "skipped", "ran on the base and is skipped now") for test in weighed.newly_skipped
        ]
        listed += [
            _named(name, "patched", "code of the test runner was replaced") for name in weighed.patched
        ]
        result = GateResult.FAILED if reason else GateResult.PASSED
        return self._say(
            GateResult.SKIPPED if idle and settings.allow_no_tests else result,
            reason or "no_new_failures",
            run=own if own is not None and kept is base else kept,
            failures=tuple(listed),
            weighed=weighed,
            flaky=flaky,
            hint=nothing_passes(self._context, self._case, kept, weighed.superseded) if idle else "",
        )

    def _flaky(self, weighed: Weighed, own: TestRun | None) -> tuple[str, ...]:
        """Newly failing tests that pass alone and, where that would excuse them, among the others the second time.

        Each in the form it failed in. What fails among the others again does so by what the change leaves behind there.
        """
        tests = [one.id for one in weighed.failures if "::" in one.id]
        if not tests or len(tests) > MOST_RERUN:
            return ()
        failed_own = set(own.failures) if own else set()
        kept_tree, own_tree = self._case.kept_tree, self._case.own_tree
        passed: list[str] = []
        for tree, targets, chosen in (
            (kept_tree, self._runs.paths(kept_tree), [one for one in tests if one not in failed_own]),
            (own_tree, self._reached, [one for one in tests if one in failed_own]),
        ):
            lucky = self._green_again(tree, chosen, chosen)
            if self._context.settings.allow_flaky:
                steady = self._green_again(tree, targets, lucky)
                self._note_company(len(lucky) - len(steady))
                lucky = steady
            passed += lucky
        return tuple(sorted(passed))

    def _green_again(self, tree: str, targets: Sequence[str], tests: list[str]) -> list[str]:
        """Those of `tests` that pass in another run of `targets`; without any there is none."""
        if not tests:
            return []
        again = self._runs.run(tree, targets)
        if again.fault:
            return []
        return [one for one in tests if again.outcomes.get(one, Outcome.ERROR).green]

    def _note_company(self, tests: int) -> None:
        if tests:
            self._runs.notes.append(f"{tests} test(s) pass alone and fail, twice, beside the others")

    def _red_anyway(self, weighed: Weighed, kept: TestRun, own: TestRun | None) -> list[Failure]:
        """For strict: what the base fails too."""
        failures = {**kept.failures, **(own.failures if own else {})}
        return [
            failures.get(test) or _named(test, "failed", "fails, as it does on the base")
            for test in weighed.remaining
        ]

    def _demands(self, base: TestRun, kept: TestRun, own: TestRun | None) -> tuple[Failure, ...]:
        demanded = must_pass.targets(self._context.settings.must_pass, base.outcomes, base.collect_errors)
        if not demanded:
            return ()
        case = self._case
        before = dict(base.outcomes)
        unknown = [one for one in demanded if not any(must_pass.matches(test, one) for test in before)]
        files = sorted({file_of(one) for one in unknown} & set(case.affected))
        if files:
            laid_over = self._runs.run(case.before_tree(self._context), files)
            before.update(spread(laid_over, own.outcomes if own else {}))
        after = {**kept.outcomes, **(own.outcomes if own else {})}
        chosen = sorted(test for test in after if any(must_pass.matches(test, one) for one in demanded))
        again: dict[str, Outcome] = {}
        if chosen:
            again.update(self._runs.run(case.own_tree, chosen).outcomes)
        return must_pass.unmet(demanded, before, after, again)

    def _note(self, weighed: Weighed, own: TestRun | None) -> None:
        case = self._case
        if case.config.file in case.subject.changed:
            self._runs.notes.append(f"the change edits {case.config.file}: tests were judged with the base's")
        if weighed.remaining:
            self._runs.notes.append(f"{len(weighed.remaining)} failure(s) of the base are still there")
        if weighed.removed:
            self._runs.notes.append(f"the change removes {len(weighed.removed)} test(s) of the base")
        if own is not None and not own.outcomes:
            self._runs.notes.append(f"no test was collected from {', '.join(self._reached)}")

    def _say(
        self,
        result: GateResult,
        reason: str,
        *,
        run: TestRun,
        failures: tuple[Failure, ...] = (),
        weighed: Weighed = _NOTHING,
        flaky: tuple[str, ...] = (),
        hint: str = "",
    ) -> Verdict:
        verdict = self._context.verdict(
            GATE, self._case.subject, result, reason, hint=hint, notes=tuple(self._runs.notes)
        )
        return replace(
            verdict,
            argv=run.argv,
            tool=self._case.tool.name,
            tool_version=self._case.tool.version,
            exit_code=run.exit_code,
            passed=weighed.passed,
            new_failures=failures,
            preexisting=len(weighed.remaining),
            fixed=weighed.fixed,
            flaky=flaky,
            superseded=weighed.superseded,
            ms=self._runs.ms,
            output=run.output,
        )


def _named(test: str, code: str, said: str) -> Failure:
    return Failure(id=test, path=file_of(test), code=code, message=said)
