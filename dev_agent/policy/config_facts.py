"""Facts about files that configure: which of their tables changed, not merely that they did.

`pyproject.toml` and `setup.cfg` hold the project's description, its dependencies and the gates' configuration
side by side. Both versions are parsed and compared table by table, so that a new version number or a reworded
comment is none of the gates' business, and one word in `[tool.mypy]` is. What cannot be parsed on either side
counts as changed in every respect: a file nobody can read vouches for nothing.
"""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Iterator, Mapping, Sequence

from dev_agent.policy import globs
from dev_agent.policy.change import FileDelta
from dev_agent.policy.marks import Sighting
from dev_agent.policy.place import Place, excerpt
from dev_agent.policy.python_source import same_module
from dev_agent.policy.settings import FactSettings

_GATE_TABLES = (
    "build-system", "tool.mypy", "tool.pytest", "tool.coverage", "tool.pyright", "tool.basedpyright",
    "tool.ty", "tool.pyrefly", "tool.pyre", "tool.ruff", "tool.tox", "tool.nox", "tool.pylint", "tool.flake8",
    "tool.hatch.envs",
    "tool.hatch.build.hooks", "tool.hatch.build.targets.wheel.hooks", "tool.setuptools.cmdclass",
    "project.entry-points.pytest11", "project.entry-points.mypy",
)  # fmt: skip
_OWN_TABLES = ("tool.dev-agent",)
_DEPENDENCY_TABLES = (
    "project.dependencies", "project.optional-dependencies", "project.requires-python", "dependency-groups",
    "build-system.requires", "tool.poetry.dependencies", "tool.poetry.dev-dependencies", "tool.poetry.group",
    "tool.poetry.source", "tool.uv", "tool.pdm.dev-dependencies", "tool.pdm.source", "tool.hatch.metadata",
    "tool.setuptools.dynamic.dependencies",
)  # fmt: skip
_GATE_SECTIONS = (
    "mypy", "tool:pytest", "pytest", "coverage:", "flake8", "pylint", "tox", "testenv", "build_ext",
    "options.entry_points", "aliases",
)  # fmt: skip
_DEPENDENCY_OPTIONS = frozenset(
    {"install_requires", "tests_require", "setup_requires", "python_requires", "dependency_links"}
)

_Table = Mapping[str, object]


def config_facts(deltas: Sequence[FileDelta], settings: FactSettings) -> Iterator[Sighting]:
    """Gate configuration, dev-agent's own table, and dependencies."""
    for delta in deltas:
        for path in delta.paths:
            yield from _one(path, delta, settings)


def _one(path: str, delta: FileDelta, settings: FactSettings) -> Iterator[Sighting]:
    name = path.rpartition("/")[2].casefold()
    if name == "pyproject.toml":
        yield from _pyproject(path, delta)
    elif name == "setup.cfg":
        yield from _setup_cfg(path, delta)
    elif globs.matches(settings.gates, path, casefold=True):
        if not _same_settings(delta):
            yield _at("gate_configuration", path)
    elif globs.matches(settings.dependencies, path, casefold=True) and not _same_requirements(delta):
        yield _at("dependencies_changed", path)


def _versions(path: str, delta: FileDelta) -> tuple[bytes | None, bytes | None]:
    """What stood and stands at one path: a file that moved is gone from the one and new at the other."""
    before = delta.before_content if path == delta.old_path else None
    return before, delta.after_content if path == delta.path else None


def _pyproject(path: str, delta: FileDelta) -> Iterator[Sighting]:
    before, after = map(_toml, _versions(path, delta))
    for fact, tables in (
        ("gate_configuration", _GATE_TABLES),
        ("policy_files", _OWN_TABLES),
        ("dependencies_changed", _DEPENDENCY_TABLES),
    ):
        if before is None or after is None:
            yield _at(fact, path, "not readable as TOML")
            continue
        changed = [table for table in tables if _look_up(before, table) != _look_up(after, table)]
        if changed:
            yield _at(fact, path, ", ".join(f"[{table}]" for table in changed))


def _setup_cfg(path: str, delta: FileDelta) -> Iterator[Sighting]:
    before, after = map(_ini, _versions(path, delta))
    if before is None or after is None:
        yield _at("gate_configuration", path, "not readable as INI")
        yield _at("dependencies_changed", path, "not readable as INI")
        return
    sections = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    gates = [name for name in sections if name.casefold().startswith(_GATE_SECTIONS)]
    if gates:
        yield _at("gate_configuration", path, ", ".join(f"[{name}]" for name in gates))
    if any(_differ_in_dependencies(name, before.get(name, {}), after.get(name, {})) for name in sections):
        yield _at("dependencies_changed", path)


def _differ_in_dependencies(section: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    if section == "options.extras_require":
        return True
    return section == "options" and any(before.get(key) != after.get(key) for key in _DEPENDENCY_OPTIONS)


def _same_settings(delta: FileDelta) -> bool:
    """A gate's own file changed in comments and layout only."""
    if delta.before_content is None or delta.after_content is None or delta.is_renamed:
        return False
    if delta.is_python:
        return same_module(delta.before_python, delta.after_python)
    reader = _toml if delta.path.casefold().endswith(".toml") else _ini
    before, after = reader(delta.before_content), reader(delta.after_content)
    return before is not None and before == after


def _same_requirements(delta: FileDelta) -> bool:
    if (
        delta.before_content is None
        or delta.after_content is None
        or not delta.path.casefold().endswith((".txt", ".in"))
    ):
        return False
    return _requirements(delta.before_lines) == _requirements(delta.after_lines)


def _requirements(lines: Sequence[str]) -> list[str]:
    # pip's own rule: a '#' starts a comment at a line's start or after a blank (in a URL it does not).
    return [text for text in (f" {line}".partition(" #")[0].strip() for line in lines) if text]


def _toml(content: bytes | None) -> _Table | None:
    try:
        return tomllib.loads((content or b"").decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return None


def _ini(content: bytes | None) -> Mapping[str, Mapping[str, str]] | None:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string((content or b"").decode("utf-8"))
    except (configparser.Error, UnicodeDecodeError, ValueError, TypeError, AttributeError):
        return None
    return {name: dict(parser.items(name)) for name in ("DEFAULT", *parser.sections())}


def _look_up(table: object, path: str) -> object:
    for key in path.split("."):
        if not isinstance(table, Mapping):
            return None
        table = table.get(key)
    return table


def _at(fact: str, path: str, text: str = "") -> Sighting:
    return Sighting(fact=fact, place=Place(path=path, text=excerpt(text)))
