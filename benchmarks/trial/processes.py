"""Processes of a trial: started in a namespace, looked at, killed, and never outliving the trial.

Each has a session of its own and dies with the trial, whatever kills that: the kernel is asked to send SIGKILL when
the parent ends (`setpriv --pdeathsig`), and whoever finds, once that is asked, that the parent has already gone does
not begin.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "TRIAL_FOLDER"
"""Stands in the environment of everything that is started, with the trial's folder."""

_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
_UNLESS_ORPHANED = ("sh", "-c", 'test "$PPID" -eq "$0" || exit 1; exec "$@"')


class TooLong(Exception):
    """Something that was waited for did not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that was started; `log` is what it says on stderr, `out` on stdout."""

    name: str
    popen: subprocess.Popen[bytes]
    out: Path
    log: Path

    @property
    def alive(self) -> bool:
        """True while it runs."""
        return self.popen.poll() is None

    def busy(self) -> bool:
        """True while it has children that run: a worker has them only while it judges."""
        return self.alive and bool(children_of(self.popen.pid))

    def kill(self) -> None:
        """SIGKILL to it alone: what it had started is its own promise."""
        self.popen.kill()
        self.popen.wait()

    def end(self, seconds: float = 30) -> None:
        """SIGTERM, and wait. Raises TooLong if it does not end."""
        if self.alive:
            self.popen.terminate()
        self.wait(seconds)

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises TooLong, after having killed its session."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()
            raise TooLong(
                f"{self.name} had not ended after {seconds:.0f} s; its last words: {self.tail()}"
            ) from None

    def tail(self) -> str:
        """The end of what it said."""
        return self.log.read_text("utf-8", "replace")[-600:].strip()


def start(
    name: str,
    argv: Sequence[str],
    *,
    inside: Sequence[str] = (),
    environ: Mapping[str, str],
    logs: Path,
    cwd: Path,
) -> Process:
    """Start a program; what it says is appended to files of its name."""
    out, log = logs / f"{name}.out", logs / f"{name}.log"
    with out.open("ab") as stdout, log.open("ab") as stderr:
        popen = subprocess.Popen(
            (*inside, *_DIES_WITH_US, *_UNLESS_ORPHANED, str(os.getpid()), *argv),
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    return Process(name=name, popen=popen, out=out, log=log)


def until(true: Callable[[], bool], what: str, *, seconds: float = 90) -> None:
    """Wait for it. Raises TooLong."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TooLong(f"waited {seconds:.0f} s for this, in vain: {what}")
        time.sleep(0.05)


def children_of(pid: int) -> tuple[int, ...]:
    """The processes it has started and that still run, zombies left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent, state = _stat(entry)
            if parent == pid and state not in "ZX":
                found.append(int(entry.name))
    return tuple(found)


def marked(mark: str) -> tuple[tuple[int, str], ...]:
    """All processes whose environment or command line names `mark`: their ids and command lines; not this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in (os.getpid(), os.getppid()):
            continue
        try:
            said = (entry / "cmdline").read_bytes()
            environ = (entry / "environ").read_bytes()
        except OSError:
            continue
        if f"{MARK}={mark}".encode() in environ.split(b"\0") or mark.encode() in said:
            found.append((int(entry.name), said.replace(b"\0", b" ").decode("utf-8", "replace")[:160]))
    return tuple(found)


def _stat(entry: Path) -> tuple[int, str]:
    try:
        fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return 0, "X"
    return int(fields[1]), fields[0]
