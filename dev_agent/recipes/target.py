"""The oldest Python a file must run on: what decides about syntax that a recipe may write.

The nearest of the project files above a file that says it counts: `requires-python`, poetry's `python`,
`python_requires` of setup.cfg and setup.py; then ruff's `target-version` and mypy's `python_version`. They are read
from the tree, never run. If nothing says it, `UNSAID` is taken and a note says so.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.edits.trees import BaseTree

Version: TypeAlias = tuple[int, int]
UNSAID: Final[Version] = (3, 10)
_CLAUSE: Final = re.compile(r"\s*(>=|==|===|~=|>|\^|~)?\s*v?(\d+)(?:\.(\d+))?")
_SETUP: Final = re.compile(r"python_requires\s*=\s*[\"']([^\"']*)[\"']")


@dataclass(frozen=True, slots=True)
class Targets:
    """The oldest Pythons of a tree's files, read once per directory."""

    tree: BaseTree
    _known: dict[str, Version | None] = field(default_factory=dict)

    def of(self, path: str) -> Version:
        """The oldest Python of a file."""
        return self.said(path) or UNSAID

    def said(self, path: str) -> Version | None:
        """The oldest Python that the project says a file must run on; None if it says nothing."""
        directory = path.rpartition("/")[0]
        if directory not in self._known:
            self._known[directory] = self._here(directory) or (self.said(directory) if directory else None)
        return self._known[directory]

    def _here(self, directory: str) -> Version | None:
        prefix = f"{directory}/" if directory else ""
        texts = [self._text(prefix + name) for name in ("pyproject.toml", "setup.cfg", "setup.py")]
        readings = (_pyproject, _setup_cfg, _setup_py)
        found = [version for text, read in zip(texts, readings, strict=True) for version in read(text)]
        return found[0] if found else None

    def _text(self, path: str) -> str:
        try:
            return self.tree.read(path).decode("utf-8", "replace")
        except KeyError:
            return ""


def lower_bound(specifier: str) -> Version | None:
    """The oldest version a specifier as `>=3.8,<4` or `^3.9` takes; None if it sets no lower end."""
    found = []
    for clause in re.split(r"[,|]+|\s+(?=[<>=~!^])", specifier):
        match = _CLAUSE.match(clause)
        if match and clause.strip():
            found.append((int(match.group(2)), int(match.group(3) or 0)))
    return max(found, default=None)


def _pyproject(text: str) -> Iterator[Version]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    said = [
        lower_bound(_at(data, "project", "requires-python")),
        lower_bound(_at(data, "tool", "poetry", "dependencies", "python")),
        _short(_at(data, "tool", "ruff", "target-version")),
        lower_bound(_at(data, "tool", "mypy", "python_version")),
    ]
    yield from (version for version in said if version)


def _setup_cfg(text: str) -> Iterator[Version]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    version = lower_bound(parser.get("options", "python_requires", fallback=""))
    if version:
        yield version


def _setup_py(text: str) -> Iterator[Version]:
    found = _SETUP.search(text)
    version = lower_bound(found.group(1)) if found else None
    if version:
        yield version


def _at(data: Mapping[str, Any], *keys: str) -> str:
    value: Any = data
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def _short(name: str) -> Version | None:
    found = re.fullmatch(r"py(\d)(\d+)", name)
    return (int(found.group(1)), int(found.group(2))) if found else None
