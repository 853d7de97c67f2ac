"""Which client made which run, so that a client sees and touches its own.

One line a run in `mcp/owners` of the repository's state folder, appended under a lock and flushed before the client
hears the run's id. Killed before the line: the run belongs to nobody here, so no client of a network sees it; its
person does, by the command line. Every line ends with a full stop: a torn one is passed over, whatever name the tear
left, and the next one starts on a line of its own.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from dev_agent.values import dataclass

_LARGEST = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Owners:
    """The file of one repository."""

    path: Path

    def record(self, run: str, client: str) -> None:
        """Say that `client` made `run`. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, f"{chr(10) if torn else ''}{run} {client} .\n".encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def owner(self, run: str) -> str | None:
        """Who made `run`, None if nobody said so."""
        return self.all().get(run)

    def all(self) -> dict[str, str]:
        """Every run with its client. The first to claim a run has it."""
        try:
            with self.path.open("rb") as file:
                data = file.read(_LARGEST)
        except FileNotFoundError:
            return {}
        made: dict[str, str] = {}
        for line in data.decode("ascii", "replace").split("\n"):
            words = line.split(" ")
            if len(words) == 3 and words[2] == ".":
                made.setdefault(words[0], words[1])
        return made
