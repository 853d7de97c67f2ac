"""One writer a run: an exclusive flock on `<folder>/lock`, gone with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from dev_agent.runtime.errors import JournalBusy, JournalFailed


def locked(folder: Path, run: str) -> int:
    """Make `folder` if needed, lock it, and return the descriptor to close. Raises JournalBusy, JournalFailed."""
    descriptor = -1
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise JournalBusy(run) from None
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        raise JournalFailed(
            f"cannot lock {folder}: {error.strerror or error}", "make space or mend the rights"
        ) from error
    return descriptor
