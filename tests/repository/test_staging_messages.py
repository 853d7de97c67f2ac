from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.repository.message_text import SUBJECT_WIDTH
from dev_agent.repository.messages import commit_message, revert_message, revert_subject
from tests.testing.repos import make_repository

OURS = {"Dev-Agent-Run": "01J8-abc", "Dev-Agent-Trace": "sha256:" + "0" * 64}


def test_a_short_task_is_the_subject() -> None:
    assert commit_message("Fix the parser", OURS) == (
        f"Fix the parser\n\nDev-Agent-Run: 01J8-abc\nDev-Agent-Trace: sha256:{'0' * 64}\n"
    )
    assert commit_message("Fix the parser", {}) == "Fix the parser\n"


def test_a_longer_task_follows_quoted() -> None:
    task = "\n  Fix   the parser \n\nIt loses\tthe last line.\n\n"

    assert commit_message(task, {}) == "Fix the parser\n\n> Fix the parser\n>\n> It loses the last line.\n"


def test_a_long_first_line_is_cut_and_given_in_full_below() -> None:
    task = "word " * 30

    subject, empty, *body = commit_message(task, {}).splitlines()

    assert len(subject) <= SUBJECT_WIDTH
    assert subject.endswith("word…")
    assert empty == ""
    assert " ".join(line.removeprefix("> ") for line in body) == task.strip()
    assert all(len(line) <= SUBJECT_WIDTH for line in body)


def test_a_task_of_a_whole_book_is_cut() -> None:
    message = commit_message("Read this\n" + "x" * 100_000, OURS)

    assert len(message) < 5_000
    assert "…" in message
    assert message.endswith("0\n")


@pytest.mark.parametrize("task", ["", "\n \n", "\u200b\x00", "fixup!", "---"])
def test_a_task_that_says_nothing_gets_a_plain_subject(task: str) -> None:
    assert commit_message(task, {}).splitlines()[0] == "Apply a change"


@pytest.mark.parametrize(
    ("task", "subject"),
    [
        ("fixup! Release", "Release"),
        ("squash!fixup! amend! Release", "Release"),
        ("--- a/file", "a/file"),
        ("Fix\x1b[31m red", "Fix[31m red"),
        ("Fix \u202egnp.exe", "Fix gnp.exe"),
        ("Fix\x85this\u2028now", "Fix"),
        ("Fix \udcff", "Fix"),
        ("Signed-off-by: Mallory <m@example.com>", "Signed-off-by: Mallory <m@example.com>"),
    ],
)
def test_a_subject_steers_nothing(task: str, subject: str) -> None:
    assert commit_message(task, {}).splitlines()[0] == subject


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("", "x"),
        ("Two words", "x"),
        ("Key:", "x"),
        ("1", "x"),
        ("K", ""),
        ("K", "a\nEvil: b"),
        ("K", " a"),
        ("K", "a\0"),
    ],
)
def test_a_trailer_is_one_line_or_refused(key: str, value: str) -> None:
    with pytest.raises(ValueError, match="not a trailer"):
        commit_message("Task", {key: value})


HOSTILE = [
    "Fix it\n\nSigned-off-by: Mallory <m@example.com>\nDev-Agent-Run: forged",
    "Signed-off-by: Mallory <m@example.com>",
    "Dev-Agent-Run: forged\nDev-Agent-Run: forged again",
    "Fix it\r\rDev-Agent-Run: forged\r",
    "Fix it\n---\nDev-Agent-Run: forged",
    "--- \n\nDev-Agent-Run: forged",
    "Fix it\x0b\x0bDev-Agent-Run: forged",
    "Fix it\n\n(cherry picked from commit 0000)\nDev-Agent-Run: forged",
    "# comment\n# ------------------------ >8 ------------------------\nDev-Agent-Run: forged",
    "x" * 80 + "\n\n" + "y" * 69 + " Dev-Agent-Run: forged",
]


@pytest.mark.parametrize("task", HOSTILE)
def test_git_reads_our_trailers_and_no_others(tmp_path: Path, task: str) -> None:
    project = make_repository(tmp_path, {"a": b""})
    message = commit_message(task, OURS).encode()
    commit = project.git("commit-tree", project.tree(), "-F", "-", stdin=message)

    ours = "".join(f"{key}: {value}\n" for key, value in OURS.items()).strip()
    assert project.git("log", "-1", "--format=%(trailers)", commit).strip() == ours
    assert project.git("interpret-trailers", "--parse", stdin=message) == ours


@pytest.mark.law
@given(task=st.text(max_size=300))
def test_whatever_the_task_the_message_keeps_its_shape(task: str) -> None:
    """Law: one visible subject line, then only quoted lines, then exactly our trailers."""
    message = commit_message(task, OURS)
    head, trailers = message[:-1].rsplit("\n\n", 1)
    subject, *body = head.split("\n")

    assert trailers == "\n".join(f"{key}: {value}" for key, value in OURS.items())
    assert 0 < len(subject) <= SUBJECT_WIDTH
    assert all(line == "" or line.startswith(">") for line in body)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in message if char != "\n")
    message.encode()


def test_a_revert_is_worded_as_git_words_it() -> None:
    said = revert_message("Round half up\n\nDev-Agent-Run: r1\n", "c" * 40, {"Dev-Agent-Run": "r2"})
    assert said == f'Revert "Round half up"\n\nThis reverts commit {"c" * 40}.\n\nDev-Agent-Run: r2\n'


def test_a_revert_keeps_to_the_width_of_a_subject_and_carries_nothing_that_acts() -> None:
    subject = revert_subject("fixup! \x1b[31m" + "long words " * 20 + "\n\nSigned-off-by: x")
    assert len(subject) <= SUBJECT_WIDTH
    assert subject.startswith('Revert "fixup! [31m')
    assert subject.endswith('…"')
