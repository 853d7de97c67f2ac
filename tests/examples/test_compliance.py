"""The compliance review, run as its own text says, far from any repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dev_agent

ROOT = Path(dev_agent.__file__).parents[1]
REVIEW = ROOT / "examples" / "compliance"


def review(tmp_path: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "dev_agent", "program", *words, "--json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def begin(tmp_path: Path, case: str) -> tuple[int, dict[str, Any]]:
    actions, file = str(REVIEW / "actions.py"), REVIEW / "cases" / f"{case}.json"
    return review(tmp_path, "run", str(REVIEW / "review.toml"), "--actions", actions, "-i", f"case={file}")


def test_it_is_proved_with_its_actions(tmp_path: Path) -> None:
    code, page = review(tmp_path, "check", str(REVIEW / "review.toml"), "--actions", str(REVIEW / "actions.py"))
    assert (code, page["program"]) == (0, "compliance_review")


def test_a_clear_case_waits_for_a_person_and_is_sealed_by_their_word(tmp_path: Path) -> None:
    code, page = begin(tmp_path, "northwind")
    assert (code, page["state"]) == (5, "human_approval")
    assert page["facts"]["agent_review"]["recommendation"] == "accept"

    words = ("--signal", "approved", "--data", "reviewer=ana", "--data", "reason=documents complete")
    code, page = review(tmp_path, "resume", "last", *words)

    assert (code, page["state"]) == (0, "accepted")
    assert [step["state"] for step in page["path"]] == [
        "collect",
        "checks",
        "agent_review",
        "triage",
        "human_approval",
        "seal",
    ]
    assert page["facts"]["human_approval"] == {"reviewer": "ana", "reason": "documents complete"}
    assert len(page["facts"]["seal"]["digest"]) == 64


def test_a_doubtful_case_reaches_a_person_with_what_was_found(tmp_path: Path) -> None:
    code, page = begin(tmp_path, "baltic-pearl")
    assert (code, page["state"]) == (5, "human_approval")
    assert page["facts"]["checks"]["screen"]["entries"] == ["Viktor Malenkov"]
    assert page["facts"]["checks"]["adverse_media"]["articles"] == ["harbour-gazette.txt"]
    assert page["facts"]["agent_review"]["recommendation"] == "decline"


@pytest.mark.parametrize(("case", "reason"), [("orion", "sanctioned"), ("incomplete", "incomplete")])
def test_what_no_person_may_accept_never_reaches_one(tmp_path: Path, case: str, reason: str) -> None:
    code, page = begin(tmp_path, case)
    assert (code, page["state"], page["reason"]) == (1, "declined", reason)
    assert "human_approval" not in page["facts"]


def test_a_program_without_the_person_does_not_load(tmp_path: Path) -> None:
    shortened = (REVIEW / "review.toml").read_text().replace('decidable = "human_approval"', 'decidable = "seal"')
    (tmp_path / "review.toml").write_text(shortened)
    code, page = review(tmp_path, "check", "review.toml", "--actions", str(REVIEW / "actions.py"))
    assert code == 2
    assert "the agent alone accepts nobody" in page["error"]["message"]
