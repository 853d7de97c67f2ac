"""One policy with so many workers through one day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.fleet.clock import Clock
from benchmarks.fleet.cluster import Cluster
from benchmarks.fleet.commits import Commits
from benchmarks.fleet.costs import Baselines, Costs
from benchmarks.fleet.day import Head
from benchmarks.fleet.judging import Judging
from benchmarks.fleet.line import Intake, Line, Policy
from benchmarks.fleet.outcome import Outcome, outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What is the same for every policy and number of workers. `flake`: how often a flaky head is red."""

    costs: Costs = field(default_factory=Costs)
    baselines: Baselines = Baselines.WORKER
    intake: Intake = Intake.ROUNDS
    flake: float = 0.3
    seed: int = 1


def simulate(heads: Sequence[Head], policy: Policy, workers: int, setting: Setting) -> Outcome:
    """The whole day, until every head has its fate. Raises AssertionError if the queue breaks a promise."""
    clock = Clock()
    costs = setting.costs
    cluster = Cluster(clock=clock, size=workers, costs=costs, baselines=setting.baselines, seed=setting.seed)
    commits = Commits(heads=heads, seed=setting.seed, flake=setting.flake)
    judging = Judging(clock=clock, costs=costs, cluster=cluster, commits=commits, seed=setting.seed)
    line = Line(
        clock=clock,
        costs=costs,
        commits=commits,
        judging=judging,
        jobs=policy.jobs or workers,
        max_batch=policy.max_batch,
        intake=setting.intake,
    )
    line.expect(heads)
    clock.run()
    return outcome(policy.name, heads, line, judging, cluster)
