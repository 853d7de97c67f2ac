"""Every attack is stopped by its defence, and succeeds without it: no check here is vacuous."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import dev_agent
from dev_agent.errors import UsageFault
from dev_agent.lab import laboratory as place
from dev_agent.lab.attack import Attack, Finding, Strike
from dev_agent.lab.disarm import all_of, without
from dev_agent.lab.laboratory import attacks_made, chosen
from dev_agent.lab.registry import ATTACKS


def made(attack: Attack, *, armed: bool) -> Finding:
    (finding,) = attacks_made([attack], armed=armed, environ=dict(os.environ))
    return finding


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_is_stopped(name: str) -> None:
    finding = made(ATTACKS[name], armed=True)
    assert finding.trouble == ""
    assert finding.strike is not None
    assert finding.strike.stopped, finding.strike.detail
    assert finding.strike.by


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_succeeds_without_its_defence(name: str) -> None:
    finding = made(ATTACKS[name], armed=False)
    assert finding.trouble == ""
    assert finding.strike is not None
    assert not finding.strike.stopped, f"something else stops it: {finding.strike.by}"


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _attack(strike: Any) -> Attack:
    return Attack(name="x", attempt="try", defence="none", strike=strike, disarm=_nothing)


def test_an_attack_that_cannot_be_made_is_never_called_stopped() -> None:
    def breaks(_ground: object) -> Strike:
        raise OSError("no disk")

    for armed in (True, False):
        finding = made(_attack(breaks), armed=armed)
        assert (finding.as_promised, finding.outcome, finding.trouble) == (
            False,
            "NOT MADE",
            "OSError: no disk",
        )


def test_a_control_whose_attack_is_stopped_all_the_same_is_not_as_promised() -> None:
    stopped = Strike(stopped=True, by="something else", detail="", before="a", after="a")
    assert not made(_attack(lambda _: stopped), armed=False).as_promised
    assert made(_attack(lambda _: stopped), armed=True).as_promised


def test_a_defence_is_back_after_its_control_also_if_the_attack_raised() -> None:
    known = place.chosen
    with pytest.raises(ValueError, match="boom"), without("dev_agent.lab.laboratory:chosen", None)():
        assert place.chosen is None
        raise ValueError("boom")
    assert place.chosen is known


def test_a_defence_that_was_renamed_is_not_thought_off() -> None:
    switch = all_of(without("dev_agent.lab.laboratory:no_such_name", None))
    with pytest.raises(AssertionError, match="knows a defence at"), switch():
        pass


def test_an_unknown_attack_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageFault, match="no attack 'corupt_receipt'") as refused:
        chosen(["corupt_receipt"])
    assert "corrupt_receipt" in refused.value.hint


def lab(*words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(Path(dev_agent.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-m", "dev_agent", "lab", *words],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_in_all_its_ways() -> None:
    listed = lab("--list")
    assert (listed.returncode, all(name in listed.stdout for name in ATTACKS)) == (0, True)

    stopped = lab("invalid_program", "--json")
    (finding,) = json.loads(stopped.stdout)["findings"]
    assert (stopped.returncode, finding["outcome"], finding["before"]) == (0, "BLOCKED", finding["after"])

    disarmed = lab("--disarm", "invalid_program", "--json")
    (finding,) = json.loads(disarmed.stdout)["findings"]
    assert (disarmed.returncode, finding["outcome"], finding["stopped"]) == (1, "SUCCEEDED", False)

    controlled = lab("--controls", "invalid_program")
    assert (controlled.returncode, "1 of 1 attack" in controlled.stdout) == (0, True)

    assert lab("no_such_attack").returncode == 2
    assert lab("--disarm", "invalid_program", "--controls").returncode == 2
