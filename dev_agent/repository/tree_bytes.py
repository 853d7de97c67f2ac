"""The bytes of a tree object: `mode SP name NUL id`, repeated, in git's own order. Pure."""

from __future__ import annotations

from collections.abc import Mapping

TREE_MODE = "40000"
"""The mode of a folder, as trees spell it."""

Entry = tuple[str, str]
"""Mode and object id."""


def parse_tree(data: bytes, id_size: int) -> dict[bytes, Entry]:
    """The entries of a tree's bytes: `mode SP name NUL id`, repeated; ids have `id_size` bytes."""
    entries: dict[bytes, Entry] = {}
    at = 0
    while at < len(data):
        space = data.index(b" ", at)
        end = data.index(b"\0", space)
        after = end + 1 + id_size
        entries[data[space + 1 : end]] = (data[at:space].decode("ascii"), data[end + 1 : after].hex())
        at = after
    return entries


def render_tree(entries: Mapping[bytes, Entry]) -> bytes:
    """The inverse, in git's order: a folder sorts as if its name ended with a slash."""
    rows = sorted(entries.items(), key=lambda row: row[0] + b"/" if is_folder(row[1]) else row[0])
    return b"".join(b"%b %b\0%b" % (mode.encode(), name, bytes.fromhex(oid)) for name, (mode, oid) in rows)


def is_folder(entry: Entry) -> bool:
    """True if the entry is a tree; old tools wrote the mode with a leading zero."""
    return entry[0].lstrip("0") == TREE_MODE
