"""Colour, width and readers that go away."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dev_agent.cli.output.page import Line, Span, Style, line, prose, span, table
from dev_agent.cli.output.terminal import Terminal, terminal_for
from dev_agent.errors import EnvironmentFault
from tests.cli.conftest import written

Maker = Callable[..., Terminal]
GREEN = line(span("yes", Style.GOOD))


def test_a_pipe_gets_no_colour(pipe: Maker) -> None:
    terminal = pipe()
    terminal.write_line(GREEN)
    assert written(terminal) == "yes\n"


def test_a_terminal_gets_colour(screen: Maker) -> None:
    terminal = screen()
    terminal.write_line(GREEN)
    assert written(terminal) == "\x1b[32myes\x1b[0m\n"


def test_a_sentence_is_coloured_as_one(screen: Maker) -> None:
    terminal = screen()
    for one in prose("it is so", style=Style.BAD):
        terminal.write_line(one)
    assert written(terminal) == "\x1b[31mit is so\x1b[0m\n"


@pytest.mark.parametrize(
    ("environ", "on_screen", "in_pipe"),
    [
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_the_users_word_about_colour_counts(
    screen: Maker, pipe: Maker, environ: dict[str, str], *, on_screen: bool, in_pipe: bool
) -> None:
    assert (screen(**environ).colour, pipe(**environ).colour) == (on_screen, in_pipe)


def test_a_long_line_is_cut_on_a_terminal_and_whole_in_a_pipe(screen: Maker, pipe: Maker) -> None:
    long = line(span("x" * 200))
    narrow, whole = screen(NO_COLOR="1"), pipe()
    narrow.write_line(long)
    whole.write_line(long)
    assert written(narrow) == "x" * (narrow.width - 1) + "…\n"
    assert written(whole) == "x" * 200 + "\n"


def test_sentences_are_wrapped_between_words_under_their_indentation(pipe: Maker) -> None:
    terminal = pipe(COLUMNS="40")
    terminal.width = 40
    for one in prose("a sentence that is longer than forty columns by far", indent=4, lead=(span("note: "),)):
        terminal.write_line(one)
    assert written(terminal) == ("    note: a sentence that is longer than\n    forty columns by far\n")


def test_sentences_stay_one_line_in_a_pipe(pipe: Maker) -> None:
    terminal = pipe()
    for one in prose("word " * 40):
        terminal.write_line(one)
    assert written(terminal) == ("word " * 40).rstrip() + "\n"


def test_a_word_longer_than_the_terminal_stays_whole(pipe: Maker) -> None:
    terminal = pipe(COLUMNS="40")
    terminal.width = 40
    path = "/a/" + "very" * 20
    for one in prose(f"see {path} there"):
        terminal.write_line(one)
    assert written(terminal).splitlines() == ["see", path, "there"]


def test_columns_line_up_also_under_wide_characters(pipe: Maker) -> None:
    terminal = pipe()
    for one in table([[span("日本"), span("end")], [span("abc"), span("end")]]):
        terminal.write_line(one)
    assert written(terminal) == "日本  end\nabc   end\n"


def test_a_table_fits_into_eighty_columns_of_a_terminal(screen: Maker) -> None:
    terminal = screen(NO_COLOR="1")
    terminal.width = 80
    for one in table([[span("20261122-100000-1f3a9c2b"), span("committed"), span("word " * 40)]]):
        terminal.write_line(one)
    assert all(len(row) <= 80 for row in written(terminal).splitlines())


def test_an_encoding_without_the_letter_gets_an_escape_not_an_exception() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    terminal = terminal_for(stream, {})
    terminal.write_line(line(span("✓ größe")))
    assert written(terminal) == "\\u2713 gr\\xf6\\xdfe\n"


def test_a_reader_that_goes_away_does_not_end_the_command() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        terminal = terminal_for(stream, {})
        for _ in range(3):
            terminal.write_line(GREEN)
            terminal.write_bytes(b"more")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_answer_that_a_full_disk_swallowed_is_said_once_and_progress_is_not() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        progress = terminal_for(stream, {})
        progress.write_line(GREEN)
        progress.write_bytes(b"more")
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        answers = terminal_for(stream, {})
        answers.answers = True
        with pytest.raises(EnvironmentFault, match="could not be written: No space left") as raised:
            answers.write_line(GREEN)
        assert "show last" in raised.value.hint
        answers.write_line(GREEN)


def test_a_closed_stream_is_silent(tmp_path: Path) -> None:
    stream = (tmp_path / "out").open("w", encoding="utf-8")
    stream.close()
    terminal_for(stream, {}).write_line(Line(spans=(Span("nobody hears"),)))
