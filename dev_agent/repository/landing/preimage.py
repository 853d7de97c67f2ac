"""The work tree before the landing: what is at every path, proved to be nothing of the user's.

A path of the base must hold the base's file. The proof is by bytes: either the raw bytes hash to the base's
blob, so that nothing can be lost, or git's own filters (line endings, encodings, clean filters) turn them into
it. The stat cache is never trusted. A path that is new must be free, ignored files included.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.repository.landing.content import Kind, Seen, look
from dev_agent.repository.landing.difference import LINK
from dev_agent.repository.landing.folders import folder_at, opened, place_at, split
from dev_agent.repository.landing.journal import Change, Folder
from dev_agent.repository.landing.outcome import Code, Refusal
from dev_agent.repository.listing import parents
from dev_agent.repository.rename import Place
from dev_agent.repository.settings import read_flag
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """`seen` is what stands at each path of the base; `made` are folders to make, outermost first.

    `folders` are those the deletions may empty, innermost last.
    """

    seen: dict[str, Seen]
    made: tuple[str, ...]
    folders: tuple[Folder, ...]


@dataclass(slots=True)
class _Findings:
    """What stands in the way so far; everything is listed before anything is refused."""

    dirty: set[str] = field(default_factory=set)
    untracked: set[str] = field(default_factory=set)
    symlinked: set[str] = field(default_factory=set)
    unwritable: set[str] = field(default_factory=set)


def examine_work_tree(repository: Repository, changes: Sequence[Change]) -> Before:
    """Look at every path of the change. Raises Refusal, GitFailed, OSError."""
    with opened(repository.work_tree) as root:
        return _Examination(repository, root, changes).result()


class _Examination:
    def __init__(self, repository: Repository, root: int, changes: Sequence[Change]) -> None:
        self._repository = repository
        self._root = root
        self._changes = changes
        self._vanishing = {change.path for change in changes if change.old_id}
        self._findings = _Findings()

    def result(self) -> Before:
        seen = self._old_files()
        made: set[str] = set()
        for change in self._changes:
            if change.old_id is None:
                made |= self._new_place(change.path)
        self._require_writable()
        found = self._findings
        for code, text, paths in (
            (Code.SYMLINKED_PARENT, "a folder of the change is a symlink in the work tree", found.symlinked),
            (Code.DIRTY_OVERLAP, "the change touches files with uncommitted changes", found.dirty),
            (Code.UNTRACKED_OVERLAP, "the change needs names that untracked files have", found.untracked),
            (Code.NO_WRITE_PERMISSION, "folders of the change cannot be written to", found.unwritable),
        ):
            if paths:
                raise Refusal(code, text, paths)
        return Before(seen=seen, made=tuple(sorted(made)), folders=tuple(self._emptied()))

    # paths of the base

    def _old_files(self) -> dict[str, Seen]:
        seen: dict[str, Seen] = {}
        unproved: list[Change] = []
        rules = _Rules.of(self._repository)
        for change in self._changes:
            if change.old_id is None:
                continue
            found = self._look(change.path)
            if found is None or not rules.allow(change, found.content.kind):
                self._findings.dirty.add(change.path)
                continue
            seen[change.path] = found
            if found.blob != change.old_id:
                unproved.append(change)
        self._findings.dirty |= self._changed_after_filters(unproved, seen)
        return seen

    def _look(self, path: str) -> Seen | None:
        try:
            with place_at(self._root, path) as place:
                return look(place, self._repository.object_format)
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            self._blame_parent(path)
            return None
        except OSError as error:
            # It was opened below a folder's descriptor and names itself by its last part only.
            raise OSError(error.errno, os.strerror(error.errno or 0), path) from error

    def _blame_parent(self, path: str) -> None:
        for folder in parents(path):
            kind = self._kind(folder)
            if kind is Kind.LINK:
                self._findings.symlinked.add(folder)
            if kind is not Kind.FOLDER:
                return

    def _kind(self, path: str) -> Kind | None:
        """Of the outermost thing that is no folder the caller must ask first."""
        try:
            with place_at(self._root, path) as place:
                found = look(place)
        except FileNotFoundError:
            return None
        return found.content.kind if found else None

    def _changed_after_filters(self, unproved: list[Change], seen: dict[str, Seen]) -> set[str]:
        """Those whose bytes git's filters do not turn into the base's blob, or which changed meanwhile."""
        regular = [change for change in unproved if seen[change.path].content.kind is not Kind.LINK]
        bad = {change.path for change in unproved} - {change.path for change in regular}
        if not regular:
            return bad
        named = b"".join(_quoted(change.path) + b"\n" for change in regular)
        done = self._repository.git.run("hash-object", "--stdin-paths", stdin=named)
        if not done.ok:
            raise Refusal(
                Code.FILTER_FAILED,
                f"git could not read files of the change: {done.stderr.decode('utf-8', 'replace').strip()}",
                [change.path for change in regular],
            )
        hashed = done.stdout.decode("ascii").split()
        for change, object_id in zip(regular, hashed, strict=True):
            again = self._look(change.path)
            if object_id != change.old_id or again is None or again.content != seen[change.path].content:
                bad.add(change.path)
        return bad

    # paths that are new

    def _new_place(self, path: str) -> set[str]:
        """The folders to make for `path`; what stands in its way is found."""
        above = parents(path)
        for count, folder in enumerate(above):
            kind = self._kind(folder)
            if kind is None or folder in self._vanishing:
                return set(above[count:])
            if kind is Kind.LINK:
                self._findings.symlinked.add(folder)
            elif kind is not Kind.FOLDER:
                self._findings.untracked.add(folder)
            if kind is not Kind.FOLDER:
                return set()
        with place_at(self._root, path) as place:
            found = look(place)
            if found is None:
                return set()
            if found.content.kind is Kind.FOLDER:
                self._findings.untracked |= self._foreign_below(place, path)
            else:
                self._findings.untracked.add(path)
        return set()

    def _foreign_below(self, place: Place, path: str) -> set[str]:
        """What a folder that becomes a file holds besides files that the change deletes."""
        foreign: set[str] = set()
        for folder, names, files, fd in os.fwalk(place.name, dir_fd=place.folder, follow_symlinks=False):
            here = path + folder[len(place.name) :]
            # A symlink to a folder is listed as a folder.
            links = [name for name in names if _is_link(Place(folder=fd, name=name))]
            inside = {f"{here}/{name}" for name in [*files, *links]}
            foreign |= inside - self._vanishing
            if not names and not files:
                foreign.add(here)
        return foreign

    # folders

    def _require_writable(self) -> None:
        folders = {split(change.path)[0] for change in self._changes}
        for folder in folders:
            try:
                with folder_at(self._root, folder) as fd:
                    if not os.access(".", os.W_OK | os.X_OK, dir_fd=fd, effective_ids=True):
                        self._findings.unwritable.add(folder or ".")
            except (FileNotFoundError, NotADirectoryError):
                continue

    def _emptied(self) -> Iterator[Folder]:
        needed = {folder for change in self._changes if change.new_id for folder in parents(change.path)}
        deleted = {change.path for change in self._changes if change.new_id is None}
        for folder in sorted({folder for path in deleted for folder in parents(path)} - needed):
            with folder_at(self._root, folder) as fd:
                info = os.fstat(fd)
            yield Folder(path=folder, mode=info.st_mode & 0o7777, uid=info.st_uid, gid=info.st_gid)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rules:
    """Whether this file system keeps x bits and symlinks, as git found out when it made the repository."""

    modes: bool
    symlinks: bool

    @classmethod
    def of(cls, repository: Repository) -> _Rules:
        modes, links = (
            read_flag(repository, name, default=True) for name in ("core.filemode", "core.symlinks")
        )
        return cls(modes=modes, symlinks=links)

    def allow(self, change: Change, kind: Kind) -> bool:
        """True if `kind` is what a checkout of the base makes."""
        if change.old_mode == LINK:
            return kind is (Kind.LINK if self.symlinks else Kind.FILE)
        wanted = Kind.EXECUTABLE if change.old_mode == "100755" else Kind.FILE
        return kind is wanted or (not self.modes and kind in (Kind.FILE, Kind.EXECUTABLE))


def _is_link(place: Place) -> bool:
    return stat.S_ISLNK(os.stat(place.name, dir_fd=place.folder, follow_symlinks=False).st_mode)


def _quoted(path: str) -> bytes:
    """A name as `--stdin-paths` takes it: it has no -z, but understands C quoting."""
    body = b"".join(bytes([byte]) if byte in _PLAIN else b"\\%03o" % byte for byte in os.fsencode(path))
    return b'"' + body + b'"'
