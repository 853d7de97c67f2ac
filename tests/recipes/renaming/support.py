"""Projects in memory, and what a rename makes of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from dev_agent.edits.trees import DictTree
from dev_agent.recipes.model import Bench, Complaint, Declined, Rewritten
from dev_agent.recipes.rename import RECIPE

Files = Mapping[str, str | bytes]


def as_bytes(files: Files) -> dict[str, bytes]:
    return {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}


def after(files: dict[str, bytes], answer: Rewritten) -> dict[str, bytes]:
    """The tree with a rewriting applied."""
    tree = {answer.moves.get(path, path): content for path, content in files.items()}
    for path, content in answer.files.items():
        if content is None:
            del tree[path]
        else:
            tree[path] = content
    return tree


def mypy(files: dict[str, bytes], folder: Path) -> Callable[[Rewritten], tuple[Complaint, ...]]:
    """A checker that runs mypy --strict on the tree, in a folder of its own for each question."""
    count = iter(range(1000))

    def ask(answer: Rewritten) -> tuple[Complaint, ...]:
        home = folder / f"mypy{next(count)}"
        write(after(files, answer), home)
        command = [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--output=json",
            "--cache-dir",
            str(folder / "cache"),
            ".",
        ]
        lines = subprocess.run(
            command, cwd=home, capture_output=True, text=True, check=False
        ).stdout.splitlines()
        return tuple(
            Complaint(
                path=one["file"],
                line=one["line"],
                column=one["column"],
                code=one["code"] or "",
                message=one["message"],
            )
            for one in (json.loads(line) for line in lines if line.startswith("{"))
        )

    return ask


def write(files: dict[str, bytes], folder: Path) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        # mypy compares sizes and whole seconds before it looks at the content.
        os.utime(folder / path, (zlib.crc32(content), zlib.crc32(content)))


def answer(
    files: Files,
    task: str,
    *,
    checked_in: Path | None = None,
    covers: Callable[[str], bool] = lambda _path: True,
) -> Rewritten | Declined:
    tree = as_bytes(files)
    job = RECIPE.read(task)
    assert job is not None, task
    if isinstance(job, Declined):
        return job
    checker = mypy(tree, checked_in) if checked_in else None
    return job.work(Bench(tree=DictTree(tree), covers=covers, checker=checker))


def renamed(files: Files, task: str, *, checked_in: Path | None = None) -> dict[str, str]:
    """The texts of the files that changed, by their new paths."""
    found = answer(files, task, checked_in=checked_in)
    assert isinstance(found, Rewritten), found
    before = {found.moves.get(path, path): content for path, content in as_bytes(files).items()}
    result = after(as_bytes(files), found)
    assert set(found.files) <= {path for path in result if before.get(path) != result[path]}, (
        "a file was rewritten as it was"
    )
    return {path: content.decode() for path, content in found.files.items() if content is not None}


def refused(files: Files, task: str, *, checked_in: Path | None = None) -> Declined:
    found = answer(files, task, checked_in=checked_in)
    assert isinstance(found, Declined), found
    return found
