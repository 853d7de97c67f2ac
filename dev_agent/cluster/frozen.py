"""An environment by what is in it: the lock that a job names, and the words for where two locks differ.

Two installations of the same wheels have the same lock, whatever path they have and whoever installed them
(`lock.py` reads it from a disk). Values only.

    python           "3.11.7"
    implementation   "cpython"
    platform         "linux-x86_64"
    distributions    (name, version, digest of its files), sorted
    own              (path below site-packages, sha256, size) of what lies there beside any wheel, sorted: the project's
                     own editable installation, path files, modules that somebody put there. A worker gets these bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dev_agent.gates.fields import Fields
from dev_agent.runtime.canonical import canonical
from dev_agent.values import dataclass

SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_FILES = 5_000
_MOST_DISTRIBUTIONS = 5_000
_PYTHON = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}")
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")
# PEP 440, loosely: what may stand behind `==` and can be neither an option nor another requirement.
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.!+_-]{0,99}")
_LISTED = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Pinned:
    """One installed distribution; `digest` is that of its files, "" where only the version counts (pip)."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedFile:
    """A file by its place and its content. `path` is relative to whatever the owner says."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FrozenEnvironment:
    """The lock of an environment."""

    python: str
    implementation: str
    platform: str
    distributions: tuple[Pinned, ...] = ()
    own: tuple[NamedFile, ...] = ()

    @property
    def digest(self) -> str:
        """What stands for all of it, hex."""
        return hashlib.sha256(canonical(self.to_json())).hexdigest()

    @property
    def wheels_digest(self) -> str:
        """As `digest`, of what is installed from wheels only: what can be shared between projects."""
        return FrozenEnvironment(
            python=self.python,
            implementation=self.implementation,
            platform=self.platform,
            distributions=self.distributions,
        ).digest

    def to_json(self) -> dict[str, Any]:
        """Canonicalisable JSON."""
        return {
            "python": self.python,
            "implementation": self.implementation,
            "platform": self.platform,
            "distributions": [[one.name, one.version, one.digest] for one in self.distributions],
            "own": files_to_json(self.own),
        }

    def differences(self, other: FrozenEnvironment) -> tuple[str, ...]:
        """In words, where `other` is not what this one asks for; empty if they are the same."""
        return tuple(self._differences(other))

    def _differences(self, other: FrozenEnvironment) -> Iterator[str]:
        for what in ("implementation", "python", "platform"):
            wanted, found = getattr(self, what), getattr(other, what)
            if wanted != found:
                yield f"{what} {wanted} is wanted, {found} is there"
        mine = {one.name: one for one in self.distributions}
        theirs = {one.name: one for one in other.distributions}
        for name in sorted(mine.keys() | theirs.keys()):
            said = _difference(mine.get(name), theirs.get(name))
            if said:
                yield f"{name}: {said}"
        own, others = ({one.path: one.sha256 for one in each.own} for each in (self, other))
        for path in sorted(own.keys() | others.keys()):
            if own.get(path) != others.get(path):
                yield f"the file {path} in site-packages " + (
                    "is missing" if path not in others else "is not wanted" if path not in own else "differs"
                )


def named(differences: tuple[str, ...]) -> str:
    """The first few differences as one text for people."""
    more = len(differences) - _LISTED
    return "; ".join(differences[:_LISTED]) + (f"; and {more} more" if more > 0 else "")


def read_environment(table: Mapping[str, Any], path: str, faults: list[str]) -> FrozenEnvironment:
    """The inverse of `to_json`, for a table nobody trusts; what is wrong goes into `faults`."""
    fields = Fields(table, path, faults)
    python, implementation, platform = (
        fields.text(name) for name in ("python", "implementation", "platform")
    )
    for name, value, shape in (
        ("python", python, _PYTHON),
        ("implementation", implementation, _WORD),
        ("platform", platform, _WORD),
    ):
        if not shape.fullmatch(value):
            fields.fault(name, f"is not one: {value[:80]!r}")
    environment = FrozenEnvironment(
        python=python,
        implementation=implementation,
        platform=platform,
        distributions=_read_pins(table.get("distributions"), f"{path}.distributions", faults),
        own=read_files(table.get("own"), f"{path}.own", faults),
    )
    fields.done(others=("distributions", "own"))
    return environment


def files_to_json(files: tuple[NamedFile, ...]) -> list[list[str | int]]:
    """Rows of path, sha256 and size."""
    return [[one.path, one.sha256, one.size] for one in files]


def read_files(rows: object, path: str, faults: list[str]) -> tuple[NamedFile, ...]:
    """The inverse, for rows nobody trusts: each path must stay inside, sorted and once."""
    if not isinstance(rows, list) or len(rows) > MOST_FILES:
        faults.append(f"{path}: must be a list of at most {MOST_FILES} files")
        return ()
    found = [one for one in map(_read_file, rows) if one is not None]
    if len(found) != len(rows):
        faults.append(f"{path}: each must be a plain relative path, the sha256 of a file and its size")
    if [one.path for one in found] != sorted({one.path for one in found}):
        faults.append(f"{path}: must be sorted by path, each path once")
    return tuple(found)


def is_plain(path: str) -> bool:
    """True for a relative path that leads nowhere else, in one spelling: no `.`, `..`, empty part or NUL."""
    parts = path.split("/")
    return (
        all(part not in {"", ".", ".."} and part.casefold() != ".git" for part in parts) and "\0" not in path
    )


def _read_file(row: object) -> NamedFile | None:
    match row:
        case [str(path), str(sha256), int(size)] if (
            is_plain(path) and SHA256.fullmatch(sha256) and not isinstance(size, bool) and size >= 0
        ):
            return NamedFile(path=path, sha256=sha256, size=size)
    return None


def _read_pins(rows: object, path: str, faults: list[str]) -> tuple[Pinned, ...]:
    if not isinstance(rows, list) or len(rows) > _MOST_DISTRIBUTIONS:
        faults.append(f"{path}: must be a list of at most {_MOST_DISTRIBUTIONS} distributions")
        return ()
    found = [one for one in map(_read_pin, rows) if one is not None]
    if len(found) != len(rows):
        faults.append(f"{path}: each must be a normalised name, a version, and a sha256 or nothing")
    if [one.name for one in found] != sorted({one.name for one in found}):
        faults.append(f"{path}: must be sorted by name, each name once")
    return tuple(found)


def _read_pin(row: object) -> Pinned | None:
    match row:
        case [str(name), str(version), str(digest)] if (
            _NAME.fullmatch(name) and _VERSION.fullmatch(version) and (not digest or SHA256.fullmatch(digest))
        ):
            return Pinned(name=name, version=version, digest=digest)
    return None


def _difference(wanted: Pinned | None, found: Pinned | None) -> str:
    if wanted is None and found is not None:
        return f"{found.version} is there and not wanted"
    if wanted is not None and found is None:
        return f"{wanted.version} is wanted and not there"
    if wanted is None or found is None or wanted == found:
        return ""
    if wanted.version != found.version:
        return f"{wanted.version} is wanted, {found.version} is there"
    return f"{wanted.version} has other files"
