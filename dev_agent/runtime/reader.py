"""Typed reading of one TOML table: every fault noted with its field path, never raised at the first.

Each getter returns a value of its type or the default; what was wrong is in `faults`. `finish` names the
keys nobody asked for, each with the nearest key that exists.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

from dev_agent.runtime.canonical import MAX_INTEGER
from dev_agent.runtime.errors import Fault
from dev_agent.runtime.naming import is_name, nearest

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)
_EXAMPLES = {
    "text": 'text in quotes: "..."',
    "true or false": "true or false, without quotes",
    "an integer": "a whole number, without quotes",
    "a table": "{ key = value }, or a [section]",
    "a list": "[ ... ]",
    "a list of texts": '["a", "b"]',
}
_NAME_RULE = "use lower-case letters, digits and _, starting with a letter, no Python keyword"


class Table:
    """A TOML table at a field path. `faults` is shared by all tables of a file."""

    def __init__(self, content: Mapping[str, object], path: str, faults: list[Fault]) -> None:
        self.path = path
        self.faults = faults
        self._content = content
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def fault(self, key: str, message: str, hint: str = "") -> None:
        """Note a fault at `key` of this table ("" for the table itself)."""
        self.faults.append(Fault(where=self._at(key), message=message, hint=hint))

    def text(self, key: str, default: str = "") -> str:
        """Return text that is not empty."""
        value = self._get(key, str, "text", default)
        if self._content.get(key) == "":
            self.fault(key, "must not be empty", "write a text, or leave the key out where that is allowed")
        return value

    def name(self, key: str) -> str:
        """Return a required name."""
        if key not in self:
            self._asked.add(key)
            unasked = self._content.keys() - self._asked
            close = nearest(key, unasked) if unasked else ""
            self.fault(key, "is missing", close if close.startswith("did") else f'write: {key} = "..."')
            return ""
        return self.named(key, self.text(key))

    def flag(self, key: str) -> bool:
        """Return a bool, False if absent."""
        return self._get(key, bool, "true or false", default=False)

    def count(self, key: str, *, least: int = 1) -> int | None:
        """Return an integer of at least `least`, None if absent."""
        value = self._get(key, int, "an integer", default=least)
        if not least <= value <= MAX_INTEGER:
            self.fault(key, f"must be between {least} and 2**53 - 1", "write a whole number in that range")
        return value if key in self else None

    def name_or(self, key: str, default: str) -> str:
        """Return a name, `default` if absent."""
        return self.name(key) if key in self else self.text(key, default)

    def choice(self, key: str, kinds: type[_E], *, but: Collection[_E] = ()) -> _E | None:
        """Return a member of an enumeration, `but` not of these, None after noting a fault; the key is required."""
        value = self.name(key)
        known = [kind.value for kind in kinds if kind not in but]
        if value in known:
            return kinds(value)
        if value:
            self.fault(key, f"unknown {key} {value!r}", nearest(value, known))
        return None

    def names(self, key: str) -> tuple[str, ...]:
        """Return one name or a list of them, without repetition."""
        self._asked.add(key)
        value = self._content.get(key, [])
        items: object = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.fault(key, "must be a name or a list of names", 'write ["a", "b"] or "a"')
            return ()
        if key in self and not items:
            self.fault(key, "must not be empty", "name at least one")
        if len(set(items)) != len(items):
            self.fault(key, "names something twice", "keep one of them")
        return tuple(self.named(key, item) for item in items)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of different texts, empty if absent."""
        items = self._get(key, list, "a list of texts", default=[])
        if not all(isinstance(item, str) and item for item in items):
            self.fault(key, "must be a list of texts", 'write ["a", "b"]')
            return ()
        if len(set(items)) != len(items):
            self.fault(key, "names something twice", "keep one of them")
        return tuple(items)

    def table(self, key: str) -> Table:
        """Return a sub-table, an empty one if absent."""
        return Table(self._get(key, dict, "a table", default={}), self._at(key), self.faults)

    def items(self, key: str) -> list[tuple[str, object]]:
        """Return the items of a list with their field paths."""
        items = self._get(key, list, "a list", default=[])
        return [(f"{self._at(key)}[{index}]", item) for index, item in enumerate(items)]

    def tables(self, key: str) -> list[Table]:
        """Return a list of tables."""
        made = []
        for path, item in self.items(key):
            if isinstance(item, dict):
                made.append(Table(item, path, self.faults))
            else:
                self.faults.append(Fault(where=path, message="must be a table", hint="write { key = value }"))
        return made

    def each(self, key: str, read: Callable[[Table, str], _T]) -> dict[str, _T]:
        """Read every key of the sub-table `key`, which must be names, with `read(sub-table, key)`."""
        inner = self.table(key)
        return {name: read(inner, inner.named(name, name)) for name in inner}

    def finish(self) -> None:
        """Note every key that no getter asked for."""
        for key in self._content:
            if key not in self._asked:
                self.fault(key, "unknown key", nearest(key, self._asked))

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def _get(self, key: str, kind: type[_T], expected: str, default: _T) -> _T:
        self._asked.add(key)
        if key not in self:
            return default
        value = self._content[key]
        # bool is a subclass of int in Python, and TOML knows the difference.
        if isinstance(value, kind) and (kind is bool) == isinstance(value, bool):
            return value
        self.fault(key, f"must be {expected}, not {type(value).__name__}", f"write {_EXAMPLES[expected]}")
        return default

    def named(self, key: str, text: str) -> str:
        """Return `text` if it is a name, else note a fault at `key` and return ""."""
        if text and not is_name(text):
            self.fault(key, f"{text[:80]!r} is not a name", _NAME_RULE)
            return ""
        return text
