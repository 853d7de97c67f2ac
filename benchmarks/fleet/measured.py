"""What some of the costs are here, by the real code: deciding, recording, composing, judging again, bundling.

Not measured, and so assumptions or numbers from elsewhere: how long a team's gates run, how often workers are lost, and
building an environment, which depends on a package index.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench, environment
from benchmarks.typed_project import make_typed_project
from dev_agent.cancel import Cancel
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.premerge import MergeRequest, judge_merge
from dev_agent.programs.queueing.commands import Compose
from dev_agent.programs.queueing.composing import compose
from dev_agent.programs.queueing.events import Composed, Opened, Superseded, to_json
from dev_agent.programs.queueing.model import Item, QueueState
from dev_agent.programs.queueing.step import opened, step
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.trace import Journal

_SHORT, _LONG = 10, 400
_FILES = (1_000, 10_000)
_PACKED = ("-c", "pack.threads=1", "-c", "core.compression=1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """`seconds` of wall time, a median; `cost` is the cost of the simulation that it is about, "" if none."""

    what: str
    seconds: float
    cost: str = ""


def measured_costs() -> list[Measured]:
    """Everything that can be measured here. Raises RuntimeError if a program fails."""
    with tempfile.TemporaryDirectory(prefix="dev-agent-fleet-") as name:
        folder = Path(name)
        bench = Bench(
            folder=folder, rounds=5, quick=True, large=False, project=None, environ=environment(folder)
        )
        return [*_deciding(), _recording(folder), *_merging(bench), *_shipping(bench)]


def _deciding() -> Iterator[Measured]:
    """An event that changes nothing, taken in by a line of few and of many batches: what every event costs."""
    few, many = _line(_SHORT), _line(_LONG)
    short, long = _wall(lambda: step(few, _NOBODY), 40), _wall(lambda: step(many, _NOBODY), 40)
    yield Measured(what=f"decide an event, {_SHORT} batches in the line", seconds=short)
    yield Measured(
        what=f"the same for each batch more, up to {_LONG}",
        seconds=(long - short) / (_LONG - _SHORT),
        cost="batch",
    )


_NOBODY = Superseded(number=-1, now="")


def _line(count: int) -> QueueState:
    """A line of `count` batches that are all being judged."""
    items = tuple(Item(number=number, name=f"h{number}", commit=f"head{number}") for number in range(count))
    state, orders = opened(Opened(tip="c", items=items, jobs=count, max_batch=1))
    todo = list(orders)
    while todo:
        order = todo.pop(0)
        if isinstance(order, Compose):
            number = order.items[0].number
            made = Composed(batch=order.batch, parent=order.parent, commit=f"c{number}", included=(number,))
            state, more = step(state, made)
            todo += more
    return state


def _recording(folder: Path) -> Measured:
    journal = Journal.create(folder / "trace", "run", {"program": "queue"}, SystemClock())
    with journal:
        seconds = _wall(lambda: journal.append("queue-event", to_json(_NOBODY), durable=True), 40)
    return Measured(what="record an event so that it survives a power cut", seconds=seconds, cost="event")


def _merging(bench: Bench) -> Iterator[Measured]:
    """Composing a head, and judging a merge whose verdict is known: all that the driving process does itself."""
    root = bench.committed(make_typed_project(bench.folder / "project", modules=8))
    base = bench.git(root, "rev-parse", "HEAD")
    bench.git(root, "checkout", "-q", "-b", "head")
    (root / "notes.txt").write_text("a head\n")
    bench.git(root, "add", "-A")
    bench.git(root, "commit", "-q", "-m", "head")
    head = bench.git(root, "rev-parse", "HEAD")
    bench.git(root, "checkout", "-q", "main")
    repository = bench.repository(root)
    order = Compose(batch=0, parent=base, items=(Item(number=0, name="head", commit=head),))
    yield Measured(
        what="compose a merge of one head",
        seconds=_wall(lambda: compose(repository, order, "q"), 5),
        cost="compose",
    )
    commit = compose(repository, order, "q").commit

    def judge() -> None:
        report = judge_merge(
            repository,
            MergeRequest(base=base, head=commit, as_is=True),
            environ=bench.environ,
            reporter=Reporter(),
            cancel=Cancel(),
        )
        if report.run.exit_code != 0:
            raise RuntimeError(f"the merge was not judged: {report.run.explanation}")

    judge()
    yield Measured(
        what="a judgement whose gates are known: the rest of it", seconds=_wall(judge, 5), cost="judgement"
    )


def _shipping(bench: Bench) -> Iterator[Measured]:
    for count in _FILES:
        yield from _shipped(bench, count)


def _shipped(bench: Bench, count: int) -> Iterator[Measured]:
    """Bundling a whole tree, as for a parent no worker knows, and a change to it; and taking them in."""
    root, smallest = bench.of_files(count), count == _FILES[0]
    bare = bench.folder / f"bare-{count}.git"
    whole, thin = bench.folder / f"whole-{count}", bench.folder / f"thin-{count}"
    bench.git(root, "checkout", "-q", "-B", "judged")
    yield Measured(
        what=f"bundle a tree of {count:,} files",
        seconds=_wall(lambda: bench.git(root, *_PACKED, "bundle", "create", "-q", str(whole), "judged"), 3),
        cost="bundle" if smallest else "",
    )
    (root / "change.txt").write_text("changed\n")
    bench.git(root, "add", "-A")
    bench.git(root, "commit", "-q", "-m", "change")
    yield Measured(
        what="bundle a change to it",
        seconds=_wall(
            lambda: bench.git(root, *_PACKED, "bundle", "create", "-q", str(thin), "main..judged"), 3
        ),
    )

    def take() -> None:
        shutil.rmtree(bare, ignore_errors=True)
        bench.git(bench.folder, "init", "-q", "--bare", str(bare))
        for one in (whole, thin):
            bench.git(bare, "-c", "fetch.fsckObjects=true", "fetch", "-q", str(one), "+judged:judged")

    yield Measured(
        what="take both into a new mirror", seconds=_wall(take, 3), cost="take" if smallest else ""
    )


def _wall(work: Callable[[], object], rounds: int) -> float:
    """The median of some rounds, in seconds."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return sorted(took)[len(took) // 2]
