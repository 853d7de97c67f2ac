"""The landing: how long the user's git has to wait, and how often the disk has to be waited for."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import SOURCE, Bench, file_name
from benchmarks.row import Row, limited, not_measured
from benchmarks.rows.staging import Change
from dev_agent.cancel import Cancel
from dev_agent.repository.discovery import resolve_commit
from dev_agent.repository.landing.land import land
from dev_agent.repository.landing.outcome import Landed
from dev_agent.repository.landing.progress import Progress
from dev_agent.repository.landing.target import find_target
from dev_agent.repository.staging import stage

_FILES = 200
_CRITICAL_MS = 100
_FLUSHES = 8
_CALLS = "fsync,fdatasync,syncfs,sync,sync_file_range,msync"
_POLICY = 'name = "no-gates"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n'


class _Watch(Progress):
    """When the index lock was taken and given back."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def reached(self, point: str) -> None:
        """Note the time."""
        self.at[point] = time.perf_counter()

    @property
    def locked_ms(self) -> float:
        """How long the user's git had to wait."""
        return (self.at["unlocked index"] - self.at["anchored"]) * 1000


def landing(bench: Bench) -> Iterator[Row]:
    """The critical section of a landing of 200 files, and the flushes of an accepted patch."""
    yield _critical(bench)
    yield _flushes(bench)


def _critical(bench: Bench) -> Row:
    count = 20 if bench.quick else _FILES
    root = bench.of_files(300 if bench.quick else 1_000)
    repository = bench.repository(root)
    locked = []
    for number in range(bench.rounds):
        base = resolve_commit(repository, "HEAD")
        changes = [
            Change(path=file_name(each), after=f"landed = {number}\n".encode()) for each in range(count)
        ]
        run = f"landing-{number}"
        bench.git(root, "checkout", "-q", "--", ".")
        staged = stage(repository, base=base, changes=changes, message="landed", run=run)
        watch = _Watch()
        done = land(
            repository,
            base=base,
            commit=staged.commit,
            verified_tree=staged.tree,
            target=find_target(repository, None),
            run=run,
            cancel=Cancel(),
            progress=watch,
        )
        if not isinstance(done, Landed):
            raise RuntimeError(f"the landing was refused: {done}")  # noqa: TRY004 - an outcome, not a type
        locked.append(watch.locked_ms)
    return limited(
        "landing-critical",
        f"hold the index lock for a landing of {count} files",
        sorted(locked)[len(locked) // 2],
        at_most=_CRITICAL_MS,
        unit="ms wall",
        note=f"median of {len(locked)}, {min(locked):.0f} to {max(locked):.0f}, flushes included",
    )


def _flushes(bench: Bench) -> Row:
    what = "flushes of an accepted patch, git's included"
    strace = shutil.which("strace")
    if strace is None:
        return not_measured("landing-flushes", what, "strace is not installed")
    count = 20
    root = bench.of_files(300 if bench.quick else 1_000)
    bench.git(root, "checkout", "-q", "--", ".")
    policy = bench.folder / "no-gates.toml"
    policy.write_text(_POLICY)
    patch = _patch(bench, root, count)
    log = bench.folder / "calls"
    bench.run(
        strace, "-f", "-qq", "-e", f"trace={_CALLS}", "-o", str(log),
        sys.executable, "-m", "dev_agent", "apply", "bench", "--patch", str(patch), "--policy", str(policy),
        cwd=root, PYTHONPATH=str(SOURCE),
    )  # fmt: skip
    calls = re.findall(rf"\b({_CALLS.replace(',', '|')})\(", log.read_text())
    kinds = ", ".join(f"{calls.count(kind)} {kind}" for kind in sorted(set(calls)))
    return limited(
        "landing-flushes",
        what,
        len(calls),
        at_most=_FLUSHES,
        unit="calls",
        note=f"{count} files: {kinds}",
    )


def _patch(bench: Bench, root: Path, count: int) -> Path:
    for number in range(count):
        (root / file_name(number)).write_text(f"patched = {number}\n")
    patch = bench.folder / "twenty.patch"
    patch.write_bytes(bench.run("git", "diff", cwd=root).stdout)
    bench.git(root, "checkout", "-q", "--", ".")
    return patch
