"""What the files of a tree are: sources, tests, what supports tests; and under which names they import. Pure.

A directory named `tests` or `test` counts as tests only if it holds test files or a conftest: `django/test/`
is a source package, and stays one for a change that lays a test into it. A glob as broad as `*.py` makes test files
only inside such directories, or the whole source would be taken for tests and never be judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import translate
from functools import lru_cache
from pathlib import PurePosixPath

from dev_agent.values import dataclass

_TEST_FOLDERS = frozenset({"tests", "test"})
_CONFTEST = "conftest.py"
_BELOW_CONFTEST = f"/{_CONFTEST}"
_NOT_SOURCES = frozenset({"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py"})
_NOT_SOURCE_FOLDERS = frozenset(
    {"docs", "doc", "examples", "example", "benchmarks", "scripts", "tools", "build", "dist"}
)
_SOURCE_ROOTS = ("src", "lib", "python")
_PYTHON = (".py", ".pyi")


@dataclass(frozen=True, slots=True)
class TestLayout:
    """Tells tests from sources. Where a change is judged, `between` builds it."""

    __test__ = False

    globs: tuple[str, ...]
    folders: frozenset[str]

    @classmethod
    def of(cls, paths: Iterable[str], globs: tuple[str, ...]) -> TestLayout:
        """The layout of a tree with these file paths, where `globs` are pytest's python_files."""
        narrow = _matcher(_narrow(globs))
        folders: set[str] = set()
        for path in paths:
            # Two searches of a string decide about nearly every path of a large tree.
            if "tests/" not in path and "test/" not in path:
                continue
            if path.endswith(_BELOW_CONFTEST) or narrow(path):
                folders.update(one for one in _parents(path) if one.rpartition("/")[2] in _TEST_FOLDERS)
        return cls(globs, frozenset(folders))

    @classmethod
    def between(cls, base: Iterable[str], now: Iterable[str], globs: tuple[str, ...]) -> TestLayout:
        """The layout for judging the tree `now` against `base`.

        The base says what its own directories are: a change that lays a conftest into a source package would
        otherwise have the whole package judged in the base's form. What the base does not have, the change says.
        """
        known = tuple(base)
        there = {folder for path in known if "test" in path for folder in _parents(path)}
        new = cls.of(now, globs).folders - there
        return cls(globs, cls.of(known, globs).folders | new)

    def is_test_file(self, path: str) -> bool:
        """True for a file pytest collects tests from."""
        if not path.endswith(".py") or not _has_stem(path) or not _matcher(self.globs)(path):
            return False
        return _matcher(_narrow(self.globs))(path) or self._in_tests(path)

    def is_support(self, path: str) -> bool:
        """True for a conftest and for everything in a directory of tests that is no test file."""
        return (_is_conftest(path) or self._in_tests(path)) and not self.is_test_file(path)

    def is_test_side(self, path: str) -> bool:
        """True for whatever judges the sources rather than being judged."""
        return _is_conftest(path) or self._in_tests(path) or self.is_test_file(path)

    def is_test_by_name(self, path: str) -> bool:
        """True for a test file that lies in no directory of tests: only its name says what it is."""
        return self.is_test_file(path) and not self._in_tests(path)

    def affected(self, changed: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
        """The test files among `paths` whose own form, or whose support, is in `changed`; sorted."""
        sides = [path for path in changed if self.is_test_side(path)]
        if not sides:
            return ()
        tests = [one for one in paths if self.is_test_file(one)]
        touched: set[str] = set()
        for path in sides:
            if self.is_test_file(path):
                touched.update({path}.intersection(tests))
            else:
                touched.update(_governed(path, tests))
        return tuple(sorted(touched))

    def _in_tests(self, path: str) -> bool:
        if "test" not in path or not self.folders:
            return False
        return any(one in self.folders for one in _parents(path))


def _governed(support: str, tests: list[str]) -> list[str]:
    """Tests below the nearest directory above `support` that has any; data lies beside or below its users."""
    for parent in _parents(support):
        below = [one for one in tests if one.startswith(f"{parent}/")]
        if below:
            return below
    return tests


def _parents(path: str) -> Iterator[str]:
    """The folders above `path`, innermost first, without the root."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def _has_stem(path: str) -> bool:
    """False for a file that is called nothing but its suffix, as `.py` is."""
    return path.rpartition("/")[2].rpartition(".")[0] != ""


def _is_conftest(path: str) -> bool:
    return path == _CONFTEST or path.endswith(_BELOW_CONFTEST)


def _narrow(globs: tuple[str, ...]) -> tuple[str, ...]:
    """The globs that speak of tests; one as broad as `*.py` does not."""
    return tuple(one for one in globs if "test" in one.lower() or "spec" in one.lower())


@lru_cache(maxsize=64)
def _matcher(globs: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a path matches any of `globs`: one without a slash is about the name alone. Compiled once."""

    def either(chosen: list[str]) -> Callable[[str], object]:
        return re.compile("|".join(map(translate, chosen)) or r"(?!)").match

    in_name = either([one for one in globs if "/" not in one])
    in_path = either([one for one in globs if "/" in one])
    return lambda path: bool(in_name(path.rpartition("/")[2]) or in_path(path))


def import_roots(paths: Iterable[str], configured: Iterable[str] = ()) -> tuple[str, ...]:
    """Directories, relative to the root, that the project's own modules import from; "." is the last one."""
    present = tuple(paths)
    modules = modules_by_folder(present)
    found = [PurePosixPath(one).as_posix() for one in configured]
    # With an __init__.py it is a package itself, not a place of packages.
    found += [root for root in _SOURCE_ROOTS if root in modules and f"{root}/__init__.py" not in present]
    return tuple(dict.fromkeys([*(one for one in found if one != "."), "."]))


def modules_by_folder(paths: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The top-level names of regular packages and modules that each folder ("." is the root) makes importable."""
    names: dict[str, set[str]] = {}
    for path in paths:
        if not path.endswith(_PYTHON):
            continue
        folder, _, file = path.rpartition("/")
        stem = file.rpartition(".")[0]
        if stem.isidentifier() and stem != "__init__":
            names.setdefault(folder or ".", set()).add(stem)
        elif stem == "__init__" and folder:
            above, _, package = folder.rpartition("/")
            if package.isidentifier():
                names.setdefault(above or ".", set()).add(package)
    return {folder: frozenset(found) for folder, found in names.items()}


def own_names(paths: Iterable[str], roots: Iterable[str]) -> frozenset[str]:
    """Top-level regular packages and modules that lie in any of `roots`."""
    modules = modules_by_folder(paths)
    return frozenset().union(*(modules.get(root, frozenset()) for root in roots))


def type_targets(paths: Iterable[str], tests: TestLayout) -> tuple[str, ...]:
    """What mypy is asked to check where nobody said: source roots, top-level packages, top-level modules."""
    targets: set[str] = set()
    for path in paths:
        if not path.endswith(_PYTHON) or not _has_stem(path):
            continue
        top, _, below = path.partition("/")
        if top in targets or tests.is_test_side(path):
            continue
        if not below:
            if path not in _NOT_SOURCES and not path.startswith("-"):
                targets.add(path)
        elif top in _SOURCE_ROOTS or (below == "__init__.py" and _is_package(top)):
            targets.add(top)
    return tuple(sorted(targets))


def _is_package(name: str) -> bool:
    return name.isidentifier() and name not in _NOT_SOURCE_FOLDERS and name not in _TEST_FOLDERS
