"""Reproduction: does a test that the change brings show the task itself to be solved?

    1. the test files the change touches, as the base has them        which tests there were already
    2. the same files in the change's form, on the base's sources     red is wanted
    3. and on the change                                              green is wanted
    4. what is red and then green, once more on both, alone           luck shows nothing

A test counts if the base does not have it, it runs on the base's sources and fails there in its own body, and it
passes on the change, both times. It never takes the place of a test of the base: what becomes of those is judged by
the tests gate, and a test whose id the base has already counts for nothing here.

What fails on the base only because the change's names are missing there shows no fault of the base: a file that cannot
be imported, an import inside of the test, an attribute that a module lacks. Any test of anything new would do that.
A test can still be written to tell the two apart by something else than the task; read what it asserts.

PASSED names the tests in `fixed`; FAILED says in `reason` how near it came; SKIPPED and ERROR are as in the tests gate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dev_agent.cancel import Cancel
from dev_agent.gates.cache import digest_of
from dev_agent.gates.case import Case, case_of, run_case
from dev_agent.gates.context import GateContext
from dev_agent.gates.delta import Outcome
from dev_agent.gates.settings import Mode
from dev_agent.gates.subject import Checkout, Subject
from dev_agent.gates.test_run import TestRun
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.gates.weighing import file_of

GATE = "reproduction"
_KIND = "reproduction"
_MOST = 200
"""New tests that are tried; who brings more has not written them for one fault."""

_ABSENT = re.compile(
    r"(?:ImportError|ModuleNotFoundError)(?=[:\s]|\Z)|AttributeError: (?:partially initialized )?module '"
)
SAID = {
    "no_new_test": "the change brings no test of its own",
    "red_after": "no new test of the change passes on it",
    "green_before": "the new tests pass without the change as well",
    "absent_before": "the new tests fail on the base only because what they name is not there yet",
    "error_before": "the new tests break on the base before they come to what they assert",
    "unsteady": "a new test failed and passed by luck",
}
"""In words of ours what each reason of a FAILED means."""


class ReproductionGate:
    """Tries the tests that changes bring. Safe to use beside the other gates in a thread."""

    def __init__(self, context: GateContext) -> None:
        self._context = context

    def judge(self, subject: Subject, cancel: Cancel) -> Verdict:
        """The verdict on a staged tree. Errors of the machine are verdicts too, never exceptions."""
        context = self._context
        if context.settings.tests is Mode.OFF or not context.project.config.tests.enabled:
            return context.verdict(GATE, subject, GateResult.SKIPPED, "switched_off")
        tool = context.project.pytest
        if tool is None:
            return context.verdict(GATE, subject, GateResult.ERROR, "no_test_runner")
        case = case_of(context, subject, tool)
        if not case.affected:
            return _refused(context, subject, "no_new_test")
        key = digest_of(
            [subject.tree, subject.base_tree, context.project.digest, list(case.command.arguments(()))]
        )
        found = context.cache.get(_KIND, key)
        if found is not None:
            return Verdict.from_json(found).from_cache()
        with context.trees.lease("tests") as slot:
            verdict = _Trial(context, case, slot, cancel).verdict()
        if verdict.result is not GateResult.ERROR:
            context.cache.put(_KIND, key, verdict.to_json())
        return verdict


class _Fault(Exception):
    """A run that cannot be believed."""

    def __init__(self, run: TestRun) -> None:
        super().__init__(run.fault)
        self.run = run


class _Trial:
    """The runs of one case, in order."""

    def __init__(self, context: GateContext, case: Case, slot: Checkout, cancel: Cancel) -> None:
        self._context, self._case, self._slot, self._cancel = context, case, slot, cancel
        self._ms = 0

    def verdict(self) -> Verdict:
        try:
            verdict = self._tried()
        except _Fault as fault:
            # The change's own tests cannot be run where they should show something: nothing was learned.
            verdict = self._context.verdict(
                GATE,
                self._case.subject,
                GateResult.ERROR,
                fault.run.fault,
                notes=(fault.run.detail,),
            )
        return replace(verdict, ms=self._ms, tool=self._case.tool.name, tool_version=self._case.tool.version)

    def _tried(self) -> Verdict:
        case, context = self._case, self._context
        own = self._run(case.own_tree, case.affected)
        new = self._new(own)
        if not new:
            return _refused(context, case.subject, "no_new_test")
        green = [test for test in new if own.outcomes[test].green]
        if not green:
            return _refused(context, case.subject, "red_after")
        before_tree = case.before_tree(context)
        # By file: pytest refuses a test by name where its file cannot be imported, and that is an answer here.
        before = self._run(before_tree, sorted({file_of(test) for test in green}))
        red = _failing(before, green)
        if not red:
            return _refused(context, case.subject, _why_not(before, green))
        again, once_more = self._run(case.own_tree, red), _failing(self._run(before_tree, red), red)
        shown = tuple(test for test in red if _outcome(again.outcomes, test).green and test in once_more)
        if not shown:
            return _refused(context, case.subject, "unsteady")
        verdict = context.verdict(GATE, case.subject, GateResult.PASSED, "shown")
        return replace(verdict, fixed=shown, passed=len(shown))

    def _new(self, own: TestRun) -> list[str]:
        """Tests of the change whose id the base does not have; none of a file that the base cannot collect."""
        base_paths = set(self._context.trees.paths(self._case.subject.base_tree))
        there = [path for path in self._case.affected if path in base_paths]
        base = self._run(self._case.subject.base_tree, there) if there else None
        known = base.outcomes.keys() if base else set()
        unknown = base.collect_errors if base else frozenset()
        found = [
            test
            for test in own.outcomes
            if "::" in test and test not in known and file_of(test) not in unknown
        ]
        return sorted(found)[:_MOST]

    def _run(self, tree: str, targets: Sequence[str]) -> TestRun:
        run, _ = run_case(self._context, self._case, self._slot, tree, targets, self._cancel)
        self._cancel.check()
        self._ms += run.ms
        if run.fault:
            raise _Fault(run)
        return run


def _failing(run: TestRun, tests: Sequence[str]) -> list[str]:
    """Those that ran and failed in their own body, for another reason than that something is not there yet."""
    return [
        test
        for test in tests
        if _outcome(run.outcomes, test) is Outcome.FAILED and not _is_absent(run, test) and not run.odd_status
    ]


def _why_not(before: TestRun, tests: Sequence[str]) -> str:
    """The reason why none of `tests` fails as it should."""
    if any(_is_absent(before, test) for test in tests):
        return "absent_before"
    reached = all(_outcome(before.outcomes, test) is not Outcome.ERROR for test in tests)
    return "green_before" if reached else "error_before"


def _is_absent(run: TestRun, test: str) -> bool:
    if file_of(test) in run.collect_errors or test not in run.outcomes:
        return True
    failure = run.failures.get(test)
    return failure is not None and _ABSENT.match(failure.message) is not None


def _outcome(outcomes: Mapping[str, Outcome], test: str) -> Outcome:
    return outcomes.get(test, Outcome.ERROR)


def _refused(context: GateContext, subject: Subject, reason: str) -> Verdict:
    return context.verdict(GATE, subject, GateResult.FAILED, reason, notes=(SAID[reason],))
