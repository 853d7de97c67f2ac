"""Taking an install back, from whatever point it got to. Idempotent; may itself be killed at any line.

Whether a step was done is read off its slot:

    ADD      done if the slot is empty
    MODIFY   done unless the slot holds the new bytes
    DELETE   done if the slot holds something

A step that was done is undone by the inverse rename. Three kinds of bytes can turn up: the pre-image and the
new file, which are ours (both are in git), and anything else, which is the user's. The user's bytes stay at
the path, or go back to it; what then has no place goes to the kept files. Looking comes before moving, and
again after it, since the user may act in between.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from dev_agent.repository.landing.content import Content, content_of
from dev_agent.repository.landing.folders import make_folder, place_at, remove_folder
from dev_agent.repository.landing.journal import Action, Folder, Journal, Step
from dev_agent.repository.landing.keep import keep
from dev_agent.repository.landing.ownership import Owner
from dev_agent.repository.landing.slot import spare_of
from dev_agent.repository.listing import parents
from dev_agent.repository.rename import Place, exists

if TYPE_CHECKING:
    from dev_agent.repository.landing.install import Site
    from dev_agent.repository.landing.progress import Progress
    from dev_agent.repository.landing.transaction import Transaction

_NO_PLACE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


def undo(site: Site, tx: Transaction, journal: Journal, progress: Progress) -> None:
    """Take every step back, the last first. Raises OSError for what no later try could do either."""
    folders = {folder.path: folder for folder in journal.folders}
    for step in reversed(journal.steps):
        if step.action is Action.ADD:
            _undo_add(site, tx, step)
        elif step.action is Action.MODIFY:
            _undo_modify(site, tx, step)
        else:
            _clear_made(site, journal, step.path)
            _undo_delete(site, tx, step, folders)
        progress.reached(f"undone {step.n}")
    for folder in reversed(journal.made):
        remove_folder(site.root, folder)


def _clear_made(site: Site, journal: Journal, path: str) -> None:
    """A file comes back where the install made a folder: the folder is empty again by now."""
    for folder in reversed(journal.made):
        if folder == path or folder.startswith(f"{path}/"):
            remove_folder(site.root, folder)


def _undo_add(site: Site, tx: Transaction, step: Step) -> None:
    with site.slot(step) as slot:
        spare = spare_of(slot)
        inside = content_of(slot)
        try:
            with place_at(site.root, step.path) as target:
                _give_back(site, tx, step, spare, target, allowed=step.new)
                if inside is not None and inside != step.new:
                    # Taken out by an undo that was killed before it had looked.
                    _put_back(site, tx, step, slot, target)
                elif inside is not None:
                    _remove_second_link(site, tx, step, slot, target)
                elif content_of(target) == step.new:
                    site.moves.take(target, slot)
                    _give_back(site, tx, step, slot, target, allowed=step.new)
        except OSError as error:
            _keep_if_homeless(error, tx, step, slot, spare)


def _remove_second_link(site: Site, tx: Transaction, step: Step, slot: Place, target: Place) -> None:
    """Killed between link and unlink, slot and path are the same file: take the path's name away again."""
    if not _same_file(slot, target):
        return
    spare = spare_of(slot)
    site.moves.take(target, spare)
    if not _same_file(slot, spare):
        _put_back(site, tx, step, spare, target)
        return
    os.unlink(spare.name, dir_fd=spare.folder)


def _undo_modify(site: Site, tx: Transaction, step: Step) -> None:
    with site.slot(step) as slot:
        inside = content_of(slot)
        if inside == step.new:
            return
        try:
            with place_at(site.root, step.path) as target:
                outside = content_of(target)
                if outside is None:
                    _settle_deleted(site, tx, step, slot, target)
                elif inside == step.old and outside != step.new:
                    # The user edited the new file. Theirs stays.
                    keep(tx, step, slot)
                else:
                    site.moves.swap(target, slot)
                    _look_again(site, tx, step, slot, target)
        except OSError as error:
            _keep_if_homeless(error, tx, step, slot)


def _settle_deleted(site: Site, tx: Transaction, step: Step, slot: Place, target: Place) -> None:
    """The user deleted the path: that stays, unless the slot holds bytes that exist nowhere else."""
    if content_of(slot) == step.old:
        keep(tx, step, slot)
    else:
        _put_back(site, tx, step, slot, target)


def _look_again(site: Site, tx: Transaction, step: Step, slot: Place, target: Place) -> None:
    """After a swap: if the user's own bytes came out, they go back and what went in is kept."""
    out = content_of(slot)
    if out == step.new:
        return
    if out != step.old:
        site.moves.swap(target, slot)
    keep(tx, step, slot)


def _undo_delete(site: Site, tx: Transaction, step: Step, folders: dict[str, Folder]) -> None:
    with site.slot(step) as slot:
        if not exists(slot):
            return
        try:
            for path in parents(step.path):
                _make_again(site, path, folders.get(path))
            with place_at(site.root, step.path) as target:
                _put_back(site, tx, step, slot, target)
        except OSError as error:
            _keep_if_homeless(error, tx, step, slot)


def _make_again(site: Site, path: str, folder: Folder | None) -> None:
    if folder is None:
        make_folder(site.root, path)
    else:
        make_folder(site.root, path, mode=folder.mode, owner=Owner(uid=folder.uid, gid=folder.gid))


def _give_back(
    site: Site, tx: Transaction, step: Step, private: Place, target: Place, *, allowed: Content | None
) -> None:
    """What was taken for a look goes back unless it is `allowed` to stay (or nothing)."""
    taken = content_of(private)
    if taken is not None and taken != allowed:
        _put_back(site, tx, step, private, target)


def _put_back(site: Site, tx: Transaction, step: Step, source: Place, target: Place) -> None:
    """`source` to `target`; if the user has something else there, that stays and `source` is kept."""
    try:
        site.moves.move(source, target)
    except FileExistsError:
        if _same_file(source, target):
            os.unlink(source.name, dir_fd=source.folder)
        else:
            keep(tx, step, source)


def _same_file(first: Place, second: Place) -> bool:
    try:
        one = os.stat(first.name, dir_fd=first.folder, follow_symlinks=False)
        two = os.stat(second.name, dir_fd=second.folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(one, two)


def _keep_if_homeless(error: OSError, tx: Transaction, step: Step, *places: Place) -> None:
    """The path's folder is gone or is no folder any more: keep what is not plainly the new file."""
    if error.errno not in _NO_PLACE:
        raise error
    for place in places:
        if content_of(place) not in (None, step.new):
            keep(tx, step, place)
