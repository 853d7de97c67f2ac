"""Anchoring a run's trace in the repository: at its start, before its landing, at its end; and asking the anchors.

An anchor is made when what it covers is durable, so no crash makes a trace shorter than its anchors say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import DevAgentError
from dev_agent.repository.anchors import anchor, anchors_of
from dev_agent.runtime.errors import TraceCorrupt
from dev_agent.runtime.trace import read_trace
from dev_agent.runtime.verification import contradictions

if TYPE_CHECKING:
    from dev_agent.programs.folders import RunFolder
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.trace import Journal

START, END = "start", "end"


def anchor_now(repository: Repository, journal: Journal, phase: str) -> None:
    """Record how long the trace is now and what its head is. Raises EnvironmentFault or GitFailed."""
    now = journal.anchor()
    anchor(repository, run=now.run, events=now.events, head=now.head, phase=phase)


def require_anchored(repository: Repository, folder: RunFolder) -> None:
    """Check that a trace is not shorter than, or another one than, what was anchored of it. Raises TraceCorrupt.

    A cut trace is whole by itself, and going on from where it was cut would do things twice. Anchors that cannot be
    read say nothing here; that they are damaged is `verify`'s to tell.
    """
    try:
        anchors = anchors_of(repository, folder.run)
    except (DevAgentError, ValueError):
        return
    if anchors:
        hashes = [event.hash for event in read_trace(folder.path)]
        for seq, reason in contradictions(folder.run, hashes, anchors):
            raise TraceCorrupt(seq, reason, f"do not trust this run; see: dev-agent verify {folder.run}")
