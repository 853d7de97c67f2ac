"""What a slot says about itself: that it is at a tree, in a file that is there only while that is true.

The file is not forced to the disk: it names the boot it was written in, and after another boot nothing it
says is believed.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path

from dev_agent.values import dataclass

_NAME = "state.json"
_AT = "at"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotState:
    """`phase` is "at"; earlier versions wrote "moving" too. `inode` is that of the slot's folder of files."""

    phase: str
    tree: str
    rules: str
    boot: str
    inode: int

    def holds(self, rules: str, folder: Path) -> bool:
        """True if the slot can be believed to hold `tree`, checked out under `rules`, in `folder`."""
        return (
            self.phase == _AT
            and self.rules == rules
            and self.boot == boot_id()
            and self.inode == inode_of(folder) != 0
        )


def arrived_at(tree: str, rules: str, folder: Path) -> SlotState:
    """The state to write after the last change."""
    return SlotState(phase=_AT, tree=tree, rules=rules, boot=boot_id(), inode=inode_of(folder))


def read_state(slot: Path) -> SlotState | None:
    """The state in the folder `slot`; None if there is none or it cannot be understood."""
    try:
        state = SlotState(**json.loads((slot / _NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return state


def write_state(slot: Path, state: SlotState) -> None:
    """Write the state into the folder `slot`. Killed before the rename it is as it was before.

    Renaming over a state that is there would make some file systems write the new one to the disk at once, which
    nobody needs: the old one is best forgotten first.
    """
    fresh = slot / (_NAME + ".new")
    fresh.write_text(
        json.dumps({one.name: getattr(state, one.name) for one in fields(state)}), encoding="utf-8"
    )
    fresh.replace(slot / _NAME)


def forget_state(slot: Path) -> None:
    """Remove the state: the slot is nowhere."""
    (slot / _NAME).unlink(missing_ok=True)


def boot_id() -> str:
    """What identifies this boot of the machine; empty where the system does not tell."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def inode_of(folder: Path) -> int:
    """The inode number of `folder`, 0 if it is not there."""
    try:
        return os.lstat(folder).st_ino
    except OSError:
        return 0
