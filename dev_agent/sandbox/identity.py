"""As whom a job runs.

An ordinary user's job runs in a user namespace of its own: the same user to the host, nobody special inside.

Root's job must not: inside a user namespace root stays the host's uid 0 to procfs and to the limit on
processes, so files in /proc/sys would be writable and a fork bomb unlimited. So root makes the namespaces
itself and the job becomes a uid without any rights on this host:

- the first free one of systemd's dynamic range, which no file belongs to; it stays the same from run to
  run, so that directories kept for jobs need not change hands each time;
- unless a read-only mount can be read only by its owner, an ordinary user (`sudo` in somebody's repository
  with a 0700 virtual environment): then by that user's uid, which is what the job would have had without
  sudo. The pid and mount namespaces keep it from that user's processes and files, as they do for an
  ordinary user's job;
- a mount only root can read is refused: opening it up is the owner's decision.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

from dev_agent.values import dataclass

_DYNAMIC = range(61_184, 65_520)
_INSIDE = 1000


class Unreadable(Exception):
    """A mount source the job's user could not read; the text says which and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """`uid` and `gid` are what the job sees; `changes` is true where root has to become them first."""

    uid: int
    gid: int
    changes: bool


def ordinary() -> Identity:
    """The identity of an ordinary user's job: inside the user namespace only."""
    return Identity(uid=_INSIDE, gid=_INSIDE, changes=False)


def for_root(read_only: Iterable[Path]) -> Identity:
    """Whom root's job becomes, given what it has to read. Raises Unreadable."""
    owners: dict[int, tuple[int, Path]] = {}
    for source in read_only:
        private = _private(source)
        if private is not None:
            status = private.lstat()
            owners[status.st_uid] = (status.st_gid, private)
    if not owners:
        return _unused()
    if 0 in owners:
        raise Unreadable(
            f"{owners[0][1]} can be read by root only, and the job does not run as root: "
            f"chmod -R o+rX {owners[0][1]}, or run dev-agent as an ordinary user"
        )
    if len(owners) > 1:
        places = ", ".join(str(path) for _, path in owners.values())
        raise Unreadable(
            f"no one user can read all of: {places}; make them readable by others (chmod -R o+rX)"
        )
    uid, (gid, _) = owners.popitem()
    return Identity(uid=uid, gid=gid, changes=True)


def _private(source: Path) -> Path | None:
    """The source or a direct entry of it, if others cannot read it. Deeper ones show as the job's errors."""
    status = source.lstat()
    if not _open_to_others(status):
        return source
    if stat.S_ISDIR(status.st_mode):
        with os.scandir(source) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False) and not _open_to_others(
                    entry.stat(follow_symlinks=False)
                ):
                    return Path(entry.path)
    return None


def _open_to_others(status: os.stat_result) -> bool:
    needed = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(status.st_mode) else stat.S_IROTH
    return status.st_mode & needed == needed


def _unused() -> Identity:
    for uid in _DYNAMIC:
        try:
            pwd.getpwuid(uid)
        except KeyError:
            return Identity(uid=uid, gid=uid, changes=True)
    raise Unreadable("every uid from 61184 to 65519 belongs to somebody on this host")
