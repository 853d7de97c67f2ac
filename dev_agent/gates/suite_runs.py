"""The runs of pytest for one case: on which trees, how long they took together, and what is remembered of the base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from dev_agent.cancel import Cancel
from dev_agent.gates.cache import digest_of
from dev_agent.gates.case import Case, run_case
from dev_agent.gates.context import GateContext
from dev_agent.gates.subject import Checkout
from dev_agent.gates.test_run import TestRun


class SuiteRuns:
    """Runs a case's tests, in its slot.

    ms       what all runs took
    base_ms  what the base took, when it was run
    notes    what there is to say about the project and the runs
    """

    def __init__(
        self, context: GateContext, case: Case, slot: Checkout, images: bytes, cancel: Cancel
    ) -> None:
        self._context = context
        self._case = case
        self._slot = slot
        self._images = images
        self._cancel = cancel
        self.ms = self.base_ms = 0
        self.notes = [*context.project.notes, *context.project.pytest_notes]

    def baseline(self) -> TestRun:
        """Return the base as it is, remembered or run now; one that is remembered took no time now."""
        context, case = self._context, self._case
        targets = self.paths(case.subject.base_tree)
        stored = context.cache.get("tests-baseline", self._baseline_key(case.subject.base_tree))
        if stored is not None:
            known = TestRun.from_json(stored)
            self.base_ms = known.ms
            return replace(known, ms=0)
        run = self.run(case.subject.base_tree, targets)
        self.base_ms = run.ms
        if not run.fault:
            self.remember(case.subject.base_tree, run)
        return run

    def remember(self, tree: str, run: TestRun) -> None:
        """Keep a run of the whole suite as the baseline of whatever is built on this tree."""
        self._context.cache.put("tests-baseline", self._baseline_key(tree), run.to_json())

    def _baseline_key(self, tree: str) -> str:
        arguments = self._case.command.arguments(self.paths(tree))
        return digest_of([tree, self._context.project.digest, list(arguments)])

    def run(self, tree: str, targets: Sequence[str]) -> TestRun:
        """Run some tests on a tree."""
        run, notes = run_case(
            self._context, self._case, self._slot, tree, targets, self._cancel, images=self._images
        )
        self.notes += [note for note in notes if note not in self.notes]
        self.ms += run.ms
        return run

    def paths(self, tree: str) -> tuple[str, ...]:
        """The configured test paths that the tree has."""
        present = self._context.trees.paths(tree)
        return tuple(
            one
            for one in self._context.project.config.tests.paths
            if any(PurePosixPath(path).is_relative_to(one) for path in present)
        )
