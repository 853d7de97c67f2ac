"""All paths of a tree, told from those of another one. Pure.

A tree that a change makes differs in few places from its base, whose paths are known: asking git for a hundred thousand
paths a second time would be the dearest part of looking at it.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dev_agent.repository.tree_walk import Difference

    Listing = tuple[Mapping[str, tuple[str, str]], frozenset[str]]
    """All files (path → mode and id), and the folders above them."""


def varied(listing: Listing, paths: Sequence[str], differences: Iterable[Difference]) -> Listing:
    """The listing of the tree that differs so from the one of `listing`, whose sorted paths are `paths`.

    `differences` are all there are, each path once. A folder with nothing in it, which git does not make, stays.
    """
    known, folders = listing
    files, changed = dict(known), tuple(differences)
    for one in changed:
        if one.after is None:
            files.pop(one.path, None)
        else:
            files[one.path] = one.after
    gone = {one.path for one in changed if one.after is None}
    kept = {above for one in changed if one.after is not None for above in parents(one.path)}
    left = {above for path in gone for above in parents(path)} - kept
    empty = {folder for folder in left if all(path in gone for path in _below(folder, paths))}
    return files, (folders | kept) - empty


def _below(folder: str, paths: Sequence[str]) -> Iterator[str]:
    """The paths below it: they stand together, since the paths are sorted."""
    prefix = f"{folder}/"
    for index in range(bisect_left(paths, prefix), len(paths)):
        if not paths[index].startswith(prefix):
            return
        yield paths[index]


def parents(path: str) -> tuple[str, ...]:
    """The folders above `path`, the outermost first, the root left out."""
    names = path.split("/")
    return tuple("/".join(names[:depth]) for depth in range(1, len(names)))
