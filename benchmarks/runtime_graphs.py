"""Whole graphs per CPU-second: this runtime beside llm-nano-vm 0.8.9, in one interleaved run.

    python -m benchmarks.runtime_graphs [--rounds N] [--json]

Each side runs straight programs of tool steps that return at once. What is compared is not the same work:

- `dev-agent`: a hash-chained event when a state is entered and one when it is left, written as they happen; the
  journal's folder, names and end are on the disk (fsync) when a graph is done. One folder a graph.
- `llm-nano-vm`: in memory only; nothing is left when the process dies.
- `llm-nano-vm, kept`: the same, and its trace as JSON is written to a file and synced once a graph, at its end.
- `floor`: no runtime at all. A folder and a file are made, two ready lines a step are hashed and written one by one,
  the file is synced once. What keeps such a trace in Python costs this before it has done anything.

CPU time is user and system time of the process that does the work, start-up and imports left out. The peer is
installed from the package index into a throw-away environment; where that cannot be done the table says so, and no
number is made up. Rounds alternate between the sides; the table shows medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import textwrap
import venv
from pathlib import Path

PEER = "llm-nano-vm==0.8.9"
SIZES = {4: 400, 100: 40, 1_000: 6, 4_000: 2}
"""Steps of a program, and how many graphs of it make one measurement."""
TARGETS = {4: 5.0, 100: 20.0}
ROOT = Path(__file__).parents[1]

OURS = """
import json, sys, tempfile, time
from pathlib import Path
from dev_agent.programs.clock import SystemClock
from dev_agent.runtime.engine import ActionSpec, Engine, Result
from dev_agent.runtime.host import NeverCancelled
from dev_agent.runtime.program import load_program
from dev_agent.runtime.trace import Journal

steps, graphs = int(sys.argv[1]), int(sys.argv[2])
rows = "".join(
    f'[states.s{i}]\\nkind = "action"\\naction = "t"\\n'
    f'on = {{ ok = "{f"s{i + 1}" if i + 1 < steps else "done"}", error = "stopped" }}\\n'
    for i in range(steps)
)
program = load_program(
    f'name = "straight"\\nstart = "s0"\\n[budgets]\\ntransitions = {steps + 1}\\nexceeded = "stopped"\\n{rows}'
    '[states.done]\\nkind = "final"\\n[states.stopped]\\nkind = "final"\\n', source="straight.toml")
actions = {"t": ActionSpec("t", frozenset({"ok"}), {}, lambda view: Result("ok", {"output": "ok"}))}
clock = SystemClock()

def graph(folder):
    with Journal.create(folder, folder.name, {"program": program.digest}, clock) as journal:
        engine = Engine(program, actions, journal, clock=clock, cancel=NeverCancelled())
        assert engine.start({}).state == "done"

with tempfile.TemporaryDirectory(dir=sys.argv[3]) as base:
    graph(Path(base) / "warm")
    began = time.process_time()
    for number in range(graphs):
        graph(Path(base) / f"r{number}")
    print(json.dumps(time.process_time() - began))
"""

THEIRS = """
import asyncio, json, os, sys, tempfile, time
from nano_vm import ExecutionVM, Program

steps, graphs, keep = int(sys.argv[1]), int(sys.argv[2]), sys.argv[4] == "kept"

async def tool(**_):
    return "ok"

class Silent:
    async def complete(self, messages, **_):
        return "ok"

program = Program.from_dict({"name": "straight", "steps": [
    {"id": f"s{i}", "type": "tool", "tool": "t", "args": {}} for i in range(steps)]})
vm = ExecutionVM(llm=Silent(), tools={"t": tool})

async def graph(path):
    trace = await vm.run(program, context={})
    assert len(trace.steps) == steps and trace.error is None
    if keep:
        with open(path, "w") as file:
            file.write(trace.model_dump_json())
            file.flush()
            os.fsync(file.fileno())

async def main(base):
    await graph(os.path.join(base, "warm"))
    began = time.process_time()
    for number in range(graphs):
        await graph(os.path.join(base, f"r{number}"))
    print(json.dumps(time.process_time() - began))

with tempfile.TemporaryDirectory(dir=sys.argv[3]) as base:
    asyncio.run(main(base))
"""
FLOOR = """
import hashlib, json, os, sys, tempfile, time

steps, graphs = int(sys.argv[1]), int(sys.argv[2])
line = b"x" * 320

def graph(folder):
    os.mkdir(folder, 0o700)
    file = os.open(folder + "/trace.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for _ in range(2 * steps):
        hashlib.sha256(line).hexdigest()
        os.write(file, line)
    os.fsync(file)
    os.close(file)

with tempfile.TemporaryDirectory(dir=sys.argv[3]) as base:
    graph(base + "/warm")
    began = time.process_time()
    for number in range(graphs):
        graph(f"{base}/r{number}")
    print(json.dumps(time.process_time() - began))
"""
SIDES = ("dev-agent", "llm-nano-vm", "llm-nano-vm, kept", "floor")
_SCRIPTS = {"dev-agent": OURS, "llm-nano-vm": THEIRS, "llm-nano-vm, kept": THEIRS, "floor": FLOOR}
_OF_PEER = SIDES[1:3]


def main() -> int:
    """Install the peer, measure, print the table."""
    parser = argparse.ArgumentParser(description="graphs per CPU-second, beside llm-nano-vm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="runtime-graphs-") as scratch:
        peer, why = _peer(Path(scratch))
        found = {steps: _measured(steps, peer, scratch, options.rounds) for steps in SIZES}
    _print_json(found, why) if options.json else _print_table(found, why)
    return 0


def _peer(scratch: Path) -> tuple[Path | None, str]:
    """An interpreter that has the peer, or None and why not."""
    try:
        venv.create(scratch / "venv", with_pip=True)
        python = scratch / "venv" / "bin" / "python"
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEER]
        done = subprocess.run(install, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return None, str(error)
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    return python, ""


def _measured(steps: int, peer: Path | None, scratch: str, rounds: int) -> dict[str, float | None]:
    """Graphs per CPU-second of every side; None where it could not be measured."""
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            rate = _rate(side, steps, peer, scratch)
            if rate is not None:
                rates[side].append(rate)
    return {side: statistics.median(values) if values else None for side, values in rates.items()}


def _rate(side: str, steps: int, peer: Path | None, scratch: str) -> float | None:
    theirs = side in _OF_PEER
    python = peer if theirs else sys.executable
    if python is None:
        return None
    graphs = SIZES[steps]
    arguments = [str(steps), str(graphs), scratch, "kept" if side.endswith("kept") else ""]
    done = subprocess.run(
        [str(python), "-c", _SCRIPTS[side], *arguments],
        cwd=scratch if theirs else ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(textwrap.indent(done.stderr, f"{side}: "))
        return None
    return graphs / float(json.loads(done.stdout))


def _print_json(found: dict[int, dict[str, float | None]], why: str) -> None:
    rows = [{"steps": steps, "graphs_per_cpu_second": rates} for steps, rates in found.items()]
    sys.stdout.write(json.dumps({"peer": PEER, "not_measured": why, "rows": rows}) + "\n")


def _print_table(found: dict[int, dict[str, float | None]], why: str) -> None:
    head = f"{'steps':>6} {SIDES[0]:>12} {SIDES[1]:>14} {'ratio':>7} {SIDES[2]:>20} {'ratio':>7}"
    lines = [f"{head} {SIDES[3]:>8} {'ratio':>7}  goal"]
    for steps, rates in found.items():
        ours, plain, kept, floor = (rates[side] for side in SIDES)
        goal = f"{TARGETS[steps]:.0f}x" if steps in TARGETS else "-"
        lines.append(
            f"{steps:>6} {_number(ours):>12} {_number(plain):>14} {_ratio(ours, plain):>7} "
            f"{_number(kept):>20} {_ratio(ours, kept):>7} {_number(floor):>8} {_ratio(floor, plain):>7}  {goal}"
        )
    if why:
        lines.append(f"{PEER} could not be installed: {why}")
    sys.stdout.write("\n".join(lines) + "\n")


def _number(rate: float | None) -> str:
    return "not measured" if rate is None else f"{rate:.1f}" if rate >= 1 else f"{rate:.2f}"


def _ratio(ours: float | None, theirs: float | None) -> str:
    return "-" if ours is None or theirs is None else f"{ours / theirs:.2f}x"


if __name__ == "__main__":
    raise SystemExit(main())
