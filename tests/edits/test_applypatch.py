"""The `*** Begin Patch` envelope: what is understood, and what is refused where implementations differ."""

from __future__ import annotations

import pytest

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.model import Create, Delete, Move
from dev_agent.edits.parse import parse
from tests.edits.support import after, applied, parse_error, problem, problems

TWO = b"class A:\n    def f(self):\n        return 1\n\n\nclass B:\n    def f(self):\n        return 1\n"


def patch(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"]) + "\n"


def update(path: str, *lines: str) -> str:
    return patch(f"*** Update File: {path}", *lines)


def test_every_kind_of_file_operation_in_one_envelope() -> None:
    text = patch(
        "*** Update File: a.txt",
        "*** Move to: d/b.txt",
        "@@",
        " one",
        "-two",
        "+TWO",
        "*** Add File: new.txt",
        "+first",
        "+",
        "+third",
        "*** Delete File: gone.txt",
    )
    made = after(applied({"a.txt": b"one\ntwo\n", "gone.txt": b"x\n"}, text))
    assert made == {"a.txt": None, "d/b.txt": b"one\nTWO\n", "new.txt": b"first\n\nthird\n", "gone.txt": None}


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("", ""),
        ("Sure!\n\n```diff\n", "```\nDone.\n"),
        ("apply_patch <<'EOF'\n", "EOF\n"),
        ('```bash\napply_patch <<"EOF"\n', "EOF\n```\n"),
    ],
)
def test_prose_fences_and_heredocs_around_it(before: str, behind: str) -> None:
    text = before + update("a", "-1", "+2") + behind
    assert parse(text.encode()).format == "apply_patch"
    assert after(applied({"a": b"1\n"}, text)) == {"a": b"2\n"}


def test_a_transport_with_crlf_changes_nothing() -> None:
    text = update("a", "@@", "-1", "+2").replace("\n", "\r\n")
    assert after(applied({"a": b"1\n"}, text)) == {"a": b"2\n"}


def test_the_first_chunk_needs_no_marker_and_chunks_come_in_any_order() -> None:
    text = update("a", "-3", "+three", "@@", "-1", "+one")
    assert after(applied({"a": b"1\n2\n3\n"}, text)) == {"a": b"one\n2\nthree\n"}


def test_an_empty_line_is_context_and_blank_lines_between_chunks_are_nothing() -> None:
    text = update("a", " 1", "", "-2", "+two", "", "@@", "-9", "+nine", "")
    assert after(applied({"a": b"1\n\n2\nx\n9\n"}, text)) == {"a": b"1\n\ntwo\nx\nnine\n"}


@pytest.mark.parametrize("anchor", ["class B", "class B:", "  class B:"])
def test_an_anchor_says_which_of_two_places(anchor: str) -> None:
    text = update("m.py", f"@@ {anchor}", "     def f(self):", "-        return 1", "+        return 2")
    assert after(applied({"m.py": TWO}, text)) == {"m.py": TWO[:-2] + b"2\n"}


def test_an_anchor_means_the_block_it_opens_before_what_is_below() -> None:
    text = update("m.py", "@@ class A:", "-        return 1", "+        return 2")
    assert after(applied({"m.py": TWO}, text)) == {"m.py": TWO.replace(b"1", b"2", 1)}


def test_stacked_anchors_lead_into_a_class() -> None:
    text = update("m.py", "@@ class B:", "@@ def f(self):", "-        return 1", "+        return 2")
    assert after(applied({"m.py": TWO}, text)) == {"m.py": TWO[:-2] + b"2\n"}


def test_an_anchored_header_over_several_lines_does_not_end_its_block() -> None:
    base = b"def f(\n    a,\n) -> int:\n    return 1\n\n\ndef g() -> int:\n    return 1\n"
    text = update("m.py", "@@ def f(", "-    return 1", "+    return 2")
    assert after(applied({"m.py": base}, text)) == {"m.py": base.replace(b"1", b"2", 1)}


def test_without_an_anchor_two_places_are_ambiguous() -> None:
    found = problem(
        {"m.py": TWO}, update("m.py", "-        return 1", "+        return 2"), ProblemCode.AMBIGUOUS
    )
    assert "3, 8" in found.message


def test_two_places_below_one_anchor_are_ambiguous() -> None:
    base = b"x\n" + b"def f():\n    a\n    b\n    a\n"
    problem({"m.txt": base}, update("m.txt", "@@ def f():", "-    a", "+    c"), ProblemCode.AMBIGUOUS)


def test_an_anchor_that_stands_nowhere_is_an_error_not_advice() -> None:
    found = problem({"a": b"1\n"}, update("a", "@@ class X", "-1", "+2"), ProblemCode.NOT_FOUND)
    assert "the anchor 'class X'" in found.message


def test_an_anchor_that_stands_twice_is_ambiguous() -> None:
    found = problem(
        {"m.py": TWO}, update("m.py", "@@ def f(self):", "-        return 1", "+x"), ProblemCode.AMBIGUOUS
    )
    assert "'@@' line" in found.hint


def test_an_anchor_is_no_beginning_of_a_longer_word() -> None:
    problem(
        {"a": b"class Bag:\n    1\n"}, update("a", "@@ class B", "-    1", "+    2"), ProblemCode.NOT_FOUND
    )


def test_lines_above_the_anchor_are_not_its() -> None:
    text = update("a", "@@ mark", "-old", "+new")
    problem({"a": b"old\nmark\nother\n"}, text, ProblemCode.NOT_FOUND)


@pytest.mark.parametrize("numbers", ["@@ -1,2 +1,2 @@", "@@ -9 +9 @@ class X"])
def test_numbers_of_another_format_are_a_bare_marker(numbers: str) -> None:
    assert after(applied({"a": b"1\n"}, update("a", numbers, "-1", "+2"))) == {"a": b"2\n"}


def test_below_an_anchor_dots_stand_for_nothing() -> None:
    text = update("a", "@@ mark", "-a", "-...", "-c", "+x", "+...", "+y")
    problem({"a": b"mark\na\nb\nc\n"}, text, ProblemCode.NOT_FOUND)


def test_end_of_file_chooses_the_last_of_several_places() -> None:
    text = update("a", "-1", "+2", "*** End of File")
    assert after(applied({"a": b"1\nx\n1\n"}, text)) == {"a": b"1\nx\n2\n"}


def test_end_of_file_is_not_a_wish() -> None:
    problem({"a": b"1\nx\n"}, update("a", "-1", "+2", "*** End of File"), ProblemCode.NOT_FOUND)


def test_added_lines_alone_have_no_place() -> None:
    files = {"a": b"1\n"}
    problem(files, update("a", "@@", "+2"), ProblemCode.NO_PLACE)
    problem(files, update("a", "@@ 1", "+2"), ProblemCode.NO_PLACE)


@pytest.mark.parametrize(
    ("base", "made"), [(b"1\n", b"1\n2\n"), (b"1\r\n", b"1\r\n2\r\n"), (b"1", b"1\n2"), (b"", b"2\n")]
)
def test_added_lines_at_the_end_of_file_are_appended_in_its_style(base: bytes, made: bytes) -> None:
    assert after(applied({"a": base}, update("a", "@@", "+2", "*** End of File"))) == {"a": made}


def test_an_update_makes_no_file() -> None:
    problem({}, update("a.txt", "+2"), ProblemCode.MISSING_FILE)
    problem({}, update("a.txt", "+2", "*** End of File"), ProblemCode.MISSING_FILE)


def test_adding_or_moving_over_a_file_is_refused() -> None:
    files = {"a": b"1\n", "b": b"2\n"}
    problem(files, patch("*** Add File: a", "+x"), ProblemCode.EXISTS)
    problem(files, update("a", "*** Move to: b", "-1", "+2"), ProblemCode.EXISTS)


def test_one_bad_chunk_refuses_the_whole_patch() -> None:
    text = patch("*** Update File: a", "-1", "+2", "*** Update File: b", "-nothing like it", "+x")
    found = problems({"a": b"1\n", "b": b"2\n"}, text)
    assert [(each.path, each.line_in_proposal) for each in found] == [("b", 6)]


def test_the_files_indentation_is_kept_where_the_patch_lost_it() -> None:
    changes = applied({"a": b"  a:\n    b\n"}, update("a", " a:", "-  b", "+  c"))
    assert after(changes) == {"a": b"  a:\n    c\n"}
    assert changes.matches[0].level == MatchLevel.INDENT


def test_absent_line_end_and_crlf_are_kept() -> None:
    assert after(applied({"a": b"1\r\n2"}, update("a", " 1", "-2", "+3"))) == {"a": b"1\r\n3"}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("*** Begin Patch\n*** Update File: a\n-1\n+2\n", 1, "cut off"),
        (patch("*** Update File: a"), 2, "changes nothing"),
        (patch(), 1, "changes nothing"),
        (patch("*** Rename File: a"), 2, "begins no file"),
        (patch("*** Update File:"), 2, "begins no file"),
        (patch("*** Add File: a", "text"), 3, "no line of a new file"),
        (patch("*** Delete File: a", "-x"), 3, "begins no file"),
        (update("a", "-1", "and so on"), 4, "neither context"),
        (update("a", "@@ class X"), 3, "without lines"),
        (update("a", "-1", "+2", "@@"), 5, "without lines"),
        ("*** Update File: a\n-1\n+2\n", 1, "outside"),
        ("  *** Begin Patch\n  *** End Patch\n", 1, "outside"),
    ],
)
def test_what_is_malformed_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    error = parse_error(text)
    assert said in error.message
    assert error.line == line


def test_markers_are_content_behind_their_prefix() -> None:
    text = patch("*** Add File: a.txt", "+*** End Patch", "+@@", "++x")
    (made,) = parse(text.encode()).edits
    assert isinstance(made, Create)
    assert made.text == "*** End Patch\n@@\n+x\n"


def test_a_move_alone_and_an_empty_file() -> None:
    edits = parse(
        patch("*** Update File: a", "*** Move to: b", "*** Add File: c", "*** Delete File: d").encode()
    ).edits
    assert [type(each) for each in edits] == [Move, Create, Delete]
