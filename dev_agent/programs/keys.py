"""Idempotency keys: one key, one execution of one request, whoever asks, however often, whatever dies.

`<folder>/<sha256 of the key>.json` names the request's digest and the run that executes it; a lock file beside it is
held, by the kernel's flock, for as long as an execution lasts. So of several callers one executes, the others wait
and get its answer.

Order: lock → read the record → write the record, durable, with the run's id → the run's journal is made. Killed
before the record: the key is free. Between record and journal: the record names a run that is not there, and the next
caller executes anew; so too while the journal does not hold the request. After it: the next caller takes that very run
up and ends it. A run that ended badly is no
success to be remembered: the next caller executes again under the same key.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.programs.folders import has_begun
from dev_agent.programs.story import REQUEST
from dev_agent.runtime.canonical import canonical
from dev_agent.runtime.errors import JournalFailed, TraceCorrupt
from dev_agent.runtime.files import open_regular, write_atomically
from dev_agent.runtime.trace import read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_R = TypeVar("_R")
_LONGEST = 200
_VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution(Generic[_R]):
    """How a request is executed, and how its run is found again.

    fresh    execute it; the function given is called with the run's id before anything of the run exists
    exists   whether a run is there that knows what was asked of it
    again    take a run up, or report it if it has ended
    failed   whether what came of a run must not be remembered as the answer
    """

    fresh: Callable[[Callable[[str], None]], _R]
    exists: Callable[[str], bool]
    again: Callable[[str], _R]
    failed: Callable[[_R], bool]


def request_digest(request: Mapping[str, Any]) -> str:
    """The digest by which two requests are the same, in hex."""
    return hashlib.sha256(canonical(request)).hexdigest()


def once(folder: Path, key: str, digest: str, execution: Execution[_R]) -> _R:
    """The answer to the request under `key`: of the one execution there is, or of a new one.

    Waits while another caller executes. Raises UsageFault for a key that cannot be one or that stands for another
    request, EnvironmentFault for a folder that cannot be used, and what the execution raises.
    """
    _require_key(key)
    name = hashlib.sha256(key.encode()).hexdigest()
    with _locked(folder, name):
        record = folder / f"{name}.json"
        run = _recorded_run(record, key, digest)
        if run and execution.exists(run):
            answer = execution.again(run)
            if not execution.failed(answer):
                return answer

        def remember(new: str) -> None:
            content = {"v": _VERSION, "request": digest, "run": new}
            write_atomically(record, canonical(content), durable=True)

        return execution.fresh(remember)


def has_asked(folder: Path) -> bool:
    """Whether what was asked of a run is on record. Killed before that it had done nothing, and is asked anew.

    A damaged trace counts as asked: whoever takes the run up names the damage.
    """
    if not has_begun(folder):
        return False
    try:
        return any(event.type == REQUEST for event in read_trace(folder))
    except (JournalFailed, TraceCorrupt):
        return True


def _require_key(key: str) -> None:
    if not key or len(key) > _LONGEST or not key.isprintable():
        raise UsageFault(
            f"a key is 1 to {_LONGEST} printable characters",
            hint="use an event's id, for example issue-17-comment-3",
        )


def _recorded_run(record: Path, key: str, digest: str) -> str:
    """The run the key stands for, "" if none does yet."""
    try:
        with open_regular(record) as file:
            known = json.loads(file.read(1 << 16))
        version, request, run = known["v"], str(known["request"]), str(known["run"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EnvironmentFault(
            f"the record of key {key!r} cannot be read: {error}",
            hint=f"look at {record}, and remove it to begin anew",
        ) from error
    if version != _VERSION:
        raise EnvironmentFault(
            f"the record of key {key!r} is of another version of dev-agent",
            hint="use that version, or another key",
        )
    if request != digest:
        raise UsageFault(
            f"key {key!r} stands for another request (run {run})",
            hint="one key, one request: repeat that request exactly, or use a new key",
        )
    return run


@contextmanager
def _locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the key's lock; waiting for it can be interrupted."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(folder / f"{name}.lock", flags, 0o600)
    except OSError as error:
        raise EnvironmentFault(
            f"keys cannot be kept in {folder}: {error.strerror}", hint="check its rights"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
