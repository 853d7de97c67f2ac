"""What a user waits for: a patch judged by mypy and pytest, against running both themselves."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.measure import Clock, Side, interleaved, measured, median
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


def verified(bench: Bench) -> Iterator[Row]:
    """First mypy in a new slot, a verified patch, and the same tree judged again."""
    project = _project(bench)
    policies = {name: bench.folder / f"{name}.toml" for name in ("types", "both")}
    policies["types"].write_text(_TYPES_ONLY)
    policies["both"].write_text(_BOTH)
    numbers = itertools.count()
    patches: list[Path] = []

    def new_patch() -> None:
        patches[:] = [project.patch(next(numbers))]

    def judged(policy: Path, *more: str) -> Callable[[], str]:
        def work() -> str:
            done = bench.agent(
                "apply", "bench", "--patch", str(patches[0]), "--policy", str(policy), "--json",
                "-C", str(project.root), *more, cwd=bench.folder, allowed=(0, 1, 3),
            )  # fmt: skip
            answer = json.loads(done.stdout)
            if answer["outcome"] not in ("committed", "verified"):
                raise RuntimeError(
                    f"the patch was not accepted: {answer['reason']}: {answer.get('explanation')}"
                )
            return str(answer["outcome"])

        return work

    def forget() -> None:
        for name in ("slots", "cache", "caches"):
            shutil.rmtree(project.root / ".git" / "dev-agent" / name, ignore_errors=True)
        new_patch()

    project.own_run(tests=True)
    new_patch()
    try:
        judged(policies["both"], "--dry-run")()
    except RuntimeError as error:
        yield not_measured("verified", "a verified patch", str(error)[:300])
        return
    yield compared(
        "verified-apply",
        f"apply --patch of one file, types and tests ({project.root.name})",
        interleaved(
            Side(work=judged(policies["both"]), before=new_patch),
            Side(work=lambda: _edited_run(project, next(numbers))),
            bench.rounds,
        ),
        theirs="mypy --strict, then pytest",
        at_most=_SLOWER,
        allowance=_ALLOWANCE_MS,
        clock=Clock.WALL,
    )
    new_patch()
    again = judged(policies["both"], "--dry-run")
    again()
    samples = [measured(Side(work=again)) for _ in range(bench.rounds)]
    yield limited(
        "verified-again",
        "the same tree judged again",
        median(samples, Clock.WALL),
        at_most=_AGAIN_MS,
        unit="ms wall",
        note=f"median of {len(samples)}",
    )
    yield compared(
        "verified-first-types",
        "apply --patch in a new slot, types only",
        interleaved(
            Side(work=judged(policies["types"], "--dry-run"), before=forget),
            Side(work=lambda: project.own_run(tests=False)),
            bench.rounds,
        ),
        theirs="their warm mypy --strict",
        at_most=_FIRST_TYPES,
        clock=Clock.WALL,
    )


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
