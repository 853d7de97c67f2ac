"""What bubblewrap says about the process it started: JSON documents on a pipe only it can write to.

The exit status of `bwrap` alone cannot tell a job that failed from a sandbox that could not be set up, and
its standard error belongs to the job. The documents can: `exit-code` comes only if the program was
executed.

Shape (bubblewrap 0.5 and later, `--json-status-fd`): {"child-pid": int, "pid-namespace": int, …}, then
{"exit-code": int}.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
from pathlib import Path

_GONE_WITHIN_MS = 60_000


class Status:
    """Collects the documents, and knows the first process of the sandbox's pid namespace."""

    def __init__(self) -> None:
        self._said = bytearray()
        self._documents: dict[str, int] = {}
        self._init = -1
        self._certain = False

    @property
    def exit_code(self) -> int | None:
        """The job's own exit status, or None if it was never executed, or killed together with bubblewrap."""
        return self._documents.get("exit-code")

    @property
    def init(self) -> int | None:
        """The host's pid of the namespace's first process, None before it is known."""
        return self._documents.get("child-pid")

    def add(self, data: bytes) -> None:
        """Take what was read; a document may come in pieces."""
        self._said += data
        decoder = json.JSONDecoder()
        while text := self._said.decode(errors="replace").lstrip():
            try:
                document, end = decoder.raw_decode(text)
            except ValueError:
                return
            self._said[:] = text[end:].encode()
            for name, value in document.items():
                if isinstance(value, int):
                    self._documents[name] = value
            self._watch_init()

    def everything_is_gone(self) -> bool:
        """Wait until the namespace is empty; False if something in it outlives a kill.

        The namespace's first process counts as ended only after the kernel has killed and reaped all others
        in it.
        """
        if self._init < 0:
            return True
        if self._certain:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)
        poll = select.poll()
        poll.register(self._init, select.POLLIN)
        return bool(poll.poll(_GONE_WITHIN_MS))

    def close(self) -> None:
        """Let go of the process."""
        if self._init >= 0:
            os.close(self._init)
            self._init = -1

    def _watch_init(self) -> None:
        pid = self.init
        if pid is None or self._init >= 0:
            return
        try:
            self._init = os.pidfd_open(pid)
            # Its number may have gone to another process by now; only its namespace says that it is the one.
            namespace = Path(f"/proc/{pid}/ns/pid").stat().st_ino
        except OSError:
            return
        self._certain = namespace == self._documents.get("pid-namespace")
