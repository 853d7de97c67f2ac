"""Anchors: what was once true of a run's trace, kept outside the run's folder.

A hash chain alone does not show that its tail was cut off. An anchor says "after so many events the head was
this"; it is a link of the commit chain `refs/dev-agent/anchors`, whose ids any later link depends on. What it
cannot do: somebody who may rewrite refs can rewrite this one; a pushed copy or a signature binds further.

The anchor made before a landing is on the disk before the branch moves (the landing's second flush covers it), so a
landing without an anchor shows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev_agent.errors import RepositoryFault
from dev_agent.repository.private_chain import append_link, links_of
from dev_agent.repository.refs import ANCHORS, read_ref
from dev_agent.repository.staging import plain_word
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.runtime import verification
from dev_agent.runtime.canonical import canonical, parse_canonical
from dev_agent.runtime.errors import NotCanonical
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_FILE = "anchor.json"
_NEWEST = 32
_HEAD = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor(verification.Anchor):
    """An anchor as the runtime checks it, and the `phase` of the run it was made in (one plain word)."""

    phase: str

    def __post_init__(self) -> None:
        plain_word(self.run)
        plain_word(self.phase)
        if self.events < 0 or not _HEAD.fullmatch(self.head):
            raise ValueError(f"not an anchor: {self!r}")


def anchor(repository: Repository, *, run: str, events: int, head: str, phase: str) -> Anchor:
    """Record that the trace of `run` had `events` events ending in hash `head`.

    Raises ValueError for anything that is not an anchor, EnvironmentFault or GitFailed if the ref cannot be
    moved. Killed before the ref moved there is no anchor, after it there is.
    """
    made = Anchor(run=run, events=events, head=head, phase=phase)
    store = ObjectStore(repository)
    blob = NewObject(kind="blob", data=_encode(made))
    entry = f"100644 {_FILE}\0".encode("ascii") + bytes.fromhex(store.id_of(blob.data))
    _, tree = store.write([blob, NewObject(kind="tree", data=entry)])
    append_link(repository, ANCHORS, message=f"{run} {phase} {events}", tree_after=lambda _: tree)
    return made


def anchors_of(repository: Repository, run: str) -> tuple[Anchor, ...]:
    """The anchors of `run`, oldest first.

    Reads and checks the whole chain. Raises RepositoryFault `damaged-chain` if anything in it is not what
    this module writes, GitFailed if a link is missing.
    """
    return tuple(each for each in all_anchors(repository) if each.run == run)


def latest_anchors(repository: Repository, run: str, *, back_to: str) -> tuple[Anchor, ...]:
    """The anchors of `run`, newest first, down to its one of phase `back_to`.

    Looks at the newest links only, and at the whole chain, as `anchors_of` does and with its errors, where that one is
    not among them: what a run asks about itself at its end does not grow with the runs before it.
    """
    store, found, link = ObjectStore(repository), list[Anchor](), read_ref(repository, ANCHORS)
    for _ in range(_NEWEST):
        if link is None:
            break
        (blob,) = store.resolve([f"{link}:{_FILE}"])
        made = _decode(link, store.read(blob) if blob else b"")
        if made.run == run:
            found.append(made)
            if made.phase == back_to:
                return tuple(found)
        link = next(iter(store.parents_of(link)), None)
    return tuple(reversed(anchors_of(repository, run)))


def all_anchors(repository: Repository) -> tuple[Anchor, ...]:
    """All anchors, oldest first. Raises as `anchors_of` does."""
    links = links_of(repository, ANCHORS)
    store = ObjectStore(repository)
    blobs = store.resolve([f"{link}:{_FILE}" for link in links])
    contents = store.read_many([blob for blob in blobs if blob])
    return tuple(
        _decode(link, contents[blob] if blob else b"") for link, blob in zip(links, blobs, strict=True)
    )


def _encode(made: Anchor) -> bytes:
    return canonical({"events": made.events, "head": made.head, "phase": made.phase, "run": made.run})


def _decode(link: str, data: bytes) -> Anchor:
    try:
        value = parse_canonical(data)
        if not isinstance(value, dict):
            raise TypeError("not an object")
        made = Anchor(**value)
    except (NotCanonical, TypeError, ValueError) as error:
        raise RepositoryFault(
            "damaged-chain",
            f"the link {link} of {ANCHORS} is not an anchor: {error}",
            hint=f"look at it with: git show {link}",
        ) from error
    return made
