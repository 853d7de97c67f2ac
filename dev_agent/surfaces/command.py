"""Running one command of ours as a process, with progress as it comes, and a calm end when nobody wants it any more.

Asked to stop, the command gets SIGTERM and some seconds to leave its critical section by its own door; then the whole
process group is killed, which it is made for: the next command puts in order what it had begun. If this process dies,
the kernel sends the command SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Any

import dev_agent
from dev_agent.cancel import Cancel
from dev_agent.process import Stopped, run
from dev_agent.values import dataclass

_CHILD = "dev_agent.surfaces.child"
_CALM_S = 15.0
_OUTPUT = 64 << 20
_LONGEST_LINE = 1 << 20

Progress = Callable[[Mapping[str, Any]], None]
"""Takes one object of a command's progress."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a command said: its exit code and its one JSON object (empty if it said none)."""

    code: int
    data: Mapping[str, Any]
    cancelled: bool = False

    @property
    def failure(self) -> str:
        """Why there is no answer, with what to do; "" if there is one."""
        error = self.data.get("error")
        if isinstance(error, Mapping):
            hint = error.get("hint") or ""
            return f"{error.get('message', '')}{f' ({hint})' if hint else ''}"
        return "" if self.data else f"the command ended with status {self.code} and said nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Commands:
    """How commands are run. `environ` is the server's own, complete; `timeout_s` ends any command."""

    environ: Mapping[str, str] = field(repr=False)
    timeout_s: float = 3600.0

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        stdin: bytes = b"",
        cancel: Cancel,
        progress: Progress = lambda _said: None,
    ) -> Answer:
        """Run `dev-agent ARGV --json` and return what it said. Never raises for what a command can do."""
        reading, writing = os.pipe()
        lines = _Lines(progress)
        try:
            done = run(
                [sys.executable, "-m", _CHILD, str(writing), *argv],
                cwd=cwd,
                env=self._environment(),
                timeout_s=self.timeout_s,
                stdin=stdin,
                pass_fds=(writing,),
                output_limit=_OUTPUT,
                watch=_Calm(cancel).watch,
                extra=((reading, lines.take),),
            )
        finally:
            os.close(reading)
            os.close(writing)
        stopped = done.stopped is not Stopped.NO or cancel.requested
        return Answer(code=done.code, data=_object(done.stdout), cancelled=stopped)

    def _environment(self) -> dict[str, str]:
        """The server's, without what would answer for an option the client has no say in."""
        kept = {name: value for name, value in self.environ.items() if not name.startswith("DEV_AGENT_")}
        own = str(Path(dev_agent.__file__).resolve().parents[1])
        paths = [own, *filter(None, [kept.get("PYTHONPATH")])]
        return {**kept, "DEV_AGENT_JSON": "1", "PYTHONPATH": os.pathsep.join(paths)}


class _Calm:
    """Ends a command: first by a word, then by force."""

    def __init__(self, cancel: Cancel) -> None:
        self._cancel = cancel
        self._until = 0.0

    def watch(self, pid: int) -> str:
        """A reason to kill the command now, "" while it may go on."""
        if not self._cancel.requested:
            return ""
        if not self._until:
            self._until = time.monotonic() + _CALM_S
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        return "cancelled" if time.monotonic() > self._until else ""


class _Lines:
    """Cuts what comes from a pipe into lines, and gives on those that are JSON objects."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._rest = b""

    def take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_LONGEST_LINE:]
        for line in lines:
            said = _object(line)
            if said:
                self._progress(said)


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
