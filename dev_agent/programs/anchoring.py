"""Anchoring a run's trace in the repository: at its start, before its landing, at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.anchors import anchor

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.trace import Journal


def anchor_now(repository: Repository, journal: Journal, phase: str) -> None:
    """Record how long the trace is now and what its head is. Raises EnvironmentFault or GitFailed."""
    now = journal.anchor()
    anchor(repository, run=now.run, events=now.events, head=now.head, phase=phase)
