"""Refs and HEAD, read without a child where they are plain files.

What git does, for the files of the format every repository has unless it was asked for another (`reftable`): a ref is
a file of its own, or else a line of `packed-refs`. Git packs a ref by writing the line before it removes the file, and
deletes one by removing the line first, so reading the file and then the line finds what was true at some instant
between. What is anything else, a symbolic ref, a link, a damaged file, a folder that cannot be looked into, is UNKNOWN
here, and for git to say. Nothing here says that the object a ref names is there.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository

_SHARED = ("refs/heads/", "refs/dev-agent/", "refs/tags/")
"""Not the few that each work tree has for itself (`refs/bisect/` …)."""
_ID = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\n?")
_BRANCH = re.compile(rb"ref: (refs/heads/[^\n]+)\n?")


class Unread(Enum):
    """The answer that is none."""

    UNKNOWN = "unknown"


UNKNOWN: Literal[Unread.UNKNOWN] = Unread.UNKNOWN


def loose_ref(repository: Repository, ref: str) -> str | Literal[Unread.UNKNOWN] | None:
    """The id the shared ref with the full name `ref` holds, None if there is none."""
    if not ref.startswith(_SHARED) or ".." in ref or not _has_files(repository):
        return UNKNOWN
    try:
        content = _content(repository.common_dir / ref)
        if content is None:
            return _packed(repository.common_dir / "packed-refs", ref)
    except (OSError, ValueError):
        return UNKNOWN
    found = _ID.fullmatch(content)
    return found[1].decode("ascii") if found else UNKNOWN


def has_packed_neighbour(repository: Repository, ref: str) -> bool:
    """True if `packed-refs` has a ref whose name leaves no room for `ref`: a folder of it, or one below it.

    Raises OSError where that cannot be told.
    """
    packed = _content(repository.common_dir / "packed-refs") or b""
    *above, _ = ref.encode("utf-8", "surrogateescape").split(b"/")
    names = [b"/".join(above[:depth]) + b"\n" for depth in range(1, len(above) + 1)]
    names.append(ref.encode("utf-8", "surrogateescape") + b"/")
    return any(b" " + name in packed for name in names)


def branch_of_head(repository: Repository) -> str | Literal[Unread.UNKNOWN]:
    """The full name of the branch that HEAD of this work tree points to; one that is unborn too."""
    try:
        content = _content(repository.git_dir / "HEAD") if _has_files(repository) else None
    except OSError:
        content = None
    found = _BRANCH.fullmatch(content or b"")
    return found[1].decode("utf-8", "surrogateescape") if found else UNKNOWN


def _has_files(repository: Repository) -> bool:
    """False for `reftable`, whose `HEAD` and `refs/heads` are there and say nothing."""
    return not (repository.common_dir / "reftable").exists()


def _content(path: Path) -> bytes | None:
    """The bytes of a plain file; None if there is no such name. Raises OSError for a link and everything else."""
    if path.is_symlink():
        raise OSError(f"{path} is a link")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _packed(path: Path, ref: str) -> str | Literal[Unread.UNKNOWN] | None:
    packed = _content(path)
    if packed is None:
        return None
    name = ref.encode("utf-8", "surrogateescape")
    found = re.search(rb"^([0-9a-f]+) " + re.escape(name) + rb"$", packed, re.MULTILINE)
    if found is None:
        return None
    return found[1].decode("ascii") if _ID.fullmatch(found[1]) else UNKNOWN
