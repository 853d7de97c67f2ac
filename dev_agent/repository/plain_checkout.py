"""Writing those files of a tree without git that git would write byte for byte as they are.

Which ones: where neither the settings nor an attribute file of the machine (`checkout_rules`) nor a `.gitattributes` of
the tree in a folder above may give a file another form. A few small ones, whose bytes can be had without a child and
have the hash that the tree names. All others are git's: they are returned, and nothing was done about them.

What is written has the mode and the time that slots give (`slots`). Killed at any line, some of the files are there
and one may not be whole; telling that is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dev_agent.repository.attribute_lines import EVERYTHING, Reach, reach_of, reaches
from dev_agent.repository.listing import parents
from dev_agent.repository.objects import EXECUTABLE, REGULAR, SYMLINK
from dev_agent.repository.private_index import ATTRIBUTES

if TYPE_CHECKING:
    from dev_agent.repository.checkout_rules import CheckoutRules
    from dev_agent.repository.confined import ConfinedFolder
    from dev_agent.repository.objects import GitTree
    from dev_agent.repository.store import ObjectStore

_MOST_FILES = 128
"""From there on one child of git is quicker."""
_MOST_BYTES = 4 << 20
"""Of one file. Git writes large ones piece by piece."""

Files = Mapping[str, tuple[str, str]]
"""Path → (mode, object id)."""


def content_time(object_id: str) -> int:
    """The modification time, in seconds, of a file whose blob is `object_id`."""
    return 10**9 + int(object_id[:7], 16)


def write_plain(
    folder: ConfinedFolder, files: Files, *, tree: GitTree, store: ObjectStore, rules: CheckoutRules
) -> Files:
    """Write what needs no git of `files`, entries of `tree`, to `folder`; the rest is returned. Raises OSError."""
    if rules.reach is None or len(files) > _MOST_FILES:
        return files
    reach = _Reaches(tree, rules.reach)
    return {
        path: entry
        for path, entry in files.items()
        if not (_is_plain(entry[0], path, reach) and _write(folder, path, entry, store))
    }


def _is_plain(mode: str, path: str, reach: _Reaches) -> bool:
    # Attributes say nothing about symlinks.
    return mode == SYMLINK or (mode in (REGULAR, EXECUTABLE) and not reach.covers(path))


def _write(folder: ConfinedFolder, path: str, entry: tuple[str, str], store: ObjectStore) -> bool:
    """False if it is git's."""
    mode, object_id = entry
    data = store.read_here(object_id, most=_MOST_BYTES)
    if data is None:
        return False
    if mode != SYMLINK:
        folder.write(path, data, executable=mode == EXECUTABLE, seconds=content_time(object_id))
        return True
    if not data or b"\0" in data:
        return False  # no name of a file: what git makes of it is git's to say
    folder.link(path, data, seconds=content_time(object_id))
    return True


class _Reaches:
    """What the attribute files of a tree may change, each looked at once."""

    def __init__(self, tree: GitTree, always: Reach) -> None:
        self._tree = tree
        self._always = always
        self._known: dict[str, Reach] = {}

    def covers(self, path: str) -> bool:
        return reaches(self._always, path) or any(
            reaches(self._in(one), path) for one in ("", *parents(path))
        )

    def _in(self, folder: str) -> Reach:
        known = self._known.get(folder)
        if known is None:
            known = self._known[folder] = self._read(f"{folder}/{ATTRIBUTES}" if folder else ATTRIBUTES)
        return known

    def _read(self, path: str) -> Reach:
        mode = self._tree.mode(path)
        if mode is None:
            return ()
        return reach_of(self._tree.read(path)) if mode in (REGULAR, EXECUTABLE) else EVERYTHING
