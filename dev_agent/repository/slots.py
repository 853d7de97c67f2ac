"""Slots: persistent private work trees that gates run on, moved from tree to tree by the difference only.

    <common dir>/dev-agent/slots/<purpose>-<n>/
        lock          whoever holds its flock has the slot; git children inherit it, so an orphan keeps it;
                      its time is that of the last lease
        state.json    the tree it is at; not there while it is filled or moved
        tree/         the files
        index         while git checks something out: what that is
        incoming/     files git has written, on their way into tree/

A slot is not a git worktree: nothing is registered, so nothing can leak and no user command sees it. Files
have the form a checkout would give them (line endings, filters), mode 0644 or 0755 whatever the umask, and a
modification time computed from their blob id, so that a tool's cache finds equal content unchanged and
different content changed, in every slot and after every rebuild.

The rule that makes a kill harmless: `state.json` is removed before the first change and written after the
last one. A slot that is not at some tree, or was so before a reboot (file contents may not have reached the
disk), or under other checkout settings, is filled anew from nothing. A slot is meant to be mounted read-only;
whoever lets anything write to one calls `distrust` first.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed, RepositoryFault
from dev_agent.repository.checkout_rules import CheckoutRules, checkout_rules
from dev_agent.repository.confined import ConfinedFolder, remove_all
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.listing import parents
from dev_agent.repository.objects import EXECUTABLE, SUBMODULE, GitTree
from dev_agent.repository.plain_checkout import Files, content_time, write_plain
from dev_agent.repository.private_index import ATTRIBUTES, PrivateIndex
from dev_agent.repository.slot_audit import altered_paths
from dev_agent.repository.slot_state import arrived_at, forget_state, read_state, write_state
from dev_agent.repository.staging import edited_tree
from dev_agent.repository.store import ObjectStore
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.repository.tree_walk import Difference

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LOCK = "lock"


Known = Callable[[str], Files | None]
"""All files of the tree with this id, None where somebody would have to be asked."""


class Slots:
    """The slots of one repository. `known` spares asking git what is in a tree that is checked out whole."""

    def __init__(self, repository: Repository, known: Known = lambda _tree: None) -> None:
        self._repository = repository
        self._known = known
        self.folder = repository.state_dir / "slots"

    @contextmanager
    def lease(self, purpose: str) -> Iterator[Slot]:
        """The first free slot for `purpose`, ours until the block ends (or all holders of its lock die).

        Raises ValueError unless `purpose` is a short lower-case word.
        """
        if not _PURPOSE.fullmatch(purpose):
            raise ValueError(f"not a purpose: {purpose!r}")
        folder, lock = self._first_free(purpose)
        try:
            yield Slot(self._repository, folder, lock, self._known)
        finally:
            os.close(lock)

    def folders(self) -> tuple[Path, ...]:
        """The folders of all slots there are, by name."""
        if not self.folder.is_dir():
            return ()
        return tuple(Path(entry.path) for entry in sorted(os.scandir(self.folder), key=lambda one: one.name))

    def is_leased(self, folder: Path) -> bool:
        """True if somebody has the slot now."""
        lock = _try_lock(folder)
        if lock is None:
            return True
        os.close(lock)
        return False

    def empty(self, name: str) -> bool:
        """Remove what the slot called `name` holds, but not its lock; False if somebody has it now."""
        folder = self.folder / name
        lock = _try_lock(folder)
        if lock is None:
            return False
        try:
            Slot(self._repository, folder, lock, self._known).drop()
        finally:
            os.close(lock)
        return True

    def _first_free(self, purpose: str) -> tuple[Path, int]:
        for number in itertools.count(1):
            folder = self.folder / f"{purpose}-{number}"
            lock = _try_lock(folder)
            if lock is not None:
                os.utime(lock)  # used now: what was not for longest is dropped first
                return folder, lock
        raise AssertionError("BUG: counting ended")


class Slot:
    """One leased slot. Not for several threads at once."""

    def __init__(self, repository: Repository, folder: Path, lock: int, known: Known) -> None:
        self._repository = repository
        self._known = known
        self._git = repository.git.holding(lock)
        self._index = PrivateIndex(self._git, folder / "index")
        self._incoming = folder / "incoming"
        self.folder = folder
        self.path = folder / "tree"

    @property
    def at(self) -> str | None:
        """The tree the slot holds, None if that is not certain."""
        return self._believed(checkout_rules(self._repository).digest)

    def checkout(self, tree: str) -> Path:
        """Make the slot hold exactly the tree with the id `tree`, and return the folder of its files.

        Killed at any line, the next checkout fills the slot anew; so it does after an exception: GitFailed
        (objects missing, a required filter failed) or OSError (disk full).
        """
        rules = checkout_rules(self._repository)
        here = self._believed(rules.digest)
        if here == tree:
            return self.path
        forget_state(self.folder)
        if here is None or not self._move(here, tree, rules):
            self._fill(tree)
        write_state(self.folder, arrived_at(tree, rules.digest, self.path))
        return self.path

    def distrust(self) -> None:
        """Make the next checkout start from nothing. Call *before* something may write to the slot."""
        forget_state(self.folder)

    def drop(self) -> None:
        """Remove everything in the slot's folder but its lock, whoever put it there.

        Killed in between, the next checkout starts from nothing. Raises OSError if something cannot be removed.
        """
        self.distrust()
        for entry in sorted(self.folder.iterdir()):
            if entry.name != _LOCK:
                remove_all(entry)

    def altered(self) -> tuple[str, ...]:
        """The paths where the folder is not what the last checkout left, judged without reading contents.

        Walks the whole slot, and lists its tree. A writer who restores the time of the file they changed is not
        seen: this finds accidents, not attacks.
        """
        tree = GitTree(self._repository, self.at or tree_of(self._repository, None))
        entries = {path: entry for path in tree.paths() if (entry := tree.entry(path))}
        return altered_paths(self.path, entries, content_time)

    def _believed(self, rules: str) -> str | None:
        state = read_state(self.folder)
        return state.tree if state and state.holds(rules, self.path) else None

    def _move(self, old: str, new: str, rules: CheckoutRules) -> bool:
        """Carry the difference over; False if only a fresh fill is sure to be right.

        The difference is complete if it makes the new tree of the old one, ids and all; each of its files then has
        to come out of the blob that it names, or the move fails. Nothing here looks at what does not change.
        """
        try:
            difference = tree_difference(self._repository, old, new)
            if any(each.path.rpartition("/")[2] == ATTRIBUTES for each in difference):
                return False  # they decide the form of files that did not change
            if edited_tree(self._repository, old, {each.path: each.after for each in difference}) != new:
                return False
            self._carry(difference, new, rules)
        except (GitFailed, RepositoryFault, OSError, ValueError):
            # An old tree collected or not sound, paths refused, something in the way: a fill cures it or says why not.
            return False
        return True

    def _carry(self, difference: tuple[Difference, ...], new: str, rules: CheckoutRules) -> None:
        """Bring the files to the tree `new`: removals, then arrivals, those first that need no git.

        Killed at any line, or left by an exception: the slot is at no tree since before the first change.
        """
        arriving = {each.path: each.after for each in difference if each.after}
        files = {path: entry for path, entry in arriving.items() if entry[0] != SUBMODULE}
        tree = GitTree(self._repository, new)
        with ConfinedFolder(self.path) as folder, closing(ObjectStore(self._repository)) as store:
            for gone in (each.path for each in difference if each.must_go_first):
                folder.remove(gone)
                folder.remove_empty_parents(gone)
            left = write_plain(folder, files, tree=tree, store=store, rules=rules)
            if left:
                self._carry_by_git(folder, left, tree)
            for path in arriving.keys() - files.keys():
                folder.make_folder(path)

    def _carry_by_git(self, folder: ConfinedFolder, files: Files, tree: GitTree) -> None:
        """Let git write `files` of `tree` where nothing of theirs lies yet, and take each one by rename."""
        _make_empty(self._incoming)
        self._check_out(files, tree)
        with ConfinedFolder(self._incoming) as incoming:
            for path, (mode, object_id) in files.items():
                _stamp(incoming, path, mode, object_id)
                folder.take(incoming, path)
        remove_all(self._incoming)

    def _check_out(self, files: Files, tree: GitTree) -> None:
        """Write `files` of `tree` into `incoming`, by an index of only them and of the attributes that govern them."""
        self._forget_index()
        self._index.hold_only(files, tree, self._repository.zero)
        self._index.check_out(self._incoming, list(files))
        self._forget_index()

    def _forget_index(self) -> None:
        for name in ("index", "index.lock"):
            (self.folder / name).unlink(missing_ok=True)

    def _fill(self, tree: str) -> None:
        """Make the slot from nothing."""
        self._clear()
        _make_empty(self.path)
        self._index.load(tree)
        self._index.check_out(self.path)
        entries = self._known(tree) or self._index.entries()
        self._forget_index()
        with ConfinedFolder(self.path) as folder:
            for above in sorted({above for path in entries for above in parents(path)}):
                folder.open_up(above)
            for path, (mode, object_id) in entries.items():
                if mode == SUBMODULE:
                    folder.make_folder(path)
                else:
                    _stamp(folder, path, mode, object_id)

    def _clear(self) -> None:
        for name in ("tree", "incoming"):
            remove_all(self.folder / name)
        self._forget_index()


def _stamp(folder: ConfinedFolder, path: str, mode: str, object_id: str) -> None:
    folder.stamp(path, executable=mode == EXECUTABLE, seconds=content_time(object_id))


def _make_empty(folder: Path) -> None:
    remove_all(folder)
    folder.mkdir(parents=True)
    folder.chmod(0o755)  # whatever the umask


def _try_lock(folder: Path) -> int | None:
    """A descriptor holding the slot's lock, None if somebody else has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
