"""What a push wants to do to refs, as git tells its hooks, and which of it is guarded. Pure.

    pre-receive   one line a ref on stdin:  <old id> <new id> <full name>
    pre-push      one line a ref on stdin:  <local ref> <local id> <remote ref> <remote id>

Git wrote the lines, but the names in them are the pusher's. All zeros stand for a ref that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from fnmatch import fnmatchcase

from dev_agent.errors import UsageFault
from dev_agent.values import dataclass

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_BRANCHES = "refs/heads/"


class Kind(StrEnum):
    """What an update does to its ref."""

    CREATE = "create"
    DELETE = "delete"
    MOVE = "move"


@dataclass(frozen=True, kw_only=True, slots=True)
class RefUpdate:
    """The ref with the full name `ref` is to go from `old` to `new`; None where it is not there."""

    ref: str
    old: str | None
    new: str | None

    @property
    def kind(self) -> Kind:
        """Create, delete or move."""
        if self.new is None:
            return Kind.DELETE
        return Kind.CREATE if self.old is None else Kind.MOVE

    @property
    def name(self) -> str:
        """The ref as people say it."""
        return self.ref.removeprefix(_BRANCHES)


def read_pre_receive(lines: bytes) -> tuple[RefUpdate, ...]:
    """What git tells a `pre-receive` hook. Raises UsageFault for anything else."""
    return tuple(_update(line, old=0, new=1, ref=2, fields=3) for line in _lines(lines))


def read_pre_push(lines: bytes) -> tuple[RefUpdate, ...]:
    """What git tells a `pre-push` hook, seen from the remote's ref. Raises UsageFault for anything else."""
    return tuple(_update(line, old=3, new=1, ref=2, fields=4) for line in _lines(lines))


def guards(patterns: Sequence[str], ref: str) -> bool:
    """True if a pattern is the ref, full or as a branch's short name; `*` stands for anything, slashes included."""
    return any(fnmatchcase(ref, one if one.startswith("refs/") else _BRANCHES + one) for one in patterns)


def _lines(lines: bytes) -> list[str]:
    return [line for line in lines.decode("utf-8", "surrogateescape").split("\n") if line]


def _update(line: str, *, old: int, new: int, ref: int, fields: int) -> RefUpdate:
    # No ref's name has a space in it, whatever was pushed.
    parts = line.split(" ")
    if len(parts) != fields or not (_ID.match(parts[old]) and _ID.match(parts[new])):
        raise UsageFault(
            f"this is not what git tells a hook: {line!r}"[:300],
            hint="this mode is for git to start, as the hook of that name; see docs/premerge.md",
        )
    return RefUpdate(ref=parts[ref], old=_there(parts[old]), new=_there(parts[new]))


def _there(object_id: str) -> str | None:
    return object_id if object_id.strip("0") else None
