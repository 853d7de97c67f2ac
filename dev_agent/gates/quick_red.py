"""Red before the whole suite has run: from the test files nearest to the change, where the suite takes long.

A quick red is as good as the whole suite's: the test fails twice, once alone, and passes on the base in the very
same selection. Anything less, and the whole suite decides; green is never said without it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dev_agent.gates.affected_first import nearest_tests
from dev_agent.gates.case import Case
from dev_agent.gates.context import GateContext
from dev_agent.gates.delta import Outcome
from dev_agent.gates.suite_runs import SuiteRuns
from dev_agent.gates.test_run import TestRun
from dev_agent.gates.verdict import Failure
from dev_agent.gates.weighing import file_of
from dev_agent.values import dataclass

MOST_RERUN = 40
"""So many newly red tests are run once more, alone; more at once are no accident."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuickRed:
    """What is charged, and the run that showed it."""

    run: TestRun
    failures: tuple[Failure, ...]


def quick_red(
    context: GateContext, case: Case, runs: SuiteRuns, base: TestRun, reached: Collection[str]
) -> QuickRed | None:
    """Return what the tests nearest to the change show beyond doubt; None: the whole suite decides.

    `reached` are test files that the change has in another form, or reaches: what fails there may be superseded, and
    that takes both forms to say.
    """
    timed = replace(base, ms=runs.base_ms)
    files = nearest_tests(context, case.subject, case.kept_tree, case.layout, timed, case.command.roots)
    if not files:
        return None
    now = runs.run(case.kept_tree, files)
    tests = [
        test
        for test, outcome in now.outcomes.items()
        if outcome.red
        and test in base.outcomes
        and base.outcomes[test].green
        and file_of(test) not in reached
    ]
    if now.fault or not tests:
        return None
    alone = runs.run(case.kept_tree, tests[:MOST_RERUN])
    before = runs.run(case.subject.base_tree, files)
    if alone.fault or before.fault:
        return None
    charged = [
        now.failures[test]
        for test in tests
        if alone.outcomes.get(test, Outcome.SKIPPED).red and before.outcomes.get(test, Outcome.ERROR).green
    ]
    if not charged:
        return None
    total = len({file_of(test) for test in base.outcomes})
    runs.notes.append(
        f"stopped after the {len(files)} test file(s) nearest to the change, of {total}: the rest was not run"
    )
    return QuickRed(run=now, failures=tuple(charged))
