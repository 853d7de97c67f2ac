"""`gc`: keep what is kept for speed below a size, by dropping what was used longest ago.

`collect` does it now. `keep_within` is what every run ends with: it looks at everything only if something large
came or went, the limit changed or was met, or a day passed since the last look; else it costs two listings. What
it found is noted in `dev-agent/storage.json`, replaced by rename: without the note, or with a torn one, it looks
again.

What somebody uses is passed over, also if the limit is then not reached: a run needs what it is working on.
Runs, traces, anchors and receipts are no matter of size and never touched here; they are `prune`'s.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.programs.storage import Stored, drop, names_of, stored
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_NOTE = "storage.json"
_DAY_S = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """`freed` went (or, unless `done`, would go); `busy` would have to go but is used. Sizes in bytes."""

    limit: int
    before: int
    freed: tuple[Stored, ...]
    busy: tuple[Stored, ...]
    done: bool

    @property
    def after(self) -> int:
        """What is left."""
        return self.before - sum(one.bytes for one in self.freed)


def plan_collection(repository: Repository, limit: int) -> Collection:
    """What `collect` would do. Changes nothing."""
    return _collection(repository, limit, done=False)


def collect(repository: Repository, limit: int) -> Collection:
    """Drop what was used longest ago until at most `limit` bytes are left. Can be repeated after any death.

    Raises OSError; what was not reached stays.
    """
    return _collection(repository, limit, done=True)


def keep_within(repository: Repository, limit: int) -> None:
    """Collect if there may be a need to. Never raises for what the disk says: a full cache harms no run."""
    try:
        names = names_of(repository)
        if not _looked_lately(repository, limit, names):
            done = collect(repository, limit)
            # What was freed comes back as soon as it is needed, and what is used now is not for ever: then the next
            # run has to look again.
            if not done.freed and not done.busy:
                _note(repository, limit, names)
    except OSError:
        return


def _collection(repository: Repository, limit: int, *, done: bool) -> Collection:
    things = stored(repository)
    before = left = sum(one.bytes for one in things)
    freed: list[Stored] = []
    busy: list[Stored] = []
    for one in things:
        if left <= limit:
            break
        if one.busy or (done and not drop(repository, one)):
            busy.append(one)
            continue
        freed.append(one)
        left -= one.bytes
    return Collection(limit=limit, before=before, freed=tuple(freed), busy=tuple(busy), done=done)


def _looked_lately(repository: Repository, limit: int, names: tuple[str, ...]) -> bool:
    path = repository.state_dir / _NOTE
    try:
        note = json.loads(path.read_bytes())
        age = time.time() - path.stat().st_mtime
    except (OSError, ValueError):
        return False
    return note == {"limit": limit, "names": list(names)} and 0 <= age < _DAY_S


def _note(repository: Repository, limit: int, names: tuple[str, ...]) -> None:
    path = repository.state_dir / _NOTE
    fresh = Path(f"{path}.{os.getpid()}")
    fresh.write_text(json.dumps({"limit": limit, "names": names}), encoding="utf-8")
    fresh.replace(path)
