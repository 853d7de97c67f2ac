"""The project's own settings for its gates: `[tool.dev-agent]` of pyproject.toml, or dev-agent.toml.

Read from the base tree, never from the judged one. Example, with every key:

    [tool.dev-agent]
    python = ".venv/bin/python"              # the interpreter, relative to the repository
    setup = ["python tools/generate.py"]     # commands run first inside each gate's sandbox, in the scratch tree
    include = ["src/acme/_version.py"]       # untracked files of the work tree the tests need (read-only)
    env = { PYTHONPATH = "src" }             # variables of the judged programs
    read_only = ["/opt/data"]                # further host directories they may read
    policy = "strict"
    sandbox = "auto"
    cache_size = "2GB"                       # what private work trees and caches may take
    co_authored_by = "Bot <bot@example.org>" # a trailer of the commits a model proposed
    gates.types = { enabled = true, paths = ["src"], timeout_s = 600, strict = true, seed = true }
    gates.tests = { enabled = true, paths = ["tests"], timeout_s = 1800, deselect = [], images = true }
    gates.checks = [{ name = "lint", command = "ruff check .", timeout_s = 600 }]

All faults of the file are reported at once, as field paths. `policy`, `sandbox` and `co_authored_by` are passed on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import PurePosixPath
from typing import Any

from dev_agent.errors import UsageFault
from dev_agent.gates.fields import Fields
from dev_agent.gates.subject import Trees
from dev_agent.values import dataclass

_OWN_FILE = "dev-agent.toml"
_SHARED_FILE = "pyproject.toml"
_SECONDS_10 = 10
_MINUTES_10 = 600
_MINUTES_30 = 1800
_CACHE_SIZE = 2_000_000_000

# Names that change what code runs before the trusted runner has control, or that the runner sets itself.
_FORBIDDEN_ENV = re.compile(
    r"(LD_|DYLD_|GIT_|BASH_FUNC_).*|BASH_ENV|ENV|IFS|SHELLOPTS|PATH|HOME|TMPDIR|GCONV_PATH"
    r"|PYTHON(HOME|STARTUP|INSPECT|USERBASE|EXECUTABLE|PLATLIBDIR|BREAKPOINT)"
    r"|PYTEST_(ADDOPTS|PLUGINS|DISABLE_PLUGIN_AUTOLOAD)"
)
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# One line, one address, nothing that does not show: it becomes a line of a commit message.
_PERSON = re.compile(r"[^<>\s](?:[^<>\n]{0,98}[^<>\s])? <[^<>@\s]{1,100}@[^<>@\s]{1,150}>")
_CHECK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class ConfigFault(UsageFault):
    """The settings file has faults; `faults` lists all of them."""

    def __init__(self, source: str, faults: tuple[str, ...]) -> None:
        listed = "\n".join(f"  {one}" for one in faults)
        super().__init__(
            f"{source} has {len(faults)} fault(s):\n{listed}", hint=f"mend {source} and commit it"
        )
        self.source = source
        self.faults = faults


@dataclass(frozen=True, kw_only=True, slots=True)
class TypesConfig:
    """How types are checked. Empty `command` means mypy; empty `paths` means found by looking.

    `seed` lets a first run start from a copy of the user's own mypy cache.
    """

    enabled: bool = True
    command: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    timeout_s: int = _MINUTES_10
    strict: bool = True
    seed: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class TestsConfig:
    """How tests are run. `read_only` trees make a test that writes into the repository fail.

    Suites that took at least `affected_first_s` seconds on the base begin with the tests nearest to the change.
    `images` lets the base's test modules be rewritten and compiled once, apart from the runs that judge.
    """

    __test__ = False

    enabled: bool = True
    paths: tuple[str, ...] = ()
    timeout_s: int = _MINUTES_30
    deselect: tuple[str, ...] = ()
    read_only: bool = False
    affected_first_s: int = _SECONDS_10
    images: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckConfig:
    """One more command that must not get worse."""

    name: str
    command: tuple[str, ...]
    timeout_s: int = _MINUTES_10


@dataclass(frozen=True, kw_only=True, slots=True)
class GateConfig:
    """Everything a project says about its gates; the default is what a silent project gets."""

    source: str = ""
    python: str = ""
    setup: tuple[tuple[str, ...], ...] = ()
    include: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    read_only: tuple[str, ...] = ()
    policy: str = ""
    sandbox: str = ""
    types: TypesConfig = TypesConfig()
    cache_size: int = _CACHE_SIZE
    co_authored_by: str = ""
    tests: TestsConfig = TestsConfig()
    checks: tuple[CheckConfig, ...] = ()


def read_config(trees: Trees, base_tree: str, *, others: Iterable[str] = ()) -> GateConfig:
    """The settings in `base_tree`; the default if it has none.

    `others` are top-level keys other parts of the program read from the same table. Raises ConfigFault; both
    files saying something is a fault too, because one of them would be silently ignored.
    """
    own = trees.read(base_tree, _OWN_FILE)
    shared = trees.read(base_tree, _SHARED_FILE)
    table = _section(shared) if shared is not None else None
    if own is not None and table is not None:
        raise ConfigFault(_OWN_FILE, (f"[tool.dev-agent] in {_SHARED_FILE} says something too: keep one",))
    if own is not None:
        return parse_config(_toml(own, _OWN_FILE), source=_OWN_FILE, others=others)
    if table is not None:
        return parse_config(table, source=_SHARED_FILE, others=others)
    return GateConfig()


def parse_config(table: Mapping[str, Any], *, source: str, others: Iterable[str] = ()) -> GateConfig:
    """The settings in a TOML table. Raises ConfigFault listing every fault."""
    faults: list[str] = []
    top = Fields(table, "", faults)
    gates = top.table("gates")
    config = GateConfig(
        source=source,
        python=top.text("python"),
        setup=tuple(one for one in top.commands("setup") if _is_command(top, "setup", one)),
        include=_include(top),
        env=_env(top),
        read_only=_read_only(top),
        policy=top.text("policy"),
        sandbox=top.text("sandbox"),
        cache_size=top.size("cache_size", _CACHE_SIZE),
        co_authored_by=_person(top, "co_authored_by"),
        types=_types(gates.table("types")),
        tests=_tests(gates.table("tests")),
        checks=_checks(gates),
    )
    gates.done()
    top.done(others=others)
    if faults:
        raise ConfigFault(source, tuple(faults))
    return config


def _person(fields: Fields, key: str) -> str:
    said = fields.text(key)
    if said and not (said.isprintable() and "  " not in said and _PERSON.fullmatch(said)):
        fields.fault(key, 'must be a name and an address on one line, as in "Bot <bot@example.org>"')
        return ""
    return said


def _types(fields: Fields) -> TypesConfig:
    config = TypesConfig(
        enabled=fields.flag("enabled", default=True),
        command=fields.words("command"),
        paths=_inside(fields, "paths"),
        timeout_s=fields.seconds("timeout_s", _MINUTES_10),
        strict=fields.flag("strict", default=True),
        seed=fields.flag("seed", default=True),
    )
    fields.done()
    return config


def _tests(fields: Fields) -> TestsConfig:
    config = TestsConfig(
        enabled=fields.flag("enabled", default=True),
        paths=_inside(fields, "paths"),
        timeout_s=fields.seconds("timeout_s", _MINUTES_30),
        deselect=fields.texts("deselect"),
        read_only=fields.text("tree", "scratch", one_of=("scratch", "read-only")) == "read-only",
        affected_first_s=fields.seconds("affected_first_s", _SECONDS_10, least=0),
        images=fields.flag("images", default=True),
    )
    fields.done()
    return config


def _checks(gates: Fields) -> tuple[CheckConfig, ...]:
    checks: list[CheckConfig] = []
    for fields in gates.tables("checks"):
        name = fields.text("name")
        command = fields.words("command")
        timeout_s = fields.seconds("timeout_s", _MINUTES_10)
        if not _CHECK_NAME.fullmatch(name):
            fields.fault("name", f"must be small letters, digits, '-' and '_', not {name!r}")
        elif name in {"types", "tests", "policy"} or any(name == other.name for other in checks):
            fields.fault("name", f"{name!r} is taken")
        _is_command(fields, "command", command)
        fields.done()
        checks.append(CheckConfig(name=name, command=command, timeout_s=timeout_s))
    return tuple(checks)


def _is_command(fields: Fields, key: str, words: tuple[str, ...]) -> bool:
    if not words:
        fields.fault(key, "must not be empty")
    return bool(words)


def _inside(fields: Fields, key: str) -> tuple[str, ...]:
    """Paths of the repository; a leading '-' would be read as an option by the tool."""
    paths = fields.texts(key)
    for path in paths:
        if not is_inside(path) or path.startswith("-"):
            fields.fault(key, f"{path!r} must be a relative path inside the repository")
    return paths


def _include(top: Fields) -> tuple[str, ...]:
    globs = top.texts("include")
    for glob in globs:
        if not is_inside(glob) or any(part.casefold() == ".git" for part in PurePosixPath(glob).parts):
            top.fault("include", f"{glob!r} must be a relative glob inside the repository, outside .git")
    return globs


def _read_only(top: Fields) -> tuple[str, ...]:
    folders = top.texts("read_only")
    for folder in folders:
        path = PurePosixPath(folder)
        if not path.is_absolute() or ".." in path.parts or len(path.parts) < 2 or "\0" in folder:
            top.fault("read_only", f"{folder!r} must be an absolute path of a directory below /")
    return folders


def _env(top: Fields) -> dict[str, str]:
    env = top.mapping("env")
    for name, value in env.items():
        if not _ENV_NAME.fullmatch(name):
            top.fault("env", f"{name!r} is not the name of a variable")
        elif _FORBIDDEN_ENV.fullmatch(name.upper()):
            top.fault("env", f"{name} would change who is in control of the run and cannot be set")
        elif "\0" in value:
            top.fault("env", f"{name} must not hold a NUL character")
    return env


def is_inside(path: str) -> bool:
    """True for a relative path that cannot leave the directory it is relative to."""
    parts = PurePosixPath(path).parts
    return bool(path) and not path.startswith("/") and ".." not in parts and "\0" not in path


def _section(data: bytes) -> Mapping[str, Any] | None:
    tool = _toml(data, _SHARED_FILE).get("tool", {})
    section = tool.get("dev-agent") if isinstance(tool, dict) else None
    if section is not None and not isinstance(section, dict):
        raise ConfigFault(_SHARED_FILE, ("tool.dev-agent: must be a table",))
    return section


def _toml(data: bytes, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigFault(source, (f"is not readable TOML: {error}",)) from error
