"""A changed file as the facts read it: both versions side by side, decoded and parsed once, when first asked
for.

Pairing: a deleted and an added file with the same or mostly the same lines are one renamed file, so that
moving a module is not "all its tests removed". Pairing is by votes of lines that few deleted files share; its
cost is the size of the files. A wrong pair can only hide that a name moved, never that it is gone: every fact
about what disappeared compares the two versions, and facts about places look at both paths.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

from dev_agent.policy.python_source import PythonSource

SYMLINK, SUBMODULE, EXECUTABLE = "120000", "160000", "100755"
_SHARED_BY_AT_MOST = 4
_READ_FOR_VOTES = 200_000
_SCRIPT = re.compile(rb"#![^\n]{0,200}\bpython")
_Content = tuple[str | None, bytes]


class FileChange(Protocol):
    """One path's change. `before` None: it is added; `after` None: it is deleted. Modes are git's text."""

    @property
    def path(self) -> str:
        """The path, as os.fsdecode gives it, '/'-separated, relative to the root."""

    @property
    def before(self) -> bytes | None:
        """The old bytes; a link's target for a symbolic link."""

    @property
    def after(self) -> bytes | None:
        """The new bytes."""

    @property
    def before_mode(self) -> str | None:
        """The old mode, such as "100644"."""

    @property
    def after_mode(self) -> str | None:
        """The new mode."""


class FileDelta:
    """One file of a change set. `old_path` differs from `path` for a renamed file only."""

    def __init__(self, change: FileChange, *, renamed_from: FileChange | None = None) -> None:
        old = renamed_from or change
        self.path = change.path
        self.old_path = old.path
        self.before = old.before
        self.after = change.after
        self.before_mode = old.before_mode
        self.after_mode = change.after_mode

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path the change touches: two for a rename."""
        return (self.path,) if self.path == self.old_path else (self.old_path, self.path)

    @property
    def is_added(self) -> bool:
        """Nothing was there before."""
        return self.before is None

    @property
    def is_deleted(self) -> bool:
        """Nothing is there afterwards."""
        return self.after is None

    @property
    def is_renamed(self) -> bool:
        """It came from another path."""
        return self.path != self.old_path

    @cached_property
    def before_content(self) -> bytes | None:
        """The old bytes if it was an ordinary file: links and submodules have none to read."""
        return None if self.before_mode in {SYMLINK, SUBMODULE} else self.before

    @cached_property
    def after_content(self) -> bytes | None:
        """The new bytes if it is an ordinary file."""
        return None if self.after_mode in {SYMLINK, SUBMODULE} else self.after

    @cached_property
    def before_lines(self) -> list[str]:
        """The old text, line by line, without line ends; bytes that are no UTF-8 become U+FFFD."""
        return _lines(self.before_content)

    @cached_property
    def after_lines(self) -> list[str]:
        """The new text, line by line."""
        return _lines(self.after_content)

    @cached_property
    def before_python(self) -> PythonSource | None:
        """The old syntax tree holder if the old path is Python's."""
        return (
            PythonSource(self.before_content, self.before_lines)
            if _is_python(self.old_path, self.before_content)
            else None
        )

    @cached_property
    def after_python(self) -> PythonSource | None:
        """The new syntax tree holder if the path is Python's."""
        return (
            PythonSource(self.after_content, self.after_lines, like=self.before_python)
            if _is_python(self.path, self.after_content)
            else None
        )

    @cached_property
    def is_python(self) -> bool:
        """Either version is Python source."""
        return self.before_python is not None or self.after_python is not None


def pair(changes: Sequence[FileChange]) -> list[FileDelta]:
    """The change set as deltas sorted by path, deleted and added files of like content joined."""
    real = [change for change in changes if not _is_nothing(change)]
    deleted = [change for change in real if change.after is None and change.before]
    added = [change for change in real if change.before is None and change.after]
    origin = _origins(deleted, added)
    gone = {id(old) for old in origin.values()}
    deltas = [
        FileDelta(change, renamed_from=origin.get(id(change))) for change in real if id(change) not in gone
    ]
    return sorted(deltas, key=lambda delta: delta.path)


def _is_nothing(change: FileChange) -> bool:
    return change.before == change.after and change.before_mode == change.after_mode


def _origins(deleted: Sequence[FileChange], added: Sequence[FileChange]) -> dict[int, FileChange]:
    votes_of = _Votes(deleted)
    free = {id(old): old for old in deleted}
    origin: dict[int, FileChange] = {}
    for new in sorted(added, key=lambda change: change.path):
        old = votes_of.best(new, free)
        if old is not None:
            origin[id(new)] = free.pop(id(old))
    return origin


class _Votes:
    """Which deleted file an added one most looks like: a line votes for the few deleted files with it."""

    def __init__(self, deleted: Sequence[FileChange]) -> None:
        self.same_bytes: dict[_Content, deque[FileChange]] = defaultdict(deque)
        self.same_name: dict[tuple[_Content, str], deque[FileChange]] = defaultdict(deque)
        self.by_line: dict[bytes, list[FileChange]] = defaultdict(list)
        for old in sorted(deleted, key=lambda change: change.path):
            content = (old.before_mode, old.before or b"")
            self.same_bytes[content].append(old)
            self.same_name[content, _basename(old.path)].append(old)
            for line in _telling_lines(old.before):
                self.by_line[line].append(old)

    def best(self, new: FileChange, free: dict[int, FileChange]) -> FileChange | None:
        content = (new.after_mode, new.after or b"")
        named = self.same_name.get((content, _basename(new.path)))
        return (
            _first(named, free) or _first(self.same_bytes.get(content), free) or self._most_alike(new, free)
        )

    def _most_alike(self, new: FileChange, free: dict[int, FileChange]) -> FileChange | None:
        lines = _telling_lines(new.after)
        votes: Counter[int] = Counter()
        for line in lines:
            holders = self.by_line.get(line, ())
            if len(holders) <= _SHARED_BY_AT_MOST:
                votes.update(id(old) for old in holders if id(old) in free)
        if not votes:
            return None
        most = max(votes.values())
        winner = min((free[key] for key, n in votes.items() if n == most), key=lambda old: old.path)
        alike = 2 * most >= max(len(lines), len(_telling_lines(winner.before)))
        return winner if alike and winner.before_mode == new.after_mode else None


def _first(waiting: deque[FileChange] | None, free: dict[int, FileChange]) -> FileChange | None:
    """The first that is still free; what is taken is dropped, so that all look-ups together are linear."""
    while waiting and id(waiting[0]) not in free:
        waiting.popleft()
    return waiting[0] if waiting else None


def _telling_lines(content: bytes | None) -> set[bytes]:
    return {
        line for line in map(bytes.strip, (content or b"")[:_READ_FOR_VOTES].splitlines()) if len(line) > 3
    }


def _basename(path: str) -> str:
    return path.rpartition("/")[2]


def _is_python(path: str, content: bytes | None) -> bool:
    if content is None:
        return False
    return path.casefold().endswith((".py", ".pyi", ".pyw")) or _SCRIPT.match(content) is not None


def _lines(content: bytes | None) -> list[str]:
    # Split as Python's tokenizer does, at \n, \r\n and \r only: str.splitlines would shift every number after
    # a \x0c.
    return [line.decode("utf-8", "replace") for line in (content or b"").splitlines()]
