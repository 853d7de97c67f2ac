"""The command: measure, print the table, say how far it can be trusted."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.bench import Bench, environment
from benchmarks.measure import Clock, Pairs, load
from benchmarks.row import Row, not_measured
from benchmarks.rows.cluster import cluster
from benchmarks.rows.landing import landing
from benchmarks.rows.policy import policy
from benchmarks.rows.staging import staging
from benchmarks.rows.startup import noise, startup
from benchmarks.rows.trace import trace
from benchmarks.rows.verified import verified
from benchmarks.table import table

GROUPS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "startup": startup,
    "staging": staging,
    "landing": landing,
    "trace": trace,
    "policy": policy,
    "verified": verified,
    "cluster": cluster,
}


def main(argv: Sequence[str]) -> int:
    """Measure what `argv` asks for. 0: no goal was missed; 1: one was; 2: wrong usage."""
    options = _parser().parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="dev-agent-bench-", dir=options.folder))
    try:
        bench = Bench(
            folder=folder,
            rounds=options.rounds or (1 if options.quick else 5),
            quick=options.quick,
            large=options.large,
            project=options.project.resolve() if options.project else None,
            environ=environment(folder),
        )
        before = load()
        rows = list(measured_rows(bench, options.row))
        same = noise(bench)
        _print(rows, same, (before, load()), as_json=options.json)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if any(row.met is False for row in rows) else 0


def measured_rows(bench: Bench, wanted: str) -> Iterator[Row]:
    """The rows of every group that can have one whose name begins with `wanted`."""
    for name, group in GROUPS.items():
        if not (name.startswith(wanted) or wanted.startswith(name)):
            continue
        sys.stderr.write(f"measuring: {name}\n")
        try:
            yield from (row for row in group(bench) if row.name.startswith(wanted))
        except (RuntimeError, OSError) as error:
            yield not_measured(name, name, str(error)[:300])


def _print(rows: Sequence[Row], same: Pairs, loads: tuple[float, float], *, as_json: bool) -> None:
    noises = {clock.value: same.spread(clock) for clock in Clock}
    if as_json:
        value = {"rows": [row.to_json() for row in rows], "noise": noises, "load": loads}
        sys.stdout.write(json.dumps(value, indent=2) + "\n")
        return
    sys.stdout.write(table(rows))
    told = ", ".join(f"{name} x{low:.2f} to x{high:.2f}" for name, (low, high) in noises.items())
    sys.stdout.write(
        f"\nNoise: one thing measured against itself, {len(same.ours)} pairs: {told}."
        f" Load: {loads[0]:.1f} before, {loads[1]:.1f} after.\n"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure dev-agent.")
    parser.add_argument("--row", default="", help="only rows whose name begins with this")
    parser.add_argument(
        "--quick", action="store_true", help="small and few: shows that it works, measures little"
    )
    parser.add_argument("--large", action="store_true", help="staging at 100,000 files too")
    parser.add_argument(
        "--project", type=Path, help="a project of yours for the verified rows; a copy is used"
    )
    parser.add_argument("--rounds", type=int, default=0, help="pairs for each row (5)")
    parser.add_argument("--folder", type=Path, help="where to work (the system's temporary folder)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
