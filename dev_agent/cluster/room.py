"""Whether the disk of a worker has room: with none, whatever fails says nothing about the change."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """The disk below a folder, of which `least_free` bytes are to stay free."""

    folder: Path
    least_free: int

    def require(self, part: int = 1) -> None:
        """See that a `part`-th of it is free. Raises OSError ENOSPC."""
        free, least = shutil.disk_usage(self.folder).free, self.least_free // part
        if free < least:
            raise OSError(errno.ENOSPC, f"{free} bytes are free, {least} are needed")
