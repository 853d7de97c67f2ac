"""Writing the files of a plan: each appears whole under its name, and only over what was shown.

Order, per file: folders → a private file beside the place, flushed → the name.
    new        the name is taken only if it is still free
    different  private file and old file change places in one step; what came out is compared with what was shown, and
               if somebody wrote meanwhile the two change back and the file is kept
               (a file system that cannot exchange names: compared just before a rename, which leaves an instant)
Killed at any line: a file is as it was or as it was to be, those before it are written, those after it are not, and at
most one `.dev-agent-init-*` file lies beside the place, with the new or, after the exchange, the old content. Doing it
again does the rest.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from dev_agent.programs.init.plan import InitPlan, PlannedFile, State, read_file
from dev_agent.repository.landing.folders import make_folder, opened, place_at
from dev_agent.repository.landing.ownership import Owner, give
from dev_agent.repository.listing import parents
from dev_agent.repository.rename import Moves, Place
from dev_agent.values import dataclass

_ATOMIC = Moves(exchange=True, noreplace=True)
_BY_LINK = Moves(exchange=False, noreplace=False)
_LACKING = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What came of a plan: files written, and files kept with the reason."""

    written: tuple[PlannedFile, ...]
    kept: tuple[tuple[PlannedFile, str], ...]

    @property
    def exit_code(self) -> int:
        """0 everything is in place now, 1 something is not."""
        return 1 if self.kept else 0


def write_files(plan: InitPlan) -> Written:
    """Write what the plan says is to be written. Raises OSError of the disk."""
    written = []
    kept = [(one, one.why or "it has other content; --overwrite replaces it") for one in plan.kept]
    for one in plan.to_write:
        changed = _write(one)
        if changed:
            kept.append((one, changed))
        else:
            written.append(one)
    return Written(written=tuple(written), kept=tuple(kept))


def _write(one: PlannedFile) -> str:
    """Write one file; why it was not, "" if it was."""
    with opened(one.root) as top:
        try:
            for folder in parents(one.path):
                make_folder(top, folder)
            with place_at(top, one.path) as place, _private(place, one) as private:
                return _put(private, place) if one.state is State.NEW else _replace(private, place, one)
        except NotADirectoryError:
            return "a symlink, or something that is no folder, stands on the way"


@contextmanager
def _private(place: Place, one: PlannedFile) -> Iterator[Place]:
    """The new content under a private name beside its place; whatever has that name afterwards goes."""
    private = Place(folder=place.folder, name=f".dev-agent-init-{secrets.token_hex(8)}")
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(private.name, flags, 0o777 if one.executable else 0o666, dir_fd=place.folder)
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(one.after)
            stream.flush()
            os.fsync(fd)
        give(private, Owner.of(os.fstat(place.folder)))
        yield private
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(private.name, dir_fd=private.folder)


def _put(private: Place, place: Place) -> str:
    try:
        try:
            _ATOMIC.move(private, place)
        except OSError as error:
            if error.errno not in _LACKING:
                raise
            _BY_LINK.move(private, place)
    except FileExistsError:
        return "somebody made it meanwhile"
    os.fsync(place.folder)
    return ""


def _replace(private: Place, place: Place, one: PlannedFile) -> str:
    changed = "it was changed meanwhile"
    try:
        _ATOMIC.swap(private, place)
    except FileNotFoundError:
        return changed
    except OSError as error:
        if error.errno not in _LACKING:
            raise
        if read_file(one.root, one.path)[0] != one.before:
            return changed
        os.replace(private.name, place.name, src_dir_fd=private.folder, dst_dir_fd=place.folder)
    else:
        if _content(private) != one.before:
            _ATOMIC.swap(private, place)
            return changed
    os.fsync(place.folder)
    return ""


def _content(place: Place) -> bytes | None:
    """The bytes at the place, None if it is no plain file."""
    try:
        fd = os.open(
            place.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place.folder
        )
    except OSError:
        return None
    with os.fdopen(fd, "rb") as stream:
        try:
            return stream.read()
        except OSError:
            return None
