"""The tests gate: pytest on the staged tree, compared with pytest on its base.

What is run and what it shows is `judging_tests.py`'s. Here: whether anything is to be run, and what is remembered.
"""

from __future__ import annotations

from dataclasses import replace

from dev_agent.cancel import Cancel
from dev_agent.gates.cache import digest_of
from dev_agent.gates.case import Case, case_of
from dev_agent.gates.context import GateContext
from dev_agent.gates.images import TestImages
from dev_agent.gates.judging_tests import GATE, MACHINE_MAY_BE, Judgement
from dev_agent.gates.settings import Mode
from dev_agent.gates.shadows import shadowing
from dev_agent.gates.subject import Subject
from dev_agent.gates.suite_runs import SuiteRuns
from dev_agent.gates.verdict import GateResult, Verdict


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
            runs = SuiteRuns(context, case, slot, self._images.of(case, cancel), cancel)
            verdict = Judgement(context, case, runs).verdict()
        if verdict.result in {GateResult.PASSED, GateResult.FAILED} and verdict.reason not in MACHINE_MAY_BE:
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
