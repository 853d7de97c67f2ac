"""Whose the git dir is. Root working in a user's repository must leave them able to go on without root.

A folder of objects that belongs to root is one the user's next `git commit` cannot write into, and a lock or a run
of root's one that their next `dev-agent` cannot open. So when a run ends, what root made below the git dir is given
to the one who owns the git dir. What is in the work tree is given away file by file, as it lands.

Nothing is followed: the user can put a symlink anywhere in there, and a hard link to what is not theirs. A folder is
entered, and a file given, by its descriptor; a file with a second name is left alone.

Killed in between: the rest is given at the end of the next run of root's; nothing depends on the order.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_MADE_BY_GIT_OR_US = ("dev-agent", "objects", "refs", "logs")


def give_to_owner(repository: Repository) -> None:
    """As root in somebody else's repository: give them what is root's in their git dir. Otherwise nothing happens."""
    if os.geteuid() != 0:
        return
    owner = repository.common_dir.stat()
    if owner.st_uid == 0:
        return
    for home in {repository.common_dir, repository.git_dir}:
        for name in _MADE_BY_GIT_OR_US:
            if stat.S_ISDIR(_mode(home / name)):
                _give_all(home / name, owner.st_uid, owner.st_gid)


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


def _give_all(top: Path, uid: int, gid: int) -> None:
    for _, _, names, folder in os.fwalk(top, follow_symlinks=False):
        _give(folder, uid, gid)
        for name in names:
            # Gone meanwhile, or a symlink (which nobody writes through) or a device: none of our business.
            with contextlib.suppress(OSError):
                opened = os.open(
                    name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
                )
                try:
                    _give(opened, uid, gid)
                finally:
                    os.close(opened)


def _give(opened: int, uid: int, gid: int) -> None:
    info = os.fstat(opened)
    is_folder = stat.S_ISDIR(info.st_mode)
    if info.st_uid == 0 and (is_folder or (stat.S_ISREG(info.st_mode) and info.st_nlink == 1)):
        os.fchown(opened, uid, gid)
