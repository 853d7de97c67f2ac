"""What travels beside a job: trees as git bundles, and files, each named by its sha256.

A base tree travels once and whole, a judged tree as its difference from that; neither brings history. The commits they
travel in are made in a throw-away repository that borrows the objects of the user's: no ref, no object and no lock of
theirs is touched. Bundles are made when they are first needed, and named before they exist where that is known from
an earlier command: a worker that has the trees needs none.

Killed anywhere: a scratch folder that the next command removes, and at worst a remembered name of a bundle that can be
made again. A bundle that comes out otherwise than it was remembered (git was updated, objects were packed anew) is
named anew; nothing is ever sent under a digest that is not its own.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.cluster.job import Parcel
from dev_agent.cluster.parcel import commit_bytes
from dev_agent.errors import EnvironmentFault
from dev_agent.gates.cache import Cache, digest_of
from dev_agent.repository.scratch import scratch

if TYPE_CHECKING:
    from dev_agent.gates.subject import Subject
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.git import Git

_KIND = "bundle"
_REF = "refs/heads/judged"
_BLOCK = 1 << 20
_STEADY = ("pack.threads=1", "core.compression=1")
"""One thread packs the same objects into the same bytes; speed of packing matters more than size."""


class Renamed(Exception):
    """A bundle came out with another digest than was remembered: name what is to be sent anew."""


class Shipping:
    """The bundles of one repository's trees, for the length of one command. Safe to use from several threads."""

    def __init__(self, repository: Repository, remembered: Cache) -> None:
        self._repository = repository
        self._remembered = remembered
        self._open = ExitStack()
        self._lock = threading.Lock()
        self._git: Git | None = None
        self._parcels: dict[tuple[str, str], Parcel] = {}
        self._made: dict[str, Path] = {}
        self._wanted: dict[str, tuple[str, str]] = {}
        self._bases: dict[str, str] = {}

    def close(self) -> None:
        """Throw the scratch repository away."""
        with self._lock:
            self._git = None
            self._made.clear()
            self._bases.clear()
            self._open.close()

    def parcels(self, subject: Subject) -> tuple[Parcel, ...]:
        """What a worker without any object of the repository needs, in order. Raises GitFailed, EnvironmentFault."""
        pairs = [("", subject.base_tree)]
        if subject.tree != subject.base_tree:
            pairs.append((subject.base_tree, subject.tree))
        with self._lock:
            return tuple(self._parcel(base, tree) for base, tree in pairs)

    def bundle(self, sha256: str) -> Path | None:
        """The bundle of this digest; None if there was none. Raises Renamed, GitFailed, EnvironmentFault."""
        with self._lock:
            if sha256 not in self._made and sha256 in self._wanted:
                pair = self._wanted.pop(sha256)
                del self._parcels[pair]
                if self._parcel(*pair, anew=True).sha256 != sha256:
                    raise Renamed
            return self._made.get(sha256)

    def _parcel(self, base: str, tree: str, *, anew: bool = False) -> Parcel:
        pair = (base, tree)
        if pair in self._parcels:
            return self._parcels[pair]
        key = digest_of([self._repository.object_format, base, tree])
        known = None if anew or base else self._remembered.get(_KIND, key)
        if known is not None:
            parcel = Parcel(sha256=str(known["sha256"]), size=int(known["size"]))
            self._wanted[parcel.sha256] = pair
        else:
            parcel, path = self._bundled(base, tree)
            self._made[parcel.sha256] = path
            if not base:
                self._remembered.put(_KIND, key, {"sha256": parcel.sha256, "size": parcel.size})
        self._parcels[pair] = parcel
        return parcel

    def _bundled(self, base: str, tree: str) -> tuple[Parcel, Path]:
        git = self._scratch()
        if base and base not in self._bases:
            self._bases[base] = self._commit(git, base, "")
        parent = self._bases[base] if base else ""
        commit = self._commit(git, tree, parent)
        git.out("update-ref", _REF, commit)
        path = git.cwd / f"{tree}-{base}.bundle"
        since = (f"^{parent}",) if parent else ()
        git.out("bundle", "create", "--quiet", str(path), _REF, *since, config=_STEADY)
        digest, size = digest_and_size(path)
        return Parcel(sha256=digest, size=size), path

    def _commit(self, git: Git, tree: str, parent: str) -> str:
        return (
            git.out("hash-object", "-t", "commit", "-w", "--stdin", stdin=commit_bytes(tree, parent))
            .decode()
            .strip()
        )

    def _scratch(self) -> Git:
        """Git in the throw-away repository, which is made now if there is none yet."""
        if self._git is None:
            place = self._open.enter_context(scratch(self._repository))
            made = place.path / "shipping.git"
            git = replace(self._repository.git, git_dir=None, work_tree=None, index=None, cwd=place.path)
            git.out(
                "init",
                "--quiet",
                "--bare",
                "--template=",
                f"--object-format={self._repository.object_format}",
                str(made),
            )
            (made / "objects/info").mkdir(exist_ok=True)
            (made / "objects/info/alternates").write_bytes(_lender(self._repository))
            self._git = replace(git, git_dir=made).holding(place.claim)
        return self._git


def _lender(repository: Repository) -> bytes:
    folder = os.fsencode(repository.common_dir / "objects")
    if b"\n" in folder:
        raise EnvironmentFault(
            f"the folder of objects {str(repository.common_dir)!r} has a name git cannot borrow from",
            hint="keep the repository in a folder without line breaks in its name",
        )
    return folder + b"\n"


def digest_and_size(path: Path) -> tuple[str, int]:
    """The sha256 of a file, hex, and how many bytes it has."""
    digest, size = hashlib.sha256(), 0
    for block in blocks(path):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


def blocks(path: Path, size: int = _BLOCK) -> Iterator[bytes]:
    """A file's bytes in pieces."""
    with path.open("rb") as stream:
        yield from iter(lambda: stream.read(size), b"")


def place_of(sha256: str, shipping: Shipping, files: Mapping[str, Path]) -> Path | None:
    """Where the bytes of this digest are: one of `files`, or a bundle; None if they are nowhere."""
    return files.get(sha256) or shipping.bundle(sha256)
