"""Facts that a path, a mode or a link's target tells: where a change reaches, and what kind of file it
leaves.

Paths of both sides of a rename are looked at, so that moving a file out of a guarded place is seen like a
change in it. Whether two paths clash, are portable or reach into `.git` is refused earlier, when edits are
resolved; not here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from dev_agent.policy import globs
from dev_agent.policy.change import EXECUTABLE, SUBMODULE, SYMLINK, FileDelta
from dev_agent.policy.marks import Sighting
from dev_agent.policy.place import Place, excerpt
from dev_agent.policy.python_source import same_module
from dev_agent.policy.settings import FactSettings

# `test` is a standard module too, and a common name for a directory of tests; hiding it harms nobody.
_STANDARD = sys.stdlib_module_names - {"test", "tests", "this", "antigravity", "idlelib", "turtledemo"}
_TESTING = frozenset({
    "pytest", "_pytest", "pluggy", "iniconfig", "mypy", "mypyc", "mypy_extensions", "typing_extensions",
    "coverage", "hypothesis", "_hypothesis_pytestplugin", "xdist", "execnet", "pytest_cov", "pytest_mock",
    "pytest_asyncio", "anyio", "pytest_timeout", "pytest_randomly", "librt", "pathspec", "packaging",
})  # fmt: skip
_MARKER = "py.typed"
_STARTUP = (
    "**/sitecustomize.py", "**/sitecustomize/**", "**/usercustomize.py", "**/usercustomize/**", "**/*.pth",
    "**/*.dist-info/**", "**/*.egg-info/**", "**/*.egg-link", "**/pyvenv.cfg", "**/*.pyc", "**/*.pyo",
)  # fmt: skip


def path_facts(deltas: Sequence[FileDelta], settings: FactSettings) -> Iterator[Sighting]:
    """What can be told without reading content."""
    for delta in deltas:
        for path in delta.paths:
            yield from _by_place(path, settings)
        yield from _by_mode(delta)
        yield from _by_name(delta, settings)


def _by_place(path: str, settings: FactSettings) -> Iterator[Sighting]:
    if path in settings.judging:
        yield _whole("protected_paths", path, "a command of the settings runs it")
    if not globs.matches(settings.write, path):
        yield _whole("outside_write_scope", path)
    for fact, patterns in (
        ("denied_paths", settings.deny),
        ("protected_paths", settings.protected),
        ("policy_files", settings.own),
        ("ci_files", settings.ci),
        ("hooks_and_editors", settings.hooks),
        ("git_configuration", settings.git),
    ):
        if globs.matches(patterns, path, casefold=True):
            yield _whole(fact, path)


def _by_mode(delta: FileDelta) -> Iterator[Sighting]:
    if SUBMODULE in {delta.before_mode, delta.after_mode}:
        yield _whole("submodules_changed", delta.path)
    if delta.after_mode == EXECUTABLE and delta.before_mode != EXECUTABLE:
        yield _whole("executables_added", delta.path)
    retargeted = delta.before_mode != SYMLINK or delta.before != delta.after
    if delta.after_mode == SYMLINK and retargeted:
        target = (delta.after or b"").decode("utf-8", "surrogateescape")
        yield _whole("symlinks_added", delta.path, f"-> {target}")
    if delta.after_mode == SYMLINK and (retargeted or delta.is_renamed) and _leaves_tree(delta):
        target = (delta.after or b"").decode("utf-8", "surrogateescape")
        yield _whole("symlinks_leaving_tree", delta.path, f"-> {target}")


def _leaves_tree(delta: FileDelta) -> bool:
    """Whether walking the link's text, component by component, ever leaves the root or enters `.git`."""
    target = (delta.after or b"").decode("utf-8", "surrogateescape").replace("\\", "/")
    if target.startswith(("/", "~")) or target[1:2] == ":":
        return True
    depth = delta.path.count("/")
    for part in target.split("/"):
        if part in {"", "."}:
            continue
        depth += -1 if part == ".." else 1
        if depth < 0 or part.casefold() == ".git":
            return True
    return False


def _by_name(delta: FileDelta, settings: FactSettings) -> Iterator[Sighting]:
    if not delta.is_deleted and globs.matches(_STARTUP, delta.path, casefold=True):
        yield _whole("startup_files", delta.path)
    if (
        _basename(delta.path).casefold() == "conftest.py"
        or _basename(delta.old_path).casefold() == "conftest.py"
    ):
        yield from _conftest(delta)
    if _basename(delta.old_path) == _MARKER and (delta.is_deleted or b"partial" in (delta.after or b"")):
        yield _whole("stub_shadows", delta.path, "the types of the package are told to nobody who uses it")
    appears = delta.is_added or delta.is_renamed
    if appears and not delta.is_deleted:
        if delta.path.casefold().endswith(".pyi"):
            yield _whole("stub_shadows", delta.path)
        hidden = _shadowed(delta.path, settings)
        if hidden:
            yield _whole("shadowing_modules", delta.path, f"hides {hidden}")


def _conftest(delta: FileDelta) -> Iterator[Sighting]:
    if delta.is_renamed or not same_module(delta.before_python, delta.after_python):
        yield _whole("conftest_changed", delta.path)


def _shadowed(path: str, settings: FactSettings) -> str:
    """The module a new file would be imported instead of; "" for none.

    A module is looked up in the import roots, and in a test directory without `__init__.py`. Packages in test
    directories often mirror the names of what they test and are rarely at an import root, so there only
    modules count.
    """
    folder, _, name = path.rpartition("/")
    module, dot, suffix = name.rpartition(".")
    suffixes = {"py", "pyi", "pyc", "pyd", "so"}
    stem = module.partition(".")[0] if dot and suffix in suffixes else ""
    if folder in settings.import_roots and stem:
        return stem if stem in _STANDARD or stem in _TESTING else ""
    for root in settings.import_roots:
        prefix = f"{root}/" if root else ""
        package, slash, inside = (
            path[len(prefix) :].partition("/") if path.startswith(prefix) else ("", "", "")
        )
        if f"{prefix}{package}" in settings.packages:
            continue
        if slash and (package in _TESTING or (package in _STANDARD and inside.startswith("__init__."))):
            return package
    if stem and any(part in {"tests", "test"} for part in folder.split("/")):
        return stem if stem in _STANDARD or stem in _TESTING else ""
    return ""


def top_level_folders(path: str, import_roots: Sequence[str]) -> Iterator[str]:
    """The folders above `path` that would be top-level packages, one for each root it lies below."""
    for root in import_roots:
        prefix = f"{root}/" if root else ""
        name, slash, _ = path.removeprefix(prefix).partition("/")
        if path.startswith(prefix) and slash:
            yield f"{prefix}{name}"


def _basename(path: str) -> str:
    return path.rpartition("/")[2]


def _whole(fact: str, path: str, text: str = "") -> Sighting:
    return Sighting(fact=fact, place=Place(path=path, text=excerpt(text)))
