"""What the files of a tree are: sources, tests, what supports tests; and under which names they import. Pure.

A directory named `tests` or `test` counts as tests only if it holds test files or a conftest: `django/test/`
is a source package. A glob as broad as `*.py` makes test files only inside such directories, or the whole
source would be taken for tests and never be judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath

_TEST_FOLDERS = frozenset({"tests", "test"})
_CONFTEST = "conftest.py"
_NOT_SOURCES = frozenset({"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py"})
_NOT_SOURCE_FOLDERS = frozenset(
    {"docs", "doc", "examples", "example", "benchmarks", "scripts", "tools", "build", "dist"}
)
_SOURCE_ROOTS = ("src", "lib", "python")


@dataclass(frozen=True, slots=True)
class TestLayout:
    """Tells tests from sources. Built from the paths of the base and of the change together."""

    __test__ = False

    globs: tuple[str, ...]
    folders: frozenset[str]

    @classmethod
    def of(cls, paths: Iterable[str], globs: tuple[str, ...]) -> TestLayout:
        """The layout of a tree with these file paths, where `globs` are pytest's python_files."""
        narrow = tuple(one for one in globs if "test" in one.lower() or "spec" in one.lower())
        folders: set[str] = set()
        for path in paths:
            pure = PurePosixPath(path)
            if pure.name == _CONFTEST or _matches(pure, narrow):
                folders.update(str(one) for one in pure.parents if one.name in _TEST_FOLDERS)
        return cls(globs, frozenset(folders))

    def is_test_file(self, path: str) -> bool:
        """True for a file pytest collects tests from."""
        pure = PurePosixPath(path)
        if pure.suffix != ".py" or not _matches(pure, self.globs):
            return False
        broad = not _matches(
            pure, tuple(one for one in self.globs if "test" in one.lower() or "spec" in one.lower())
        )
        return not broad or self._in_tests(pure)

    def is_support(self, path: str) -> bool:
        """True for a conftest and for everything in a directory of tests that is no test file."""
        pure = PurePosixPath(path)
        return not self.is_test_file(path) and (pure.name == _CONFTEST or self._in_tests(pure))

    def is_test_side(self, path: str) -> bool:
        """True for whatever judges the sources rather than being judged."""
        return self.is_test_file(path) or self.is_support(path)

    def affected(self, changed: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
        """The test files among `paths` whose own form, or whose support, is in `changed`; sorted."""
        tests = [one for one in paths if self.is_test_file(one)]
        touched: set[str] = set()
        for path in changed:
            if self.is_test_file(path):
                touched.update({path}.intersection(tests))
            elif self.is_support(path):
                touched.update(self._governed(path, tests))
        return tuple(sorted(touched))

    def _governed(self, support: str, tests: list[str]) -> list[str]:
        """Tests below the nearest directory above `support` that has any; data lies beside or below its users."""
        for parent in PurePosixPath(support).parents:
            below = [one for one in tests if PurePosixPath(one).is_relative_to(parent)]
            if below:
                return below
        return []

    def _in_tests(self, path: PurePosixPath) -> bool:
        return any(str(one) in self.folders for one in path.parents)


def _matches(path: PurePosixPath, globs: tuple[str, ...]) -> bool:
    return any(fnmatch(path.name if "/" not in one else str(path), one) for one in globs)


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
        folder, _, file = path.rpartition("/")
        stem, _, suffix = file.rpartition(".")
        if suffix not in {"py", "pyi"}:
            continue
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
        pure = PurePosixPath(path)
        if pure.suffix not in {".py", ".pyi"} or tests.is_test_side(path):
            continue
        top = pure.parts[0]
        if len(pure.parts) == 1:
            if pure.name not in _NOT_SOURCES and not path.startswith("-"):
                targets.add(path)
        elif top in _SOURCE_ROOTS or (
            pure.name == "__init__.py" and len(pure.parts) == 2 and _is_package(top)
        ):
            targets.add(top)
    return tuple(sorted(targets))


def _is_package(name: str) -> bool:
    return name.isidentifier() and name not in _NOT_SOURCE_FOLDERS and name not in _TEST_FOLDERS
