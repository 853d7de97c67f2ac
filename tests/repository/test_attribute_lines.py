"""Never too generous: a path that no line is said to reach is one whose bytes git would leave alone."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev_agent.repository.attribute_lines import EVERYTHING, reach_of, reaches
from tests.testing.repos import Project

_PATTERNS = st.sampled_from(
    [
        b"*", b"*.txt", b"*.TXT", b"x.txt", b"X.txt", b"d/x.txt", b"/x.txt", b"d/*", b"**/x.txt", b"x.*", b"[xy].txt",
        b'"x.txt"', b'"d/\\170.txt"', b"\\x.txt", b"!x.txt", b"x", b"txt", b"\xef\xbb\xbfx.txt", b"#x.txt", b"[attr]m",
    ]
)  # fmt: skip
_SAID = st.sampled_from(
    [
        b"text", b"-text", b"!text", b"text=auto", b"text=AUTO", b"crlf", b"-crlf", b"crlf=input", b"eol=lf",
        b"eol=crlf", b"-eol", b"ident", b"-ident", b"filter=f", b"-filter", b"filter", b"working-tree-encoding=UTF-16",
        b"diff", b"m", b"-m", b"binary", b"-binary", b"linguist-generated", b"export-ignore", b"text,eol",
    ]
)  # fmt: skip
_GAPS = st.sampled_from([b" ", b"\t", b"  \t "])
_LINES = st.builds(
    lambda pattern, gap, said, end: pattern + gap + gap.join(said) + end,
    _PATTERNS,
    _GAPS,
    st.lists(_SAID, max_size=3),
    st.sampled_from([b"", b"\r", b" "]),
)
_PATHS = ("x.txt", "d/x.txt", "y.txt", "X.TXT", "x", "d/e/x.txt", "x.txt.bin")
_CHANGING = {
    "text": {"set", "unset", "unspecified", "auto"},
    "crlf": {"unset", "unspecified"},
    "eol": {"lf", "unspecified"},
    "ident": {"unset", "unspecified"},
    "filter": {"unset", "unspecified"},
    "working-tree-encoding": {"unspecified"},
}
"""What each attribute may be where a file is written as its bytes are."""


@pytest.mark.law
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines=st.lists(_LINES, max_size=4), without_case=st.booleans())
def test_what_is_not_reached_git_gives_no_attribute_that_changes_bytes(
    project: Project, lines: list[bytes], without_case: bool
) -> None:
    """Law: against git's own matching, in either kind of file name."""
    data = b"\n".join(lines)
    place = project.git_dir / "info" / "attributes"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)
    case = ("-c", f"core.ignoreCase={str(without_case).lower()}")
    said = project.git(*case, "check-attr", "-z", *_CHANGING, "--", *_PATHS).split("\0")
    changed = {
        path
        for path, name, value in zip(said[0::3], said[1::3], said[2::3], strict=False)
        if value not in _CHANGING[name]
    }

    assert changed <= {path for path in _PATHS if reaches(reach_of(data), path)}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# *.py text eol=crlf\n",
        b"* text=auto\n",
        b"*.py diff=python\n*.lock linguist-generated -diff\n",
        b"*.png binary\n*.sh text eol=lf\n",
        b"*.bin filter=lfs diff=lfs merge=lfs -text\n",
        b"uv.lock eol=crlf\n",
        b'"a file" diff\n',
    ],
)
def test_what_most_projects_say_reaches_no_source_file(data: bytes) -> None:
    assert not reaches(reach_of(data), "src/module.py")


@pytest.mark.parametrize("data", [b"[attr]x diff\n", b"a.py\0diff", b"src/*.py ident\n", b'"a" eol=crlf'])
def test_what_is_not_plain_reaches_everything(data: bytes) -> None:
    assert reaches(reach_of(data), "any/thing")
    assert EVERYTHING[0] in reach_of(data)
