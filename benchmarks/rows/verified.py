"""What a user waits for: a patch judged by mypy and pytest, against running both themselves."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.measure import Clock, Pairs, Sample, Side, interleaved, measured, median
from benchmarks.row import Row, compared, limited, not_measured
from benchmarks.typed_project import make_typed_project

_SLOWER, _ALLOWANCE_MS = 1.15, 150.0
_FIRST_TYPES = 2.0
_AGAIN_MS = 1_000.0
_TYPES_ONLY = 'name = "types-only"\nversion = 1\n[gates]\ntests = "off"\n'
_BOTH = 'name = "types-and-tests"\nversion = 1\n[gates]\n'


@dataclass(frozen=True, kw_only=True, slots=True)
class _Project:
    """A project and the file of it that is changed, by adding a comment at its end."""

    bench: Bench
    root: Path
    python: Path
    changed: Path

    def edited(self, number: int) -> bytes:
        return self.changed.read_bytes() + f"# measured {number}\n".encode()

    def patch(self, number: int) -> Path:
        """A patch that does it; the checkout is as before."""
        before = self.changed.read_bytes()
        self.changed.write_bytes(self.edited(number))
        patch = self.bench.folder / "one.patch"
        patch.write_bytes(self.bench.run("git", "diff", cwd=self.root).stdout)
        self.changed.write_bytes(before)
        return patch

    def own_run(self, *, tests: bool) -> None:
        """What its developer types. The status does not matter, the work does."""
        python = str(self.python)
        self.bench.run(python, "-m", "mypy", "--strict", *self._targets(), cwd=self.root, allowed=(0, 1))
        if tests:
            self.bench.run(python, "-m", "pytest", "-q", cwd=self.root, allowed=(0, 1))

    def _targets(self) -> tuple[str, ...]:
        return ("src",) if (self.root / "src").is_dir() else (".",)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Types:
    """How long types took, in milliseconds: the whole gate, its work tree included, and mypy's runs in it.

    mypy's are those of the sandbox around it, from before it starts to after it ended.
    """

    gate: float
    mypy: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judging:
    """Runs of `apply` on the project, each of a patch nobody has judged yet, by one policy."""

    bench: Bench
    project: _Project
    policy: Path
    numbers: Iterator[int]
    patch: list[Path] = field(default_factory=list)

    def new_patch(self) -> None:
        self.patch[:] = [self.project.patch(next(self.numbers))]

    def land(self) -> _Types:
        """Judge the patch and land it."""
        return self._apply()

    def judge(self) -> _Types:
        """Judge the patch and land nothing."""
        return self._apply("--dry-run")

    def _apply(self, *more: str) -> _Types:
        done = self.bench.agent(
            "apply", "bench", "--patch", str(self.patch[0]), "--policy", str(self.policy), "--json",
            "-C", str(self.project.root), *more, cwd=self.bench.folder, allowed=(0, 1, 3),
        )  # fmt: skip
        answer = json.loads(done.stdout)
        if answer["outcome"] not in ("committed", "verified"):
            raise RuntimeError(f"the patch was not accepted: {answer['reason']}: {answer.get('explanation')}")
        mypy = next(float(one["ms"]) for one in answer["gates"] if one["name"] == "types")
        return _Types(gate=_types_gate_ms(done.stderr), mypy=mypy)

    def first_types(self, forgotten: tuple[str, ...], *, runs: int) -> tuple[Pairs, Pairs]:
        """The types gate where what is named was forgotten, and mypy in it, against as many warm runs of the user's."""
        ours, theirs = [], []

        def their_runs() -> None:
            for _ in range(runs):
                self.project.own_run(tests=False)

        for _ in range(self.bench.rounds):
            for name in forgotten:
                shutil.rmtree(self.project.root / ".git" / "dev-agent" / name, ignore_errors=True)
            self.new_patch()
            ours.append(self.judge())
            theirs.append(measured(Side(work=their_runs)))
        gate, mypy = (
            Pairs(ours=tuple(Sample(cpu=0.0, wall=one) for one in some), theirs=tuple(theirs))
            for some in ([one.gate for one in ours], [one.mypy for one in ours])
        )
        return gate, mypy


def verified(bench: Bench) -> Iterator[Row]:
    """A verified patch, the same tree judged again, and the first mypy in a new slot."""
    project = _project(bench)
    policies = {name: bench.folder / f"{name}.toml" for name in ("types", "both")}
    policies["types"].write_text(_TYPES_ONLY)
    policies["both"].write_text(_BOTH)
    numbers = itertools.count()
    both = _Judging(bench=bench, project=project, policy=policies["both"], numbers=numbers)
    types = _Judging(bench=bench, project=project, policy=policies["types"], numbers=numbers)
    project.own_run(tests=True)
    both.new_patch()
    try:
        both.judge()
    except RuntimeError as error:
        yield not_measured("verified", "a verified patch", str(error)[:300])
        return
    yield compared(
        "verified-apply",
        f"apply --patch of one file, types and tests ({project.root.name})",
        interleaved(
            Side(work=both.land, before=both.new_patch),
            Side(work=lambda: _edited_run(project, next(numbers))),
            bench.rounds,
        ),
        theirs="mypy --strict, then pytest",
        at_most=_SLOWER,
        allowance=_ALLOWANCE_MS,
        clock=Clock.WALL,
    )
    both.new_patch()
    both.judge()
    samples = [measured(Side(work=both.judge)) for _ in range(bench.rounds)]
    yield limited(
        "verified-again",
        "the same tree judged again",
        median(samples, Clock.WALL),
        at_most=_AGAIN_MS,
        unit="ms wall",
        note=f"median of {len(samples)}",
    )
    gate, mypy = types.first_types(("slots",), runs=1)
    for key, what, pairs in (
        ("mypy", "the first mypy in a new slot, start and end of the sandbox included", mypy),
        ("types", "the types gate in a new slot, the slot's files and the verdict included", gate),
    ):
        yield compared(
            f"verified-first-{key}",
            what,
            pairs,
            theirs="their warm mypy --strict",
            at_most=_FIRST_TYPES,
            clock=Clock.WALL,
        )
    yield compared(
        "verified-first-ever-types",
        "the types gate of a repository's first run: base, then change",
        types.first_types(("slots", "cache"), runs=2)[0],
        theirs="their warm mypy --strict, twice",
        at_most=_FIRST_TYPES,
        clock=Clock.WALL,
    )


def _types_gate_ms(progress: bytes) -> float:
    """How long the types gate took, its work tree and its start included, as the run's progress tells it."""
    for line in progress.splitlines():
        told = json.loads(line)
        if told.get("event") == "branch_left" and told.get("action") == "types":
            return float(told["ms"])
    raise RuntimeError("the run told of no types gate")


def _edited_run(project: _Project, number: int) -> None:
    before = project.changed.read_bytes()
    project.changed.write_bytes(project.edited(number))
    try:
        project.own_run(tests=True)
    finally:
        project.changed.write_bytes(before)


def _project(bench: Bench) -> _Project:
    if bench.project is None:
        root = make_typed_project(bench.folder / "typed", modules=6 if bench.quick else 120)
        bench.committed(root)
        return _Project(
            bench=bench, root=root, python=Path(sys.executable), changed=root / "src/ledger/part_001.py"
        )
    root = bench.folder / bench.project.name
    shutil.copytree(bench.project, root, symlinks=True)
    python = root / ".venv/bin/python"
    sources = sorted((root / "src").rglob("*.py")) or sorted(root.rglob("*.py"))
    return _Project(
        bench=bench,
        root=root,
        python=python if python.exists() else Path(sys.executable),
        changed=max(sources, key=lambda path: path.stat().st_size),
    )
