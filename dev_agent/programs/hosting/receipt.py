"""The receipt of a hosted run: what any program's trace says, as an in-toto statement about the trace itself.

Computed from the events up to the one that finished the run, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dev_agent.programs.receipt import TRACE_FORMAT
from dev_agent.programs.story import told
from dev_agent.runtime.receipt import receipt_bytes, statement, summary

PREDICATE_TYPE = "https://dev-agent.dev/program-receipt/v1"


def hosted_receipt(events: Sequence[Any]) -> bytes:
    """The canonical bytes. Raises ValueError if the run has not finished."""
    story = told(events)
    if not story.finished:
        raise ValueError(f"run {story.run} has not finished, so it has no receipt")
    whole = summary(events[: story.events])
    predicate: dict[str, Any] = {
        **whole,
        "program": {"name": str(story.request["program"]), "digest": {"sha256": story.binding["program"]}},
        "outcome": story.state,
        "reason": story.reason,
        "trace": {"format": TRACE_FORMAT, **_object(whole["trace"])},
    }
    subject: dict[str, Any] = {"name": "trace", "digest": {"sha256": story.head}}
    return receipt_bytes(statement([subject], PREDICATE_TYPE, predicate))


def _object(value: Any) -> dict[str, Any]:
    return dict(value)
