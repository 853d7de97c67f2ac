"""Replacing paths of a tree by writing anew the folders on the way to them, and no other.

What it costs follows the change and the sizes of those folders, not the repository. Pure but for reading trees:
the caller gives a reader, and writes the trees that come out.

A path is refused if git would not check it out (`landing/names`), if it needs a folder where the tree keeps a file,
or a file where it keeps a folder, unless the same change removes that. Removing what is not there is no change. A
folder whose last entry goes is gone. Entries beside those asked for stay as they are, odd old modes included.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import field

from dev_agent.repository.landing.names import forbidden, is_modules_file
from dev_agent.repository.objects import SYMLINK, canonical_mode
from dev_agent.repository.tree_bytes import TREE_MODE, Entry, is_folder, render_tree
from dev_agent.values import dataclass


class PathsRefused(ValueError):
    """These paths cannot be as asked."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(", ".join(map(repr, paths)))
        self.paths = paths


@dataclass(slots=True)
class _Node:
    """What is wanted below one name; `file` is the entry wanted for the name itself, "removed" or not asked."""

    path: str = ""
    children: dict[bytes, _Node] = field(default_factory=dict)
    file: Entry | None = None
    removed: bool = False


@dataclass(slots=True)
class TreeEdit:
    """One edit: `folder` gives the entries of a tree by id, `id_of` the id of a tree's bytes.

    After `edit`, `written` holds the new trees, the innermost first; a tree that exists already may be among them.
    `folders` holds the same trees as entries, by id.
    """

    folder: Callable[[str], Mapping[bytes, Entry]]
    id_of: Callable[[bytes], str]
    written: list[bytes] = field(default_factory=list)
    folders: dict[str, Mapping[bytes, Entry]] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)

    def edit(self, tree: str, replacements: Mapping[str, Entry | None]) -> str:
        """The id of `tree` with `replacements`. Raises PathsRefused, and what `folder` raises."""
        wanted = _wanted(replacements, self._refused)
        made = self._folder(tree, wanted)
        if self._refused:
            raise PathsRefused(tuple(sorted(self._refused)))
        return made or self._write({})

    def _folder(self, tree: str | None, wanted: _Node) -> str | None:
        """The id of the folder with what is wanted in it, None if it is empty then."""
        old = self.folder(tree) if tree else {}
        new = dict(old)
        for name, child in wanted.children.items():
            entry = self._entry(old.get(name), child)
            if entry is None:
                new.pop(name, None)
            else:
                new[name] = entry
        if new == old:
            return tree
        return self._write(new) if new else None

    def _entry(self, old: Entry | None, wanted: _Node) -> Entry | None:
        """What stands at one name afterwards."""
        folder = old[1] if old and is_folder(old) else None
        inside = self._folder(folder, wanted) if wanted.children else folder
        kept = None if folder or wanted.removed else old
        if wanted.file is not None:
            if inside is not None:
                self._refused.add(wanted.path)
            return wanted.file
        if inside is None:
            return kept
        if kept is not None:
            self._refused.update(_files(wanted))
        return (TREE_MODE, inside)

    def _write(self, entries: Mapping[bytes, Entry]) -> str:
        data = render_tree(entries)
        self.written.append(data)
        made = self.id_of(data)
        self.folders[made] = entries
        return made


def _wanted(replacements: Mapping[str, Entry | None], refused: set[str]) -> _Node:
    root = _Node()
    for path, entry in replacements.items():
        if entry is not None and (forbidden(path) or (entry[0] == SYMLINK and is_modules_file(path))):
            refused.add(path)
            continue
        node = root
        for name in os.fsencode(path).split(b"/"):
            node = node.children.setdefault(name, _Node())
        node.path = path
        if entry is None:
            node.removed = True
        else:
            node.file = (canonical_mode(entry[0]), entry[1])
    return root


def _files(node: _Node) -> set[str]:
    found = {node.path} if node.file is not None else set()
    return found.union(*(_files(child) for child in node.children.values()))
