"""What went to a model in a run and what came back, as payloads beside its trace, in their order.

Read as this person may read it (`HumanView`): who does not own the run reads marks where a secret is. What was erased
is said to be.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dev_agent.programs.payloads import payloads_of
from dev_agent.runtime.blobs import Blobs
from dev_agent.runtime.errors import BlobUnavailable
from dev_agent.runtime.projection import HumanView
from dev_agent.runtime.trace import read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.folders import RunFolder

_ROLES = frozenset({"prompt", "reply"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One payload: `name` is `state.role`, `event` its place in the trace, `text` None if it is gone."""

    name: str
    event: int
    text: str | None


def exchange_of(folder: RunFolder) -> tuple[Said, ...]:
    """Every prompt and every reply of a run, oldest first. Raises JournalFailed or TraceCorrupt."""
    view = HumanView(owner=os.getuid() in (0, folder.path.stat().st_uid))
    blobs = Blobs(folder.path)
    return tuple(
        Said(name=one.name, event=one.event, text=_text(blobs, view, one.commitment, one.length))
        for one in payloads_of(read_trace(folder.path))
        if one.name.rpartition(".")[2] in _ROLES
    )


def _text(blobs: Blobs, view: HumanView, commitment: str, length: int) -> str | None:
    try:
        return view.payload(blobs.read(commitment, length)).decode("utf-8", "replace")
    except BlobUnavailable:
        return None
