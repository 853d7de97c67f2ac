"""A folder that foreign code wrote to, read back as the changes it makes to a tree.

Nothing in the folder is believed but bytes, modes and names: no index, no `.git`, no time stamp. Every file is hashed
here, before and after, by descriptors that follow no symlink; git is asked only which of the new names are ignored.

    before = listing(repository, folder, most)       # as it was checked out
    ...                                              # foreign code runs, and has ended
    changed = changes_in(repository, folder, before, tree, most)

A file whose bytes are as they were keeps its entry, whatever form the checkout gave it. A changed file that a filter or
line-ending rule had given another form cannot be turned back without running that rule on foreign bytes: refused.

Only objects are written. Killed at any line: objects nobody names.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed, RepositoryFault
from dev_agent.repository.objects import EXECUTABLE, REGULAR, SUBMODULE, SYMLINK, GitTree
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.private_index import Replacements

_CHUNK = 1 << 20
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_GIT = ".git"


@dataclass(frozen=True, kw_only=True, slots=True)
class Most:
    """What is read at most: entries, and bytes of all files together."""

    entries: int
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Path → (mode, id of the raw bytes), and the sum of all sizes."""

    files: Mapping[str, tuple[str, str]]
    size: int


class NotTaken(RepositoryFault):
    """The folder holds something that cannot become part of a tree; the text names it."""

    def __init__(self, message: str) -> None:
        super().__init__("not-taken", message)


def listing(repository: Repository, folder: Path, most: Most) -> Listing:
    """What is in `folder`, its own `.git` left out. Raises NotTaken."""
    files: dict[str, tuple[str, str]] = {}
    size = 0
    seen = 0
    try:
        for path, parent, name in _walk(folder):
            seen += 1
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            size += status.st_size if stat.S_ISREG(status.st_mode) else 0
            if seen > most.entries or size > most.size:
                raise NotTaken(
                    f"more than {most.entries} entries or {most.size} bytes were left behind; nothing is taken"
                )
            files[path] = _entry(path, parent, name, status, repository.object_format)
    except (OSError, RecursionError) as error:
        raise NotTaken(f"what was left behind cannot be read: {error}") from error
    return Listing(files=files, size=size)


def changes_in(repository: Repository, folder: Path, before: Listing, tree: str, most: Most) -> Replacements:
    """What turns `tree` into what `folder` holds now; new blobs are written. Raises NotTaken, GitFailed.

    Submodules of `tree` stay as they are. New files git would ignore, by the rules in the folder and the user's, are
    left out.
    """
    after = listing(repository, folder, most)
    old = GitTree(repository, tree)
    ignored = _ignored(repository, folder, sorted(after.files.keys() - before.files.keys()))
    taken: dict[str, tuple[str, str] | None] = dict.fromkeys(before.files.keys() - after.files.keys())
    for path, entry in after.files.items():
        if before.files.get(path) == entry or path in ignored:
            continue
        _require_own_form(path, before, old)
        oid = entry[1]
        if path in before.files and before.files[path][1] == oid:
            known = old.entry(path)
            oid = known[1] if known else oid
        else:
            _write(repository, folder, path, entry)
        taken[path] = (entry[0], oid)
    return taken


def _walk(folder: Path) -> Iterator[tuple[str, int, str]]:
    """Everything in `folder` that is not a directory: path, descriptor of its directory, name."""

    def refuse(error: OSError) -> None:
        raise error

    for where, folders, names, here in os.fwalk(folder, follow_symlinks=False, onerror=refuse):
        above = os.path.relpath(where, folder)
        prefix = "" if above == "." else above + "/"
        if not prefix and _GIT in folders:
            folders.remove(_GIT)
        folders.sort()
        for name in folders:
            # A link to a directory is listed among the directories.
            if stat.S_ISLNK(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
                yield prefix + name, here, name
        for name in sorted(names):
            if prefix or name != _GIT:
                yield prefix + name, here, name


def _entry(path: str, parent: int, name: str, status: os.stat_result, object_format: str) -> tuple[str, str]:
    if stat.S_ISLNK(status.st_mode):
        target = os.fsencode(os.readlink(name, dir_fd=parent))
        return SYMLINK, _digest(object_format, [target], len(target))
    if not stat.S_ISREG(status.st_mode):
        raise NotTaken(f"{path!r} is neither a file nor a symlink")
    fd = os.open(name, _FILE, dir_fd=parent)
    with os.fdopen(fd, "rb") as file:
        chunks = iter(lambda: file.read(_CHUNK), b"")
        mode = EXECUTABLE if status.st_mode & stat.S_IXUSR else REGULAR
        return mode, _digest(object_format, chunks, os.fstat(fd).st_size)


def _digest(object_format: str, chunks: Iterator[bytes] | list[bytes], size: int) -> str:
    digest = hashlib.new(object_format, b"blob %d\0" % size, usedforsecurity=False)
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _require_own_form(path: str, before: Listing, old: GitTree) -> None:
    known = old.entry(path)
    if known and known[0] != SUBMODULE and path in before.files and before.files[path][1] != known[1]:
        raise NotTaken(
            f"{path!r} was changed, and a filter or line-ending rule gives it another form on disk than in git"
        )


def _write(repository: Repository, folder: Path, path: str, entry: tuple[str, str]) -> None:
    """Store the bytes of one file; nobody writes to the folder any more, and what differs all the same is refused."""
    where = folder / path
    if entry[0] == SYMLINK:
        data = os.fsencode(where.readlink())
    else:
        with os.fdopen(os.open(where, _FILE), "rb") as file:
            data = file.read()
    (oid,) = ObjectStore(repository).write([NewObject(kind="blob", data=data)])
    if oid != entry[1]:
        raise NotTaken(f"{path!r} changed while it was read")


def _ignored(repository: Repository, folder: Path, paths: list[str]) -> frozenset[str]:
    if not paths:
        return frozenset()
    # Git parses these as pathspecs, also here; what begins with "./" has no magic.
    asked = b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)
    args = ("check-ignore", "-z", "--stdin", "--no-index")
    git = repository.git.with_work_tree(folder)
    done = git.run(*args, stdin=asked, env={"GIT_LITERAL_PATHSPECS": "0"})
    if done.code not in (0, 1):
        raise GitFailed(args, done.code, done.stderr.decode("utf-8", "replace"))
    return frozenset(os.fsdecode(name.removeprefix(b"./")) for name in done.stdout.split(b"\0")[:-1])
