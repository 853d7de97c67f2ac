"""What a change of five files costs before it is judged, and how that grows with the repository."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench, file_name
from benchmarks.measure import Clock, Pairs, Side, interleaved, median
from benchmarks.row import Row, compared, limited
from dev_agent.repository.discovery import resolve_commit
from dev_agent.repository.slots import Slots
from dev_agent.repository.staging import stage

_CHANGED = 5
_GOALS = {1_000: 1 / 10, 10_000: 1 / 100, 100_000: 1 / 100}
_FLAT = 3.0
_COMMIT = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One changed file."""

    path: str
    after: bytes
    after_mode: str = "100644"


def staging(bench: Bench) -> Iterator[Row]:
    """A change in a warm slot against a copy of the checkout, for each size; the growth; the commit."""
    sizes = [300, 1_000] if bench.quick else [1_000, 10_000, *([100_000] if bench.large else [])]
    cpu = {}
    for size in sizes:
        pairs = _against_copy(bench, size)
        cpu[size] = median(pairs.ours, Clock.CPU)
        if size in _GOALS:
            yield compared(
                f"staging-{size}",
                f"stage 5 files of {size:,} in a warm slot",
                pairs,
                theirs="shutil.copytree",
                at_most=_GOALS[size],
            )
    smallest, largest = sizes[0], sizes[-1]
    yield limited(
        "staging-flat",
        f"the same, {largest:,} files against {smallest:,}",
        cpu[largest] / cpu[smallest],
        at_most=_FLAT,
        unit="times",
    )
    yield _commit(bench, sizes[1])


def _against_copy(bench: Bench, size: int) -> Pairs:
    root = bench.of_files(size)
    copies = (bench.folder / f"copy-{number}" for number in itertools.count())
    made: list[Path] = []

    def copy() -> None:
        made.append(next(copies))
        shutil.copytree(root, made[-1], ignore=shutil.ignore_patterns(".git"))

    def clear() -> None:
        while made:
            shutil.rmtree(made.pop())

    with Slots(bench.repository(root)).lease("bench") as slot:
        prepare = _staging(bench, root)
        slot.checkout(prepare())
        pairs = interleaved(
            Side(work=lambda: slot.checkout(prepare())),
            Side(work=copy, before=clear),
            1 if size > 10_000 else bench.rounds,
        )
    clear()
    return pairs


def _commit(bench: Bench, size: int) -> Row:
    root = bench.of_files(size)
    numbers = itertools.count()

    def edit() -> None:
        number = next(numbers)
        for path in _paths(size):
            (root / path).write_text(f"edited = {number}\n")

    def commit() -> None:
        bench.git(root, "add", "-A")
        bench.git(root, "commit", "-q", "-m", "edited")

    pairs = interleaved(Side(work=_staging(bench, root)), Side(work=commit, before=edit), bench.rounds)
    return compared(
        "staging-commit",
        f"record a commit of 5 files of {size:,}",
        pairs,
        theirs="git add -A && git commit",
        at_most=_COMMIT,
    )


def _staging(bench: Bench, root: Path) -> Callable[[], str]:
    """Stages another change each time it is called, and returns the tree."""
    repository = bench.repository(root)
    base = resolve_commit(repository, "HEAD")
    paths = _paths(int(root.name.rpartition("-")[2]))
    numbers = itertools.count()

    def once() -> str:
        number = next(numbers)
        changes = [Change(path=path, after=f"changed = {number}\n".encode()) for path in paths]
        return stage(repository, base=base, changes=changes, message="staged", run=f"bench-{number}").tree

    return once


def _paths(size: int) -> list[str]:
    return [file_name(number * (size // _CHANGED)) for number in range(_CHANGED)]
