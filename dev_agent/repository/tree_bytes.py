"""The bytes of a tree object: `mode SP name NUL id`, repeated, in git's own order. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from operator import lt

TREE_MODE = "40000"
"""The mode of a folder, as trees spell it."""

Entry = tuple[str, str]
"""Mode and object id."""

_FOLDERS = (b"40000", b"040000")
_ROWS = {size: re.compile(rb"([0-7]+) ([^\0]*)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)}


def parse_tree(data: bytes, id_size: int) -> dict[bytes, Entry]:
    """The entries of a tree's bytes: `mode SP name NUL id`, repeated; ids have `id_size` bytes.

    Raises ValueError if the bytes are not of that form.
    """
    return _entries(_rows(data, id_size))


def parse_sound_tree(data: bytes, id_size: int) -> dict[bytes, Entry]:
    """The same of a tree as git makes them: no name twice, none empty or with a slash, all in order.

    Raises ValueError for any other.
    """
    rows = _rows(data, id_size)
    entries = _entries(rows)
    keys = [name + b"/" if mode in _FOLDERS else name for mode, name, _ in rows]
    in_order = len(entries) == len(rows) and all(map(lt, keys, keys[1:]))
    if not in_order or b"" in entries or b"/" in b"".join(entries):
        raise ValueError("not a sound tree")
    return entries


def render_tree(entries: Mapping[bytes, Entry]) -> bytes:
    """The inverse, in git's order: a folder sorts as if its name ended with a slash."""
    rows = [(name, *_spelled(mode), oid) for name, (mode, oid) in entries.items()]
    keyed = sorted([(name + end, mode + name, oid) for name, mode, end, oid in rows])
    return b"".join([b"%b\0%b" % (head, bytes.fromhex(oid)) for _, head, oid in keyed])


def is_folder(entry: Entry) -> bool:
    """True if the entry is a tree; old tools wrote the mode with a leading zero."""
    return entry[0].lstrip("0") == TREE_MODE


@lru_cache(maxsize=16)
def _spelled(mode: str) -> tuple[bytes, bytes]:
    """A mode as a tree has it, with the space behind it; and what a name of that mode ends with when it is sorted."""
    return mode.encode("ascii") + b" ", b"/" if is_folder((mode, "")) else b""


_Row = tuple[bytes, bytes, bytes]


def _rows(data: bytes, id_size: int) -> list[_Row]:
    """Mode, name and id of each entry."""
    rows: list[_Row] = _ROWS[id_size].findall(data)
    # What is of no such form was skipped.
    if sum(map(len, chain.from_iterable(rows))) + 2 * len(rows) != len(data):
        raise ValueError("not the bytes of a tree")
    return rows


def _entries(rows: list[_Row]) -> dict[bytes, Entry]:
    return {name: (mode.decode("ascii"), oid.hex()) for mode, name, oid in rows}
