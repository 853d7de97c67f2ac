"""Anthropic's text editor operations: verbatim, unique, and brought from one-after-another onto one base."""

from __future__ import annotations

import json

import pytest

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.parse import parse
from tests.edits.support import after, applied, parse_error, problem

Op = dict[str, object]


def operation(command: str, **fields: object) -> Op:
    return {"command": command, "path": "a.txt", **fields}


def swap(old: str, new: str) -> Op:
    return operation("str_replace", old_str=old, new_str=new)


def insert(line: int, text: str) -> Op:
    return operation("insert", insert_line=line, insert_text=text)


def lines(*operations: Op) -> str:
    return "".join(json.dumps(each) + "\n" for each in operations)


def block_of(each: Op, name: str = "str_replace_based_edit_tool") -> Op:
    return {"type": "tool_use", "id": "x", "name": name, "input": each}


SWAP = swap("one", "1")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SWAP),
        json.dumps([SWAP], indent=2),
        json.dumps(block_of(SWAP), indent=2),
        json.dumps([{"type": "text", "text": "Now"}, block_of(SWAP, "str_replace_editor")]),
        json.dumps({"role": "assistant", "content": [{"type": "text", "text": "Now"}, block_of(SWAP)]}),
        f"Sure:\n```json\n{json.dumps(SWAP)}\n```\nDone.",
    ],
)
def test_every_wrapping_is_understood(text: str) -> None:
    assert parse(text.encode()).format == "text editor"
    assert after(applied({"a.txt": b"one\n"}, text)) == {"a.txt": b"1\n"}


@pytest.mark.parametrize(
    ("base", "old", "new", "made"),
    [
        (b"foo(one, two)\n", "one", "1", b"foo(1, two)\n"),
        (b"a\nb\nc\n", "a\nb\n", "x\n", b"x\nc\n"),
        (b"a\nb\nc\n", "b\n", "", b"a\nc\n"),
        (b"a\nb\nc\n", "b\n", "B", b"a\nBc\n"),
        (b"a\nb\nc\n", "a\nb", "ab", b"ab\nc\n"),
        (b"a\nb", "b", "c", b"a\nc"),
        (b"a\nb", "\nb", "", b"a"),
        (b"a\r\nb\r\nc\r\n", "a\nb", "x\ny", b"x\r\ny\r\nc\r\n"),
        (b"\xef\xbb\xbfa b\n", "a", "c", b"\xef\xbb\xbfc b\n"),
        ("ä b\n".encode(), "ä ", "ö ", "ö b\n".encode()),
        (b"\tx = 1\n", "x = 1", "x = 2", b"\tx = 2\n"),
    ],
)
def test_text_is_replaced_verbatim_even_inside_lines(base: bytes, old: str, new: str, made: bytes) -> None:
    assert after(applied({"a.txt": base}, lines(swap(old, new)))) == {"a.txt": made}


@pytest.mark.parametrize("base", [b"one one\n", b"one\none\n", b"one\nnone\n"])
def test_text_that_occurs_twice_is_refused(base: bytes) -> None:
    problem({"a.txt": base}, lines(SWAP), ProblemCode.AMBIGUOUS)


def test_overlapping_occurrences_are_two() -> None:
    problem({"a.txt": b"ababa\n"}, lines(swap("aba", "x")), ProblemCode.AMBIGUOUS)


def test_text_that_differs_in_white_space_only_falls_back_on_the_ladder() -> None:
    changes = applied({"a.txt": b"  if x:  \n    y\n"}, lines(swap("if x:\n  y", "if x:\n  z")))
    assert after(changes) == {"a.txt": b"  if x:  \n    z\n"}
    assert changes.matches[0].level == MatchLevel.INDENT


def test_text_that_stands_nowhere_is_refused() -> None:
    problem({"a.txt": b"two\n"}, lines(SWAP), ProblemCode.NOT_FOUND)


def test_a_repeated_insertion_is_recognised() -> None:
    text = lines(swap("one\n", "one\nsecond line\n"))
    problem({"a.txt": b"one\nsecond line\n"}, text, ProblemCode.ALREADY_APPLIED)


@pytest.mark.parametrize("name", ["new_str", "insert_text"])
@pytest.mark.parametrize(("line", "made"), [(0, b"x\na\nb\n"), (1, b"a\nx\nb\n"), (2, b"a\nb\nx\n")])
def test_lines_are_inserted_after_a_line(name: str, line: int, made: bytes) -> None:
    text = lines(operation("insert", insert_line=line, **{name: "x"}))
    assert after(applied({"a.txt": b"a\nb\n"}, text)) == {"a.txt": made}


def test_an_insertion_takes_the_files_line_ends() -> None:
    assert after(applied({"a.txt": b"a\r\nb"}, lines(insert(2, "x\ny\n")))) == {"a.txt": b"a\r\nb\r\nx\r\ny"}


def test_an_insertion_beyond_the_end_is_refused() -> None:
    problem({"a.txt": b"a\n"}, lines(insert(2, "x")), ProblemCode.NO_PLACE)


def test_create_makes_a_file_and_never_overwrites_one() -> None:
    text = lines(operation("create", file_text="x\n"))
    assert after(applied({}, text)) == {"a.txt": b"x\n"}
    problem({"a.txt": b"y\n"}, text, ProblemCode.EXISTS)


def test_later_line_numbers_are_counted_back_to_the_base() -> None:
    text = lines(insert(1, "x\ny"), insert(4, "z"), insert(0, "top"))
    assert after(applied({"a.txt": b"a\nb\nc\n"}, text)) == {"a.txt": b"top\na\nx\ny\nb\nz\nc\n"}


def test_a_line_number_after_a_swap_of_equal_length_still_counts() -> None:
    text = lines(swap("a", "A"), insert(2, "x"))
    assert after(applied({"a.txt": b"a\nb\nc\n"}, text)) == {"a.txt": b"A\nb\nx\nc\n"}


@pytest.mark.parametrize(
    "operations",
    [
        (swap("a\n", "a\nnew\n"), insert(3, "x")),
        (insert(1, "x\ny\nz"), insert(2, "w")),
        (swap("a", "brand new"), swap("new", "old")),
        (insert(1, "brand new"), swap("new", "old")),
    ],
)
def test_operations_that_depend_on_each_other_are_refused(operations: tuple[Op, Op]) -> None:
    error = parse_error(lines(*operations))
    assert "depends on the one at line 1" in error.message
    assert error.line == 2


def test_one_after_another_at_the_same_place_is_refused() -> None:
    problem({"a.txt": b"a\nb\n"}, lines(insert(1, "x"), insert(2, "y")), ProblemCode.OVERLAP)
    problem({"a.txt": b"a b\n"}, lines(swap("a", "x"), swap("b", "y")), ProblemCode.OVERLAP)
    problem({}, lines(operation("create", file_text="one\n"), swap("on", "x")), ProblemCode.CONFLICT)


def test_lines_added_behind_a_final_newline_that_another_takes_away_are_refused() -> None:
    problem({"a.txt": b"a\nb\n"}, lines(insert(2, "x"), swap("b\n", "c")), ProblemCode.OVERLAP)


def test_view_is_left_out_with_a_note() -> None:
    proposal = parse(lines(operation("view", view_range=[1, -1]), SWAP).encode())
    assert len(proposal.edits) == 1
    assert "'view' changes nothing" in proposal.notes[0]


def test_only_views_are_no_proposal() -> None:
    assert "changes nothing" in parse_error(lines(operation("view"))).message


@pytest.mark.parametrize("path", ["/repo/a.txt", "/a.txt", "C:\\a.txt"])
def test_an_absolute_path_is_refused_with_a_remedy(path: str) -> None:
    error = parse_error(json.dumps([block_of({**SWAP, "path": path})]))
    assert error.message.startswith("proposal line 1: [0].input.path: ")
    assert "relative to the repository's top" in error.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps(operation("undo_edit")), "command: 'undo_edit'"),
        (json.dumps(operation("str_replace", new_str="x")), "old_str: is missing"),
        (json.dumps(operation("str_replace", old_str="", new_str="x")), "old_str: must not be empty"),
        (json.dumps(operation("create")), "file_text: is missing"),
        (json.dumps(operation("insert", new_str="x")), "insert_line: is missing"),
        (json.dumps(operation("insert", insert_line=-1, new_str="x")), "insert_line: must be an integer"),
        (json.dumps(operation("insert", insert_line=True, new_str="x")), "insert_line: must be an integer"),
        (json.dumps(operation("insert", insert_line=1, new_str="x", insert_text="y")), "send one of the two"),
        (json.dumps(operation("str_replace", old_str="x", new_str="y", all=True)), "all: is unknown"),
        (json.dumps(block_of({"command": "ls"}, "bash")), "name: 'bash' is no editing tool"),
        (json.dumps(SWAP)[:-5], "cannot be read"),
    ],
)
def test_what_is_malformed_is_refused_with_its_field(text: str, said: str) -> None:
    assert said in parse_error(text + "\n").message
