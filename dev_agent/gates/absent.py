"""Modules that tests miss in the private tree although the user's work tree has them: files git does not track.

A generated `_version.py` is the common one. Nothing is shown to the tests because of this; it only says what to name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

_MISSING = re.compile(r"No module named '([\w.]+)'")
_FROM = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_ENDINGS = (".py", "/__init__.py")


def absent_files(
    messages: Iterable[str], root: Path, roots: Sequence[str], tracked: Collection[str]
) -> tuple[str, ...]:
    """Paths below `root`, untracked, of modules that these messages call missing; `roots` are imported from."""
    names: dict[str, None] = {}
    for message in messages:
        names.update(dict.fromkeys(_MISSING.findall(message)))
        names.update(dict.fromkeys(f"{package}.{name}" for name, package in _FROM.findall(message)))
    candidates = (
        f"{'' if one == '.' else f'{one}/'}{name.replace('.', '/')}{ending}"
        for name in names
        for one in roots
        for ending in _ENDINGS
    )
    return tuple(
        dict.fromkeys(path for path in candidates if path not in tracked and (root / path).is_file())
    )
