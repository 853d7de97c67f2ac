"""The objects of one repository on a worker: a bare repository that only grows by what was checked.

    <folder>/<key>.git                       objects, nobody's branches
    refs/trees/<tree>                        this tree is here, whole
    refs/parcels/<commit>                    a commit that carried one, for the bundles that build on it
    dev-agent/                               slots and caches of the gates, as in any repository

Bundles are unpacked beside the repository first, in a folder that borrows its objects. There `git index-pack --strict`
looks at every object and at every link; only then the pack is moved in, and only after that a ref says the tree is
here. Death at any line leaves a folder that the next start removes, or objects without a ref, which are taken again.

A remote is fetched without a password: no credential helper, no terminal, no askpass; ssh uses the keys of the worker's
user and never asks. What is fetched is one commit, without history.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.cluster.parcel import commit_bytes
from dev_agent.errors import EnvironmentFault, GitFailed
from dev_agent.repository.discovery import Repository, discover
from dev_agent.repository.git import Git, find_git
from dev_agent.sandbox.scratch import remove_tree

if TYPE_CHECKING:
    from dev_agent.process import Completed

_TREES, _PARCELS, _FETCHED = "refs/trees/", "refs/parcels/", "refs/fetched"
_MOST_PACKS = 40
_STRICT = ("transfer.fsckObjects=true", "fetch.fsckObjects=true")
_FETCHING = (
    *(f"protocol.{name}.allow=always" for name in ("https", "ssh", "git", "file")),
    "credential.helper=",
    "core.askPass=",
    "core.sshCommand=ssh -oBatchMode=yes",
    "http.followRedirects=false",
    *_STRICT,
)
_NO_SPACE = "No space left on device"


class BadBundle(EnvironmentFault):
    """A bundle does not verify, or does not hold what the job says."""


class RemoteRefused(EnvironmentFault):
    """The remote cannot be reached, wants credentials, or does not have the commit."""


def neutral(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for git on a worker: nobody's configuration decides what a tree's files look like."""
    kept = {name: environ[name] for name in ("PATH", "TMPDIR", "HOME", "SSH_AUTH_SOCK") if name in environ}
    return {
        **kept,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "XDG_CONFIG_HOME": "/nonexistent",
    }


class Mirror:
    """One repository's objects. Safe for several threads; one process has the folder."""

    def __init__(self, place: Path, object_format: str, environ: Mapping[str, str]) -> None:
        """Make it if it is not there. Raises EnvironmentFault, OSError."""
        self.place = place
        self._environ = neutral(environ)
        self._lock = threading.Lock()
        if not (place / "HEAD").is_file():
            _make(place, object_format, self._environ)
        self.repository: Repository = discover(place, self._environ)
        if self.repository.object_format != object_format:
            raise BadBundle(f"the mirror has objects of {self.repository.object_format}, not {object_format}")
        self._quarantine = place / "quarantine"
        remove_tree(self._quarantine)

    def has(self, tree: str) -> bool:
        """True if the whole tree is here."""
        return (self.place / _TREES / tree).is_file()

    def take(self, bundle: Path) -> str:
        """Take what a bundle holds; the tree it carries. Raises BadBundle, GitFailed, OSError."""
        with self._lock:
            commit, needs = self._read_heads(bundle)
            for one in needs:
                if not self._is_there(one):
                    raise BadBundle(f"a bundle builds on {one[:12]}, which did not come before it")
            self._unpack(bundle)
            tree = self._git.line("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")
            self._point(f"{_PARCELS}{commit}", commit)
            self._point(f"{_TREES}{tree}", tree)
            self._tidy()
            return tree

    def carry(self, tree: str) -> None:
        """Make the commit that carries a tree which is here, for the bundles that build on it. Raises GitFailed."""
        with self._lock:
            commit = self._git.line("hash-object", "-t", "commit", "-w", "--stdin", stdin=commit_bytes(tree))
            self._point(f"{_PARCELS}{commit}", commit)

    def fetch(self, url: str, commit: str) -> str:
        """Fetch one commit from a remote; its tree, which is here then. Raises RemoteRefused, GitFailed, OSError."""
        with self._lock:
            ref = f"{_FETCHED}/{commit}"
            done = self._git.run(
                "fetch",
                "--quiet",
                "--depth=1",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                "--end-of-options",
                url,
                f"+{commit}:{ref}",
                config=_FETCHING,
            )
            if not done.ok:
                raise self._refused(done)
            tree = self._git.line("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")
            self._point(f"{_TREES}{tree}", tree)
            return tree

    @property
    def _git(self) -> Git:
        return self.repository.git

    def _read_heads(self, bundle: Path) -> tuple[str, tuple[str, ...]]:
        """The one commit a bundle carries, and those it builds on, by its header (gitformat-bundle)."""
        heads: list[str] = []
        needs: list[str] = []
        with bundle.open("rb") as stream:
            if stream.readline(64).rstrip() not in {b"# v2 git bundle", b"# v3 git bundle"}:
                raise BadBundle("what was shipped is no bundle")
            for _ in range(64):
                line = stream.readline(4096).rstrip(b"\n")
                if not line:
                    break
                word = line.lstrip(b"-").split(b" ")[0].decode("ascii", "replace")
                if not line.startswith(b"@"):
                    (needs if line.startswith(b"-") else heads).append(word)
        width = len(self.repository.zero)
        plain = all(len(one) == width and set(one) <= set("0123456789abcdef") for one in (*heads, *needs))
        if len(heads) != 1 or not plain:
            raise BadBundle("a bundle has to carry exactly one commit")
        return heads[0], tuple(needs)

    def _unpack(self, bundle: Path) -> None:
        """Unpack beside, check there, move in."""
        remove_tree(self._quarantine)
        packs = self._quarantine / "pack"
        packs.mkdir(parents=True)
        objects = self.repository.common_dir / "objects"
        apart = {
            "GIT_OBJECT_DIRECTORY": str(self._quarantine),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
        }
        self._require(self._git.run("bundle", "unbundle", str(bundle), env=apart, config=_STRICT))
        for pack in sorted(packs.glob("*.pack")):
            index = self._quarantine / f"{pack.stem}.idx"
            self._require(
                self._git.run(
                    "index-pack", "--strict", "-o", str(index), str(pack), env=apart, config=_STRICT
                )
            )
            for name in (pack.with_suffix(".rev"), pack):
                if name.exists():
                    name.replace(objects / "pack" / name.name)
            # Last: git reads a pack by its index.
            index.replace(objects / "pack" / f"{pack.stem}.idx")
        remove_tree(self._quarantine)

    def _require(self, done: Completed) -> None:
        if done.ok:
            return
        said = done.stderr.decode("utf-8", "replace").strip()
        if _NO_SPACE in said:
            raise OSError(28, _NO_SPACE)
        raise BadBundle(f"a bundle does not verify: {said[-400:]}")

    def _refused(self, done: Completed) -> Exception:
        said = done.stderr.decode("utf-8", "replace").strip()
        if _NO_SPACE in said:
            return OSError(28, _NO_SPACE)
        wants = any(
            word in said for word in ("could not read Username", "Permission denied", "Authentication")
        )
        why = "wants credentials, and a worker has none to give" if wants else "cannot be fetched from"
        return RemoteRefused(
            f"the repository's remote {why}: {said[-300:]}",
            hint="let the client ship bundles (without a remote), or make the remote readable for the worker",
        )

    def _is_there(self, object_id: str) -> bool:
        return self._git.run("cat-file", "-e", object_id).ok

    def _point(self, ref: str, object_id: str) -> None:
        self._git.out("update-ref", ref, object_id)

    def _tidy(self) -> None:
        """Few packs and few refs, so that a mirror that works for months stays quick."""
        packs = list((self.repository.common_dir / "objects" / "pack").glob("*.pack"))
        if len(packs) > _MOST_PACKS:
            self._git.run("repack", "-a", "-d", "-q")


def _make(place: Path, object_format: str, environ: Mapping[str, str]) -> None:
    """A bare repository, whole or not there: made under another name."""
    making = place.with_name(place.name + ".new")
    shutil.rmtree(making, ignore_errors=True)
    making.parent.mkdir(parents=True, exist_ok=True)
    git = Git(program=find_git(environ), environ=environ, cwd=making.parent)
    git.out("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}", str(making))
    making.replace(place)


def with_settings(repository: Repository, settings: Sequence[str]) -> Repository:
    """The repository under further git settings, `name=value`."""
    git = replace(repository.git, settings=(*repository.git.settings, *settings))
    return replace(repository, git=git)


__all__ = ["BadBundle", "GitFailed", "Mirror", "RemoteRefused", "neutral", "with_settings"]
