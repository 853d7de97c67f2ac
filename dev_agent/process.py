"""The one door for subprocesses.

Rules kept here, so that no caller can forget them:
- argv sequences only, never a shell; the environment is explicit and complete, nothing is inherited;
- stdin is what the caller gives, or nothing; descriptors other than 0-2 pass only by name;
- every child leads its own session, and the whole process group is killed on time-out, cancellation,
  a watcher's veto or any exception here;
- output is read with a byte cap that keeps the head and the tail, so that a flood costs bounded memory;
- a missing program and a failing program come back in the same shape (`code` 127, the reason on stderr).

A process that leaves its process group on purpose (setsid) is beyond this door; the sandbox's pid namespace
ends those.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import IO

from dev_agent.cancel import Cancel
from dev_agent.values import dataclass

_CHUNK = 65_536
_TICK_S = 0.05
_MISSING = 127


class Stopped(StrEnum):
    """Why a child was ended by us, if it was."""

    NO = "no"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    VETOED = "vetoed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """A finished child. `code` is negative for a signal, 127 if the program could not be started."""

    argv: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes
    stopped: Stopped
    veto: str
    truncated: bool
    ms: int

    @property
    def ok(self) -> bool:
        """True if the child ended by itself with status 0."""
        return self.code == 0 and self.stopped is Stopped.NO


class _Capped:
    """Keeps the first and the last half of a byte budget, and says if anything between was dropped."""

    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self.dropped = 0

    def add(self, data: bytes) -> None:
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if not data:
            return
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size - len(self._tail[0]) >= self._half:
            gone = self._tail.popleft()
            self._tail_size -= len(gone)
            self.dropped += len(gone)

    def value(self) -> bytes:
        tail = b"".join(self._tail)
        cut = max(len(tail) - self._half, 0)
        dropped = self.dropped + cut
        if not dropped:
            return bytes(self._head) + tail
        return bytes(self._head) + b"\n[... %d bytes left out ...]\n" % dropped + tail[cut:]

    @property
    def truncated(self) -> bool:
        return self.dropped > 0 or self._tail_size > self._half


def kill_group(pid: int) -> None:
    """SIGKILL the process group led by `pid`; gone already is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def run(  # noqa: PLR0913 - one door has to have every handle; all are keyword-only
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout_s: float,
    stdin: bytes = b"",
    pass_fds: Sequence[int] = (),
    output_limit: int = 64 * 1024 * 1024,
    cancel: Cancel | None = None,
    watch: Callable[[int], str] | None = None,
    extra: Sequence[tuple[int, Callable[[bytes], None]]] = (),
) -> Completed:
    """Run `argv` to its end and return what happened.

    `watch(pid)` is called about twenty times a second and ends the child by returning a reason (a memory
    watchdog). `extra` are further readable descriptors of pipes, each with a function taking what was read;
    they are read until end of file or until the child is gone, and stay the caller's to close.
    """
    started = time.monotonic()
    args = tuple(argv)

    try:
        child = subprocess.Popen(
            args,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
    except OSError as error:
        return Completed(
            argv=args,
            code=_MISSING,
            stdout=b"",
            stderr=f"{args[0]}: {error.strerror or error}".encode(),
            stopped=Stopped.NO,
            veto="",
            truncated=False,
            ms=0,
        )
    out, err = _Capped(output_limit), _Capped(output_limit)
    try:
        why, veto = _pump(child, stdin, out, err, started + timeout_s, cancel, watch, extra)
    except BaseException:
        kill_group(child.pid)
        child.wait()
        raise
    finally:
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
    return Completed(
        argv=args,
        code=child.wait(),
        stdout=out.value(),
        stderr=err.value(),
        stopped=why,
        veto=veto,
        truncated=out.truncated or err.truncated,
        ms=int((time.monotonic() - started) * 1000),
    )


def _pump(
    child: subprocess.Popen[bytes],
    stdin: bytes,
    out: _Capped,
    err: _Capped,
    deadline: float,
    cancel: Cancel | None,
    watch: Callable[[int], str] | None,
    extra: Sequence[tuple[int, Callable[[bytes], None]]],
) -> tuple[Stopped, str]:
    """Move bytes until the child has ended and its pipes are drained, or it has to be ended."""
    why, veto, wait_s, look_at = Stopped.NO, "", _TICK_S, 0.0
    with selectors.DefaultSelector() as selector, _noticed_end(selector, child) as noticed:
        _register(selector, child, stdin, out, err, extra)
        while len(selector.get_map()) > noticed or child.poll() is None:
            _wait_a_tick(selector, child, wait_s)
            if why is Stopped.NO:
                # A child that says a lot wakes us often; a look by the watcher costs more than what it said.
                now = time.monotonic()
                due = now >= look_at
                why, veto = _reason_to_stop(child, deadline, cancel, watch if due else None)
                look_at = now + _TICK_S if due else look_at
                wait_s = look_at - now
                if why is not Stopped.NO:
                    kill_group(child.pid)
            if child.poll() is not None and not _drain_once(selector):
                # The leader is gone and nothing is readable now: a descendant that still holds our pipe
                # must not keep us waiting.
                kill_group(child.pid)
                break
    return why, veto


@contextlib.contextmanager
def _noticed_end(selector: selectors.BaseSelector, child: subprocess.Popen[bytes]) -> Iterator[int]:
    """Inside, the end of the child wakes the selector; how many of its descriptors are for that (0 or 1).

    A pipe of ours may stay open behind a child that has ended: without this each would be waited for to the end of
    a tick.
    """
    try:
        ending = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        yield 0
        return
    try:
        selector.register(ending, selectors.EVENT_READ, None)
        yield 1
    finally:
        os.close(ending)


def _wait_a_tick(selector: selectors.BaseSelector, child: subprocess.Popen[bytes], wait_s: float) -> None:
    """Serve what is ready, after at most `wait_s`; with nothing to be woken by, wait for the child itself."""
    if not selector.get_map():
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(wait_s)
        return
    for key, _ in selector.select(wait_s):
        _serve(selector, key)


def _register(
    selector: selectors.BaseSelector,
    child: subprocess.Popen[bytes],
    stdin: bytes,
    out: _Capped,
    err: _Capped,
    extra: Sequence[tuple[int, Callable[[bytes], None]]],
) -> None:
    readers: list[tuple[int, Callable[[bytes], None]]] = [*extra]
    for stream, sink in ((child.stdout, out), (child.stderr, err)):
        if stream:
            readers.append((stream.fileno(), sink.add))
    for fd, take in readers:
        os.set_blocking(fd, False)
        selector.register(fd, selectors.EVENT_READ, take)
    if child.stdin:
        os.set_blocking(child.stdin.fileno(), False)
        selector.register(child.stdin.fileno(), selectors.EVENT_WRITE, _Feeder(child.stdin, stdin))


class _Feeder:
    """Writes what is left of stdin whenever the pipe takes it, then closes."""

    def __init__(self, stream: IO[bytes], data: bytes) -> None:
        self._stream = stream
        self._left = memoryview(data)

    def push(self) -> bool:
        """True when finished (all written, or nobody reads any more)."""
        try:
            written = os.write(self._stream.fileno(), self._left[:_CHUNK])
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._left = self._left[:0]
        else:
            self._left = self._left[written:]
        if self._left:
            return False
        with contextlib.suppress(OSError):
            self._stream.close()
        return True


def _serve(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> bool:
    """Serve one ready descriptor; True if bytes moved."""
    if key.data is None:
        return False  # the child has ended, which the loop asks for itself
    if isinstance(key.data, _Feeder):
        fd = key.fd
        if key.data.push():
            selector.unregister(fd)
        return False
    try:
        data = os.read(key.fd, _CHUNK)
    except BlockingIOError:
        return False
    if not data:
        selector.unregister(key.fd)
        return False
    key.data(data)
    return True


def _drain_once(selector: selectors.BaseSelector) -> bool:
    """Serve whatever is ready without waiting; True if any bytes came."""
    moved = False
    for key, _ in selector.select(0):
        moved = _serve(selector, key) or moved
    return moved


def _reason_to_stop(
    child: subprocess.Popen[bytes],
    deadline: float,
    cancel: Cancel | None,
    watch: Callable[[int], str] | None,
) -> tuple[Stopped, str]:
    if child.poll() is not None:
        return Stopped.NO, ""
    if time.monotonic() > deadline:
        return Stopped.TIMED_OUT, ""
    if cancel is not None and cancel.requested:
        return Stopped.CANCELLED, ""
    veto = watch(child.pid) if watch else ""
    return (Stopped.VETOED, veto) if veto else (Stopped.NO, "")
