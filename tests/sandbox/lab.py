"""Runs jobs for the tests, as whoever runs the suite and, if that is root, as an ordinary user too."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any
from unittest import mock

import pytest

from dev_agent.cancel import Cancel
from dev_agent.sandbox import bubblewrap
from dev_agent.sandbox.arguments import bubblewrap_arguments
from dev_agent.sandbox.binary import wheel_folder
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.job import Ended, Job, Limits, Mount, MountKind
from dev_agent.sandbox.profile import Profile
from tests.testing.machine import lacks_namespaces

NOBODY = 65534
AS_NOBODY = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--")
CHECKOUT = Path(__file__).parents[2]
PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
LIMITS = Limits(wall_s=600, cpu_s=60, memory_bytes=1024**3, processes=100, output_bytes=1024**2)
READ_ONLY, WRITABLE, SCRATCH = MountKind.READ_ONLY, MountKind.WRITABLE, MountKind.SCRATCH
TMPFS, DATA = MountKind.TMPFS, MountKind.DATA


def python_job(
    source: str, *, mounts: Iterable[Mount] = (), cwd: Path = Path("/"), limits: Limits = LIMITS
) -> Job:
    """A job that runs Python source with the system's interpreter."""
    argv = (PYTHON, "-I", "-S", "-c", textwrap.dedent(source))
    return Job(argv=argv, cwd=cwd, mounts=(*_interpreter(), *mounts), limits=limits)


def _interpreter() -> tuple[Mount, ...]:
    prefix = Path(PYTHON).resolve().parents[1]
    if prefix.is_relative_to("/usr"):
        return ()
    return (Mount(kind=READ_ONLY, target=prefix, source=prefix),)


def without(*dropped: str) -> Callable[..., list[str]]:
    """The argument list, less some lines of it: "--unshare-net", or with its operand "--remount-ro /proc"."""

    def arguments(*args: object) -> list[str]:
        full = bubblewrap_arguments(*args)  # type: ignore[arg-type] # passed on as they are
        for line in dropped:
            words = line.split()
            # "*" stands for an operand that differs from run to run.
            starts = [
                at
                for at in range(len(full))
                if all(word in {"*", has} for word, has in zip(words, full[at:], strict=False))
            ]
            assert starts, f"{line} is not in the list: the test would prove nothing"
            del full[starts[0] : starts[0] + len(words)]
        return full

    return arguments


@dataclass(frozen=True, kw_only=True)
class Lab:
    """One caller's way to run jobs: `who` is "self" or "ordinary", `confinement` the setting of the sandbox.

    `place` is a directory of the caller's.
    """

    who: str
    place: Path
    scratch_root: Path
    bwrap: Path | None = None
    confinement: str = "bubblewrap"

    @property
    def has_namespaces(self) -> bool:
        """True for tier 1. What differs without is asserted beside it, as a known gap."""
        return self.confinement == "bubblewrap"

    @property
    def is_root(self) -> bool:
        return self.who == "self" and os.geteuid() == 0

    def run(self, job: Job, *, setting: str = "", drop: tuple[str, ...] = ()) -> Ended:
        """Run it confined; `drop` takes lines out of bubblewrap's argument list, to show what they are for."""
        setting = setting or self.confinement
        assert setting == "bubblewrap" or not drop, "there is no such list: the test would prove nothing"
        if (
            setting == "bubblewrap"
            and self.bwrap is None
            and lacks_namespaces(ordinary=self.who == "ordinary")
        ):
            pytest.skip(lacks_namespaces(ordinary=self.who == "ordinary"))
        if self.who == "ordinary":
            return self._as_ordinary(job, setting, drop)
        return run_here(job, setting, self.scratch_root, self.bwrap, drop)

    def unconfined(self, job: Job) -> Ended:
        return self.run(job, setting="off")

    def python(self, source: str, **fields: object) -> Ended:
        return self.run(python_job(source, **fields))  # type: ignore[arg-type] # passed on as they are

    def own(self, *paths: Path) -> None:
        """Give what the test made to the caller."""
        if self.who == "ordinary":
            for path in paths:
                for below in (path, *path.rglob("*")):
                    os.chown(below, NOBODY, NOBODY, follow_symlinks=False)

    def _as_ordinary(self, job: Job, setting: str, drop: tuple[str, ...]) -> Ended:
        told = told_to_another((job, setting, self.scratch_root, self.bwrap, drop))
        done = subprocess.run(
            ordinary_argv("-m", "tests.sandbox.as_ordinary"),
            input=told,
            capture_output=True,
            check=False,
            env=ordinary_env(),
            cwd="/",
        )
        assert done.returncode == 0, done.stderr.decode()
        ended = heard_from_another(io.BytesIO(done.stdout))
        assert isinstance(ended, Ended)
        return ended


class _ForAnyPython(pickle.Pickler):
    """The ordinary user's Python may be another than ours, and each version of pathlib has its classes elsewhere."""

    def reducer_override(self, obj: object) -> Any:
        return (Path, (str(obj),)) if isinstance(obj, Path) else NotImplemented

    def persistent_id(self, obj: object) -> str | None:
        return "Path" if obj is Path else None


class _FromAnyPython(pickle.Unpickler):
    def persistent_load(self, pid: object) -> type[Path]:
        assert pid == "Path"
        return Path


def told_to_another(value: object) -> bytes:
    """A value for `heard_from_another` of whichever Python."""
    stream = io.BytesIO()
    _ForAnyPython(stream).dump(value)
    return stream.getvalue()


def heard_from_another(stream: IO[bytes]) -> Any:
    return _FromAnyPython(stream).load()


def ordinary_argv(*arguments: str) -> list[str]:
    return [*AS_NOBODY, PYTHON, *arguments]


def ordinary_env() -> dict[str, str]:
    folder = wheel_folder()
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{CHECKOUT}:{folder}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run_here(job: Job, setting: str, scratch_root: Path, bwrap: Path | None, drop: tuple[str, ...]) -> Ended:
    sandbox = choose(setting, Profile(), scratch_root=scratch_root, bwrap=bwrap)
    with mock.patch.object(bubblewrap, "bubblewrap_arguments", without(*drop)):
        return sandbox.run(job, Cancel())


def limited(**fields: float) -> Limits:
    return replace(LIMITS, **fields)  # type: ignore[arg-type] # checked by Limits
