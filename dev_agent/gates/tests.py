"""The tests gate: pytest on the staged tree, compared with pytest on its base.

    1. the base, as it is (remembered between runs)
    2. the base's tests, conftests and configuration over the change's sources: this decides; where it takes long,
       the test files nearest to the change run first, and may decide for red
    3. the test files the change touches or its test side reaches, in the change's own form (with the base's
       configuration)
    4. what newly failed once more, alone, and what passes then once more with all the others: passing again means flaky
    5. what `must_pass` demands, a second time

A quick red is as good as the whole suite's: the test fails twice, once alone, and passes on the base in the very
same selection. Anything less, and the whole suite decides; green is never said without it.

A suite of which nothing passes, before or after, shows nothing of the change: that is no pass, but skipped or refused
as in a project without tests.

Not passed: a new failure, a test that is gone or no longer runs, a run that cannot be believed, a test runner
that the change rewrites. What the base fails too is counted, not charged, unless the mode is strict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from dev_agent.cancel import Cancel
from dev_agent.gates import must_pass
from dev_agent.gates.affected_first import nearest_tests
from dev_agent.gates.cache import digest_of
from dev_agent.gates.case import Case, case_of, run_case
from dev_agent.gates.context import GateContext
from dev_agent.gates.delta import Outcome
from dev_agent.gates.images import TestImages
from dev_agent.gates.reach import reached_tests
from dev_agent.gates.settings import Mode
from dev_agent.gates.shadows import shadowing
from dev_agent.gates.subject import Checkout, Subject
from dev_agent.gates.test_run import TestRun
from dev_agent.gates.unfounded import groundless, nothing_passes
from dev_agent.gates.verdict import Failure, GateResult, Verdict
from dev_agent.gates.weighing import Weighed, file_of, spread, weigh

GATE = "tests"
_NOTHING = Weighed()
_MOST_RERUN = 40
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
_MACHINE_MAY_BE = frozenset({"timed_out", "memory", "processes", "disk", "killed"})


class TestsGate:
    """Judges the tests of one subject after another. Safe to use beside the other gates in a thread."""

    __test__ = False

    def __init__(self, context: GateContext) -> None:
        self._context = context
        self._images = TestImages(context)

    def judge(self, subject: Subject, cancel: Cancel) -> Verdict:
        """The verdict on a staged tree. Errors of the machine are verdicts too, never exceptions."""
        context = self._context
        if context.settings.tests is Mode.OFF or not context.project.config.tests.enabled:
            return context.verdict(GATE, subject, GateResult.SKIPPED, "switched_off")
        tool = context.project.pytest
        if tool is None:
            return context.verdict(
                GATE,
                subject,
                GateResult.ERROR,
                "no_test_runner",
                hint="install pytest into the project's environment",
                notes=(*context.project.notes, *context.project.pytest_notes),
            )
        case = case_of(context, subject, tool)
        key = self._key(case)
        found = context.cache.get("tests-verdict", key)
        if found is not None:
            return Verdict.from_json(found).from_cache()
        shadows = shadowing(context, subject)
        if shadows:
            # Nothing is run: whatever it said, it would not be about the modules everybody means.
            verdict = context.verdict(GATE, subject, GateResult.FAILED, "shadowed_modules")
            return replace(verdict, new_failures=tuple(shadows))
        with context.trees.lease("tests") as slot:
            verdict = _Judgement(context, case, slot, self._images.of(case, cancel), cancel).verdict()
        if verdict.result in {GateResult.PASSED, GateResult.FAILED} and verdict.reason not in _MACHINE_MAY_BE:
            context.cache.put("tests-verdict", key, verdict.to_json())
        return verdict

    def _key(self, case: Case) -> str:
        settings = self._context.settings
        return digest_of(
            [
                case.subject.tree,
                case.subject.base_tree,
                self._context.project.digest,
                list(case.command.arguments(self._context.project.config.tests.paths)),
                [
                    settings.tests.value,
                    settings.allow_flaky,
                    settings.allow_no_tests,
                    settings.allow_changed_tests,
                ],
                list(settings.must_pass),
            ]
        )


class _Judgement:
    """The runs of one case, in order, and the verdict on them."""

    def __init__(
        self, context: GateContext, case: Case, slot: Checkout, images: bytes, cancel: Cancel
    ) -> None:
        self._context = context
        self._case = case
        self._slot = slot
        self._images = images
        self._cancel = cancel
        self._ms = 0
        self._notes = [*context.project.notes, *context.project.pytest_notes]
        self._base_ms = 0
        self._reached: tuple[str, ...] = case.affected

    def verdict(self) -> Verdict:
        subject = self._case.subject
        base = self._baseline()
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
        early = None if same else self._early(base)
        if early is not None:
            return early
        kept = base if same else self._run(self._case.kept_tree, self._paths(self._case.kept_tree))
        own = self._run(self._case.own_tree, self._reached) if self._reached else None
        for run in (kept, own):
            if run is not None and run.fault:
                blamed = run.fault in _CHANGE_IS_TO_BLAME
                result = GateResult.FAILED if blamed else GateResult.ERROR
                return self._say(result, run.fault, run=run, hint=run.detail)
        return self._weigh(base, kept, own)

    def _early(self, base: TestRun) -> Verdict | None:
        """Red, if the tests nearest to the change show it beyond doubt; None: the whole suite decides."""
        case = self._case
        timed = replace(base, ms=self._base_ms)
        files = nearest_tests(
            self._context, case.subject, case.kept_tree, case.layout, timed, case.command.roots
        )
        if not files:
            return None
        now = self._run(case.kept_tree, files)
        tests = [
            test
            for test, outcome in now.outcomes.items()
            if outcome.red
            and test in base.outcomes
            and base.outcomes[test].green
            # A test that the change has in another form may be superseded: that takes both forms to say.
            and file_of(test) not in self._reached
        ]
        if now.fault or not tests:
            return None
        alone = self._run(case.kept_tree, tests[:_MOST_RERUN])
        before = self._run(case.subject.base_tree, files)
        if alone.fault or before.fault:
            return None
        charged = [
            now.failures[test]
            for test in tests
            if alone.outcomes.get(test, Outcome.SKIPPED).red
            and before.outcomes.get(test, Outcome.ERROR).green
        ]
        if not charged:
            return None
        total = len({file_of(test) for test in base.outcomes})
        self._notes.append(
            f"stopped after the {len(files)} test file(s) nearest to the change, of {total}: the rest was not run"
        )
        return self._say(GateResult.FAILED, "new_failures", run=now, failures=tuple(charged))

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
            self._remember(case.subject.tree, kept)
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
            hint=nothing_passes(self._context, self._case, kept) if idle else "",
        )

    def _baseline(self) -> TestRun:
        context, case = self._context, self._case
        targets = self._paths(case.subject.base_tree)
        stored = context.cache.get("tests-baseline", self._baseline_key(case.subject.base_tree))
        if stored is not None:
            known = TestRun.from_json(stored)
            self._base_ms = known.ms
            return replace(known, ms=0)
        run = self._run(case.subject.base_tree, targets)
        self._base_ms = run.ms
        if not run.fault:
            self._remember(case.subject.base_tree, run)
        return run

    def _remember(self, tree: str, run: TestRun) -> None:
        self._context.cache.put("tests-baseline", self._baseline_key(tree), run.to_json())

    def _baseline_key(self, tree: str) -> str:
        arguments = self._case.command.arguments(self._paths(tree))
        return digest_of([tree, self._context.project.digest, list(arguments)])

    def _run(self, tree: str, targets: Sequence[str]) -> TestRun:
        run, notes = run_case(
            self._context, self._case, self._slot, tree, targets, self._cancel, images=self._images
        )
        self._notes += [note for note in notes if note not in self._notes]
        self._ms += run.ms
        return run

    def _paths(self, tree: str) -> tuple[str, ...]:
        """The configured test paths that the tree has."""
        present = self._context.trees.paths(tree)
        return tuple(
            one
            for one in self._context.project.config.tests.paths
            if any(PurePosixPath(path).is_relative_to(one) for path in present)
        )

    def _flaky(self, weighed: Weighed, own: TestRun | None) -> tuple[str, ...]:
        """Newly failing tests that pass alone and, where that would excuse them, among the others the second time.

        Each in the form it failed in. What fails among the others again does so by what the change leaves behind there.
        """
        tests = [one.id for one in weighed.failures if "::" in one.id]
        if not tests or len(tests) > _MOST_RERUN:
            return ()
        failed_own = set(own.failures) if own else set()
        kept_tree, own_tree = self._case.kept_tree, self._case.own_tree
        passed: list[str] = []
        for tree, targets, chosen in (
            (kept_tree, self._paths(kept_tree), [one for one in tests if one not in failed_own]),
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
        again = self._run(tree, targets)
        if again.fault:
            return []
        return [one for one in tests if again.outcomes.get(one, Outcome.ERROR).green]

    def _note_company(self, tests: int) -> None:
        if tests:
            self._notes.append(f"{tests} test(s) pass alone and fail, twice, beside the others")

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
            laid_over = self._run(case.before_tree(self._context), files)
            before.update(spread(laid_over, own.outcomes if own else {}))
        after = {**kept.outcomes, **(own.outcomes if own else {})}
        chosen = sorted(test for test in after if any(must_pass.matches(test, one) for one in demanded))
        again: dict[str, Outcome] = {}
        if chosen:
            again.update(self._run(case.own_tree, chosen).outcomes)
        return must_pass.unmet(demanded, before, after, again)

    def _note(self, weighed: Weighed, own: TestRun | None) -> None:
        case = self._case
        if case.config.file in case.subject.changed:
            self._notes.append(f"the change edits {case.config.file}: tests were judged with the base's")
        if weighed.remaining:
            self._notes.append(f"{len(weighed.remaining)} failure(s) of the base are still there")
        if weighed.removed:
            self._notes.append(f"the change removes {len(weighed.removed)} test(s) of the base")
        if own is not None and not own.outcomes:
            self._notes.append(f"no test was collected from {', '.join(self._reached)}")

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
            GATE, self._case.subject, result, reason, hint=hint, notes=tuple(self._notes)
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
            ms=self._ms,
            output=run.output,
        )


def _named(test: str, code: str, said: str) -> Failure:
    return Failure(id=test, path=file_of(test), code=code, message=said)
