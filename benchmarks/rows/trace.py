"""The journal: appending to it, and checking it."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
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
_SCRIPT = """
import json, sys, time
from nano_vm_mcp.store import ProgramStore
count, payload = int(sys.argv[1]), json.loads(sys.argv[2])
store = ProgramStore(sys.argv[3])
began = time.process_time()
for step in range(count):
    store.save_envelope("run", step, "p" * 64, "s" * 64, payload)
print(count / (time.process_time() - began))
"""


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
    ours, theirs = [], []
    for number in range(bench.rounds):
        ours.append(1 / _cost(bench, count))
        database = bench.folder / f"envelopes-{number}.db"
        done = bench.run(
            str(python), "-c", _SCRIPT, str(count), json.dumps(_PAYLOAD), str(database), cwd=bench.folder
        )
        theirs.append(float(done.stdout))
    mine, other = sorted(ours)[len(ours) // 2], sorted(theirs)[len(theirs) // 2]
    return Row(
        name="trace-append",
        what=what,
        ours=f"{mine:,.0f} /cpu-s",
        theirs=f"{other:,.0f} /cpu-s nano-vm-mcp save_envelope",
        ratio=f"x{mine / other:.2f}",
        goal=f">= x{_FASTER:.2f}",
        met=mine >= other * _FASTER,
        note=f"{bench.rounds} pairs of {count:,}",
    )


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
