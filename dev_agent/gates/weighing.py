"""Turning the runs of the tests gate into findings about the change. Pure.

    base      the base's tests on the base's sources
    kept      the base's tests on the change's sources      (decides)
    own       the tests the change touches, in its own form

A base test that fails on the change may be superseded: its file, or what supports it, was changed, and the
same id passes in the new form. A collection error stands for every base test of its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dev_agent.gates.delta import Outcome, compare_outcomes
from dev_agent.gates.test_run import TestRun
from dev_agent.gates.verdict import Failure
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighed:
    """What the runs show, ids sorted. `failures` are the new ones, with their words."""

    failures: tuple[Failure, ...] = ()
    superseded: tuple[str, ...] = ()
    newly_skipped: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    patched: tuple[str, ...] = ()
    odd_status: bool = False
    passed: int = 0

    def without(self, tests: Iterable[str]) -> Weighed:
        """The same with some failures taken out."""
        gone = set(tests)
        return replace(self, failures=tuple(one for one in self.failures if one.id not in gone))


def weigh(base: TestRun, kept: TestRun, own: TestRun | None, affected: frozenset[str]) -> Weighed:
    """Compare; `affected` are the test files the own run was asked for."""
    now = spread(kept, base.outcomes)
    before = {
        test: outcome
        for test, outcome in base.outcomes.items()
        # A file that could not be collected and now can: its tests have taken the place of its error.
        if not (test in base.collect_errors and test not in now)
    }
    healed = set(base.outcomes) - set(before)
    delta = compare_outcomes(before, now)
    own_outcomes = own.outcomes if own else {}
    superseded = tuple(
        test
        for test in delta.new_failures
        if file_of(test) in affected and own_outcomes.get(test, Outcome.SKIPPED).green
    )
    failing = [_words(kept, test) for test in delta.new_failures if test not in superseded]
    skipped = set(delta.newly_skipped)
    fixed = set(delta.fixed) | healed
    remaining = set(delta.remaining)
    if own is not None:
        fresh = compare_outcomes(before, spread(own, base.outcomes))
        known = {one.id for one in failing}
        failing += [_words(own, test) for test in fresh.new_failures if test not in known]
        skipped |= set(fresh.newly_skipped)
        fixed |= set(fresh.fixed)
        remaining |= set(fresh.remaining)
    removed = [test for test in base.outcomes if file_of(test) in affected and test not in own_outcomes]
    return Weighed(
        failures=tuple(sorted(failing, key=lambda one: one.id)),
        superseded=superseded,
        newly_skipped=tuple(sorted(skipped)),
        vanished=delta.vanished,
        remaining=tuple(sorted(remaining - fixed)),
        fixed=tuple(sorted(fixed)),
        removed=tuple(sorted(removed)),
        patched=tuple(sorted({*kept.patched, *(own.patched if own else ())} - set(base.patched))),
        odd_status=(kept.odd_status or (own is not None and own.odd_status)) and not base.odd_status,
        passed=kept.green + sum(own_outcomes[test].green for test in set(own_outcomes) - set(now)),
    )


def spread(run: TestRun, known: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """The outcomes with each file's collection error said of every known test in the file."""
    outcomes = dict(run.outcomes)
    for error in run.collect_errors:
        inside = [test for test in known if test.startswith(f"{error}::")]
        if inside:
            del outcomes[error]
            outcomes.update(dict.fromkeys(inside, Outcome.ERROR))
    return outcomes


def file_of(test: str) -> str:
    """The file part of a node id."""
    return test.partition("::")[0]


def _words(run: TestRun, test: str) -> Failure:
    """What the run said of a test, or of the file whose collection error is the test's."""
    found = run.failures.get(test) or run.failures.get(file_of(test))
    if found is None:
        return Failure(id=test, path=file_of(test), code="error", message="failed without a word")
    return replace(found, id=test)
