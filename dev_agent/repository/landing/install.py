"""The install: each step is one rename between a path of the work tree and the step's slot.

    DELETE   path -> slot          fails if the path is gone
    MODIFY   path <-> slot         exchange; there is no instant without the file
    ADD      slot -> path          fails if somebody made the path

What came out of the work tree must be, byte for byte, what was proved clean before, and no process may have it
open for writing; otherwise the user has edited at this very moment and everything is undone. Because files are
moved and never written or unlinked here, the edit is not lost even then.

Killed between two steps: each slot shows by its bytes whether its step was done, see `undo.py`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.repository.landing.content import Kind, content_of, has_writer
from dev_agent.repository.landing.folders import (
    flush_folder,
    folder_at,
    make_folder,
    opened,
    place_at,
    remove_folder,
    split,
)
from dev_agent.repository.landing.journal import Action, Journal, Step
from dev_agent.repository.landing.outcome import Code, Refusal
from dev_agent.repository.landing.slot import slot_at
from dev_agent.repository.listing import parents
from dev_agent.repository.rename import Moves, Place
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.landing.progress import Progress
    from dev_agent.repository.landing.transaction import Transaction
    from dev_agent.runtime.durability import Barrier

_SOMEBODY_WAS_THERE = frozenset(
    {
        errno.ENOENT,
        errno.EEXIST,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENOTEMPTY,
        errno.ELOOP,
        errno.EXDEV,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """The open work tree and the open slots of one transaction, and how files are moved between them."""

    root: int
    files: int
    moves: Moves

    @contextmanager
    def slot(self, step: Step) -> Iterator[Place]:
        """The slot of `step`."""
        with slot_at(self.root, self.files, step) as place:
            yield place


@contextmanager
def site_of(root: Path, tx: Transaction, journal: Journal) -> Iterator[Site]:
    """The site of a transaction on the work tree at `root`."""
    moves = Moves(exchange=journal.exchange, noreplace=journal.noreplace)
    with opened(root) as root_fd, opened(tx.files) as files_fd:
        yield Site(root=root_fd, files=files_fd, moves=moves)


def install(site: Site, journal: Journal, progress: Progress) -> None:
    """Do every step. Raises Refusal `concurrent-edit`, OSError; the caller undoes."""
    leading = _leading_deletions(journal.steps)
    for step in journal.steps[:leading]:
        _do(site, step, progress)
    _remove_emptied(site, journal, progress)
    for step in journal.steps[leading:]:
        _do(site, step, progress)


def look_again(site: Site, journal: Journal) -> None:
    """What was taken must still be the pre-image. Raises Refusal `concurrent-edit`, OSError; the caller undoes."""
    for step in journal.steps:
        if step.old is not None:
            _require_untouched(site, step)


def flush_touched(site: Site, journal: Journal, barrier: Barrier) -> None:
    """Add every folder in which a name changed to `barrier`. Raises OSError."""
    touched = {split(step.path)[0] for step in journal.steps}
    touched |= {split(folder)[0] for folder in journal.made} | set(journal.made)
    touched |= {
        folder for step in journal.steps if step.action is Action.DELETE for folder in parents(step.path)
    }
    for folder in sorted(touched):
        flush_folder(site.root, folder, barrier)
    barrier.add(site.files)


def _leading_deletions(steps: Sequence[Step]) -> int:
    for count, step in enumerate(steps):
        if step.action is not Action.DELETE:
            return count
    return len(steps)


def _do(site: Site, step: Step, progress: Progress) -> None:
    try:
        if step.action is Action.ADD:
            for folder in parents(step.path):
                make_folder(site.root, folder)
        with place_at(site.root, step.path) as target, site.slot(step) as slot:
            _rename(site.moves, step.action, target, slot)
    except OSError as error:
        if error.errno in _SOMEBODY_WAS_THERE:
            raise _edited(step.path) from error
        raise
    progress.reached(f"renamed {step.n}")
    if step.old is not None:
        _require_untouched(site, step)


def _rename(moves: Moves, action: Action, target: Place, slot: Place) -> None:
    if action is Action.DELETE:
        moves.take(target, slot)
    elif action is Action.MODIFY:
        moves.swap(target, slot)
    else:
        moves.move(slot, target)


def _require_untouched(site: Site, step: Step) -> None:
    """What was taken must be the pre-image, with nobody writing to it."""
    with site.slot(step) as slot:
        if content_of(slot) != step.old:
            raise _edited(step.path)
        if step.old is not None and step.old.kind is not Kind.LINK and has_writer(slot):
            raise _edited(step.path)


def _edited(path: str) -> Refusal:
    return Refusal(Code.CONCURRENT_EDIT, "a file of the change was edited while it was being landed", [path])


def _remove_emptied(site: Site, journal: Journal, progress: Progress) -> None:
    """Remove folders that the deletions emptied, as git does, the innermost first.

    Not the one the user stands in, unless a file is to take its name: their shell would be nowhere.
    """
    needed = {step.path for step in journal.steps if step.action is Action.ADD}
    for folder in sorted(journal.folders, key=lambda each: each.path.count("/"), reverse=True):
        if folder.path not in needed and _is_current(site, folder.path):
            continue
        if remove_folder(site.root, folder.path):
            progress.reached(f"removed folder {folder.path}")


def _is_current(site: Site, path: str) -> bool:
    try:
        with folder_at(site.root, path) as fd:
            return os.path.samestat(os.fstat(fd), Path().stat())
    except OSError:
        return False
