"""Untrusted text cannot act on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.cli.output.escape import escape_line, escape_lines
from dev_agent.cli.output.page import Style, prose, span, table
from dev_agent.cli.output.patch import patch_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcödé 文字 🎉", "plain ünïcödé 文字 🎉"),
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb", "a\\rb"),
        ("one\ntwo", "one\\ntwo"),
        ("access\u202egnp.exe", "access\\u202egnp.exe"),
        ("\u2066isolated\u2069", "\\u2066isolated\\u2069"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\U000e0041tag", "\\U000e0041tag"),
        ("caf\udce9", "caf\\xe9"),
        ("\x7f\x00", "\\x7f\\x00"),
        ("\u2028", "\\u2028"),
    ],
)
def test_what_is_not_ink_becomes_its_visible_escape(text: str, shown: str) -> None:
    assert escape_line(text) == shown


@pytest.mark.law
@given(st.text(st.characters(categories=None)))
def test_no_text_whatever_puts_a_control_character_into_a_page(text: str) -> None:
    """Every way into a page escapes: cells, prose, diffs."""
    shown = [
        span(text).text,
        *(one.text for one in prose(text)),
        *(one.text for one in table([[span(text), span(text)]])),
        *(one.text for one in patch_lines(text)),
    ]
    for line in shown:
        assert not {unicodedata.category(one) for one in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        line.encode("utf-8")


def test_lines_are_split_at_line_feeds_only() -> None:
    assert escape_lines("a\r\nb\x0bc\u2028d\ne\tf") == ["a", "b\\x0bc\\u2028d", "e       f"]


def test_a_carriage_return_that_a_patch_changes_is_shown() -> None:
    assert [one.text for one in patch_lines("@@ -1 +1 @@\n-a\r\n+a\n")] == ["@@ -1 +1 @@", "-a\\r", "+a"]


def test_a_removed_line_that_begins_with_dashes_is_no_header() -> None:
    lines = list(patch_lines("--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- old\n+++ new\n"))
    styles = [one.spans[0].style for one in lines]
    assert styles == [Style.STRONG, Style.STRONG, Style.NAME, Style.BAD, Style.GOOD]
