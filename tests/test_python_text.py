"""Other people's source is read without a word, and the Python it is read as is said."""

from __future__ import annotations

import ast
import sys
import threading
import warnings

import pytest

from dev_agent.python_text import NEWER_SYNTAX, READ_AS, parsed, type_parameters, type_statement
from tests.testing.pythons import since

ODD = ['x = "\\d"\n', "x = 1\nx is 1\n", "(1)(2)\n", "assert (1, 'x')\n"]


@pytest.mark.parametrize("text", ODD)
def test_odd_source_is_read_though_warnings_are_errors(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ast.dump(parsed(text)) == ast.dump(parsed(text.encode()))


@pytest.mark.parametrize("text", ODD)
def test_odd_source_warns_nobody(text: str, recwarn: pytest.WarningsRecorder) -> None:
    warnings.simplefilter("always")
    parsed(text)
    assert not recwarn.list


def test_the_filters_are_as_before_after_many_threads_have_parsed() -> None:
    before = list(warnings.filters)
    threads = [threading.Thread(target=lambda: [parsed(text) for text in ODD * 50]) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert list(warnings.filters) == before


@pytest.mark.parametrize("text", ["def f(:\n", "x = \x00\n", "(" * 300])
def test_what_does_not_parse_is_refused_as_ever(text: str) -> None:
    with pytest.raises((SyntaxError, ValueError, MemoryError, RecursionError)):
        parsed(text)


def test_the_python_that_reads_is_this_one() -> None:
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]}" == READ_AS
    assert READ_AS in NEWER_SYNTAX


def test_other_statements_are_no_type_statements() -> None:
    body = parsed("type = 1\nX: int = 2\ndef f(): ...\n").body
    assert [type_statement(one) for one in body] == [None, None, None]
    assert [type_parameters(one) for one in body] == [[], [], []]


@since(3, 12)
def test_a_type_statement_is_known() -> None:
    node = parsed("type X[T, *Ts] = dict[T, int]\n").body[0]
    stated = type_statement(node)
    assert stated is not None
    assert (stated[0].id, ast.unparse(stated[1])) == ("X", "dict[T, int]")
    assert [ast.unparse(one) for one in type_parameters(node)] == ["T", "*Ts"]
