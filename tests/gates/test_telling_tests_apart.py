"""What counts as a test, against the definition spelled out path by path."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.gates.layout import TestLayout, type_targets
from tests.gates.samples import Sample

_FOLDERS = st.sampled_from(["tests", "test", "src", "latest", "testing", "docs", "a", ".py", "lib"])
_FILES = st.sampled_from(
    [
        "conftest.py",
        "test_a.py",
        "a_test.py",
        "a.py",
        "__init__.py",
        "data.txt",
        ".py",
        "setup.py",
        "b.pyi",
        "-x.py",
        "spec_a.py",
        "a.b.py",
        "tests",
    ]
)
_PATHS = st.lists(
    st.builds(lambda above, name: "/".join([*above, name]), st.lists(_FOLDERS, max_size=3), _FILES),
    max_size=12,
)
_GLOBS = st.sampled_from(
    [("test_*.py", "*_test.py"), ("*.py",), ("test_*.py", "*.py"), ("spec_*.py",), ("tests/*.py",), ()]
)


def _matches(path: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatch(path if "/" in one else PurePosixPath(path).name, one) for one in globs)


def _folders_of_tests(paths: list[str], globs: tuple[str, ...]) -> set[str]:
    narrow = tuple(one for one in globs if "test" in one or "spec" in one)
    return {
        str(above)
        for path in paths
        if PurePosixPath(path).name == "conftest.py" or _matches(path, narrow)
        for above in PurePosixPath(path).parents
        if above.name in {"tests", "test"}
    }


@given(_PATHS, _GLOBS)
def test_a_path_is_a_test_if_the_definition_says_so(paths: list[str], globs: tuple[str, ...]) -> None:
    """A test file matches a glob, and lies among tests if only a broad one; support is what else lies there."""
    folders = _folders_of_tests(paths, globs)
    narrow = tuple(one for one in globs if "test" in one or "spec" in one)
    layout = TestLayout.of(paths, globs)
    assert layout.folders == folders
    for path in paths:
        among = any(str(above) in folders for above in PurePosixPath(path).parents)
        is_test = (
            PurePosixPath(path).suffix == ".py"
            and _matches(path, globs)
            and (_matches(path, narrow) or among)
        )
        assert layout.is_test_file(path) == is_test
        assert layout.is_support(path) == (
            not is_test and (among or PurePosixPath(path).name == "conftest.py")
        )
        assert layout.is_test_side(path) == (layout.is_test_file(path) or layout.is_support(path))


def test_data_of_tests_governs_the_tests_beside_it() -> None:
    paths = ["tests/a/test_a.py", "tests/a/data/x.json", "tests/b/test_b.py", "conftest.py", "src/c.py"]
    layout = TestLayout.of(paths, ("test_*.py",))
    assert layout.affected(["tests/a/data/x.json"], paths) == ("tests/a/test_a.py",)
    assert layout.affected(["conftest.py"], paths) == ("tests/a/test_a.py", "tests/b/test_b.py")
    assert layout.affected(["tests/b/test_b.py", "src/c.py"], paths) == ("tests/b/test_b.py",)
    assert layout.affected(["src/c.py"], paths) == ()
    assert type_targets(paths, layout) == ("src",)


def test_a_gate_that_is_off_looks_at_no_path(acme: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    gates = acme.ruled(tests="off", types="off").gates()

    def refuse(*_: object) -> TestLayout:
        raise AssertionError("paths were looked at for gates that are off")

    monkeypatch.setattr(TestLayout, "of", refuse)
    found = gates.preflight()
    assert (found.has_tests, found.has_types, found.missing) == (False, False, ())
