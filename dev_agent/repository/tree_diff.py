"""What differs between two trees, path by path, without guessing renames."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from dev_agent.repository.objects import SUBMODULE, canonical_mode
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.git import Git

_NOTHING = "000000"
_SMALL, _MOST_PAIRS = 1_000, 16
_ID_LENGTHS = frozenset({40, 64})  # of whole ids: a name may come to mean something else


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One path; `before` and `after` are (mode, object id), None where it does not exist.

    `status` is git's letter: A, D, M or T (the kind of entry changed).
    """

    path: str
    status: str
    before: tuple[str, str] | None
    after: tuple[str, str] | None

    @property
    def must_go_first(self) -> bool:
        """True if a rename over it does not do: it is deleted, or a submodule's folder on one side."""
        if self.before is None:
            return False
        return self.after is None or SUBMODULE in (self.before[0], self.after[0])


_REMEMBERED: OrderedDict[tuple[str, str], tuple[Difference, ...]] = OrderedDict()
_LOCK = threading.Lock()


def tree_difference(git: Git, old: str, new: str) -> tuple[Difference, ...]:
    """The differences from tree `old` to tree `new`. Raises GitFailed, e.g. if one is not there.

    An id means one tree for ever, so what was told of two small changes last is not asked again.
    """
    known = _REMEMBERED.get((old, new))
    if known is None:
        known = parse_raw(
            git.out(
                "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-relative",
                "--ignore-submodules=none", old, new,
            )
        )  # fmt: skip
        if len(known) <= _SMALL and {len(old), len(new)} <= _ID_LENGTHS:
            _remember((old, new), known)
    return known


def _remember(pair: tuple[str, str], found: tuple[Difference, ...]) -> None:
    with _LOCK:
        while len(_REMEMBERED) >= _MOST_PAIRS:
            _REMEMBERED.popitem(last=False)
        _REMEMBERED[pair] = found


def parse_raw(output: bytes) -> tuple[Difference, ...]:
    """What `diff-tree --raw -z` said: `:mode mode id id status NUL path NUL`, repeated."""
    fields = output.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return tuple(_difference(info, path) for info, path in zip(fields[::2], fields[1::2], strict=True))


def _difference(info: str, path: str) -> Difference:
    old_mode, new_mode, old_id, new_id, status = info.removeprefix(":").split(" ")
    return Difference(path=path, status=status, before=_side(old_mode, old_id), after=_side(new_mode, new_id))


def _side(mode: str, object_id: str) -> tuple[str, str] | None:
    return None if mode == _NOTHING else (canonical_mode(mode), object_id)
