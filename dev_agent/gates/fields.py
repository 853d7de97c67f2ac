"""Reading one TOML table with every fault collected, none of them fatal by itself.

A reader names the full path of each field (`gates.tests.timeout_s`) in its faults and, for an unknown key, the
nearest known one. Nothing here knows what the fields mean.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dev_agent.sizes import parse_size


class Fields:
    """One table being read. Getters return the default for a field that is absent or wrong."""

    def __init__(self, table: Mapping[str, Any], path: str, faults: list[str]) -> None:
        self._table = table
        self._path = path
        self._faults = faults
        self._known: list[str] = []

    def fault(self, key: str, said: str) -> None:
        """Record what is wrong with `key`."""
        self._faults.append(f"{self._name(key)}: {said}")

    def text(self, key: str, default: str = "", *, one_of: Sequence[str] = ()) -> str:
        """A string, of a closed set if one is given."""
        value = self._take(key, default)
        if not isinstance(value, str):
            self.fault(key, f"must be text, not {_kind(value)}")
            return default
        if one_of and value not in one_of:
            self.fault(key, f"must be one of {', '.join(one_of)}, not {value!r}{_nearest(value, one_of)}")
            return default
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            self.fault(key, f"must be true or false, not {_kind(value)}")
            return default
        return value

    def seconds(self, key: str, default: int, *, least: int = 1) -> int:
        """A whole number of seconds, at most a day."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 86_400:
            self.fault(key, f"must be a whole number of seconds between {least} and 86400, not {value!r}")
            return default
        return value

    def size(self, key: str, default: int) -> int:
        """A size in bytes, written with its unit."""
        value = self.text(key)
        try:
            return parse_size(value) if value else default
        except ValueError as error:
            self.fault(key, str(error))
            return default

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.fault(key, f"must be a list of texts, not {_kind(value)}")
            return ()
        return tuple(value)

    def words(self, key: str) -> tuple[str, ...]:
        """A command: a list of words, or one text split as a shell would split it (nothing is expanded)."""
        return self._command(key, self._take(key, []))

    def commands(self, key: str) -> tuple[tuple[str, ...], ...]:
        """A list of commands."""
        value = self._take(key, [])
        if not isinstance(value, list):
            self.fault(key, f"must be a list of commands, not {_kind(value)}")
            return ()
        return tuple(self._command(f"{key}[{index}]", one) for index, one in enumerate(value))

    def mapping(self, key: str) -> dict[str, str]:
        """A table of strings."""
        value = self._take(key, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            self.fault(key, "must be a table of texts")
            return {}
        return dict(value)

    def table(self, key: str) -> Fields:
        """A table inside this one; an absent one reads as empty."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            self.fault(key, f"must be a table, not {_kind(value)}")
            value = {}
        return Fields(value, self._name(key), self._faults)

    def tables(self, key: str) -> tuple[Fields, ...]:
        """A list of tables."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.fault(key, f"must be a list of tables, not {_kind(value)}")
            return ()
        return tuple(
            Fields(one, f"{self._name(key)}[{index}]", self._faults) for index, one in enumerate(value)
        )

    def done(self, *, others: Iterable[str] = ()) -> None:
        """Every key nobody asked for is a fault; `others` are keys that belong to another reader."""
        known = [*self._known, *others]
        for key in self._table:
            if key not in known:
                self.fault(key, f"unknown key{_nearest(key, known)}")

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._table.get(key, default)

    def _command(self, key: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            try:
                value = shlex.split(value)
            except ValueError as error:
                self.fault(key, f"cannot be split into words: {error}")
                return ()
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.fault(key, "must be a command: a list of words, or one text")
            return ()
        if any("\0" in one for one in value):
            self.fault(key, "must not hold a NUL character")
            return ()
        return tuple(value)

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _kind(value: object) -> str:
    return {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number"}.get(
        type(value), type(value).__name__
    )
