"""Whose a file is. Root working in a user's repository must not leave files the user cannot write.

As root a new file gets the owner of what it replaces, or of its folder. As anybody else only the group is
matched, where that is allowed; a refusal by the system is no failure.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from dev_agent.repository.rename import Place
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """User and group id."""

    uid: int
    gid: int

    @classmethod
    def of(cls, info: os.stat_result) -> Owner:
        """The owner in a stat result."""
        return cls(uid=info.st_uid, gid=info.st_gid)


def give(place: Place, owner: Owner) -> None:
    """Make `owner` own what is at `place` (a symlink itself, not its target), as far as allowed."""
    now = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
    uid = owner.uid if os.geteuid() == 0 and now.st_uid != owner.uid else -1
    gid = owner.gid if now.st_gid != owner.gid else -1
    if uid == gid == -1:
        return
    with contextlib.suppress(PermissionError):
        os.chown(place.name, uid, gid, dir_fd=place.folder, follow_symlinks=False)


def give_like(paths: tuple[Path, ...], like: Path) -> None:
    """As root: everything in `paths` that exists gets the owner of `like`. Otherwise nothing happens."""
    if os.geteuid() != 0:
        return
    owner = like.stat()
    if owner.st_uid == 0:
        return
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def mode_like(old: int, *, executable: bool) -> int:
    """The permission bits of `old` (a st_mode), with the x bits the new file needs.

    An executable that stays one keeps its exact x bits; one that becomes one gets x wherever it has r.
    """
    bits = stat.S_IMODE(old) & 0o777
    if not executable:
        return bits & 0o666
    return bits if bits & 0o100 else bits | (bits & 0o444) >> 2
