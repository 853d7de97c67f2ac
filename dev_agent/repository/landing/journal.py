"""The journal of a transaction: everything recovery needs, in one file that is either absent or whole.

It is written beside its final name, flushed to the disk and renamed; the rename is BEGIN. It is never changed
afterwards, only renamed to `closed`. How far the install got is not recorded: it can be seen for each step
from the bytes in its slot, so there is no moment at which record and reality disagree.

Reading checks every field. A journal of a newer version is refused and left alone (`NewerJournal`); one that
cannot be read at all was damaged from outside (`DamagedJournal`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from dev_agent.errors import EnvironmentFault, RepositoryFault
from dev_agent.repository.landing.content import Content, Kind
from dev_agent.runtime.durability import Barrier
from dev_agent.values import dataclass

VERSION = 1


class NewerJournal(RepositoryFault):
    """A newer dev-agent left this transaction."""

    def __init__(self, path: Path, version: object) -> None:
        super().__init__(
            "newer-transaction",
            f"{path} was written by a newer dev-agent (journal version {version})",
            hint="run `recover` with that version",
        )


class DamagedJournal(EnvironmentFault):
    """The journal is not one; `path` says where."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be read: {why}")
        self.path = path


class Action(StrEnum):
    """What a step does to its path."""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One path of the difference as git has it: modes and blob ids, None where there is no file."""

    path: str
    old_mode: str | None
    old_id: str | None
    new_mode: str | None
    new_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One rename of the install, in order. Slot: `beside` in the work tree if not empty, else `f/<n>`.

    ADD: slot holds `new` before and nothing after. MODIFY: `new` before, `old` after. DELETE: nothing
    before, `old` after.
    """

    n: int
    action: Action
    path: str
    old: Content | None
    new: Content | None
    beside: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A folder that the deletions may empty, and how to make it again."""

    path: str
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """One transaction. `expected` is what the ref must hold (None: not exist), `ref` may be "HEAD".

    `made` are folders that did not exist, outermost first. `exchange` and `noreplace` say how files are moved.
    """

    id: str
    run: str
    ref: str
    expected: str | None
    commit: str
    tree: str
    has_work_tree: bool
    exchange: bool
    noreplace: bool
    durable: bool
    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    made: tuple[str, ...] = ()
    folders: tuple[Folder, ...] = ()


def _no_others(_barrier: Barrier) -> None:
    """The default for `flush_others`."""


def write_journal(path: Path, journal: Journal, flush_others: Callable[[Barrier], None] = _no_others) -> None:
    """BEGIN. Killed before the rename: no journal. Raises OSError, and what `flush_others` raises.

    Before the rename the journal's bytes are flushed to the disk, and in the same flush whatever `flush_others`
    adds; so even a power loss leaves a whole journal with all it speaks of, or none. After it, the name is.
    """
    text = json.dumps(_to_json(journal), separators=(",", ":"), sort_keys=True).encode("ascii")
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as file:
        file.write(text)
        file.flush()
        barrier = Barrier()
        barrier.add(file.fileno())
        flush_others(barrier)
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_journal(path: Path) -> Journal | None:
    """The journal at `path`, None if there is none. Raises NewerJournal, DamagedJournal, OSError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        value = json.loads(data)
    except ValueError as error:
        raise DamagedJournal(path, str(error)) from None
    if isinstance(value, dict) and isinstance(value.get("v"), int) and value["v"] > VERSION:
        raise NewerJournal(path, value["v"])
    try:
        return _Reader(value).journal()
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedJournal(path, f"{type(error).__name__}: {error}") from None


def _to_json(journal: Journal) -> dict[str, Any]:
    return {
        "v": VERSION,
        "id": journal.id,
        "run": journal.run,
        "ref": journal.ref,
        "expected": journal.expected,
        "commit": journal.commit,
        "tree": journal.tree,
        "has_work_tree": journal.has_work_tree,
        "exchange": journal.exchange,
        "noreplace": journal.noreplace,
        "durable": journal.durable,
        "changes": [[c.path, c.old_mode, c.old_id, c.new_mode, c.new_id] for c in journal.changes],
        "steps": [[s.n, s.action, s.path, _pair(s.old), _pair(s.new), s.beside] for s in journal.steps],
        "made": list(journal.made),
        "folders": [[f.path, f.mode, f.uid, f.gid] for f in journal.folders],
    }


def _pair(content: Content | None) -> list[str] | None:
    return [content.kind, content.sha256] if content else None


class _Reader:
    """Takes fields out of parsed JSON; raises KeyError, TypeError or ValueError for what does not fit."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict) or value.get("v") != VERSION:
            raise ValueError("it is not a journal")
        self._value = value

    def journal(self) -> Journal:
        return Journal(
            id=self._text("id"),
            run=self._text("run"),
            ref=self._text("ref"),
            expected=_text_or_none(self._value["expected"]),
            commit=self._text("commit"),
            tree=self._text("tree"),
            has_work_tree=self._flag("has_work_tree"),
            exchange=self._flag("exchange"),
            noreplace=self._flag("noreplace"),
            durable=self._flag("durable"),
            changes=tuple(_change(row) for row in self._rows("changes")),
            steps=tuple(_step(row) for row in self._rows("steps")),
            made=tuple(_text(row) for row in self._rows("made")),
            folders=tuple(_folder(row) for row in self._rows("folders")),
        )

    def _text(self, name: str) -> str:
        return _text(self._value[name])

    def _flag(self, name: str) -> bool:
        value = self._value[name]
        if not isinstance(value, bool):
            raise TypeError(f"{name} is not a flag")
        return value

    def _rows(self, name: str) -> list[Any]:
        value = self._value[name]
        if not isinstance(value, list):
            raise TypeError(f"{name} is not a list")
        return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a number")
    return value


def _change(row: list[Any]) -> Change:
    path, old_mode, old_id, new_mode, new_id = row
    return Change(
        path=_text(path),
        old_mode=_text_or_none(old_mode),
        old_id=_text_or_none(old_id),
        new_mode=_text_or_none(new_mode),
        new_id=_text_or_none(new_id),
    )


def _step(row: list[Any]) -> Step:
    n, action, path, old, new, beside = row
    return Step(
        n=_number(n),
        action=Action(action),
        path=_text(path),
        old=_content(old),
        new=_content(new),
        beside=_text(beside),
    )


def _content(pair: list[Any] | None) -> Content | None:
    if pair is None:
        return None
    kind, digest = pair
    return Content(kind=Kind(kind), sha256=_text(digest))


def _folder(row: list[Any]) -> Folder:
    path, mode, uid, gid = row
    return Folder(path=_text(path), mode=_number(mode), uid=_number(uid), gid=_number(gid))
