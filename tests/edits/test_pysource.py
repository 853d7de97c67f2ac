"""Python source after an edit: it parses, and reads as what it is."""

from __future__ import annotations

import pytest

from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.model import Create, Move, Replace
from dev_agent.edits.resolve import resolve
from dev_agent.edits.trees import DictTree
from dev_agent.python_text import NEWER_SYNTAX, READ_AS
from tests.edits.support import after, applied, block, problem


def test_an_edit_that_breaks_python_is_refused_with_its_place() -> None:
    found = problem({"a.py": b"x = 1\ny = 2\n"}, block("a.py", "y = 2\n", "y = (\n"), ProblemCode.SYNTAX)
    assert f"would not parse as {READ_AS}: line 2, column 5" in found.message
    assert NEWER_SYNTAX in found.hint


@pytest.mark.parametrize("path", ["a.py", "a.pyi", "a.pyw"])
def test_a_new_python_file_must_parse(path: str) -> None:
    problem({}, [Create(path=path, text="def f(:\n")], ProblemCode.SYNTAX)


def test_a_script_known_by_its_first_line_must_parse() -> None:
    problem({}, [Create(path="run", text="#!/usr/bin/env python3\nx = (\n")], ProblemCode.SYNTAX)


def test_other_files_need_not_parse() -> None:
    assert after(resolve([Create(path="a.txt", text="def f(:\n")], DictTree({}))) == {"a.txt": b"def f(:\n"}


def test_a_file_that_did_not_parse_before_may_be_edited_with_a_note() -> None:
    changes = applied({"a.py": b"x = (\ny\n"}, block("a.py", "y\n", "z\n"))
    assert after(changes) == {"a.py": b"x = (\nz\n"}
    assert "did not before" in changes.notes[0]


def test_a_moved_file_that_does_not_parse_may_be_moved() -> None:
    assert not resolve([Move(path="a.py", to="b.py")], DictTree({"a.py": b"x = (\n"})).empty


def test_source_nested_too_deeply_is_a_problem_not_a_crash() -> None:
    problem({}, [Create(path="a.py", text="x = " + "(" * 5000 + ")" * 5000 + "\n")], ProblemCode.SYNTAX)
    problem({}, [Create(path="b.py", text="x = " + "-" * 200_000 + "1\n")], ProblemCode.SYNTAX)


def test_a_doubtful_escape_is_no_warning() -> None:
    assert not resolve([Create(path="a.py", text="x = '\\d'\n")], DictTree({})).empty


@pytest.mark.parametrize(
    "text",
    [
        "# -*- coding: raw_unicode_escape -*-\nx = 1\n",
        "# coding: utf-7\n",
        "#!/usr/bin/python\n# vim: set fileencoding=latin-1 :\n",
        "\n# coding=ascii\n",
        "\ufeff# coding: utf-16\n",
        "# coding: no_such_codec\n",
        "\x0c # coding:rot13\r\nx = 1\r\n",
        "#\r# coding: utf-7\rx = 1\n",
    ],
)
def test_an_added_source_encoding_is_refused(text: str) -> None:
    problem({}, [Create(path="a.py", text=text)], ProblemCode.CODING_COOKIE)


@pytest.mark.parametrize(
    "text",
    [
        "# coding: utf-8\n",
        "# -*- coding: UTF_8 -*-\n",
        "# coding: utf8\n",
        "# coding: utf-8-unix\n",
        "x = 1\n# coding: utf-7\n",
        "\n\n# coding: utf-7\n",
    ],
)
def test_utf8_or_no_cookie_is_lawful(text: str) -> None:
    assert not resolve([Create(path="a.py", text=text)], DictTree({})).empty


def test_a_cookie_moved_up_into_force_is_refused() -> None:
    problem(
        {"a.py": b"# a\n# b\n# coding: utf-7\n"}, block("a.py", "# a\n# b\n", ""), ProblemCode.CODING_COOKIE
    )


def test_a_base_cookie_stays_and_its_bytes_too() -> None:
    base = b"# coding: latin-1\nname = 'caf\xe9'\nx = 1\n"
    assert after(applied({"a.py": base}, block("a.py", "x = 1\n", "x = 2\n"))) == {
        "a.py": base.replace(b"x = 1", b"x = 2")
    }


def test_python_bytes_that_are_not_what_they_declare_do_not_parse() -> None:
    edit = Replace(path="a.py", old="x = 1\n", new="x = 2\n")
    changes = resolve([edit], DictTree({"a.py": b"name = 'caf\xe9'\nx = 1\n"}))
    assert "did not before" in changes.notes[0]
