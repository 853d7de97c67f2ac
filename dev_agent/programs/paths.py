"""Repository paths as they are written into traces and receipts.

A path that is UTF-8 is itself; any other is `{"pathB64": "<base64 of its bytes>"}`, because a trace holds no
lone surrogates and a receipt must not depend on a locale.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping

Recorded = str | Mapping[str, str]


def to_recorded(path: str) -> Recorded:
    """The JSON form of a path decoded as `os.fsdecode` does."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return {"pathB64": base64.b64encode(os.fsencode(path)).decode("ascii")}
    return path


def recordable(text: str) -> str:
    """Words as a trace can hold them: bytes that are no UTF-8 as visible escapes. Not to be read back as a path."""
    return text.encode("utf-8", "backslashreplace").decode()


def from_recorded(recorded: object) -> str:
    """The inverse of `to_recorded`. Raises ValueError for anything else."""
    if isinstance(recorded, str):
        return recorded
    if isinstance(recorded, Mapping):
        encoded = recorded.get("pathB64")
        if isinstance(encoded, str):
            return os.fsdecode(base64.b64decode(encoded, validate=True))
    raise ValueError(f"not a recorded path: {str(recorded)[:80]}")
