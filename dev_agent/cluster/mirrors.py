"""The mirrors of a worker, by key; one that is in use is not dropped.

A dropped mirror is renamed first, to what the next start removes: killed in between, no half mirror is believed.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dev_agent.cluster.mirror import Mirror
from dev_agent.sandbox.scratch import remove_tree

_SUFFIX, _GONE = ".git", ".gone"


class Mirrors:
    """All mirrors in one folder. Safe for several threads; one process has the folder."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._environ = environ
        self._lock = threading.Lock()
        self._open: dict[str, Mirror] = {}
        self._in_use: Counter[str] = Counter()
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"*{_GONE}"):
            remove_tree(left)

    @contextmanager
    def using(self, key: str, object_format: str) -> Iterator[Mirror]:
        """The mirror called `key`, made if it is not there; it stays inside. Raises EnvironmentFault, OSError."""
        with self._lock:
            self._in_use[key] += 1
            try:
                if key not in self._open:
                    self._open[key] = Mirror(self.folder / f"{key}{_SUFFIX}", object_format, self._environ)
            except BaseException:
                self._in_use[key] -= 1
                raise
            mirror = self._open[key]
        try:
            with suppress(OSError):  # a full disk: then it was not used
                os.utime(mirror.place / "HEAD")
            yield mirror
        finally:
            with self._lock:
                self._in_use[key] -= 1

    def names(self) -> tuple[str, ...]:
        """The keys of all mirrors there are."""
        return tuple(sorted(one.name.removesuffix(_SUFFIX) for one in self.folder.glob(f"*{_SUFFIX}")))

    def last_used(self, key: str) -> int:
        """This machine's nanoseconds of the last use."""
        return used_last(self.place(key))

    def place(self, key: str) -> Path:
        """The folder of a mirror."""
        return self.folder / f"{key}{_SUFFIX}"

    def drop(self, key: str) -> bool:
        """Remove a mirror with its slots and caches; False if somebody uses it. Raises OSError."""
        with self._lock:
            if self._in_use[key] > 0:
                return False
            self._open.pop(key, None)
            gone = _moved_away(self.place(key))
        remove_tree(gone)
        return True


def used_last(place: Path) -> int:
    """This machine's nanoseconds of the last use of the mirror at a place, 0 if there is none."""
    try:
        return (place / "HEAD").lstat().st_mtime_ns
    except OSError:
        return 0


def drop_mirror(place: Path) -> None:
    """Remove the mirror at a place, which nobody uses. Raises OSError."""
    remove_tree(_moved_away(place))


def _moved_away(place: Path) -> Path:
    """Where the mirror at a place lies now, under a name that no mirror has."""
    gone = place.with_name(f"{place.name.removesuffix(_SUFFIX)}{_GONE}")
    remove_tree(gone)
    with suppress(FileNotFoundError):
        place.rename(gone)
    return gone
