"""How long a user waits for nothing: the version and the help."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.measure import Clock, Pairs, Side, interleaved, measured, median
from benchmarks.row import Row, compared, limited

_HELP_MS = 120


def startup(bench: Bench) -> Iterator[Row]:
    """`--version` against an empty Python, `--help` against a limit."""
    rounds = bench.rounds * 3
    yield compared(
        "startup-version",
        "dev-agent --version",
        interleaved(_agent(bench, "--version"), _empty(bench), rounds),
        theirs="python -c pass",
        at_most=3,
    )
    shown = [measured(_agent(bench, "--help")) for _ in range(rounds)]
    yield limited(
        "startup-help",
        "dev-agent --help",
        median(shown, Clock.CPU),
        at_most=_HELP_MS,
        unit="ms cpu",
        note=f"median of {rounds}",
    )


def noise(bench: Bench) -> Pairs:
    """The same thing twice, in turns: how far two equal measurements differ here and now."""
    return interleaved(_empty(bench), _empty(bench), max(bench.rounds * 3, 9))


def _agent(bench: Bench, argument: str) -> Side:
    return Side(work=lambda: bench.agent(argument, cwd=bench.folder))


def _empty(bench: Bench) -> Side:
    return Side(work=lambda: bench.run(sys.executable, "-c", "pass", cwd=bench.folder))
