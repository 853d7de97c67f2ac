"""Handing a directory over to the user a job runs as. Root only.

Rules kept here: symlinks are neither followed nor descended into, every step goes by descriptor; a file
that has a second name is left alone, because the other name may lie outside of what was handed over.

If the process dies half-way, the rest is handed over by the next run, which looks at every entry again.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def hand_over(directory: Path, uid: int, gid: int) -> None:
    """Make `uid`:`gid` the owner of `directory` and what is in it. Raises OSError."""
    try:
        for _, folders, names, here in os.fwalk(directory, follow_symlinks=False):
            if os.fstat(here).st_uid != uid:
                os.fchown(here, uid, gid)
            # A link to a directory is listed among the directories.
            for name in (*folders, *names):
                status = os.stat(name, dir_fd=here, follow_symlinks=False)
                if status.st_uid != uid and status.st_nlink == 1 and not stat.S_ISDIR(status.st_mode):
                    os.chown(name, uid, gid, dir_fd=here, follow_symlinks=False)
    except RecursionError as error:
        raise OSError(errno.ELOOP, "directories nested too deep", str(directory)) from error
