"""That a trial run of a confinement worked here, remembered for a while, so that not every command makes one.

A trial run is not what confines: every job is started with the whole list of arguments, and bubblewrap either sets all
of it up or starts nothing. So a "works" that is not true any more makes no job weaker. It makes the first one end as
UNAVAILABLE, which no gate takes for a verdict; then it is forgotten, and the next command tries anew.

What it is remembered for: this machine since it was started, this kernel and its settings on namespaces, the limits on
this very process (a container's, a service's), this user, program, profile and version of ours. For an hour at most.

One file for each of these, written by a rename: dying at any line leaves the old file, none, or the new one, at worst
with a temporary one beside it. Nothing but dev-agent's own folder is trusted for it, which no job ever sees.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dev_agent
from dev_agent.sandbox.profile import Profile

_FOR_S = 3600
_SETTINGS = (
    "/proc/sys/kernel/random/boot_id",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_unconfined",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/user/max_mnt_namespaces",
    "/proc/sys/user/max_net_namespaces",
    "/proc/sys/user/max_pid_namespaces",
    "/proc/self/attr/current",
    "/proc/self/limits",
)
_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
_OF_PROCESS = ("CapBnd", "CapEff", "CapPrm", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups")


def circumstances(*, programs: tuple[Path, ...], profile: Profile, scratch_root: Path) -> str:
    """A digest of all that decides whether a trial run works."""
    said = [
        dev_agent.__version__,
        list(os.uname()),
        [_text(Path(place)) for place in _SETTINGS],
        [_link(f"/proc/self/ns/{name}") for name in _NAMESPACES],
        list(_of_process()),
        [[str(one), *_identity(one)] for one in (*programs, Path(__file__).parent, scratch_root.parent)],
        repr(profile),
        str(scratch_root),
    ]
    return hashlib.sha256(json.dumps(said).encode("ascii")).hexdigest()


class Remembered:
    """One remembered trial: a file of `folder`, named by its circumstances."""

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / key[:2] / f"{key}.json"

    def worked(self) -> bool:
        """True if a trial worked under the very same circumstances, not long ago."""
        try:
            at = json.loads(self._path.read_bytes())["worked_at"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return isinstance(at, int) and 0 <= time.time() - at < _FOR_S

    def remember(self) -> None:
        """It has just worked. A folder that cannot be written to is one that forgets."""
        temporary = ""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=self._path.parent)
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                json.dump({"worked_at": int(time.time())}, stream)
            Path(temporary).replace(self._path)
        except OSError:
            if temporary:
                Path(temporary).unlink(missing_ok=True)

    def forget(self) -> None:
        """It did not work after all."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _text(path: Path) -> str:
    """What the kernel says there; "" where it has no such setting, or does not tell."""
    try:
        return path.read_bytes().decode("ascii", "replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def _of_process() -> Iterator[str]:
    """The lines of this process's status that say what it may do."""
    for line in _text(Path("/proc/self/status")).splitlines():
        if line.partition(":")[0] in _OF_PROCESS:
            yield line


def _identity(path: Path) -> tuple[int, ...]:
    """What changes when a file is replaced or written, or a directory moved to another file system."""
    try:
        status = path.stat()
    except OSError:
        return ()
    if path.is_dir():
        return (status.st_dev, status.st_ino, status.st_uid, status.st_mode)
    return (status.st_dev, status.st_ino, status.st_uid, status.st_mode, status.st_size, status.st_ctime_ns)
