"""What differs between two trees, path by path, without guessing renames.

Told by reading the folders that differ, in this process (`tree_walk`); by git where that cannot be, or would be many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.objects import canonical_mode
from dev_agent.repository.recent import Recent
from dev_agent.repository.store import ObjectStore
from dev_agent.repository.tree_walk import Difference, TooFar, walk_difference

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_NOTHING = "000000"
_MOST = 4_000
"""Differences that are remembered, of all pairs together."""
_ID_LENGTHS = frozenset({40, 64})  # of whole ids: a name may come to mean something else


_REMEMBERED: Recent[tuple[str, str], tuple[Difference, ...]] = Recent(most=_MOST)


def tree_difference(repository: Repository, old: str, new: str) -> tuple[Difference, ...]:
    """The differences from tree `old` to tree `new`. Raises GitFailed, e.g. if one is not there.

    An id means one tree for ever, so what was told last is not asked again.
    """
    known = _REMEMBERED.get((old, new))
    if known is None:
        known = difference_here(repository, old, new) or _asked(repository, old, new)
        if {len(old), len(new)} <= _ID_LENGTHS:
            _REMEMBERED.put((old, new), known, size=1 + len(known))
    return known


def difference_here(repository: Repository, old: str, new: str) -> tuple[Difference, ...] | None:
    """The same, told without git, None where git is to say it: names other than ids, far apart, not at hand.

    Every folder it read was sound, so what it tells is all that differs, each path once; of other trees git itself may
    name a path twice, or one as gone that another entry still has.
    """
    if not {len(old), len(new)} <= _ID_LENGTHS:
        return None
    store = ObjectStore(repository)
    try:
        return walk_difference(store.folder_here, old, new)
    except TooFar:
        return None
    finally:
        store.close()


def _asked(repository: Repository, old: str, new: str) -> tuple[Difference, ...]:
    args = (
        "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-relative",
        "--ignore-submodules=none", old, new,
    )  # fmt: skip
    return parse_raw(repository.git.out(*args))


def parse_raw(output: bytes) -> tuple[Difference, ...]:
    """What `diff-tree --raw -z` said: `:mode mode id id status NUL path NUL`, repeated."""
    fields = output.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return tuple(_difference(info, path) for info, path in zip(fields[::2], fields[1::2], strict=True))


def _difference(info: str, path: str) -> Difference:
    old_mode, new_mode, old_id, new_id, status = info.removeprefix(":").split(" ")
    return Difference(path=path, status=status, before=_side(old_mode, old_id), after=_side(new_mode, new_id))


def _side(mode: str, object_id: str) -> tuple[str, str] | None:
    return None if mode == _NOTHING else (canonical_mode(mode), object_id)
