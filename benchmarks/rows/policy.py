"""Policy: what the facts and the decision about a large patch cost."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.measure import Clock, Side, measured
from benchmarks.row import Row, limited
from dev_agent.policy.decision import decide
from dev_agent.policy.facts import compute_facts
from dev_agent.policy.policy import load_policy
from dev_agent.policy.shipped import shipped
from dev_agent.programs.conditions import CONDITIONS

_SIZE = 4_000
_FUNCTION = '''
def total_{number}(first: int, second: str = "x") -> dict[str, int]:
    """Count up to `first`, for module {module}."""
    total = 0
    for one in range(first):
        if one % {step} == 0:
            total += len(second) * {factor}
        else:
            total -= one  # what is left over
    return {{"total": total, second: {number}}}

'''


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    path: str
    before: bytes | None
    after: bytes | None
    before_mode: str | None = "100644"
    after_mode: str | None = "100644"


def policy(bench: Bench) -> Iterator[Row]:
    """The decision about Python files of 4 KB, each with one line changed."""
    count = 20 if bench.quick else 500
    patch = [_change(module) for module in range(count)]
    rules = load_policy(shipped("default"), source="default", conditions=CONDITIONS)

    def decided() -> None:
        decide(rules, compute_facts(patch, settings=rules.settings))

    spent = statistics.median(measured(Side(work=decided)).of(Clock.CPU) for _ in range(bench.rounds))
    yield limited(
        "policy-decision",
        f"facts and decision about a patch of {count} Python files of 4 KB",
        spent,
        at_most=300.0,
        unit="ms cpu",
        note=f"median of {bench.rounds}",
    )


def _change(module: int) -> _Change:
    """One file; the changed line lies at another place in each, and every second change adds a line."""
    before = _module(module)
    lines = before.split("\n")
    places = [at for at, line in enumerate(lines) if "total -= one" in line]
    at = places[module % len(places)]
    lines[at] = lines[at].replace("one", "one + 1")
    if module % 2:
        lines.insert(at, "            second = second.strip()")
    after = "\n".join(lines)
    return _Change(path=f"src/made/module_{module}.py", before=before.encode(), after=after.encode())


def _module(module: int) -> str:
    text = f'"""Module {module}."""\n\nfrom __future__ import annotations\n\nimport json\n\n'
    number = 0
    while len(text) < _SIZE:
        text += _FUNCTION.format(number=number, module=module, step=2 + number % 7, factor=1 + module)
        number += 1
    return text
