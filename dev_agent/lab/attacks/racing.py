"""Attacks by two at once: the same waiting run, answered by two processes."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.attacks.bank import ALWAYS, Bank
from dev_agent.lab.children import at_once
from dev_agent.lab.disarm import without
from dev_agent.programs.clock import SystemClock
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.trace import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dev_agent.lab.ground import Ground
    from dev_agent.runtime.canonical import Json

_APPROVED = (
    'name = "approval"\nstart = "approve"\n'
    + ALWAYS
    + """
[states.approve]
kind = "wait"
on = { approved = "pay", rejected = "stopped" }
"""
)
_RUN = "waiting"
_ANSWERS = 2
_YES: Mapping[str, Json] = {"outcome": "approved", "data": {}}


def _double_resume(ground: Ground) -> Strike:
    """Each process takes the run up before either has answered it; a third answers when all is over."""
    bank = Bank(folder=ground.folder)
    bank.start(_RUN, _APPROVED)
    before = bank.digest
    statuses = at_once([partial(_answer, bank)] * _ANSWERS)
    said = [place.read_text("utf-8") for place in ground.folder.glob("refused-*")]
    try:
        bank.resume(_RUN, _APPROVED, _YES)
    except RuntimeFault as refused:
        said.append(refused.message)
    return bank.strike(
        "; ".join(said),
        tried=_ANSWERS + 1,
        before=before,
        allowed=1,
        metrics={"refused": len(said), "broken": sum(map(bool, statuses))},
    )


def _answer(bank: Bank, meet: Callable[[], None]) -> None:
    """What one process does; how it was refused is left in a file."""
    try:
        with Journal.open(bank.folder / _RUN, SystemClock()) as journal:
            meet()
            bank.answer(journal, _APPROVED, "approved")
    except RuntimeFault as refused:
        (bank.folder / f"refused-{os.getpid()}").write_text(refused.message, "utf-8")


def _unlocked(folder: Path, _run: str) -> int:
    folder.mkdir(exist_ok=True)
    return os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


RACING_ATTACKS = (
    Attack(
        name="double_resume",
        attempt="approve one waiting run from two processes at once, and again when it is over",
        defence="one writer a run (runtime/lock.py: locked)",
        strike=_double_resume,
        disarm=without("dev_agent.runtime.trace:locked", _unlocked),
        word="REJECTED",
    ),
)
