"""Reading the patch the user named: a file or standard input, never more than a patch may have."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from dev_agent.edits.model import Limits
from dev_agent.errors import UsageFault

# One byte more than is allowed: enough for the parser to refuse it, and /dev/zero ends.
_MOST = Limits().patch_bytes + 1


def read_patch(source: str) -> bytes:
    """The bytes of `source` (a path, or `-`). Raises UsageFault if there is nothing to read."""
    if source == "-":
        if sys.stdin.isatty():
            sys.stderr.write("Reading the patch from the terminal; end it with Ctrl-D.\n")
        return _read(sys.stdin.buffer)
    try:
        with Path(source).open("rb") as stream:
            return _read(stream)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageFault(
            f"the patch {source!r} cannot be read: {reason}",
            hint="--patch takes a file, or - for standard input",
        ) from error


def _read(stream: BinaryIO) -> bytes:
    parts, room = [], _MOST
    while room and (part := stream.read(min(room, 1 << 20))):
        parts.append(part)
        room -= len(part)
    return b"".join(parts)
