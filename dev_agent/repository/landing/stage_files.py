"""The new files, written and ready to be renamed into place, before anything of the user's is touched.

Git writes them from a private index into a private work tree, so line endings, encodings and smudge filters are
the new commit's own (the private work tree holds no other `.gitattributes`), and nothing comes from a folder
that tests have run in. Then each moves to its slot and gets mode and owner of what it replaces.

Slots lie in the transaction's folder. A path on another file system than that (a git dir elsewhere, a mount
in the work tree) gets its slot as `.dev-agent-<id>-<n>` in the outermost folder of the work tree that is on the
path's file system, because a rename cannot cross; the names are noted in `beside` before the first is made.

Killed at any line: private files, and those noted in `beside`; recovery removes both.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed
from dev_agent.repository.landing.content import Content, Kind, Seen, content_of
from dev_agent.repository.landing.folders import folder_at, opened, place_at
from dev_agent.repository.landing.journal import Action, Change, Step
from dev_agent.repository.landing.outcome import Code, Refusal, refusal_in
from dev_agent.repository.landing.ownership import Owner, give, mode_like
from dev_agent.repository.landing.slot import slot_at
from dev_agent.repository.listing import parents
from dev_agent.repository.objects import GitTree
from dev_agent.repository.private_index import PrivateIndex
from dev_agent.repository.rename import Place

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.preimage import Before
    from dev_agent.repository.landing.progress import Progress
    from dev_agent.repository.landing.transaction import Transaction
    from dev_agent.runtime.durability import Barrier

_LITTLE = 16 * 1024 * 1024
"""Bytes. A disk with less counts as full when git could not write a file and did not say why."""

_Row = tuple[Action, str, Content | None, Content | None]


def write_new_files(repository: Repository, tx: Transaction, commit: str, changes: Sequence[Change]) -> None:
    """Let git write every new file of the change below `tx.checkout`.

    Raises Refusal (`filter-failed`, `disk-full`), GitFailed.
    """
    files = {one.path: (one.new_mode, one.new_id) for one in changes if one.new_mode and one.new_id}
    paths = list(files)
    index = PrivateIndex(repository.git, tx.index)
    index.hold_only(files, GitTree(repository, commit), repository.zero)
    try:
        index.check_out(tx.checkout, paths)
    except GitFailed as failed:
        full = _full(tx, failed.stderr)
        raise (
            full or refusal_in(failed.stderr) or Refusal(Code.FILTER_FAILED, failed.message, paths)
        ) from failed
    for path in paths:
        if not os.path.lexists(tx.checkout / path):
            raise Refusal(Code.FILTER_FAILED, f"git did not write {path!r}", [path])


def _full(tx: Transaction, stderr: str) -> Refusal | None:
    """The refusal for a full disk, which checkout-index reports without the system's words."""
    if "unable to write file" not in stderr:
        return None
    room = os.statvfs(tx.checkout if tx.checkout.exists() else tx.index.parent)
    # A file is written in blocks, so what is left of a full disk is less than what the file needed, not nothing.
    if room.f_bavail * room.f_frsize > _LITTLE:
        return None
    return Refusal(Code.DISK_FULL, f"{stderr.strip()}: {os.strerror(errno.ENOSPC)}")


def make_steps(
    repository: Repository,
    tx: Transaction,
    changes: Sequence[Change],
    before: Before,
    *,
    exchange: bool,
) -> tuple[Step, ...]:
    """The renames that turn the base's files into the new ones, in order: deletions, changes, additions.

    A folder can become a file and a file a folder that way, and a rename that only changes case is right on a
    case-insensitive file system. Without `exchange` a change is a deletion and an addition. A file whose bytes
    and kind stay as they are (another blob, the same line endings in the work tree) needs no step.
    """
    new = _contents(tx.checkout, [change.path for change in changes if change.new_id])
    deletions: list[_Row] = []
    modifications: list[_Row] = []
    additions: list[_Row] = []
    for change in changes:
        seen = before.seen.get(change.path)
        old, to = seen.content if seen else None, new.get(change.path)
        if old is not None and to is None:
            deletions.append((Action.DELETE, change.path, old, None))
        elif old is None:
            additions.append((Action.ADD, change.path, None, to))
        elif old != to and exchange:
            modifications.append((Action.MODIFY, change.path, old, to))
        elif old != to:
            modifications.append((Action.DELETE, change.path, old, None))
            modifications.append((Action.ADD, change.path, None, to))
    rows = enumerate([*reversed(deletions), *modifications, *additions])
    steps = [Step(n=n, action=action, path=path, old=old, new=to) for n, (action, path, old, to) in rows]
    return tuple(_with_slots(repository, tx, steps))


def _contents(folder: Path, paths: Sequence[str]) -> dict[str, Content]:
    found: dict[str, Content] = {}
    with opened(folder) as root:
        for path in paths:
            with place_at(root, path) as place:
                content = content_of(place)
                if content is not None:
                    found[path] = content
    return found


def _with_slots(repository: Repository, tx: Transaction, steps: Sequence[Step]) -> list[Step]:
    """Give a name in the work tree to the slots that have to be on another file system than `tx`."""
    home = tx.files.stat().st_dev
    with opened(repository.work_tree) as root:
        trails = [_devices(root, step.path) for step in steps]
    placed: list[Step] = []
    for step, trail in zip(steps, trails, strict=True):
        folder, device = trail[-1]
        if device != home:
            folder = next(name for name, its in trail if its == device)
            name = f".dev-agent-{tx.id}-{step.n}"
            placed.append(replace(step, beside=f"{folder}/{name}" if folder else name))
        else:
            placed.append(step)
    return placed


def _devices(root: int, path: str) -> list[tuple[str, int]]:
    """The existing folders on the way to `path` and their devices, the root first."""
    trail = [("", os.fstat(root).st_dev)]
    for folder in parents(path):
        try:
            with folder_at(root, folder) as fd:
                trail.append((folder, os.fstat(fd).st_dev))
        except (FileNotFoundError, NotADirectoryError):
            break
    return trail


def note_slots_beside(tx: Transaction, steps: Sequence[Step]) -> None:
    """Write down the names that are about to be made in the work tree, before they are."""
    names = [os.fsencode(step.beside) for step in steps if step.beside]
    if names:
        temporary = tx.beside.with_suffix(".tmp")
        temporary.write_bytes(b"\0".join(names))
        temporary.rename(tx.beside)


def fill_slots(
    repository: Repository,
    tx: Transaction,
    steps: Sequence[Step],
    before: Before,
    *,
    progress: Progress,
) -> None:
    """Move every new file to its slot, with the mode and owner it is to have. Raises OSError."""
    with ExitStack() as stack:
        root = stack.enter_context(opened(repository.work_tree))
        files = stack.enter_context(opened(tx.files))
        checkout = stack.enter_context(opened(tx.checkout))
        for step in steps:
            if step.new is None:
                continue
            with place_at(checkout, step.path) as source, slot_at(root, files, step) as slot:
                _bring(source, slot, across=bool(step.beside))
                _dress(root, slot, step, before.seen.get(step.path))
            progress.reached(f"staged {step.n}")


def flush_slots(repository: Repository, tx: Transaction, steps: Sequence[Step], barrier: Barrier) -> None:
    """Add every new file in its slot, and the slots' names, to `barrier`. Raises OSError."""
    with opened(repository.work_tree) as root, opened(tx.files) as files:
        for step in steps:
            if step.new is None:
                continue
            with slot_at(root, files, step) as slot:
                _flush(slot, barrier)
        barrier.add(files)


def _bring(source: Place, slot: Place, *, across: bool) -> None:
    if not across:
        os.rename(source.name, slot.name, src_dir_fd=source.folder, dst_dir_fd=slot.folder)
        return
    info = os.stat(source.name, dir_fd=source.folder, follow_symlinks=False)
    if stat.S_ISLNK(info.st_mode):
        os.symlink(os.readlink(source.name, dir_fd=source.folder), slot.name, dir_fd=slot.folder)
        return
    reading = os.open(source.name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=source.folder)
    writing = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with (
        open(reading, "rb") as old,
        open(os.open(slot.name, writing, info.st_mode & 0o777, dir_fd=slot.folder), "wb") as new,
    ):
        shutil.copyfileobj(old, new)


def _dress(root: int, slot: Place, step: Step, replaced: Seen | None) -> None:
    """Mode bits other than x, and the owner, of the file replaced; a new file gets its folder's owner."""
    if replaced is None:
        folder, _ = _devices(root, step.path)[-1]
        with folder_at(root, folder) as fd:
            give(slot, Owner.of(os.fstat(fd)))
        return
    give(slot, Owner.of(replaced.stat))
    kinds = (Kind.FILE, Kind.EXECUTABLE)
    if step.new is not None and step.new.kind in kinds and replaced.content.kind in kinds:
        mode = mode_like(replaced.stat.st_mode, executable=step.new.kind is Kind.EXECUTABLE)
        os.chmod(slot.name, mode, dir_fd=slot.folder)


def _flush(slot: Place, barrier: Barrier) -> None:
    info = os.stat(slot.name, dir_fd=slot.folder, follow_symlinks=False)
    if not stat.S_ISREG(info.st_mode):
        return
    # Written through another descriptor before; fsync is about the file, not the descriptor.
    fd = os.open(slot.name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=slot.folder)
    try:
        barrier.add(fd)
    finally:
        os.close(fd)
    barrier.add(slot.folder)
