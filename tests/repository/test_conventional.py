"""The message of a commit a model proposed: typed, and deaf to whatever the task and the model would have it do."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.repository.conventional import Heading, conventional_message
from dev_agent.repository.message_text import SUBJECT_WIDTH
from tests.repository.test_staging_messages import HOSTILE, OURS
from tests.testing.repos import make_repository


def message(summary: str, task: str = "", *, details: tuple[str, ...] = (), scope: str = "cart") -> str:
    heading = Heading(kind="fix", scope=scope, summary=summary)
    return conventional_message(heading, task=task, details=details, trailers=OURS)


def subject(summary: str, task: str = "", scope: str = "cart") -> str:
    return message(summary, task, scope=scope).split("\n", 1)[0]


def test_every_part_has_its_paragraph() -> None:
    said = message(
        "Count an empty cart as zero.", "The total is wrong.\nSee there.", details=("1 line added",)
    )

    assert said == (
        "fix(cart): count an empty cart as zero\n\n- 1 line added\n\n> The total is wrong.\n> See there.\n\n"
        f"Dev-Agent-Run: 01J8-abc\nDev-Agent-Trace: sha256:{'0' * 64}\n"
    )


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        ("fix(cart): round half up", "fix(cart): round half up"),
        ("feat!: round half up", "fix(cart): round half up"),
        ("HTTP is slow", "fix(cart): HTTP is slow"),
        ("Invoice.total is wrong", "fix(cart): Invoice.total is wrong"),
        ("", "fix(cart): the total is wrong"),
        ("\u202e\x00\n", "fix(cart): the total is wrong"),
        ("fixup! round", "fix(cart): round"),
        ("one\nSigned-off-by: Mallory <m@example.com>", "fix(cart): one"),
    ],
)
def test_the_subject_is_one_clean_line(summary: str, line: str) -> None:
    assert subject(summary, "The total is wrong") == line


@pytest.mark.parametrize("scope", ["", "a)b", "x\ny", "../x", "UPPER", "x" * 31, "-x"])
def test_a_scope_that_is_no_plain_name_is_left_out(scope: str) -> None:
    assert subject("round", scope=scope) == "fix: round"


def test_where_nobody_says_anything_the_message_still_has_a_subject() -> None:
    assert subject("", "\n \n") == "fix(cart): apply a change"


def test_a_long_summary_is_cut_within_the_width() -> None:
    line = subject("word " * 40)

    assert len(line) <= SUBJECT_WIDTH
    assert line.endswith("word…")


@pytest.mark.parametrize(
    "act",
    ["[skip ci]", "[ci skip]", "[no ci]", "[SKIP ACTIONS]", "[actions skip]", "***NO_CI***", "[ski\u200bp ci]",
     "skip-checks: true", "skip-checks : true"],
)  # fmt: skip
def test_no_word_of_others_switches_checks_off(act: str) -> None:
    said = message(f"round {act}", f"please {act}\n{act}", details=(f"lines in {act}",))

    assert not re.search(
        r"\[(skip|no|ci|actions)[ -](ci|skip|actions)\]|\*NO_CI|skip-checks", said, re.IGNORECASE
    )
    assert "skip" in said.lower() or "no" in said.lower()


@pytest.mark.parametrize(
    "act",
    [
        "Fixes #12",
        "closes: #3",
        "RESOLVED acme/shop#4",
        "fix https://example.com/acme/shop/issues/5",
        "close GH-6",
    ],
)
def test_no_word_of_others_closes_an_issue(act: str) -> None:
    said = message(act, f"and {act}", details=(act,))

    body = said.removeprefix("fix(cart): ")
    assert not re.search(r"\b(close|fix|resolve)\w*:?\s+([\w./-]*#\d|https?:|GH-\d)", body, re.IGNORECASE)
    assert body.count("issue ") >= 3


@pytest.mark.parametrize("text", HOSTILE)
def test_git_reads_our_trailers_and_no_others_whoever_wrote_the_rest(tmp_path: Path, text: str) -> None:
    project = make_repository(tmp_path, {"a": b""})
    said = message(text, text, details=(text,)).encode()
    commit = project.git("commit-tree", project.tree(), "-F", "-", stdin=said)

    ours = "".join(f"{key}: {value}\n" for key, value in OURS.items()).strip()
    assert project.git("log", "-1", "--format=%(trailers)", commit).strip() == ours
    assert project.git("interpret-trailers", "--parse", stdin=said) == ours
    assert re.findall(rb"(?m)^(?:Signed-off-by|Dev-Agent-Run):.*$", said) == [b"Dev-Agent-Run: 01J8-abc"]


def test_a_trailer_of_two_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="not a trailer"):
        conventional_message(
            Heading(kind="fix", scope="", summary="x"), task="", trailers={"Co-authored-by": "A <a@b>\nB: c"}
        )


@pytest.mark.law
@given(
    summary=st.text(max_size=200),
    task=st.text(max_size=300),
    details=st.lists(st.text(max_size=100), max_size=3),
)
def test_whatever_is_said_the_message_keeps_its_shape(summary: str, task: str, details: list[str]) -> None:
    """Law: one visible subject, a list, a quotation, exactly our trailers; nothing that does not show."""
    said = message(summary, task, details=tuple(details))
    head, trailers = said[:-1].rsplit("\n\n", 1)
    first, *body = head.split("\n")

    assert trailers == "\n".join(f"{key}: {value}" for key, value in OURS.items())
    assert first.startswith("fix(cart): ")
    assert len("fix(cart): ") < len(first) <= SUBJECT_WIDTH
    assert all(line == "" or line.startswith((">", "- ", "  ")) for line in body)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in said if char != "\n")
    said.encode()


def test_a_task_of_twenty_thousand_characters_is_quoted_up_to_a_page() -> None:
    said = message("round", ("word " * 4_000)[:20_000])

    assert len(said) < 5_500
    assert said.endswith("0\n")
