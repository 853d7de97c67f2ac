"""What a change did to the findings of a type checker and to the outcomes of tests. Pure.

Findings are compared as multisets of (file, symbol, code, message): an error that only moved to another line
is not new, a second copy of an error is. A function that lacked all annotations and now lacks some has the old
error in a milder form, not a new one. Laws: a tree against itself is clean; new and remaining together are what there
is now; fixed and remaining together are what there was, milder forms for harsher ones; nothing depends on order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from dev_agent.values import dataclass

# Messages name other places by line ('already defined on line 12'): those move with every edit above them.
_LINE = re.compile(r"\bline \d+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One error of a type checker. `symbol` is the enclosing definition, "" at module level."""

    path: str
    line: int
    column: int
    code: str
    message: str
    symbol: str = ""
    detail: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two findings the same one."""
        return (self.path, *self.place_free_key)

    @property
    def place_free_key(self) -> tuple[str, str, str]:
        """The same without the file, for files that moved."""
        return (self.symbol, self.code, _LINE.sub("line N", self.message))


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingsDelta:
    """`new` and `remaining` partition the findings now; `fixed` and `remaining` those of the base."""

    new: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    fixed: tuple[Finding, ...]


def compare_findings(
    base: Sequence[Finding],
    now: Sequence[Finding],
    *,
    gone: frozenset[str] = frozenset(),
    added: frozenset[str] = frozenset(),
) -> FindingsDelta:
    """The delta of two runs.

    A finding of a file in `gone` (deleted) also pairs with the same finding in a file in `added`: a moved file
    brings its old errors along, they are not new.
    """
    left = Counter(one.key for one in base)
    new: list[Finding] = []
    remaining: list[Finding] = []
    for finding in _ordered(now):
        if left[finding.key] > 0:
            left[finding.key] -= 1
            remaining.append(finding)
        else:
            new.append(finding)
    fixed: list[Finding] = []
    for finding in _ordered(base):
        if left[finding.key] > 0:
            left[finding.key] -= 1
            fixed.append(finding)
    new, remaining, fixed = _with_milder_forms(new, remaining, fixed)
    return _with_moves(new, remaining, fixed, gone, added)


_UNANNOTATED = ("no-untyped-def", "Function is missing a type annotation")


def _with_milder_forms(
    new: list[Finding], remaining: list[Finding], fixed: list[Finding]
) -> tuple[list[Finding], list[Finding], list[Finding]]:
    """The partition with half-annotated functions counted as the unannotated ones they were; never the other way."""
    harsher = Counter((one.path, one.symbol) for one in fixed if (one.code, one.message) == _UNANNOTATED)
    milder = Counter[tuple[str, str]]()
    still_new: list[Finding] = []
    for finding in new:
        place = (finding.path, finding.symbol)
        if finding.code == _UNANNOTATED[0] and harsher[place] > 0:
            harsher[place] -= 1
            milder[place] += 1
            remaining.append(finding)
        else:
            still_new.append(finding)
    still_fixed: list[Finding] = []
    for finding in fixed:
        place = (finding.path, finding.symbol)
        if (finding.code, finding.message) == _UNANNOTATED and milder[place] > 0:
            milder[place] -= 1
        else:
            still_fixed.append(finding)
    return still_new, remaining, still_fixed


def _with_moves(
    new: list[Finding],
    remaining: list[Finding],
    fixed: list[Finding],
    gone: frozenset[str],
    added: frozenset[str],
) -> FindingsDelta:
    moved = Counter(one.place_free_key for one in fixed if one.path in gone)
    arrived = Counter[tuple[str, str, str]]()
    still_new: list[Finding] = []
    for finding in new:
        key = finding.place_free_key
        if finding.path in added and moved[key] > 0:
            moved[key] -= 1
            arrived[key] += 1
            remaining.append(finding)
        else:
            still_new.append(finding)
    still_fixed: list[Finding] = []
    for finding in fixed:
        key = finding.place_free_key
        if finding.path in gone and arrived[key] > 0:
            arrived[key] -= 1
        else:
            still_fixed.append(finding)
    return FindingsDelta(new=tuple(still_new), remaining=tuple(_ordered(remaining)), fixed=tuple(still_fixed))


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(
        findings, key=lambda one: (one.path, one.line, one.column, one.code, one.message, one.symbol)
    )


class Outcome(StrEnum):
    """How a test ended. ERROR is a failure outside of the test's own body (set-up, tear-down, collection)."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"

    @property
    def red(self) -> bool:
        """True for what makes a run fail."""
        return self in {Outcome.FAILED, Outcome.ERROR}

    @property
    def green(self) -> bool:
        """True for a test that ran and did what it says."""
        return self in {Outcome.PASSED, Outcome.XPASSED}


@dataclass(frozen=True, kw_only=True, slots=True)
class TestsDelta:
    """Ids by what became of them, each sorted. An id is in at most one of them."""

    __test__ = False

    new_failures: tuple[str, ...]
    newly_skipped: tuple[str, ...]
    vanished: tuple[str, ...]
    remaining: tuple[str, ...]
    fixed: tuple[str, ...]


def compare_outcomes(base: Mapping[str, Outcome], now: Mapping[str, Outcome]) -> TestsDelta:
    """The delta of two runs of the same tests.

    Red now and not red on the base (or unknown there) is a new failure; green there and not run here is newly
    skipped; known there and not collected here has vanished.
    """
    new: list[str] = []
    skipped: list[str] = []
    remaining: list[str] = []
    fixed: list[str] = []
    for test, outcome in now.items():
        before = base.get(test)
        if outcome.red:
            (remaining if before is not None and before.red else new).append(test)
        elif outcome.green:
            if before is not None and before.red:
                fixed.append(test)
        elif before is not None and (before.green or before.red):
            skipped.append(test)
    return TestsDelta(
        new_failures=tuple(sorted(new)),
        newly_skipped=tuple(sorted(skipped)),
        vanished=tuple(sorted(set(base) - set(now))),
        remaining=tuple(sorted(remaining)),
        fixed=tuple(sorted(fixed)),
    )


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of a test reported more than once: red beats not run, not run beats green."""
    return max(outcomes, key=lambda one: (one.red, not one.green, one is Outcome.ERROR))
