"""Starts a command, stops it and all its children dead at a chosen call, and says whether it came to that."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.testing.children import in_child

_PAGE = struct.Struct("4q")
_SUBREAPER = 36
_SOURCE = Path(__file__).parent / "shim.c"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """`calls` is how many calls were counted; `killed` says if it was stopped before its end."""

    killed: bool
    calls: int


class Referee:
    """Builds the shim into `folder`, and a `git` that is always counted, whatever environment it gets."""

    def __init__(self, folder: Path) -> None:
        self._library = folder / "shim.so"
        self._page = folder / "page"
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O1", "-w", "-o", self._library, _SOURCE, "-ldl"], check=True
        )
        self.path = folder / "bin"
        self.path.mkdir()
        wrapper = self.path / "git"
        preload = f"LD_PRELOAD='{self._library}' KILL_PAGE='{self._page}'"
        wrapper.write_text(f'#!/bin/sh\n{preload} exec {shutil.which("git")} "$@"\n')
        wrapper.chmod(0o755)

    def run(
        self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stop_at: int = 0, cut: bool = False
    ) -> Ended:
        """Run `argv` until its end, or until call number `stop_at` (1 is the first), where everything is killed."""
        self._page.write_bytes(_PAGE.pack(0, stop_at, cut, 0).ljust(4096, b"\0"))
        counted = {**env, "LD_PRELOAD": str(self._library), "KILL_PAGE": str(self._page)}
        with self._page.open("r+b") as file, mmap.mmap(file.fileno(), 4096) as page:
            status = in_child(lambda: _watch(argv, cwd, counted, page))
            calls, _, _, frozen = _PAGE.unpack(page[: _PAGE.size])
        assert status == 0, f"the command failed: {status}"
        return Ended(killed=bool(frozen), calls=calls)


def _watch(argv: Sequence[str], cwd: Path, env: Mapping[str, str], page: mmap.mmap) -> None:
    """In a process of its own, which inherits every orphan: nothing outlives it."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    child = subprocess.Popen(argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None and not _PAGE.unpack(page[: _PAGE.size])[3]:
        time.sleep(0.0005)
    frozen = child.poll() is None
    while _descendants(os.getpid()):
        for process in _descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        _reap()
    if not frozen and child.returncode:
        os._exit(1)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def _descendants(top: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [top]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found
