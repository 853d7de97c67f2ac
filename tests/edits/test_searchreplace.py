"""SEARCH/REPLACE blocks: every way in which they went wrong elsewhere."""

from __future__ import annotations

import pytest

from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.model import Replace
from dev_agent.edits.parse import parse
from tests.edits.support import after, applied, block, parse_error, problem

RST = b"Title\n=====\n\nold text\n"


def replaces(text: str) -> list[Replace]:
    edits = parse(text.encode()).edits
    assert all(isinstance(edit, Replace) for edit in edits)
    return [edit for edit in edits if isinstance(edit, Replace)]


@pytest.mark.parametrize(
    "above",
    [
        "pkg/mod.py\n",
        "**pkg/mod.py**\n",
        "`pkg/mod.py`\n",
        "**`pkg/mod.py`**:\n",
        "### File: `pkg/mod.py`\n",
        "File: pkg/mod.py\n",
        "file path: pkg/mod.py\n",
        "# pkg/mod.py\n",
        "pkg/mod.py:\n",
        "./pkg/mod.py\n",
        "pkg/mod.py\n```python\n",
        "pkg/mod.py\n````python\n",
        "pkg/mod.py\n~~~\n",
        "pkg/mod.py\n<source>\n",
        "**pkg/mod.py**\n\n```python\n",
        "```python pkg/mod.py\n",
        "```pkg/mod.py\n",
        "```python:pkg/mod.py\n",
        "```python\npkg/mod.py\n",
    ],
)
def test_decorated_file_name_above_a_block(above: str) -> None:
    text = f"I changed it.\n\n{above}<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n"
    assert [edit.path for edit in replaces(text)] == ["pkg/mod.py"]


def test_two_blocks_in_one_fence_share_the_name_above_the_first() -> None:
    text = "```\n" + block("m.py", "a\n", "b\n") + block("", "c\n", "d\n") + "```\n"
    assert [(edit.path, edit.old) for edit in replaces(text)] == [("m.py", "a\n"), ("m.py", "c\n")]


def test_a_block_in_another_fence_does_not_inherit_a_name() -> None:
    text = block("m.py", "a\n", "b\n") + "```\n" + "```\n" + block("", "c\n", "d\n")
    assert parse_error(text).line == 10


def test_no_name_above_the_first_block_is_an_error_naming_the_line() -> None:
    error = parse_error("\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n")
    assert error.line == 2
    assert "path" in error.hint


def test_a_line_of_decoration_only_names_nothing() -> None:
    assert parse_error(block("###", "a\n", "b\n")).line == 1


def test_an_endless_name_is_refused() -> None:
    assert "too long" in parse_error(block("x" * 2000, "a\n", "b\n")).message


def test_a_prose_word_above_a_fence_is_not_a_file_name() -> None:
    found = problem({"a.py": b"x = 1\n"}, block("and", "x = 1\n", "x = 2\n"), ProblemCode.NOT_A_FILE_NAME)
    assert found.line_in_proposal == 1
    assert "'and'" in found.message


def test_a_prose_sentence_with_a_path_in_it_makes_no_file() -> None:
    problem({}, block("Create pkg/new.py", "", "x = 1\n"), ProblemCode.NOT_A_FILE_NAME)


def test_a_plain_word_is_a_name_if_the_base_has_it() -> None:
    changes = applied({"Makefile": b"all:\n"}, block("Makefile", "all:\n", "every:\n"))
    assert after(changes) == {"Makefile": b"every:\n"}


def test_a_new_file_without_suffix_can_be_named_with_a_leading_dot_slash() -> None:
    assert after(applied({}, block("./Makefile", "", "all:\n"))) == {"Makefile": b"all:\n"}


def test_other_files_are_never_searched() -> None:
    files = {"a.py": b"x = 1\n", "b.py": b"y = 1\n"}
    problem(files, block("b.py", "x = 1\n", "x = 2\n"), ProblemCode.NOT_FOUND)


def test_a_missing_file_suggests_files_of_the_same_name() -> None:
    found = problem({"src/a.py": b"x = 1\n"}, block("a.py", "x = 1\n", "x = 2\n"), ProblemCode.MISSING_FILE)
    assert "src/a.py" in found.hint


def test_empty_replace_deletes_the_lines() -> None:
    assert after(applied({"a.txt": b"one\ntwo\n"}, block("a.txt", "one\n", ""))) == {"a.txt": b"two\n"}


def test_replacing_the_whole_file_by_nothing_is_an_edit() -> None:
    assert after(applied({"a.txt": b"one\n"}, block("a.txt", "one\n", ""))) == {"a.txt": b""}


def test_deletion_followed_by_an_edit_stays_two_blocks() -> None:
    text = block("a.txt", "one\n", "") + block("a.txt", "two\n", "2\n")
    assert after(applied({"a.txt": b"one\ntwo\n"}, text)) == {"a.txt": b"2\n"}


def test_empty_search_makes_an_absent_file() -> None:
    assert after(applied({}, block("pkg/new.py", "", "x = 1\n"))) == {"pkg/new.py": b"x = 1\n"}


def test_empty_search_fills_an_empty_file() -> None:
    assert after(applied({"pkg/__init__.py": b""}, block("pkg/__init__.py", "", "x = 1\n"))) == {
        "pkg/__init__.py": b"x = 1\n"
    }


@pytest.mark.parametrize("search", ["", "\n", "   \n\n"])
def test_empty_search_on_a_file_with_content_is_refused(search: str) -> None:
    found = problem({"a.py": b"x = 1\n\n"}, block("a.py", search, "y = 1\n"), ProblemCode.EMPTY_SEARCH)
    assert "exists" in found.message


def test_new_file_keeps_its_final_newline_and_its_fences() -> None:
    text = block("doc.md", "", "```\ncode\n```\n")
    assert after(applied({}, text)) == {"doc.md": b"```\ncode\n```\n"}


def test_heading_of_another_length_in_the_search_is_content() -> None:
    changes = applied(
        {"a.rst": RST}, block("a.rst", "Title\n=====\n\nold text\n", "Title\n=====\n\nnew text\n")
    )
    assert after(changes) == {"a.rst": b"Title\n=====\n\nnew text\n"}


@pytest.mark.parametrize("place", ["search", "replace"])
def test_heading_as_long_as_the_divider_is_ambiguous(place: str) -> None:
    heading, plain = "Heading\n=======\n", "Heading\n"
    text = block("a.rst", *((heading, plain) if place == "search" else (plain, heading)))
    error = parse_error(text)
    assert "ambiguous" in error.message
    assert "\\=======" in error.hint


def test_escaped_divider_is_content() -> None:
    changes = applied(
        {"a.rst": b"Heading\n=======\nold\n"}, block("a.rst", "\\=======\nold\n", "\\=======\nnew\n")
    )
    assert after(changes) == {"a.rst": b"Heading\n=======\nnew\n"}


def test_escaped_escape_loses_one_backslash_only() -> None:
    changes = applied(
        {"a.md": b"\\=======\nold\n"}, block("a.md", "\\\\=======\nold\n", "\\\\=======\nnew\n")
    )
    assert after(changes) == {"a.md": b"\\=======\nnew\n"}


def test_nine_character_markers_hold_a_seven_character_divider() -> None:
    text = "a.rst\n<<<<<<<<< SEARCH\nHeading\n=======\n=========\nHeading!\n=======\n>>>>>>>>> REPLACE\n"
    assert after(applied({"a.rst": b"Heading\n=======\n"}, text)) == {"a.rst": b"Heading!\n=======\n"}


@pytest.mark.parametrize("divider", ["===", "======="])
@pytest.mark.parametrize("end", [">>>REPLACE", ">>> REPLACE", "REPLACE>>>"])
def test_short_blocks(divider: str, end: str) -> None:
    text = f"a.txt\n<<<SEARCH\none\n{divider}\ntwo\n{end}\n"
    assert after(applied({"a.txt": b"one\n"}, text)) == {"a.txt": b"two\n"}


def test_short_block_with_two_kinds_of_divider_is_ambiguous() -> None:
    assert "ambiguous" in parse_error("a.txt\n<<<SEARCH\none\n===\ntwo\n=======\nthree\n>>>REPLACE\n").message


def test_empty_short_block_deletes() -> None:
    assert after(applied({"a.txt": b"one\ntwo\n"}, "a.txt\n<<<SEARCH\none\n=======\n>>>REPLACE\n")) == {
        "a.txt": b"two\n"
    }


@pytest.mark.parametrize(
    ("marker", "line"),
    [
        ("<<<<<<< search", 2),
        ("<<<<<<< ORIGINAL", 2),
        ("<<<<<<<SEARCH", 2),
        ("<<<< SEARCH", 2),
        ("<<<<<<<<<< SEARCH", 2),
        ("  <<<<<<< SEARCH", 2),
    ],
)
def test_a_marker_that_is_nearly_right_is_an_error_not_silence(marker: str, line: int) -> None:
    error = parse_error(f"a.txt\n{marker}\none\n=======\ntwo\n>>>>>>> REPLACE\n")
    assert error.line == line
    assert marker.strip() in error.message


def test_a_nearly_right_block_after_a_right_one_is_an_error() -> None:
    text = block("a.txt", "a\n", "b\n") + "a.txt\n<<<<<<< Search\nc\n=======\nd\n>>>>>>> Replace\n"
    assert parse_error(text).line == 8


def test_a_stray_end_marker_is_an_error() -> None:
    assert parse_error(block("a.txt", "a\n", "b\n") + ">>>>>>> REPLACE\n").line == 7


@pytest.mark.parametrize(
    "text",
    [
        "a.txt\n<<<<<<< SEARCH\n",
        "a.txt\n<<<<<<< SEARCH\none\n",
        "a.txt\n<<<<<<< SEARCH\none\n=======\ntwo\n",
        "a.txt\n<<<<<<< SEARCH\none\n=======\ntwo\n>>>>>>> REPLAC",
        "a.txt\n<<<<<<< SEARCH\none\n=======\ntwo\n>>>>>> REPLACE\n",
        "a.txt\n<<<<<<< SEARCH\none\n======\ntwo\n>>>>>>> REPLACE\n",
        "a.txt\n<<<<<<< SEARCH\none\n=======\ntwo\n<<<<<<< SEARCH\nthree\n=======\nfour\n>>>>>>> REPLACE\n",
    ],
)
def test_an_unfinished_block_is_an_error_with_its_line(text: str) -> None:
    error = parse_error(text)
    assert error.line == 2
    assert "not complete" in error.message


def test_a_miscounted_marker_is_pointed_out() -> None:
    assert (
        "line 4 looks like a marker"
        in parse_error("a\n<<<<<<< SEARCH\nx\n======\ny\n>>>>>>> REPLACE\n").message
    )


def test_trailing_space_after_markers_is_nothing() -> None:
    text = "a.txt\n<<<<<<< SEARCH  \none\n======= \ntwo\n>>>>>>> REPLACE\t\n"
    assert after(applied({"a.txt": b"one\n"}, text)) == {"a.txt": b"two\n"}


def test_a_block_that_came_with_crlf_applies_to_an_lf_file() -> None:
    text = block("a.txt", "one\n", "two\nthree\n").replace("\n", "\r\n")
    assert after(applied({"a.txt": b"one\n"}, text)) == {"a.txt": b"two\nthree\n"}


def test_identical_search_and_replace_is_skipped_with_a_note() -> None:
    changes = applied({"a.txt": b"one\n"}, block("a.txt", "one\n", "one\n"))
    assert changes.empty
    assert "changes nothing" in changes.notes[0]


def test_bar_is_not_found_inside_foobar() -> None:
    problem({"a.txt": b"foobar = 1\n"}, block("a.txt", "bar = 1\n", "bar = 2\n"), ProblemCode.NOT_FOUND)


def test_merge_conflict_markers_can_be_edited() -> None:
    base = b"<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> topic\n"
    old = "<<<<<<< HEAD\nours\n\\=======\ntheirs\n>>>>>>> topic\n"
    assert after(applied({"a.txt": base}, block("a.txt", old, "both\n"))) == {"a.txt": b"both\n"}
