"""Fail-to-pass: the tests somebody demands must be red before the change and green after it. Pure.

A test that was green all along shows nothing about the change. One that the base does not have is judged in
the change's form laid over the base's sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dev_agent.gates.delta import Outcome
from dev_agent.gates.settings import EVERY_RED_TEST
from dev_agent.gates.verdict import Failure


def matches(test: str, demanded: str) -> bool:
    """True if a node id is the demanded one, or lies in the demanded file, class or parametrised test."""
    demanded = demanded.rstrip("/")
    return test == demanded or test.startswith((f"{demanded}::", f"{demanded}[", f"{demanded}/"))


def targets(
    demands: Sequence[str], base: Mapping[str, Outcome], collect_errors: frozenset[str]
) -> tuple[str, ...]:
    """The demands as node ids or prefixes of them; "all" is every test red on the base."""
    named: list[str] = []
    for one in demands:
        if one == EVERY_RED_TEST:
            named += sorted(test for test, outcome in base.items() if outcome.red or test in collect_errors)
        else:
            named.append(one)
    return tuple(dict.fromkeys(named))


def unmet(
    demands: Iterable[str],
    before: Mapping[str, Outcome],
    after: Mapping[str, Outcome],
    again: Mapping[str, Outcome],
) -> tuple[Failure, ...]:
    """One failure per demand that is not met.

    `before` is on the base's sources, `after` on the change's, `again` a second run of the demanded tests on
    the change: a test that passes by luck is not met. A collection error of a test's file counts as red.
    """
    faults: list[Failure] = []
    for demand in demands:
        reds = [
            test
            for test, one in before.items()
            if one.red and (matches(test, demand) or _holds(test, demand))
        ]
        passing = {test: one for test, one in after.items() if matches(test, demand)}
        if not passing:
            faults.append(_fault(demand, "must_pass_missing", "was not collected on the change"))
        elif not all(one.green for one in passing.values()):
            red = sorted(test for test, one in passing.items() if not one.green)
            faults.append(
                _fault(demand, "must_pass_red", f"is not green on the change: {', '.join(red[:5])}")
            )
        elif not reds:
            faults.append(_fault(demand, "must_pass_already_green", "was green before the change as well"))
        elif not all(again.get(test, Outcome.ERROR).green for test in passing):
            faults.append(_fault(demand, "must_pass_flaky", "passed once and failed in a second run"))
    return tuple(faults)


def _holds(red: str, demand: str) -> bool:
    """True if `red` is the collection error of the file that the demanded test lies in."""
    return "::" not in red and demand.startswith(f"{red}::")


def _fault(demand: str, code: str, said: str) -> Failure:
    return Failure(id=demand, path=demand.partition("::")[0], code=code, message=f"{demand} {said}")
