"""Our own refs, written without a child where a ref is nothing but a small file.

Git's own protocol for such a file: `<ref>.lock`, made by whoever changes the ref and by nobody else meanwhile; the
value is compared under that lock; then the lock, holding the new value, is renamed to the ref. So git and this file may
change the same refs at the same time. Only refs below `refs/dev-agent/`: no hook runs for those, and no history of them
is kept. All that is more than this, and every refusal, is left to git, which then says why: settings that ask for a
history, for rights or for flushes, a ref that is no plain file, a lock somebody holds, a value that is not the expected
one.

Killed before the rename, the ref is as it was and a lock stays, which recovery removes; killed after it, all is done.
The lock is open until then, which is how recovery tells that it is held.
"""

from __future__ import annotations

import os
import re
from enum import Enum
from typing import TYPE_CHECKING, Literal

from dev_agent.repository.loose_refs import UNKNOWN, has_packed_neighbour, loose_ref
from dev_agent.repository.settings import read_settings

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_PLAIN = re.compile(r"refs/dev-agent(/[A-Za-z0-9][A-Za-z0-9_-]*)+")
_LOCK = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MORE = ("core.fsync", "core.fsyncmethod", "core.sharedrepository")


class Whatever(Enum):
    """The expectation that is none."""

    IT_IS = "whatever it is"


WHATEVER: Literal[Whatever.IT_IS] = Whatever.IT_IS


def write_own_ref(
    repository: Repository, ref: str, new: str, old: str | Literal[Whatever.IT_IS] | None = WHATEVER
) -> bool:
    """Set `ref` to the object `new` if it is `old` (None: not there).

    False if nothing was changed and git is to do it. Killed at any line: see above.
    """
    if not _is_small_file(repository, ref) or not _is_at_hand(repository, new):
        return False
    place = repository.common_dir / ref
    lock = place.with_name(place.name + ".lock")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        file = open(os.open(lock, _LOCK, 0o666), "wb", buffering=0)  # noqa: SIM115 - closed below, after the rename
    except OSError:
        return False
    with file:
        try:
            if _may_become(repository, ref, old):
                file.write(f"{new}\n".encode("ascii"))
                lock.rename(place)
                return True
        except OSError:
            pass  # a full disk, a folder in the way: git says it better
        lock.unlink()
    return False


def _may_become(repository: Repository, ref: str, old: str | Literal[Whatever.IT_IS] | None) -> bool:
    """Under the lock: True if the ref is as expected, and its name is free if there is none yet."""
    now = loose_ref(repository, ref)
    if now is UNKNOWN or (old is not WHATEVER and now != old):
        return False
    return now is not None or not has_packed_neighbour(repository, ref)


def _is_small_file(repository: Repository, ref: str) -> bool:
    """True if the ref needs nothing but its value in its file."""
    if not _PLAIN.fullmatch(ref) or any(one.startswith("core.fsync") for one in repository.git.settings):
        return False
    settings = read_settings(repository)
    history = (settings.value("core.logallrefupdates") or "").lower() == "always"
    if history or any(settings.value(name) is not None for name in _MORE):
        return False
    return not os.path.lexists(f"{repository.common_dir}/logs/{ref}")


def _is_at_hand(repository: Repository, object_id: str) -> bool:
    """True if the object is surely there: git lets no ref name one that is not."""
    return (repository.common_dir / "objects" / object_id[:2] / object_id[2:]).is_file()
