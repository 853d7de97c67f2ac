"""The mounts of a job, checked and put in order.

A mount target inside a staged tree is a path the judged change has a say in. Rules kept here:
- no component of a target is a symlink, neither inside the mount that holds it nor in the host directories
  the job sees: a change that turns `.venv` into a link would aim our own mount somewhere else;
- no source is a symlink, and every source is a directory or a regular file, the same kind as what it covers;
- one mount a target; parents before children, so that no mount hides an earlier one;
- a mount point that a host directory lacks is made just before the run and removed after it, if it is still
  empty: the kernel needs something to mount on. A tree must not differ after the run, so only what was made goes;
- it goes with the last of several jobs that use the directory at once: removing a mount point takes away what is
  mounted there, in every sandbox. Only this process's jobs are counted: a slot is leased to one process.

If the process dies between making and removing, empty directories or files stay behind in the enclosing
mount's source; they are mount points of the next run, git does not see empty directories, and nothing reads
them.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dev_agent.sandbox.job import Mount, MountKind

_OURS = frozenset({"proc", "dev", "sys"})
_ON_HOST = frozenset({"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"})
_LOCK = threading.Lock()


class MountRefused(Exception):
    """A mount that must not or cannot be made; the text says which and why."""


def in_order(mounts: Sequence[Mount]) -> tuple[Mount, ...]:
    """The mounts, parents before children, otherwise as given. Raises MountRefused for two on one target."""
    targets = [mount.target for mount in mounts]
    for target in targets:
        if targets.count(target) > 1:
            raise MountRefused(f"two mounts on {target}: which one counts is not for the order to say")
        if len(target.parts) == 1 or target.parts[1] in _OURS:
            raise MountRefused(f"{target} is the sandbox's own, not a place to mount on")
    return tuple(sorted(mounts, key=lambda mount: len(mount.target.parts)))


def enclosing(mount: Mount, mounts: Sequence[Mount]) -> Mount | None:
    """The innermost other mount that `mount`'s target lies in."""
    around = [other for other in mounts if other.target in mount.target.parents]
    return max(around, key=lambda other: len(other.target.parts), default=None)


def check(mounts: Sequence[Mount]) -> None:
    """Look at every source and every component of every target. Raises MountRefused; changes nothing."""
    for mount in mounts:
        _check_source(mount)
        around = enclosing(mount, mounts)
        if around is None:
            if mount.target.parts[1] in _ON_HOST:
                _walk(Path("/"), mount.target.relative_to("/"), mount)
        elif around.kind is MountKind.DATA or (around.source is not None and around.source.is_file()):
            raise MountRefused(f"{mount.target} lies inside a file mounted on {around.target}")
        elif around.source is not None:
            _walk(around.source, mount.target.relative_to(around.target), mount)


@contextmanager
def mount_points_in_place(mounts: Sequence[Mount], roots: Mapping[Path, Path]) -> Iterator[None]:
    """Inside, every target that lies in a mount of a host directory exists there.

    `roots` gives, by target, the host directory that is mounted there: a mount's source, or the private
    copy of it. A mount that has none (memory) makes its mount points itself.
    """
    with ExitStack() as held:
        for mount in mounts:
            around = enclosing(mount, mounts)
            if around is None or around.target not in roots:
                continue
            root = roots[around.target]
            points = held.enter_context(_points_in(root))
            try:
                with _LOCK:
                    _make(root, mount.target.relative_to(around.target), mount, points.made)
            except OSError as error:
                raise MountRefused(
                    f"{mount.target} does not exist in {root} and cannot be made there: {error.strerror}"
                ) from error
        yield


class _Points:
    """The mount points made in one directory, for as long as any job of this process uses it."""

    def __init__(self) -> None:
        self.users = 0
        self.made = ExitStack()


_IN_USE: dict[Path, _Points] = {}


@contextmanager
def _points_in(root: Path) -> Iterator[_Points]:
    with _LOCK:
        points = _IN_USE.setdefault(root, _Points())
        points.users += 1
    try:
        yield points
    finally:
        with _LOCK:
            points.users -= 1
            if points.users == 0:
                del _IN_USE[root]
                points.made.close()


def is_directory(mount: Mount) -> bool:
    """True if a directory gets mounted."""
    if mount.source is None:
        return mount.kind is MountKind.TMPFS
    return mount.source.is_dir()


def _check_source(mount: Mount) -> None:
    if mount.source is None:
        return
    try:
        mode = mount.source.lstat().st_mode
    except OSError as error:
        raise MountRefused(f"the source of {mount.target}, {mount.source}: {error.strerror}") from error
    if stat.S_ISLNK(mode):
        raise MountRefused(f"the source of {mount.target}, {mount.source}, is a symlink; resolve it first")
    if not (stat.S_ISDIR(mode) or (stat.S_ISREG(mode) and mount.kind is MountKind.READ_ONLY)):
        raise MountRefused(f"the source of {mount.target}, {mount.source}, is no directory")


def _walk(root: Path, inside: Path, mount: Mount) -> None:
    """Refuse a symlink, or something of the wrong kind, on the way from `root` to `root/inside`."""
    here = root
    for position, part in enumerate(inside.parts, 1):
        here /= part
        try:
            mode = here.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return
        if stat.S_ISLNK(mode):
            raise MountRefused(f"{mount.target} would be mounted through a symlink: {here}")
        wants_directory = position < len(inside.parts) or is_directory(mount)
        if stat.S_ISDIR(mode) is not wants_directory or not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise MountRefused(
                f"{mount.target} cannot be mounted: {here} is {'no' if wants_directory else 'a'} directory"
                if stat.S_ISDIR(mode) or wants_directory
                else f"{mount.target} cannot be mounted: {here} is no regular file"
            )


def _make(root: Path, inside: Path, mount: Mount, made: ExitStack) -> None:
    """Make what is missing of `root/inside`, following no link; `made` takes it away again."""
    directory = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    here = os.open(root, directory)
    made.callback(os.close, here)
    for position, part in enumerate(inside.parts, 1):
        if position < len(inside.parts) or is_directory(mount):
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=here)
                made.callback(_drop_directory, part, here)
            here = os.open(part, directory, dir_fd=here)
            made.callback(os.close, here)
        else:
            with contextlib.suppress(FileExistsError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                os.close(os.open(part, flags, 0o444, dir_fd=here))
                made.callback(_drop_file, part, here)


def _drop_directory(name: str, parent: int) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=parent)


def _drop_file(name: str, parent: int) -> None:
    with contextlib.suppress(OSError):
        if os.stat(name, dir_fd=parent, follow_symlinks=False).st_size == 0:
            os.unlink(name, dir_fd=parent)
