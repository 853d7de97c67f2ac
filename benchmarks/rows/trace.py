"""The journal: appending to it, and checking it."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bench import SOURCE, Bench
from benchmarks.row import Row, at_least, limited, not_measured
from dev_agent.programs.clock import SystemClock
from dev_agent.runtime.trace import Journal, verify

_ALTERNATIVE = "nano-vm-mcp==0.4.6"
_ITS_SERVER_NEEDS = "mcp<2"
_PAYLOAD = {
    "state": "check",
    "attempt": 1,
    "outcome": "passed",
    "next": "consent",
    "ms": 5_310,
    "cost": {"model_calls": 2},
    "data": {"passed": 412, "reason": "", "explanation": "e" * 200},
}
"""What the engine writes when it leaves a state."""
_FASTER = 3.0
_FLAT = 1.5
_MB_PER_S = 40.0
_WARM_UP = 100
_PAIRS = 3
"""Pairs of a round: one append is so short that another program on the machine shows in a single pair."""
_TIMED = """
import json, sys, time
count, payload, place = int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
{prepare}
def append(steps):
    for step in steps:
        {append}
append(range({warm_up}))
began = time.process_time()
append(range({warm_up}, {warm_up} + count))
print(count / (time.process_time() - began))
"""
_OURS = _TIMED.format(
    prepare="""
from pathlib import Path
from dev_agent.programs.clock import SystemClock
from dev_agent.runtime.trace import Journal
journal = Journal.create(Path(place), "run", {}, SystemClock())
""",
    append="journal.append('noted', payload)",
    warm_up=_WARM_UP,
)
_THEIRS = _TIMED.format(
    prepare="from nano_vm_mcp.store import ProgramStore\nstore = ProgramStore(place)",
    append="store.save_envelope('run', step, 'p' * 64, 's' * 64, payload)",
    warm_up=_WARM_UP,
)


def trace(bench: Bench) -> Iterator[Row]:
    """Appends per CPU second against the seed system's store, their growth, and the speed of verification."""
    few, many = (10, 200) if bench.quick else (10, 1_000)
    yield _appending(bench, many)
    short, long = (_cost(bench, count) for count in (few, many))
    yield limited(
        "trace-flat",
        f"append to a trace of {many:,} events against {few}",
        long / short,
        at_most=_FLAT,
        unit="times",
        note="cost of one append, cpu",
    )
    yield _verifying(bench, 2_000 if bench.quick else 100_000)


def _appending(bench: Bench, count: int) -> Row:
    what = "append an event to the trace"
    python = _alternative(bench)
    if python is None:
        return not_measured("trace-append", what, f"{_ALTERNATIVE} could not be installed")
    pairs = bench.rounds * _PAIRS
    ours, theirs = [], []
    for number in range(pairs):
        place = bench.folder / f"appended-{number}"
        ours.append(_speed(bench, sys.executable, _OURS, count, place))
        theirs.append(_speed(bench, str(python), _THEIRS, count, place.with_suffix(".db")))
    mine, other = median(ours), median(theirs)
    each = [one / two for one, two in zip(ours, theirs, strict=True)]
    return Row(
        name="trace-append",
        what=what,
        ours=f"{mine:,.0f} /cpu-s",
        theirs=f"{other:,.0f} /cpu-s nano-vm-mcp save_envelope",
        ratio=f"x{mine / other:.2f}",
        goal=f">= x{_FASTER:.2f}",
        met=mine >= other * _FASTER,
        note=f"{pairs} pairs of {count:,}, a process each: x{min(each):.2f} to x{max(each):.2f}",
    )


def _speed(bench: Bench, python: str, script: str, count: int, place: Path) -> float:
    """Appends in a CPU second, of a process that has done some before."""
    argv = (python, "-c", script, str(count), json.dumps(_PAYLOAD), str(place))
    return float(bench.run(*argv, cwd=bench.folder, PYTHONPATH=str(SOURCE)).stdout)


def _cost(bench: Bench, count: int) -> float:
    """CPU seconds of one append in a trace of `count` events; short ones are repeated to be measurable."""
    repeats = max(1_000 // count, 1)
    spent = 0.0
    for number in range(repeats):
        folder = bench.folder / f"trace-{count}-{number}"
        spent += _append(folder, count)
        shutil.rmtree(folder)
    return spent / (count * repeats)


def _append(folder: Path, count: int, payload: dict[str, Any] = _PAYLOAD) -> float:
    with Journal.create(folder, "run", {}, SystemClock()) as journal:
        began = time.process_time()
        for _ in range(count):
            journal.append("noted", payload)
        return time.process_time() - began


def _verifying(bench: Bench, count: int) -> Row:
    folder = bench.folder / "long-trace"
    _append(folder, count)
    size = (folder / "trace.jsonl").stat().st_size / 1e6
    began = time.process_time()
    checked = verify(folder)
    spent = time.process_time() - began
    if not checked.ok:
        raise AssertionError(f"BUG: a fresh trace does not verify: {checked.reason}")
    shutil.rmtree(folder)
    return at_least(
        "trace-verify",
        f"verify a trace of {count:,} events",
        size / spent,
        goal=_MB_PER_S,
        unit="MB/cpu-s",
        note=f"{size:.0f} MB in {spent:.1f} cpu-s",
    )


def _alternative(bench: Bench) -> Path | None:
    """The Python of a throw-away environment that has the alternative, None if it cannot be had."""
    home = bench.folder / "alternative"
    python = home / "bin" / "python"
    try:
        bench.run(sys.executable, "-m", "venv", str(home), cwd=bench.folder)
        install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        bench.run(str(python), *install, _ALTERNATIVE, _ITS_SERVER_NEEDS, cwd=bench.folder)
        bench.run(str(python), "-c", "import nano_vm_mcp.store", cwd=bench.folder)
    except RuntimeError:
        return None
    return python
