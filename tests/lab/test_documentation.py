"""The page about the laboratory names every attack, in the laboratory's own words, and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from dev_agent.lab.registry import ATTACKS

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(\w+)`: (\w+) \| (.+) \| (.+) \| `([^`]+)` \|$", re.MULTILINE)
SEEDS = {
    "invalid_program": "BLOCKED",
    "skip_step": "REJECTED",
    "reorder_steps": "REJECTED",
    "tool_injection": "CapabilityDeniedError",
    "policy_bypass": "REJECTED",
    "corrupt_receipt": "HASH_FAILURE",
    "gdpr_erase": "TOMBSTONED",
}
"""The outcomes that an earlier console only showed; here they are what executed attacks end in."""


def rows() -> dict[str, tuple[str, ...]]:
    page = (ROOT / "docs/laboratory.md").read_text(encoding="utf-8")
    return {name: tuple(rest) for name, *rest in ROW.findall(page)}


def test_the_table_has_every_attack_in_order_and_in_its_own_words() -> None:
    told = {name: row[:3] for name, row in rows().items()}
    assert told == {one.name: (one.word, one.attempt, one.defence) for one in ATTACKS.values()}
    assert list(told) == list(ATTACKS)


def test_every_test_the_table_names_exists() -> None:
    for name, row in rows().items():
        file, _, function = row[3].partition("::")
        assert f"\ndef {function}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_the_outcomes_carry_the_names_they_are_known_by() -> None:
    assert {name: ATTACKS[name].word for name in SEEDS} == SEEDS
