"""Repository paths as JSON can hold them, in traces, receipts and jobs.

A path that is UTF-8 is itself; any other is `{"pathB64": "<base64 of its bytes>"}`, because canonical JSON holds no
lone surrogates and what is hashed must not depend on a locale. Imports nothing of ours.
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


def from_recorded(recorded: object) -> str:
    """The inverse of `to_recorded`. Raises ValueError for anything else."""
    if isinstance(recorded, str):
        return recorded
    if isinstance(recorded, Mapping):
        encoded = recorded.get("pathB64")
        if isinstance(encoded, str):
            return os.fsdecode(base64.b64decode(encoded, validate=True))
    raise ValueError(f"not a recorded path: {str(recorded)[:80]}")
