"""What came of a simulated day, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.fleet.cluster import Cluster
from benchmarks.fleet.day import Head, Kind
from benchmarks.fleet.judging import Judging
from benchmarks.fleet.line import Line
from dev_agent.programs.queueing.model import Fate, Verdict

_HOUR = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One policy with so many workers through one day.

    `hours`: from the first head that came to the last decision. `per_hour`: decisions in an hour of these. `mean`,
    `p50`, `p95`: minutes from coming in to having landed. `judgements`: those that asked a worker; `remembered`: not.
    `wasted`: the share of workers' seconds that went into judgements on whose word no head landed or was put out.
    `busy`: the share of the workers' time that was spent. `good_out`: heads put out with nothing wrong; always 0.
    `flaky_out`: heads put out that are red now and then. `driver`, `client`, `shipping`, `scheduler`: the share of its
    time that the deciding and composing of the driving process, its preparing of judgements, its bundling of trees, and
    the scheduler were busy. `line`: most batches in the line at once.
    """

    policy: str
    workers: int
    heads: int
    landed: int
    out: int
    good_out: int
    flaky_out: int
    hours: float
    per_hour: float
    mean: float
    p50: float
    p95: float
    judgements: int
    remembered: int
    cancelled: int
    wasted: float
    busy: float
    driver: float
    client: float
    shipping: float
    scheduler: float
    extra_runs: int
    builds: int
    losses: int
    halts: int
    line: int
    events: int

    def to_json(self) -> dict[str, Any]:
        """The fields as they are."""
        return asdict(self)


def outcome(policy: str, heads: Sequence[Head], line: Line, judging: Judging, cluster: Cluster) -> Outcome:
    """The numbers of a day that is over. Raises AssertionError if a head was decided twice or never."""
    require_each_once(heads, line)
    landed = sorted(one.at - heads[one.number].at for one in line.decided if one.fate is Fate.LANDED)
    out = [one for one in line.decided if one.fate is Fate.EJECTED]
    span = max(one.at for one in line.decided) - heads[0].at or 1.0
    asked = [one for one in judging.attempts if one.tasks]
    return Outcome(
        policy=policy,
        workers=cluster.size,
        heads=len(heads),
        landed=len(landed),
        out=len(out),
        good_out=sum(one.wrongly for one in out),
        flaky_out=sum(heads[one.number].kind is Kind.FLAKY for one in out),
        hours=span / _HOUR,
        per_hour=len(line.decided) * _HOUR / span,
        mean=sum(landed) / max(len(landed), 1) / 60,
        p50=_quantile(landed, 0.50) / 60,
        p95=_quantile(landed, 0.95) / 60,
        judgements=len(asked),
        remembered=sum(one.remembered for one in judging.attempts),
        cancelled=sum(one.cancelled for one in asked),
        wasted=1 - _useful(line, judging) / cluster.busy if cluster.busy else 0.0,
        busy=cluster.busy / (cluster.size * span),
        driver=line.busy / span,
        client=judging.client.busy / (judging.client.capacity * span),
        shipping=judging.shipping.busy / span,
        scheduler=cluster.scheduler.busy / span,
        extra_runs=cluster.extra_runs,
        builds=cluster.builds,
        losses=cluster.losses,
        halts=line.halts,
        line=line.longest,
        events=line.events,
    )


def require_each_once(heads: Sequence[Head], line: Line) -> None:
    """Nothing is lost and nothing doubled."""
    numbers = sorted(one.number for one in line.decided)
    if numbers != [head.number for head in heads]:
        raise AssertionError(
            f"{len(heads)} heads came in, {len(numbers)} decisions were made, not one for each"
        )


def _useful(line: Line, judging: Judging) -> float:
    """Seconds of workers on whose word a head landed, or was put out: then every red of that very merge counts."""
    landed = {one.commit for one in line.decided if one.fate is Fate.LANDED}
    runs = {one.run for one in line.decided if one.fate is Fate.EJECTED}
    out = {one.order.commit for one in judging.attempts if str(one.order.attempt) in runs}
    return sum(
        one.spent
        for one in judging.attempts
        if (one.order.commit in landed and one.verdict is Verdict.GREEN)
        or (one.order.commit in out and one.verdict is Verdict.RED)
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
