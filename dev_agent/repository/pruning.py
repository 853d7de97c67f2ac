"""Freeing disk space of ours in a repository: slots nobody uses.

Everything here can be made again. Nothing of the user's is looked at, and anchors and receipts are no files of ours
to begin with: they are refs, and stay.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.repository.slots import Slots
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_LOCK = "lock"


@dataclass(frozen=True, kw_only=True, slots=True)
class Freeable:
    """A named thing with its size on the disk in bytes; `busy` says that somebody is using it."""

    name: str
    bytes: int
    busy: bool = False


def size_of(path: Path) -> int:
    """The bytes that a file or a folder takes on the disk; what vanishes while we look counts nothing."""
    try:
        own = os.lstat(path).st_blocks * 512
    except OSError:
        return 0
    below = (f"{folder}/{name}" for folder, dirs, names in os.walk(path) for name in (*dirs, *names))
    return own + sum(_blocks(each) for each in below)


def slots_of(repository: Repository) -> tuple[Freeable, ...]:
    """Every slot that holds something."""
    slots = Slots(repository)
    return tuple(
        Freeable(name=folder.name, bytes=size_of(folder), busy=slots.is_leased(folder))
        for folder in slots.folders()
        if any(entry.name != _LOCK for entry in list(folder.iterdir()))
    )


def free_slot(repository: Repository, name: str) -> bool:
    """Empty one slot; False if somebody has it now.

    The slot's lock is held meanwhile, and stays: whoever waits at its name must find the same file. What the slot
    says about itself goes first, so killed at any line the next checkout fills it anew.
    """
    return Slots(repository).empty(name)


def _blocks(path: str) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0
