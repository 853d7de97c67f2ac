"""What a trial has left on the machine: processes, mounts, temporary files, locks and half-done git."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.trial.processes import marked
from benchmarks.trial.projects import git


def left_over(folder: Path, temporary: Path, repositories: Sequence[Path]) -> tuple[str, ...]:
    """Everything that should not be there once all has ended."""
    return (
        *_processes(folder),
        *_mounts(folder),
        *(f"a file in the temporary folder: {one.name}" for one in sorted(temporary.iterdir())),
        *(said for one in repositories for said in _repository(one)),
    )


def _processes(folder: Path) -> Iterator[str]:
    for pid, said in marked(str(folder)):
        yield f"a process: {pid} {said}"


def _mounts(folder: Path) -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines():
        if str(folder) in line:
            yield f"a mount: {line}"


def _repository(place: Path) -> Iterator[str]:
    if (place / ".git" / "index.lock").exists():
        yield f"{place.name}: the index is locked"
    changed = git(place, "status", "--porcelain")
    if changed:
        yield f"{place.name}: the work tree was changed: {changed.splitlines()[0]}"
    worktrees = git(place, "worktree", "list", "--porcelain").count("worktree ")
    if worktrees != 1:
        yield f"{place.name}: {worktrees - 1} work trees of git's own"
    broken = git(place, "fsck", "--connectivity-only", "--no-dangling")
    if broken:
        yield f"{place.name}: {broken.splitlines()[0]}"
