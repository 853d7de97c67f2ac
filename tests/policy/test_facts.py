"""Counts, pairing, totality and the laws of facts."""

from __future__ import annotations

import ast
import gc
import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.policy.catalogue import CATALOGUE, COUNTS, FACT_NAMES
from dev_agent.policy.diff_lines import count_changes, fresh_lines
from dev_agent.policy.facts import compute_facts
from dev_agent.policy.place import Place, excerpt, shown_path
from dev_agent.policy.python_source import same_code
from dev_agent.policy.vocabulary import BUILT_IN_SETS
from tests.policy.support import Changed, added, deleted, edited, facts_of


def test_counts_of_a_mixed_change_set() -> None:
    facts = facts_of(
        added("new.txt", "a\nb\n"),
        edited("edit.txt", "a\nb\nc\n", "a\nx\nc\n"),
        deleted("old.txt", "gone\n"),
        deleted("from.txt", "one line here\ntwo lines here\nthree\n"),
        added("to.txt", "one line here\ntwo lines here\nfour\n"),
    )
    assert {name: facts[name] for name in COUNTS} == {
        "files": 4, "files_added": 1, "files_modified": 1, "files_deleted": 1, "files_renamed": 1,
        "lines": 7, "lines_added": 4, "lines_removed": 3, "bytes": 44, "deletions": 1,
    }  # fmt: skip


def test_an_empty_change_set_has_every_fact_and_sees_none() -> None:
    facts = compute_facts([])
    sets = {f"{how}_{name}" for name in BUILT_IN_SETS for how in ("touches", "only")}
    assert set(facts.values) == {*FACT_NAMES, *COUNTS, *sets}
    assert not any(facts.values.values())
    assert not facts.places


def test_a_change_that_changes_nothing_is_none() -> None:
    assert facts_of(edited("a.py", "import subprocess\n", "import subprocess\n"))["files"] == 0


def test_a_mode_alone_is_a_modified_file_of_no_bytes() -> None:
    facts = compute_facts(
        [Changed(path="a", before=b"x", after=b"x", before_mode="100755", after_mode="100644")]
    )
    assert (facts["files_modified"], facts["bytes"], facts["lines"]) == (1, 0, 0)


def test_the_same_content_at_two_new_places_is_one_rename_and_one_file() -> None:
    text = "some line\nother line\n"
    facts = facts_of(deleted("a/x.txt", text), added("b/y.txt", text), added("c/x.txt", text))
    assert (facts["files_renamed"], facts["files_added"], facts["deletions"]) == (1, 1, 0)


def test_files_with_little_in_common_are_not_one() -> None:
    facts = facts_of(
        deleted("a.txt", "same line\nb1\nb2\nb3\nb4 x\nb5 x\n"), added("b.txt", "same line\nc1 x\nc2 x\n")
    )
    assert (facts["files_renamed"], facts["deletions"]) == (0, 1)


def test_a_link_and_a_file_of_like_content_are_not_one() -> None:
    facts = facts_of(deleted("a", "target of the link"), added("b", "target of the link", mode="120000"))
    assert facts["files_renamed"] == 0


def test_places_are_sorted_and_capped_and_the_value_is_complete() -> None:
    facts = facts_of(added("b.py", "x = 1  # noqa\n" * 60), added("a.py", "y = 1  # noqa\n"))
    places = facts.places["suppressions_added"]
    assert facts["suppressions_added"] == 61
    assert len(places) == 50
    assert places[0] == Place(path="a.py", line=1, text="y = 1  # noqa")
    assert [place.line for place in places[1:]] == list(range(1, 50))


def test_facts_cannot_be_changed() -> None:
    facts = facts_of(added("a", "x"))
    with pytest.raises(TypeError):
        facts.values["files"] = 0  # type: ignore[index]
    with pytest.raises(AttributeError):
        facts.values = {}  # type: ignore[misc]


def test_json_holds_no_lone_surrogates_and_no_floats() -> None:
    facts = facts_of(
        added("docs/\udcff\udc80.sh", "x", mode="100755"), added("\ud800.sh", "x", mode="100755")
    )
    text = json.dumps(facts.to_json(), ensure_ascii=False, allow_nan=False)
    text.encode("utf-8")
    assert "docs/\\\\xff\\\\x80.sh" in text
    assert facts["executables_added"] == ("docs/\udcff\udc80.sh", "\ud800.sh")


def test_an_excerpt_is_short_and_shows_what_does_not_show() -> None:
    assert excerpt("  a\x1b[31m\u200bb\t ") == "a\\x1b[31m\\u200bb"
    assert len(excerpt("é" * 500)) == 160
    assert shown_path("ä/b") == "ä/b"


def test_every_fact_has_a_plain_sentence() -> None:
    for fact in CATALOGUE.values():
        assert fact.because.endswith(".")
        assert fact.because[0].isupper()


@pytest.mark.parametrize(
    "content",
    [
        b"x" * 5_000_000,
        b"key='" * 200_000,
        b"eyJ.eyJa" * 100_000,
        b"# " * 200_000,
        "\u200b".encode() * 200_000,
        b"\n" * 200_000,
        b"-" * 1_000_000 + b"1",
        b"a" + b".b" * 100_000,
        b"(" * 200_000,
        b"...rest " * 100_000,
    ],
    ids=[
        "letters",
        "keys",
        "tokens",
        "comments",
        "invisible",
        "empty",
        "signs",
        "dots",
        "brackets",
        "elisions",
    ],
)
def test_a_huge_line_is_survived(content: bytes) -> None:
    facts = compute_facts([Changed(path="src/a.py", before=None, after=content, after_mode="100644")])
    assert facts["bytes"] == len(content)


def test_thousands_of_files_and_tests_are_survived() -> None:
    same = b"same line here\n"
    gone = [Changed(path=f"a/{n}/f.txt", before=same, after=None, before_mode="100644") for n in range(2_000)]
    come = [Changed(path=f"b/{n}/f.txt", before=None, after=same, after_mode="100644") for n in range(2_000)]
    assert compute_facts([*gone, *come])["files_renamed"] == 2_000
    before = b"".join(b"def test_%d(): assert %d\n" % (n, n) for n in range(2_000))
    after = b"".join(b"def test_x%d(): assert -%d\n" % (n, n) for n in range(2_000))
    assert facts_of(edited("tests/test_a.py", before, after))["tests_removed"] == 2_000


@pytest.mark.parametrize("odd", [b"\0", b"\x0c\xff\x0c\0", b"  \0", b'"', b"\xff", b"?"])
def test_an_exemption_behind_what_no_tokenizer_reads_is_seen_all_the_same(odd: bytes) -> None:
    """Tokenizers stop there in ways of their own, from one Python to the next; none may end the judging."""
    before = b"if x:\n  pass\n"
    facts = facts_of(edited("src/a.py", before, before + odd + b"\n\ny = z()  # type: ignore\n"))
    assert facts["type_ignores_added"] == 1


_FRAGMENTS = st.sampled_from([
    b"def test_a():\n", b"    assert f() == 1\n", b"class TestA(B):\n", b"@pytest.mark.skip\n", b"\x27\x27\x27", b'"',
    b"import subprocess\n", b"(", b")", b"\n", b"# type: ignore\n", b"\xff", b"\0", b"if x:\n", b"  pass\n",
    "\u202e".encode(), b"\r", b"\x0c", b"[tool.mypy]\n", b"x = 1\n", b"# coding: utf-7\n", b"try:\n", b"except:\n",
    b"del test_a\n", b"a = b = 1; c = 2\n", b"lambda: 0\n", b"[", b"]", b"match x:\n  case 1: pass\n",
    b"__all__ = [1]\n",
])  # fmt: skip
_CONTENT = st.one_of(st.binary(max_size=200), st.lists(_FRAGMENTS, max_size=25).map(b"".join))
_PATHS = st.one_of(
    st.sampled_from([
        "tests/test_a.py", "tests/test_b.py", "src/a.py", "conftest.py", "pyproject.toml", "setup.cfg", "mypy.ini",
        "a.txt", "requirements.txt", "noxfile.py", "x.pyi", "src/shop/__init__.py",
    ]),
    st.text(min_size=1, max_size=12),
)  # fmt: skip
_MODES = st.sampled_from(["100644", "100755", "120000", "160000"])


@st.composite
def _changes(draw: st.DrawFn) -> Changed:
    before, after = draw(st.one_of(st.none(), _CONTENT)), draw(st.one_of(st.none(), _CONTENT))
    return Changed(
        path=draw(_PATHS),
        before=before,
        after=after,
        before_mode=None if before is None else draw(_MODES),
        after_mode=None if after is None else draw(_MODES),
    )


@pytest.mark.law
@given(st.lists(_changes(), max_size=5, unique_by=lambda change: change.path))
def test_law_facts_are_total_pure_and_plain(changes: list[Changed]) -> None:
    """Whatever the bytes: no exception, the same facts again and in any order of changes, and JSON that encodes."""
    facts = compute_facts(changes)
    assert compute_facts(list(reversed(changes))) == facts
    text = json.dumps(facts.to_json(), ensure_ascii=False, sort_keys=True)
    text.encode("utf-8")
    for name, places in facts.places.items():
        assert 0 < len(places) <= 50
        assert facts.count(name) > 0


_LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"e\n", b"f\n"]), max_size=12)


@pytest.mark.law
@given(before=_LINES, after=_LINES)
def test_law_counted_lines_add_up_and_never_flatter(before: list[bytes], after: list[bytes]) -> None:
    """added - removed == the difference in length; the count is at least the smallest possible, at most everything."""
    counts = count_changes(before, after)
    assert counts.added - counts.removed == len(after) - len(before)
    assert len(after) >= counts.added >= len(after) - _longest_common(before, after)
    if before == after:
        assert counts.added == counts.removed == 0


def _longest_common(a: list[bytes], b: list[bytes]) -> int:
    row = [0] * (len(b) + 1)
    for one in a:
        previous = row[:]
        for at, two in enumerate(b, start=1):
            row[at] = previous[at - 1] + 1 if one == two else max(row[at - 1], previous[at])
    return row[-1]


@pytest.mark.law
@given(before=st.lists(st.sampled_from("abcd"), max_size=10), moved=st.randoms(use_true_random=False))
def test_law_moving_lines_makes_none_fresh(before: list[str], moved: object) -> None:
    """A permutation of lines has no fresh line, in either direction."""
    after = sorted(before)
    assert fresh_lines(before, after) == fresh_lines(after, before) == []


def test_lines_are_counted_as_a_diff_shows_them() -> None:
    before = [b"a\n", b"b\n", b"\n", b"c\n", b"d\n"]
    counts = count_changes(before, [b"a\n", b"b\n", b"\n", b"new\n", b"\n", b"c\n", b"d\n"])
    assert (counts.added, counts.removed) == (2, 0)
    counts = count_changes([b"a\n", b"b\n", b"c\n"], [b"c\n", b"a\n", b"b\n"])
    assert (counts.added, counts.removed) == (1, 1)


def test_the_same_code_is_what_python_dumps_alike() -> None:
    snippets = [
        "x = 1", "x = True", "x = 1.0", "x = '1'", "x = b'1'", "x = u'1'", "x = (1)", "x = 1 # why", "x = -1",
        "x = 0.0", "x = -0.0", "x = [1]", "x = [1, 1]", "x = (1,)", "x: int = 1", "x: int", "y = 1", "x = 1\n",
        "def f(): pass", "def f(a): pass", "def f(a=1): pass", "async def f(): pass", "def f() -> None: pass",
        "@d\ndef f(): pass", "class f: pass", "x = y.z", "x = y[z]", "x = y < z", "x = y <= z", "x = not y",
    ]  # fmt: skip
    trees = [ast.parse(one) for one in snippets]
    for one, other in product(trees, repeat=2):
        assert same_code(one, other) == (ast.dump(one) == ast.dump(other))


@pytest.mark.parametrize("was_on", [True, False])
def test_the_garbage_collector_is_left_as_it_was(*, was_on: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        facts_of(added("a.py", "x = 1\n"))
        assert gc.isenabled() is was_on
    finally:
        (gc.enable if before else gc.disable)()
