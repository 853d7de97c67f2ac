"""Recognising a format in whatever a model or a file holds."""

from __future__ import annotations

import pytest

from dev_agent.edits.errors import EditError, NotText, ProblemCode, TooLarge, UnknownFormat
from dev_agent.edits.model import Limits
from dev_agent.edits.parse import FORMATS, parse
from tests.edits.support import after, applied, block, parse_error, problem, problems

DIFF = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n"


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_a_diff_in_prose_and_a_fence(fence: str) -> None:
    proposal = parse(f"Sure! Here:\n\n{fence}diff\n{DIFF}{fence}\n\nDone - enjoy.\n".encode())
    assert proposal.format == "unified diff"
    assert len(proposal.edits) == 1


def test_a_line_of_inline_code_opens_no_fence() -> None:
    assert len(parse(f"```x``` is code\n{DIFF}".encode()).edits) == 1


def test_several_fenced_blocks_of_one_format() -> None:
    text = f"```diff\n{DIFF}```\nand\n```diff\n{DIFF.replace('a.txt', 'b.txt')}```\n"
    assert [edit.path for edit in parse(text.encode()).edits] == ["a.txt", "b.txt"]


V4A = "*** Begin Patch\n*** Update File: c.txt\n-one\n+two\n*** End Patch\n"
JSON = '{"edits": [{"op": "replace", "path": "d.txt", "old": "one", "new": "two"}]}\n'
TOOL = '{"command": "str_replace", "path": "e.txt", "old_str": "one", "new_str": "two"}\n'
WHOLE = "f.txt\n```\ntwo\n```\n"


def test_all_formats_in_one_answer_are_resolved_together() -> None:
    text = f"First\n```diff\n{DIFF}```\nthen\n\n" + "\nand\n".join(
        [block("b.txt", "one\n", "two\n"), V4A, JSON, TOOL, f"\n{WHOLE}"]
    )
    assert parse(text.encode()).format == " + ".join(FORMATS)
    base = {f"{letter}.txt": b"one\n" for letter in "abcdef"}
    assert after(applied(base, text)) == dict.fromkeys(base, b"two\n")


def test_one_misfit_in_one_format_refuses_the_others_too() -> None:
    text = DIFF + "\n" + JSON
    assert [each.path for each in problems({"a.txt": b"one\n", "d.txt": b"1\n"}, text)] == ["d.txt"]


def test_two_formats_that_change_one_line_contradict_each_other() -> None:
    text = DIFF + "\n" + JSON.replace("d.txt", "a.txt")
    problem({"a.txt": b"one\n"}, text, ProblemCode.OVERLAP)


@pytest.mark.parametrize("begun", [V4A[:-14], JSON[:40] + "\n", TOOL[:40] + "\n", "<<<< SEARCH\n"])
def test_a_second_edit_that_is_malformed_refuses_the_first(begun: str) -> None:
    parse_error(DIFF + "\n" + begun)


@pytest.mark.parametrize("inner", [DIFF, V4A, JSON])
def test_an_edit_shown_inside_a_whole_file_could_be_either_and_is_refused(inner: str) -> None:
    error = parse_error(f"doc.txt\n````\nHow to:\nlook\nhere\n{inner}````\n")
    assert "could be meant" in error.message


@pytest.mark.parametrize("inner", [DIFF, V4A, JSON, TOOL, block("b.txt", "one\n", "two\n")])
def test_a_named_fence_that_begins_with_an_edit_is_that_edit(inner: str) -> None:
    assert "whole file" not in parse(f"answer.txt\n```\n{inner}```\n".encode()).format


def test_a_diff_inside_a_search_block_is_content() -> None:
    proposal = parse(block("doc.md", DIFF, DIFF.replace("two", "three")).encode())
    assert proposal.format == "search/replace"
    assert len(proposal.edits) == 1


def test_a_search_block_inside_a_diff_is_content() -> None:
    lines = block("b.txt", "a\n", "b\n").splitlines()
    text = f"--- /dev/null\n+++ b/doc.md\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(
        f"+{line}\n" for line in lines
    )
    assert parse(text.encode()).format == "unified diff"


@pytest.mark.parametrize("text", ["", "\n\n", "I could not do it.\n", "```python\nx = 1\n```\n"])
def test_no_format_says_which_are_understood(text: str) -> None:
    error = parse_error(text)
    assert isinstance(error, UnknownFormat)
    assert all(name in error.hint for name in FORMATS)


def test_no_format_shows_the_beginning_escaped() -> None:
    error = parse_error("look \x1b[31mhere\u202e\n")
    assert "look \\x1b[31mhere\\u202e" in error.message
    assert "\x1b" not in error.message


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n"])
def test_a_foreign_format_is_named(text: str) -> None:
    assert "this looks like" in parse_error(text).message


def test_not_utf8_names_the_line() -> None:
    error = parse_error(b"ok\n\xff\n")
    assert isinstance(error, NotText)
    assert error.line == 2


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_as_some_shells_write_it_is_named(encoding: str) -> None:
    with pytest.raises(NotText, match="not UTF-8 but UTF-16") as raised:
        parse("\ufeff--- a/x\n+++ b/x\n".encode(encoding))
    assert "iconv" in raised.value.hint


def test_nul_names_the_line() -> None:
    error = parse_error(b"ok\n\n\0")
    assert isinstance(error, NotText)
    assert error.line == 3


def test_an_oversize_patch_is_refused_unread() -> None:
    with pytest.raises(TooLarge, match="50000000"):
        parse(b"\xff" * 50_000_000)


def test_too_many_edits_are_refused() -> None:
    with pytest.raises(TooLarge, match="2 edits"):
        parse((DIFF + DIFF.replace("a.txt", "b.txt")).encode(), limits=Limits(edits=1))


def test_a_byte_order_mark_before_the_proposal_is_nothing() -> None:
    assert len(parse(("\ufeff" + DIFF).encode()).edits) == 1


def test_errors_have_message_and_hint() -> None:
    error: EditError = parse_error("nothing")
    assert str(error) == error.message
    assert error.hint
