"""Typed getters for the table of a job; what is wrong is collected, nothing is fatal by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dev_agent.cluster.frozen import SHA256, is_plain
from dev_agent.cluster.parcel import MOST_OBJECT_BYTES, Parcel
from dev_agent.cluster.remote_address import is_straight, remote_fault
from dev_agent.gates.fields import Fields
from dev_agent.recorded_paths import from_recorded
from dev_agent.sandbox.profile import Profile, ProfileFault, profile_of

_CHECKOUT = re.compile(
    r"core\.(?:autocrlf=(?:true|false|input)|eol=(?:lf|crlf|native)|symlinks=(?:true|false))"
)


class JobFields:
    """One table being read. Getters return something harmless for what is wrong."""

    def __init__(self, table: Mapping[str, Any], faults: list[str]) -> None:
        self._table, self._faults = table, faults
        self._fields = Fields(table, "", faults)

    @property
    def plain(self) -> Fields:
        """The getters every table has."""
        return self._fields

    def table(self, key: str) -> Mapping[str, Any]:
        """A table; an absent one reads as empty."""
        value = self._table.get(key)
        if not isinstance(value, dict):
            self._fields.fault(key, "must be a table")
            return {}
        return value

    def rows(self, key: str) -> object:
        """What stands there, for a reader of its own."""
        return self._table.get(key)

    def shaped(self, key: str, shape: re.Pattern[str], what: str, *, empty: bool = False) -> str:
        """A text of one shape."""
        value = self._fields.text(key)
        if not shape.fullmatch(value) and not (empty and not value):
            self._fields.fault(key, f"must be {what}, not {value[:80]!r}")
            return ""
        return value

    def path(self, key: str, value: object) -> str:
        """A path as `to_recorded` writes it."""
        try:
            return from_recorded(value)
        except ValueError as error:
            self._fields.fault(key, str(error))
            return ""

    def place(self, key: str, *, empty: bool = False) -> str:
        """An absolute path in one spelling, and not the root of everything."""
        path = self.path(key, self._table.get(key))
        if empty and not path:
            return ""
        if not path.startswith("/") or not is_straight(path[1:]):
            self._fields.fault(key, f"must be an absolute path without '.' and '..', not {path[:200]!r}")
        return path

    def changed(self) -> tuple[str, ...]:
        """Sorted plain relative paths."""
        rows = self._table.get("changed")
        if not isinstance(rows, list):
            self._fields.fault("changed", "must be a list of paths")
            return ()
        paths = tuple(self.path("changed", row) for row in rows)
        if not all(map(is_plain, paths)) or list(paths) != sorted(set(paths)):
            self._fields.fault("changed", "must be plain relative paths, sorted, each once")
        return paths

    def profile(self) -> Profile:
        """A profile of the sandbox, without a network."""
        try:
            profile = profile_of(self.table("profile"), source="profile")
        except ProfileFault as fault:
            self._faults += [f"profile.{one}" for one in fault.faults]
            return Profile()
        if profile.network:
            self._fields.fault("profile.network", "no judged program has a network on a worker")
        return profile

    def checkout(self) -> tuple[str, ...]:
        """Settings of git's that decide what files look like, and no others."""
        settings = self._fields.texts("checkout")
        if not all(map(_CHECKOUT.fullmatch, settings)):
            self._fields.fault("checkout", "only says core.autocrlf, core.eol and core.symlinks")
            return ()
        return settings

    def parcels(self) -> tuple[Parcel, ...]:
        """Bundles by their content."""
        rows = self._table.get("objects")
        if not isinstance(rows, list) or len(rows) > 16:
            self._fields.fault("objects", "must be a list of at most 16 bundles")
            return ()
        found = []
        for row in rows:
            match row:
                case [str(sha256), int(size)] if (
                    SHA256.fullmatch(sha256) and not isinstance(size, bool) and 0 < size <= MOST_OBJECT_BYTES
                ):
                    found.append(Parcel(sha256=sha256, size=size))
                case _:
                    self._fields.fault("objects", "each must be the sha256 of a bundle and its size")
        return tuple(found)

    def remote(self) -> str:
        """An address to fetch from, or nothing."""
        remote = self._fields.text("remote")
        fault = remote_fault(remote) if remote else ""
        if fault:
            self._fields.fault("remote", fault)
            return ""
        return remote
