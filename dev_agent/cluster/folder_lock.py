"""One process has a worker's folder: a flock on a file in it, dropped by the kernel with its holder."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from dev_agent.errors import UsageFault

_WAIT_S = 10.0


def hold_folder(path: Path) -> int:
    """A descriptor holding the folder's lock; a worker that is just dying may keep it a moment."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(lock)
                raise UsageFault(
                    f"another worker has the folder {path.parent}",
                    hint="give each worker a folder of its own with --folder, or more --slots to one",
                ) from None
            time.sleep(0.05)
        else:
            return lock
