"""Receipts, attached to the commits they are about without touching those commits.

`refs/dev-agent/receipts` is a chain of commits; the tip's tree holds

    <first two digits>/<commit id>/receipt.json          the receipt, byte for byte
    <first two digits>/<commit id>/receipt.dsse.json     its signed envelope, if there is one

A receipt names the commit's own id, so it can never be inside it. Git notes would be the other place: they
are lost on rewrite, and merge badly.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev_agent.repository.discovery import tree_of
from dev_agent.repository.private_chain import append_link
from dev_agent.repository.refs import RECEIPTS, read_ref
from dev_agent.repository.staging import compose
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MODE = "100644"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredReceipt:
    """A receipt's exact bytes, and those of its signed envelope if there is one."""

    receipt: bytes
    envelope: bytes | None


def attach(repository: Repository, commit: str, receipt: bytes, envelope: bytes | None = None) -> None:
    """Attach a receipt to `commit`, replacing an earlier one; the chain keeps that.

    Attaching the same again does nothing. Raises ValueError unless `commit` is a full id, EnvironmentFault or
    GitFailed if the ref cannot be moved. Killed before the ref moved nothing is attached, after it all is.
    """
    wanted = StoredReceipt(receipt=receipt, envelope=envelope)
    if read(repository, commit) == wanted:
        return
    bodies = [receipt] if envelope is None else [receipt, envelope]
    ids = ObjectStore(repository).write([NewObject(kind="blob", data=body) for body in bodies])
    entries = {path: (_MODE, blob) for path, blob in zip(_paths(commit), ids, strict=False)}
    replacements = {path: entries.get(path) for path in _paths(commit)}
    append_link(
        repository,
        RECEIPTS,
        message=f"receipt for {commit}",
        tree_after=lambda tip: compose(repository, tree_of(repository, tip), replacements),
    )


def read(repository: Repository, commit: str) -> StoredReceipt | None:
    """The receipt attached to `commit`, None if there is none. Raises ValueError unless it is a full id."""
    tip = read_ref(repository, RECEIPTS)
    if tip is None:
        _paths(commit)
        return None
    store = ObjectStore(repository)
    receipt, envelope = store.resolve([f"{tip}:{path}" for path in _paths(commit)])
    if receipt is None:
        return None
    return StoredReceipt(receipt=store.read(receipt), envelope=store.read(envelope) if envelope else None)


def _paths(commit: str) -> tuple[str, str]:
    if not _ID.fullmatch(commit):
        raise ValueError(f"not a full commit id: {commit!r}")
    folder = f"{commit[:2]}/{commit}"
    return f"{folder}/receipt.json", f"{folder}/receipt.dsse.json"
