"""Keeping what workers learned below a size, where no repository's `gc` looks: `judges/` in the folder of campaigns.

Those workers are nobody's repository's, so every campaign ends with this, whoever judged it (`campaign_judging`).

What was used longest ago goes first, one thing after the other, each under its worker's lock (`kept`): what a worker
has now stays, also if the limit is then not reached, and whoever ends next looks again. All of it can be had again.
Killed between two things: the rest stays for the next; within one: see `kept`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dev_agent.cluster.kept import KeptThing, drop_kept, kept_things


def keep_workers_within(folder: Path, limit: int) -> int:
    """Drop what the workers below `folder` keep until at most `limit` bytes are left; the bytes that went.

    Never raises for what the disk says: a full cache harms nobody, and what could not be dropped stays.
    """
    found: list[tuple[Path, KeptThing]] = []
    with suppress(OSError):
        found = sorted(_all_below(folder), key=lambda one: (one[1].used, one[1].path))
    before = left = sum(thing.bytes for _, thing in found)
    for worker, thing in found:
        if left <= limit:
            break
        with suppress(OSError):
            if drop_kept(worker, thing.path):
                left -= thing.bytes
    return before - left


def _all_below(folder: Path) -> Iterator[tuple[Path, KeptThing]]:
    """Each thing with the folder of the worker that keeps it."""
    for worker in sorted(folder.iterdir()) if folder.is_dir() else ():
        if worker.is_dir() and not worker.is_symlink():
            yield from ((worker, thing) for thing in kept_things(worker))
