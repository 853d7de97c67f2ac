"""Verdicts and baselines that were computed before, by the digest of everything they depend on.

An entry is one file named by its key, in a folder the caller gives; it holds its own digest, so that a torn
or altered one is a miss. Writing is temp-and-rename: dying at any line leaves no entry or a whole one, at
worst a temporary file that `put` of the same key overwrites nothing of. Two writers of a key write the same
meaning, the last one stays. Results that say nothing about a tree (errors) are not for here; callers see to
that. Only this tool writes the folder: a sandboxed program never sees it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_FORMAT = "1"


def digest_of(value: object) -> str:
    """The sha256 of a JSON value, independent of key order, hex."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class Cache:
    """A folder of JSON objects by key. A folder that cannot be written is a cache that forgets.

    `keeps` is asked before anything is stored: what was found out while the ground moved belongs under no key.
    """

    def __init__(self, folder: Path, *, keeps: Callable[[], bool] = lambda: True) -> None:
        self._folder = folder
        self._keeps = keeps

    def get(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """The object stored under `key`, None if there is none or it is damaged."""
        try:
            entry = json.loads(self._path(kind, key).read_bytes())
            data = entry["data"]
            whole = entry["digest"] == _seal(kind, key, data)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with suppress(OSError):
            os.utime(self._path(kind, key))  # used now: what was not for longest is dropped first
        return data if whole and isinstance(data, dict) else None

    def put(self, kind: str, key: str, data: Mapping[str, Any]) -> None:
        """Store `data` (JSON values) under `key`."""
        if not self._keeps():
            return
        text = json.dumps({"data": data, "digest": _seal(kind, key, data)}, ensure_ascii=True)
        path = self._path(kind, key)
        temporary = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(text)
            Path(temporary).replace(path)
        except OSError:
            # A full disk must not turn a verdict into a failure: it was computed, it is only not remembered.
            if temporary:
                Path(temporary).unlink(missing_ok=True)

    def _path(self, kind: str, key: str) -> Path:
        return self._folder / kind / key[:2] / f"{key}.json"


def _seal(kind: str, key: str, data: object) -> str:
    return digest_of([_FORMAT, kind, key, data])
