"""What each step costs in seconds, and where every number is from: measured, or an assumption and called one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Baselines(StrEnum):
    """Where the run on the parent is known from, that a verdict is the difference to.

    WORKER: from this worker's own earlier runs, as it is. SHARED: from any worker's. WAITED: never run for its own
    sake, since the parent is being judged anyway and the difference can be made when that has ended.
    """

    WORKER = "worker"
    SHARED = "shared"
    WAITED = "waited"


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """Seconds, unless the name says otherwise."""

    tests: float = 120.0
    types: float = 30.0
    spread: float = 0.2
    event: float = 0.005
    batch: float = 0.000002
    compose: float = 0.012
    land: float = 0.25
    judgement: float = 0.125
    client_cores: int = 2
    bundle: float = 0.1
    task: float = 0.008
    take: float = 0.04
    environment: float = 10.0
    cold: float = 60.0
    cancel: float = 0.2
    worker_mtbf: float = 86_400.0
    worker_back: float = 60.0
    losses: int = 4
    operator: float = 600.0
    exponential: bool = False

    def gates(self) -> tuple[float, ...]:
        """How long each gate of a judgement runs once, on a warm worker."""
        return tuple(one for one in (self.tests, self.types) if one > 0)

    def drawn(self, seconds: float, chance: random.Random) -> float:
        """A run that takes `seconds` in the middle, as long as it happens to take."""
        if self.exponential:
            return chance.expovariate(1 / seconds)
        return seconds * chance.lognormvariate(0.0, self.spread) if self.spread else seconds


FREE = Costs(
    tests=1.0, types=0.0, spread=0.0, event=0.0, batch=0.0, compose=0.0, land=0.0, judgement=0.0, bundle=0.0,
    task=0.0, take=0.0, environment=0.0, cold=0.0, cancel=0.0, worker_mtbf=0.0, worker_back=0.0, operator=0.0,
)  # fmt: skip
"""Nothing costs anything but one gate of a second: for comparing with what can be computed."""

_HERE = "measured: --measure, two virtual cores"
SOURCES = {
    "tests": "assumption: one run of the suite; --tests",
    "types": "assumption: one run of the types gate; --types",
    "spread": "measured: standard deviation of the logarithm, suites of six small projects, a busy machine",
    "event": "measured: a flush to a virtual disk, 4.7 ms on a day when it was slow; "
    + _HERE[10:]
    + ", 0.2 ms",
    "batch": _HERE + ": deciding, for each batch in the line, before that became several times quicker",
    "compose": _HERE + ": a merge of one head, one at a time",
    "land": "measured: landings of the demo project, index and work tree included",
    "judgement": _HERE + ": a run of premerge whose gates are known",
    "client_cores": "the machine that was measured",
    "bundle": _HERE + ": a tree of 1,000 files, one bundle at a time",
    "task": "measured: Dask 2026.8.0, 200 empty tasks, 5 to 8 ms each, scheduler and answer",
    "take": _HERE + ": both bundles of 1,000 files into a new mirror",
    "environment": "measured: 33 wheels by uv from a warm cache, 1.2 s; assumed eight times that from an index",
    "cold": "assumption: what the first types run of a worker takes longer; measured: 10 to 38 times a warm one",
    "cancel": "assumption: until the processes of a cancelled sandbox are gone",
    "worker_mtbf": "assumption: a worker is lost once in a day of work",
    "worker_back": "assumption: until it is replaced",
    "losses": "Dask's allowed-failures of 3: the fourth loss gives a task up",
    "exponential": "only for comparing with a formula: runs as long as they like, instead of `spread`",
    "operator": "assumption: until somebody has looked at a queue that stopped",
}
"""Where each cost is from."""
