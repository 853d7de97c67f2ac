"""The object store: bytes by id, ids by bytes.

Reading goes without a child where it can: loose objects by ourselves, packed ones through GitPython's pure-Python
object database; and through `git cat-file --batch` where it cannot: packs of sha256 repositories, many objects at once,
packs made since it looked. Whatever the way, bytes are believed only if they hash to the id that was asked for.

A few objects are written by ourselves (`loose`); many, or where git has to see to more, by one child: a pack in
memory, unpacked by git itself. Killed at any instant some loose objects exist that nothing names; git's own gc drops
them.

Nothing is ever fetched: an object missing from a shallow or partial clone is a refusal with its own code.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from dev_agent.errors import GitFailed, RepositoryFault
from dev_agent.repository.loose import may_write, read_loose, write_loose
from dev_agent.repository.recent import Recent
from dev_agent.repository.tree_bytes import Entry, parse_sound_tree, parse_tree
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.process import Completed
    from dev_agent.repository.discovery import Repository

_MOST_LOOSE = 256
"""Objects at once, written one by one; a pack is quicker for more."""
_FEW = 16
"""Names at once, looked up one by one; a child is quicker for more."""
_UNKNOWN = ""
_FOLDERS: Recent[tuple[Path, str], Mapping[bytes, Entry]] = Recent(most=20_000)
"""Trees read last, by object folder and id; the room is for so many entries."""
_PACK_TYPES = {"commit": 1, "tree": 2, "blob": 3}


class _Stream(Protocol):
    type: bytes
    size: int

    def read(self) -> bytes: ...


class _Database(Protocol):
    def stream(self, sha: bytes, /) -> _Stream: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class NewObject:
    """An object to write: `kind` is blob, tree or commit, `data` its bytes without git's header."""

    kind: str
    data: bytes


class ObjectStore:
    """The objects of one repository. Safe to share between threads; `close` lets the opened packs go."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._hash = hashlib.sha256 if repository.object_format == "sha256" else hashlib.sha1
        self._lock = threading.Lock()
        self._database: _Database | None = None

    def read(self, object_id: str, kind: str = "blob") -> bytes:
        """The bytes of one object.

        Raises RepositoryFault (`missing-objects`, `damaged-object`) or GitFailed.
        """
        data = self.read_here(object_id, kind)
        return self.read_many([object_id], kind)[object_id] if data is None else data

    def read_many(self, object_ids: Iterable[str], kind: str = "blob") -> dict[str, bytes]:
        """The bytes of many objects by one child. Raises as `read` does."""
        wanted = list(dict.fromkeys(object_ids))
        if not wanted:
            return {}
        done = self._ask(wanted)
        found = _parse_batch(done.stdout)
        missing = [object_id for object_id in wanted if object_id not in found]
        if missing:
            raise missing_objects(missing, done.stderr.decode("utf-8", "replace").strip())
        for object_id in wanted:
            found_kind, data = found[object_id]
            if found_kind != kind or self.id_of(data, kind) != object_id:
                raise RepositoryFault(
                    "damaged-object",
                    f"the object {object_id} is not the {kind} its name promises",
                    hint="look at it with: git fsck",
                )
        return {object_id: found[object_id][1] for object_id in wanted}

    def folder(self, tree: str) -> Mapping[bytes, Entry]:
        """The entries of one tree, not to be changed. Raises as `read` does, and ValueError."""
        known = self.folder_here(tree)
        return parse_tree(self.read(tree, "tree"), len(tree) // 2) if known is None else known

    def folder_here(self, tree: str) -> Mapping[bytes, Entry] | None:
        """The same, if it can be had without a child and is as git makes trees; None if not.

        An id means one tree for ever, so what was read last is remembered.
        """
        key = (self._repository.common_dir, tree)
        known = _FOLDERS.get(key)
        if known is None:
            # Git knows the empty tree without having it.
            data = b"" if tree == self.id_of(b"", "tree") else self.read_here(tree, "tree")
            known = None if data is None else _sound(data, len(tree) // 2)
            if known is not None:
                _FOLDERS.put(key, known, size=len(known))
        return known

    def remember(self, folders: Mapping[str, Mapping[bytes, Entry]]) -> None:
        """Save reading back trees that were just written, by id."""
        for tree, entries in folders.items():
            # What was made of an unsound tree may be as unsound: not for `folder_here`.
            if b"" not in entries and b"/" not in b"".join(entries):
                _FOLDERS.put((self._repository.common_dir, tree), entries, size=len(entries))

    def tree_of(self, name: str) -> str | None:
        """The tree that the id of a tree or commit means, if that can be told without a child."""
        if self.read_here(name, "tree") is not None:
            return name
        commit = self.read_here(name, "commit") or b""
        header, _, tree = commit.partition(b"\n")[0].partition(b" ")
        return tree.decode("ascii") if header == b"tree" else None

    def sizes(self, object_ids: Iterable[str]) -> dict[str, int]:
        """The sizes of objects in bytes, by one child; what is not in this clone is left out. Raises GitFailed."""
        asked = "".join(f"{object_id}\n" for object_id in object_ids).encode("ascii")
        said = self._repository.git.out("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked)
        rows = (line.split(b" ") for line in said.splitlines())
        return {row[0].decode("ascii"): int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}

    def resolve(self, names: Sequence[str]) -> list[str | None]:
        """The ids that `names` (full ids, `<commit>:<path>`) mean, None for what is not there."""
        found = [self._found(name) if len(names) <= _FEW else _UNKNOWN for name in names]
        left = [name for name, known in zip(names, found, strict=True) if known == _UNKNOWN]
        if not left:
            return found
        asked = "".join(f"{name}\n" for name in left).encode("utf-8", "surrogateescape")
        said = self._repository.git.out("cat-file", "--batch-check=%(objectname)", stdin=asked)
        answers = iter([None if b" " in line else line.decode("ascii") for line in said.splitlines()])
        return [next(answers) if known == _UNKNOWN else known for known in found]

    def parents_of(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit. Raises as `read` does."""
        header, _, _ = self.read(commit, "commit").partition(b"\n\n")
        rows = header.decode("ascii", "replace").split("\n")
        return tuple(row.removeprefix("parent ") for row in rows if row.startswith("parent "))

    def _found(self, name: str) -> str | None:
        """What `name` means, if loose objects alone tell; None if they tell that it is not there, else _UNKNOWN."""
        commit, colon, path = name.partition(":")
        if not colon:
            place = self._repository.common_dir / "objects" / name[:2] / name[2:]
            return name if place.is_file() else _UNKNOWN
        here = self._loose_tree_of(commit)
        for part in path.encode("utf-8", "surrogateescape").split(b"/"):
            data = self._loose(here, "tree")
            if data is None:
                return _UNKNOWN
            entry = parse_tree(data, len(here) // 2).get(part)
            if entry is None:
                return None
            here = entry[1]
        return here

    def _loose_tree_of(self, commit: str) -> str:
        header, _, tree = (self._loose(commit, "commit") or b"").partition(b"\n")[0].partition(b" ")
        return tree.decode("ascii") if header == b"tree" else _UNKNOWN

    def _loose(self, object_id: str, kind: str) -> bytes | None:
        found = read_loose(self._repository.common_dir / "objects", object_id)
        right = found is not None and found[0] == kind and self.id_of(found[1], kind) == object_id
        return found[1] if found is not None and right else None

    def write(self, objects: Sequence[NewObject]) -> tuple[str, ...]:
        """Write `objects` and return their ids, in order. Raises GitFailed."""
        by_id = {self.id_of(each.data, each.kind): each for each in objects}
        if by_id and not self._write_loose(by_id):
            pack = _pack(list(by_id.values()), self._repository.object_format)
            self._repository.git.out("unpack-objects", "-q", stdin=pack)
        return tuple(self.id_of(each.data, each.kind) for each in objects)

    def _write_loose(self, by_id: Mapping[str, NewObject]) -> bool:
        """False if git is to do it, and then says what is wrong if anything is."""
        if len(by_id) > _MOST_LOOSE or not may_write(self._repository):
            return False
        try:
            for object_id, each in by_id.items():
                write_loose(self._repository.common_dir / "objects", object_id, each.kind, each.data)
        except OSError:
            return False
        return True

    def id_of(self, data: bytes, kind: str = "blob") -> str:
        """The id git gives an object with these bytes in this repository."""
        digest = self._hash(b"%b %d\0" % (kind.encode("ascii"), len(data)), usedforsecurity=False)
        digest.update(data)
        return digest.hexdigest()

    def close(self) -> None:
        """Let go of what reading opened; the store can be used again."""
        with self._lock:
            self._database = None

    def _ask(self, wanted: Sequence[str]) -> Completed:
        asked = "".join(f"{object_id}\n" for object_id in wanted).encode("ascii")
        done = self._repository.git.run("cat-file", "--batch", stdin=asked)
        said = done.stderr.decode("utf-8", "replace").strip()
        if not done.ok and "promisor" in said:  # a partial clone dies of what others report as missing
            raise missing_objects(wanted, said)
        if not done.ok or done.truncated:
            raise GitFailed(("cat-file", "--batch"), done.code, said)
        return done

    def read_here(self, object_id: str, kind: str = "blob", most: int | None = None) -> bytes | None:
        """The bytes of one object of at most `most` bytes, if they can be had without a child; None if not.

        None says nothing about whether the object is there.
        """
        found = read_loose(self._repository.common_dir / "objects", object_id, most)
        if found is not None and found[0] == kind and self.id_of(found[1], kind) == object_id:
            return found[1]
        if found is not None or self._repository.object_format != "sha1":
            return None
        try:
            with self._lock:
                stream = self._open().stream(bytes.fromhex(object_id))
                if most is not None and stream.size > most:
                    return None
                data = stream.read()
        except Exception:  # noqa: BLE001 - it fails in many ways on packs it does not know; git then decides
            return None
        return data if stream.type == kind.encode() and self.id_of(data, kind) == object_id else None

    def _open(self) -> _Database:
        if self._database is None:
            # GitPython's object database without `import git`, which would start a child and read the
            # environment only to look for a program we never let it run.
            from gitdb.db import GitDB  # type: ignore[import-untyped]  # noqa: PLC0415 - slow, seldom needed

            self._database = cast("_Database", GitDB(str(self._repository.common_dir / "objects")))
        return self._database


def _sound(data: bytes, id_size: int) -> Mapping[bytes, Entry] | None:
    try:
        return parse_sound_tree(data, id_size)
    except ValueError:
        return None


def missing_objects(object_ids: Sequence[str], said: str = "") -> RepositoryFault:
    """The refusal for objects that are not in this clone."""
    text = f"of {len(object_ids)} object(s), among them {object_ids[0]}, not all are in this clone"
    remedy = "complete it first: git fetch --unshallow (shallow) or git fetch --refetch (partial)"
    # A gate that could not start is told by its message alone, so the remedy is in it too.
    return RepositoryFault("missing-objects", f"{text}: {said or remedy}", hint=remedy)


def _parse_batch(output: bytes) -> dict[str, tuple[str, bytes]]:
    """What `cat-file --batch` said: id → (kind, bytes). Missing objects are left out."""
    found: dict[str, tuple[str, bytes]] = {}
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        words = output[at:end].decode("ascii").split(" ")
        at = end + 1
        if len(words) == 3:
            size = int(words[2])
            found[words[0]] = (words[1], output[at : at + size])
            at += size + 1
    return found


def _pack(objects: Sequence[NewObject], object_format: str) -> bytes:
    """A pack of whole objects (gitformat-pack: header, entries, checksum)."""
    parts = [b"PACK", (2).to_bytes(4, "big"), len(objects).to_bytes(4, "big")]
    for each in objects:
        parts += (_entry_header(_PACK_TYPES[each.kind], len(each.data)), zlib.compress(each.data, 1))
    pack = b"".join(parts)
    return pack + hashlib.new(object_format, pack, usedforsecurity=False).digest()


def _entry_header(kind: int, size: int) -> bytes:
    """Type and length, four bits and then seven at a time, the high bit meaning "more"."""
    byte, size = kind << 4 | size & 15, size >> 4
    header = bytearray()
    while size:
        header.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    header.append(byte)
    return bytes(header)
