"""What each step costs in seconds, and where every number is from: measured, or an assumption and called one."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType


class Baselines(StrEnum):
    """Where the run on the parent is known from, that a verdict is the difference to.

    WORKER: from this worker's own earlier runs, as it is. SHARED: from any worker's. WAITED: never run for its own sake,
    since the parent is being judged anyway and the difference can be made when that has ended.
    """

    WORKER = "worker"
    SHARED = "shared"
    WAITED = "waited"


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """Seconds, unless the name says otherwise."""

    tests: float = 120.0
    types: float = 30.0
    spread: float = 0.12
    event: float = 0.006
    batch: float = 0.000004
    compose: float = 0.030
    land: float = 0.25
    judgement: float = 0.35
    client_cores: int = 2
    bundle: float = 0.05
    task: float = 0.008
    take: float = 0.10
    environment: float = 25.0
    cold: float = 2.0
    cancel: float = 0.2
    worker_mtbf: float = 86_400.0
    worker_back: float = 60.0
    losses: int = 4
    operator: float = 600.0

    def gates(self) -> tuple[float, ...]:
        """How long each gate of a judgement runs once, on a warm worker."""
        return tuple(one for one in (self.tests, self.types) if one > 0)

    def drawn(self, seconds: float, chance: random.Random) -> float:
        """A run that takes `seconds` in the middle, as long as it happens to take."""
        return seconds * chance.lognormvariate(0.0, self.spread) if self.spread else seconds


FREE = Costs(
    tests=1.0, types=0.0, spread=0.0, event=0.0, batch=0.0, compose=0.0, land=0.0, judgement=0.0, bundle=0.0,
    task=0.0, take=0.0, environment=0.0, cold=0.0, cancel=0.0, worker_mtbf=0.0, worker_back=0.0, operator=0.0,
)  # fmt: skip
"""Nothing costs anything but one gate of a second: for comparing with what can be computed."""
