from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.policy import globs
from dev_agent.policy.errors import GlobError


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/sub/a.py", False),
        ("src/*.py", "src/.py", True),
        ("*", ".hidden", True),
        ("*", "a/b", False),
        ("**", "a/b/c", True),
        ("**", "a", True),
        ("**/a", "a", True),
        ("**/a", "x/y/a", True),
        ("**/a", "x/ba", False),
        ("a/**", "a/b/c", True),
        ("a/**", "a", True),
        ("a/**", "ab", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/x/yb", False),
        ("**/x/**", "x", True),
        ("**/x/**", "a/x/b/c", True),
        ("**/x/**", "a/xy/b", False),
        ("**/a/*/b/**/c*d", "q/a/1/b/2/3/cxd", True),
        ("**/a/b/**/a/b", "a/b/a/b", True),
        ("**/a/b/**/a/b", "a/b", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[abc].py", "b.py", True),
        ("[!abc].py", "b.py", False),
        ("[!abc].py", "d.py", True),
        ("[a-c]", "b", True),
        ("[]x]", "]", True),
        ("[*]", "*", True),
        ("[*]", "x", False),
        ("[{]x[}]", "{x}", True),
        ("[^]", "^", True),
        ("[-a]", "-", True),
        ("[!!]", "x", True),
        ("[!!]", "!", False),
        ("[~|&]", "|", True),
        ("*a*b*", "xaybz", True),
        ("*a*b*", "xbya", False),
        ("a*a", "a", False),
        ("src", "src/a", False),
        ("new\nline*", "new\nline\nx", True),
    ],
)
def test_the_documented_language(pattern: str, path: str, expected: bool) -> None:
    assert globs.matches((pattern,), path) is expected


def test_an_empty_list_matches_nothing() -> None:
    assert not globs.matches((), "a")


def test_case_matters_unless_folded() -> None:
    assert not globs.matches((".github/**",), ".GitHub/x")
    assert globs.matches((".github/**",), ".GitHub/x", casefold=True)
    assert globs.matches(("SRC/[A-C].py",), "src/b.py", casefold=True)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("/abs", "absolute"),
        ("dir/", "directory/**"),
        ("a//b", "component"),
        ("./a", "component"),
        ("../a", "component"),
        ("a\\b", "backslash"),
        ("a.{py,pyi}", "one pattern per alternative"),
        ("!a", "negation"),
        ("a**", "whole components"),
        ("a**/b", "whole components"),
        ("[abc", "not closed"),
        ("[z-a]", "backwards"),
        ("", "empty"),
        ("a" * 1001, "too long"),
    ],
)
def test_a_pattern_that_would_silently_match_nothing_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(GlobError) as caught:
        globs.check(pattern)
    assert says in f"{caught.value.message} {caught.value.hint}"


_SEGMENTS = st.one_of(
    st.just("**"), st.text("ab*?", min_size=1, max_size=4).filter(lambda one: "**" not in one)
)
_PATTERNS = st.lists(_SEGMENTS, min_size=1, max_size=6).map("/".join)
_PATHS = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=6).map("/".join)


def _naive(pattern: list[str], path: list[str]) -> bool:
    """The definition, written down without a thought for time."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_naive(pattern[1:], path[skip:]) for skip in range(len(path) + 1))
    if not path:
        return False
    return _naive_segment(pattern[0], path[0]) and _naive(pattern[1:], path[1:])


def _naive_segment(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_naive_segment(pattern[1:], text[skip:]) for skip in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and _naive_segment(pattern[1:], text[1:])


@pytest.mark.law
@given(pattern=_PATTERNS, path=_PATHS)
def test_law_the_matcher_agrees_with_the_definition(pattern: str, path: str) -> None:
    """matches(p, x) == the recursive definition of the language."""
    assert globs.matches((pattern,), path) is _naive(pattern.split("/"), path.split("/"))


@pytest.mark.law
@given(st.text(max_size=30))
def test_law_every_text_is_a_pattern_or_refused(text: str) -> None:
    """A pattern never makes anything but a GlobError, and one made of plain characters matches itself."""
    try:
        globs.check(text)
    except GlobError:
        return
    if not re.search(r"[*?\[]", text):
        assert globs.matches((text,), text)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 200 + "b", "a" * 20_000),
        ("/".join(["**/a"] * 100) + "/b", "/".join(["a"] * 10_000)),
        ("/".join(["**/*a*"] * 50) + "/b", "/".join(["aaaa"] * 5_000)),
        ("**/" + "?" * 400 + "*x", "/".join(["a" * 399] * 100)),
    ],
)
def test_no_pattern_makes_matching_explode(pattern: str, path: str) -> None:
    start = time.process_time()
    assert not globs.matches((pattern,), path)
    # A backtracking matcher needs longer than the universe has; the bound only has to tell the two apart.
    assert time.process_time() - start < 60
