"""What the project's own pytest and mypy settings say, as far as the gates have to know it.

The tools read the files themselves; these readers only find which file a tool would take and the few values
that decide where code comes from. File names, order and sections follow pytest's `findpaths` and mypy's
`defaults`/`config_parser`. A file that does not parse reads as empty here: the tool itself will say so.
"""

from __future__ import annotations

import configparser
import shlex
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from dev_agent.values import dataclass

Read = Callable[[str], bytes | None]

PYTEST_FILES = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
MYPY_FILES = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")
_PYTEST_SECTIONS = {"tox.ini": "pytest", "setup.cfg": "tool:pytest"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PytestConfig:
    """`file` is the one pytest would use, relative to the root; None if there is none."""

    file: str | None = None
    pythonpath: tuple[str, ...] = ()
    python_files: tuple[str, ...] = ("test_*.py", "*_test.py")
    testpaths: tuple[str, ...] = ()
    addopts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MypyConfig:
    """`has_targets` is true if the file itself says what to check; `cache_dir` is "" for mypy's default."""

    file: str | None = None
    has_targets: bool = False
    sets_python_version: bool = False
    plugins: tuple[str, ...] = ()
    cache_dir: str = ""


def read_pytest_config(read: Read) -> PytestConfig:
    """The settings pytest would use in a tree that `read` reads."""
    for name in PYTEST_FILES:
        data = read(name)
        if data is None:
            continue
        section = _pytest_section(name, data)
        if section is not None:
            return PytestConfig(
                file=name,
                pythonpath=_words(section.get("pythonpath")),
                python_files=_words(section.get("python_files")) or PytestConfig().python_files,
                testpaths=_words(section.get("testpaths")),
                addopts=_words(section.get("addopts")),
            )
    return PytestConfig()


def read_mypy_config(read: Read) -> MypyConfig:
    """The settings mypy would use in a tree that `read` reads."""
    for name in MYPY_FILES:
        data = read(name)
        if data is None:
            continue
        section = _table(_toml(data), "tool", "mypy") if name.endswith(".toml") else _ini(data).get("mypy")
        if section is None and name in {"pyproject.toml", "setup.cfg"}:
            continue
        settings = section or {}
        return MypyConfig(
            file=name,
            has_targets=any(settings.get(key) for key in ("files", "packages", "modules")),
            sets_python_version="python_version" in settings,
            plugins=tuple(one.strip() for one in _listed(settings.get("plugins")) if one.strip()),
            cache_dir=str(settings.get("cache_dir") or "").strip(),
        )
    return MypyConfig()


def _pytest_section(name: str, data: bytes) -> Mapping[str, Any] | None:
    if name in {"pytest.toml", ".pytest.toml"}:
        return _table(_toml(data), "pytest") or {}
    if name == "pyproject.toml":
        parsed = _toml(data)
        table = _table(parsed, "tool", "pytest")
        return _table(parsed, "tool", "pytest", "ini_options") or table
    sections = _ini(data)
    if name in _PYTEST_SECTIONS:
        return sections.get(_PYTEST_SECTIONS[name])
    return sections.get("pytest", {})


def _table(data: Mapping[str, Any], *names: str) -> Mapping[str, Any] | None:
    for name in names:
        inner = data.get(name)
        if not isinstance(inner, dict):
            return None
        data = inner
    return data


def _toml(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}


def _ini(data: bytes) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(data.decode(errors="replace"))
    except configparser.Error:
        return {}
    return {name: {key: value or "" for key, value in parser.items(name)} for name in parser.sections()}


def _words(value: object) -> tuple[str, ...]:
    """A list, or one text split as pytest splits it."""
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    if not isinstance(value, str):
        return ()
    try:
        return tuple(shlex.split(value, comments=True))
    except ValueError:
        return ()


def _listed(value: object) -> list[str]:
    """A list, or one text with commas or line ends between entries, as mypy reads it."""
    if isinstance(value, list):
        return [str(one) for one in value]
    return value.replace("\n", ",").split(",") if isinstance(value, str) else []
