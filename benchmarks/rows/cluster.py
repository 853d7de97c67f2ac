"""What judging on workers costs and brings: two of them against one, a job against judging here, start, memory."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench import Bench
from benchmarks.measure import Clock, Side, interleaved
from benchmarks.row import Row, compared, limited, not_measured
from dev_agent.cancel import Cancel
from dev_agent.gates.judge import LOCAL, GateName, Judge
from dev_agent.gates.subject import Subject
from dev_agent.gates.verdict import GateResult
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.setting import Setting, prepare
from dev_agent.repository.staging import compose

if TYPE_CHECKING:
    from dev_agent.cluster.dask_link import Link
    from dev_agent.repository.discovery import Repository

_CANDIDATES = 16
_TWO_TO_ONE, _ALLOWANCE_MS, _START_S, _MEMORY_MB = 0.6, 150.0, 5.0, 150.0
_SPIN = """\
import time


def test_spin() -> None:
    until = time.process_time() + {seconds}
    while time.process_time() < until:
        pass
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Trees:
    """A project whose tests take a while, and as many trees of it that nobody has judged as are wanted."""

    repository: Repository
    setting: Setting
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def new(self) -> Subject:
        base = self.setting.base.tree
        note = self.repository.git.line("hash-object", "-w", "--stdin", stdin=b"%d\n" % next(self.numbers))
        tree = compose(self.repository, base, {"note.txt": ("100644", note)})
        return Subject(base_tree=base, tree=tree, changed=("note.txt",))

    def judged(self, judge: Judge, subject: Subject) -> None:
        """Ask for the tests' verdict. Raises RuntimeError if it is not that they pass."""
        gates = self.setting.judged_by(judge).gates
        (verdict,) = gates.ask(GateName.TESTS, subject, Cancel()).verdicts
        if verdict.result is not GateResult.PASSED or verdict.cached:
            raise RuntimeError(f"the tests {verdict.result}: {verdict.reason} {verdict.hint}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Workers:
    """A cluster of one's own that is up: how long that took, and its workers' process ids."""

    judge: Judge
    link: Link
    started_s: float
    processes: tuple[int, ...]


def cluster(bench: Bench) -> Iterator[Row]:
    """Two workers against one, a job against judging here, the start, and an idle worker's memory."""
    if find_spec("distributed") is None:
        yield not_measured("cluster", "judging on workers", "the extra `cluster` is not installed")
        return
    trees = _project(bench, "spin", seconds=0.5 if bench.quick else 2.0)
    quick = _project(bench, "quick", seconds=0.0)
    with ExitStack() as stack:
        two = stack.enter_context(_workers(trees.repository, 2))
        yield limited(
            "cluster-start",
            "two workers here: start to both registered",
            two.started_s,
            at_most=_START_S,
            unit="s wall",
        )
        memory = max(map(_resident_mb, two.processes))
        yield limited(
            "cluster-memory", "an idle worker", memory, at_most=_MEMORY_MB, unit="MB", note="resident"
        )
        one = stack.enter_context(_workers(trees.repository, 1))
        for each in (two, one):
            _wave(trees, each.judge, 4)  # environments are proved, bases judged, objects there
        count = 4 if bench.quick else _CANDIDATES
        yield compared(
            "cluster-candidates",
            f"{count} candidates on two one-slot workers",
            interleaved(
                Side(work=lambda: _wave(trees, two.judge, count)),
                Side(work=lambda: _wave(trees, one.judge, count)),
                1 if bench.quick else min(bench.rounds, 3),
            ),
            theirs="on one",
            at_most=_TWO_TO_ONE,
            clock=Clock.WALL,
        )
    with _workers(quick.repository, 1) as near:
        for judge in (near.judge, LOCAL):
            quick.judged(judge, quick.new())
        yield compared(
            "cluster-job",
            "one warm job on a worker",
            interleaved(
                Side(work=lambda: quick.judged(near.judge, quick.new())),
                Side(work=lambda: quick.judged(LOCAL, quick.new())),
                3 if bench.quick else bench.rounds * 3,
            ),
            theirs="judged here",
            at_most=1.0,
            allowance=_ALLOWANCE_MS,
            clock=Clock.WALL,
        )


def _wave(trees: _Trees, judge: Judge, count: int) -> None:
    """Judge so many new trees, four at a time, as candidates are."""
    subjects = [trees.new() for _ in range(count)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        for done in [pool.submit(trees.judged, judge, subject) for subject in subjects]:
            done.result()


def _project(bench: Bench, name: str, *, seconds: float) -> _Trees:
    root = bench.folder / f"cluster-{name}"
    (root / "tests").mkdir(parents=True)
    (root / "tests/test_spin.py").write_text(_SPIN.format(seconds=seconds))
    (root / "pyproject.toml").write_text('[project]\nname = "spin"\nversion = "1"\ndependencies = []\n')
    (root / ".gitignore").write_text(".venv\n")
    # An environment that a lock can name, whatever the one that measures holds; pytest is lent.
    bench.run(sys.executable, "-m", "venv", "--without-pip", str(root / ".venv"), cwd=root)
    repository = bench.repository(bench.committed(root))
    request = ApplyRequest(task="bench", patch=b"", dry_run=True)
    setting = prepare(repository, request, environ=bench.environ, cancel=Cancel())
    return _Trees(repository=repository, setting=setting)


@contextmanager
def _workers(repository: Repository, count: int) -> Iterator[_Workers]:
    from dev_agent.cluster.dask_greeting import security_of  # noqa: PLC0415 - an extra
    from dev_agent.cluster.dask_judge import DaskJudge  # noqa: PLC0415 - as above
    from dev_agent.cluster.dask_link import Link  # noqa: PLC0415 - as above
    from dev_agent.cluster.dask_local import local_cluster  # noqa: PLC0415 - as above
    from dev_agent.gates.cache import Cache  # noqa: PLC0415 - as above

    began = time.monotonic()
    with local_cluster(repository, count, repository.git.environ) as here:
        link = Link.open(here.url, security_of(here.url, here.tls))
        try:
            while len(link.view().workers) < count:
                if time.monotonic() - began > 60:
                    raise RuntimeError("the workers did not register within a minute")
                time.sleep(0.05)
            judge = DaskJudge(link, repository, Cache(repository.state_dir / "cache"), expected=count)
            yield _Workers(
                judge=judge,
                link=link,
                started_s=time.monotonic() - began,
                processes=tuple(_pids(f"dev_agent worker {here.url}")),
            )
            judge.close()
        finally:
            link.close()


def _pids(part: str) -> Iterator[int]:
    """Processes of whose command line this is a part."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if part in line:
            yield int(entry.name)


def _resident_mb(pid: int) -> float:
    """What of a process is in memory, in 10**6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"nothing is known of process {pid}")
