"""Whole files: recognised by a name above a fence, and refused wherever that could be wrong."""

from __future__ import annotations

import pytest

from dev_agent.edits.errors import ProblemCode, UnknownFormat
from dev_agent.edits.parse import parse
from tests.edits.support import after, applied, parse_error, problem


def whole(name: str, text: str, fence: str = "```") -> str:
    return f"{name}\n{fence}\n{text}{fence}\n"


@pytest.mark.parametrize(
    "head",
    [
        "d/a.txt\n```\n",
        "`d/a.txt`\n```text\n",
        "**d/a.txt**:\n```text\n",
        "### d/a.txt\n\n```\n",
        "File: d/a.txt\n~~~\n",
        "./d/a.txt\n````\n",
        "```text d/a.txt\n",
        "```d/a.txt\n",
        "```text:d/a.txt\n",
    ],
)
def test_every_way_to_name_it(head: str) -> None:
    marks = head.split("\n")[-2][:4].rstrip("td/")
    text = f"Sure, here:\n\n{head}new\n{marks}\n\nDone.\n"
    assert parse(text.encode()).format == "whole file"
    assert after(applied({"d/a.txt": b"old\n"}, text)) == {"d/a.txt": b"new\n"}


def test_several_files_new_and_old() -> None:
    text = whole("a.txt", "1\n") + whole("b.txt", "2\n") + "\nand\n\n" + whole("pkg/__init__.py", "")
    assert after(applied({"a.txt": b"0\n"}, text)) == {
        "a.txt": b"1\n",
        "b.txt": b"2\n",
        "pkg/__init__.py": b"",
    }


def test_line_ends_mark_and_mode_of_the_file_are_kept() -> None:
    changes = applied({"a.txt": ("100755", b"\xef\xbb\xbfone\r\n")}, whole("a.txt", "two\n"))
    assert after(changes) == {"a.txt": b"\xef\xbb\xbftwo\r\n"}
    assert changes.changes[0].after_mode == "100755"


@pytest.mark.parametrize(
    "text",
    [
        "In `a.txt` write\n```\nx\n```\n",
        "Run this:\n```bash\nls\n```\n",
        "```application/json\n1\n```\n",
        "```node.js\n1\n```\n",
        "https://example.com/a.txt\n```\nx\n```\n",
        "a.txt\n```console\n$ ls\n```\n",
        "a.txt\n\n\n```\nx\n```\n",
    ],
)
def test_an_example_is_no_file(text: str) -> None:
    assert isinstance(parse_error(text), UnknownFormat)


def test_much_less_text_is_refused_and_a_declared_write_is_not() -> None:
    base = {"a.txt": b"".join(b"%d\n" % n for n in range(10))}
    found = problem(base, whole("a.txt", "1\n2\n3\n4\n5\n"), ProblemCode.SHRUNK)
    assert "10 lines" in found.message
    assert '"write"' in found.hint
    assert not applied(base, whole("a.txt", "1\n2\n3\n4\n5\n6\n")).empty
    assert not applied(base, '{"edits": [{"op": "write", "path": "a.txt", "text": "1\\n"}]}\n').empty


@pytest.mark.parametrize("base", [{}, {"a.py": b"x = 1\n"}])
def test_a_placeholder_is_refused_in_new_and_old_files(base: dict[str, bytes]) -> None:
    problem(base, whole("a.py", "y = 1\n# ... rest of the code ...\n"), ProblemCode.ELISION)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a.txt\n```\nx\n", 2, "not closed"),
        (whole("a.txt", "x\n```python\ny\n```\nz\n"), 4, "another fence opens"),
        (whole("a.txt", "x\n```\ny\n```\nz\n"), 5, "text follows directly"),
        (whole("a.txt", "x\n```\n\ny\n"), 7, "never closed"),
        (whole("a.md", "x\n"), 2, "cannot be told"),
    ],
)
def test_a_fence_that_may_end_elsewhere_is_refused(text: str, line: int, said: str) -> None:
    error = parse_error(text)
    assert said in error.message
    assert error.line == line


def test_a_longer_fence_holds_shorter_ones() -> None:
    inner = "# Title\n```python\nx\n```\n"
    assert after(applied({}, whole("a.md", inner, "````"))) == {"a.md": inner.encode()}


def test_one_file_twice_is_refused() -> None:
    problem({}, whole("a.txt", "1\n") + "\n" + whole("a.txt", "2\n"), ProblemCode.CONFLICT)
