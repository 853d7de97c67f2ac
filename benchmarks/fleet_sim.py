"""How a merge queue scales: its own core, a day of heads, and as many workers as you like, in simulated time.

    python -m benchmarks.fleet_sim                           10,000 heads, every policy, 1 to 500 workers
    python -m benchmarks.fleet_sim --policy speculative --workers 50,100 --baselines shared
    python -m benchmarks.fleet_sim --heads-per-day 1000 --workers 1,10 --json
    python -m benchmarks.fleet_sim --measure                 what steps cost on this machine, beside what is assumed

The same seed gives the same numbers. Every head is decided once, or it is an error. A day that is too much for the
workers goes on into the next ones until it is done, which is what `hours` tells.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.fleet.costs import Baselines, Costs
from benchmarks.fleet.day import Shares, day
from benchmarks.fleet.line import POLICIES, Intake
from benchmarks.fleet.measured import measured_costs
from benchmarks.fleet.outcome import Outcome
from benchmarks.fleet.simulation import Setting, simulate
from benchmarks.fleet.told import costs_table, measured_table, outcomes_table

_WORKERS = "1,10,50,100,200,500"


def main(argv: Sequence[str]) -> int:
    """0: simulated; 1: a head with nothing wrong was put out, which is a bug of the queue; 2: wrong usage."""
    options = _parser().parse_args(argv)
    if options.measure:
        sys.stdout.write(measured_table(measured_costs(), Costs()))
        return 0
    if options.list_costs:
        sys.stdout.write(costs_table(Costs()))
        return 0
    outcomes = _simulated(options)
    if options.json:
        value = {"seed": options.seed, "outcomes": [one.to_json() for one in outcomes]}
        sys.stdout.write(json.dumps(value, indent=2) + "\n")
    else:
        sys.stdout.write(outcomes_table(outcomes))
    return 1 if any(one.good_out for one in outcomes) else 0


def _simulated(options: argparse.Namespace) -> list[Outcome]:
    shares = Shares(bad=options.bad, flaky=options.flaky)
    heads = day(options.heads_per_day, seed=options.seed, shares=shares)
    setting = Setting(
        costs=replace(Costs(), tests=options.tests, types=options.types),
        baselines=options.baselines,
        intake=options.intake,
        seed=options.seed,
    )
    chosen = [one for one in POLICIES if one.name in options.policy]
    found = []
    for policy in chosen:
        for workers in options.workers:
            sys.stderr.write(f"simulating: {policy.name}, {workers} workers\n")
            found.append(simulate(heads, policy, workers, setting))
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fleet_sim", description="Simulate a merge queue and its workers."
    )
    names = [one.name for one in POLICIES]
    parser.add_argument("--heads-per-day", type=_count, default=10_000, help="heads that come in on one day")
    parser.add_argument("--workers", type=_counts, default=_WORKERS, help=f"numbers of workers ({_WORKERS})")
    parser.add_argument("--policy", type=_names, default=names, help=f"some of {','.join(names)}")
    parser.add_argument("--intake", type=Intake, default=Intake.ROUNDS, help="rounds, as the command; stream")
    parser.add_argument(
        "--baselines", type=Baselines, default=Baselines.WORKER, help="worker, as it is; shared; waited"
    )
    parser.add_argument("--bad", type=_share, default=Shares().bad, help="share of heads that are red (0.05)")
    parser.add_argument("--flaky", type=_share, default=Shares().flaky, help="red now and then (0.02)")
    parser.add_argument("--tests", type=_seconds, default=Costs().tests, help="seconds of the suite (120)")
    parser.add_argument(
        "--types", type=_seconds, default=Costs().types, help="seconds of the types gate (30)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the day and its luck (1)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--list-costs", action="store_true", help="what each step is taken to cost, and why")
    parser.add_argument("--measure", action="store_true", help="measure such costs on this machine; a minute")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError("a number from 1 to 1,000,000 is wanted")
    return value


def _counts(text: str) -> list[int]:
    return [_count(one) for one in text.split(",")]


def _names(text: str) -> list[str]:
    names, known = text.split(","), {one.name for one in POLICIES}
    if not set(names) <= known:
        raise argparse.ArgumentTypeError(f"a policy is one of {', '.join(sorted(known))}")
    return names


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a share is from 0 to 1")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 86_400:
        raise argparse.ArgumentTypeError("seconds of a gate are more than 0, and less than a day")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
