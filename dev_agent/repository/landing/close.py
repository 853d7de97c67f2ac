"""The end of a transaction: its journal is closed and its folder removed, file by file with a look at each.

`closed` goes last, so a kill at any line leaves either a closed transaction, which recovery removes the same
way, or a folder without any journal, which held new files only.

Where the system cannot tell whether somebody still has a replaced file open for writing, the files stay until
the next run and are looked at again then.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.repository.landing.content import Content, Kind, content_of, has_writer
from dev_agent.repository.landing.folders import opened, place_at
from dev_agent.repository.landing.journal import Journal, read_journal
from dev_agent.repository.landing.keep import keep
from dev_agent.repository.landing.slot import slot_at, spare_of
from dev_agent.repository.rename import Place

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.progress import Progress
    from dev_agent.repository.landing.transaction import Transaction


def close(repository: Repository, tx: Transaction, progress: Progress, *, linger: bool = True) -> None:
    """Close the transaction and remove its folder. `linger` allows files to stay until the next run."""
    if tx.journal.exists():
        tx.journal.rename(tx.closed)
        progress.reached("closed")
    journal = read_journal(tx.closed)
    if (
        journal is not None
        and repository.root is not None
        and _remove_slots(repository, tx, journal, linger=linger)
    ):
        return
    sweep(repository, tx)


def _remove_slots(repository: Repository, tx: Transaction, journal: Journal, *, linger: bool) -> bool:
    """Remove what is ours in the slots, keep what is not; True if something has to stay for now."""
    stays = False
    if not tx.files.exists():
        return False
    with ExitStack() as stack:
        root = stack.enter_context(opened(repository.work_tree))
        files = stack.enter_context(opened(tx.files))
        for step in journal.steps:
            with (
                contextlib.suppress(FileNotFoundError, NotADirectoryError),
                slot_at(root, files, step) as slot,
            ):
                for place in (slot, spare_of(slot)):
                    content = content_of(place)
                    if content is None:
                        continue
                    if content not in (step.old, step.new):
                        keep(tx, step, place)
                    elif _may_be_written(place, content, linger=linger):
                        stays = True
                    else:
                        os.unlink(place.name, dir_fd=place.folder)
    return stays


def _may_be_written(place: Place, content: Content, *, linger: bool) -> bool:
    if content.kind not in (Kind.FILE, Kind.EXECUTABLE):
        return False
    writer = has_writer(place)
    return linger if writer is None else writer


def sweep(repository: Repository, tx: Transaction) -> None:
    """Remove the folder of a transaction that never began, or whose slots are empty. `closed` goes last."""
    _remove_beside(repository, tx)
    for entry in list(os.scandir(tx.folder)):
        if entry.name == tx.closed.name:
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink()
    tx.closed.unlink(missing_ok=True)
    tx.folder.rmdir()


def _remove_beside(repository: Repository, tx: Transaction) -> None:
    """Before BEGIN slots in the work tree hold new files at most; their names carry the transaction's id."""
    if repository.root is None or tx.closed.exists():
        return
    try:
        names = tx.beside.read_bytes().split(b"\0")
    except FileNotFoundError:
        return
    with opened(repository.root) as root:
        for name in names:
            with (
                contextlib.suppress(FileNotFoundError, NotADirectoryError),
                place_at(root, os.fsdecode(name)) as place,
            ):
                os.unlink(place.name, dir_fd=place.folder)
