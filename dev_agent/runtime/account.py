"""What events say of values and attempts: the recorded view of their data, and how many secrets were taken out.

Pure. Which event it becomes part of, and what is scrubbed of it besides, is the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping

from dev_agent.runtime.attempt import Attempt
from dev_agent.runtime.projection import TraceView
from dev_agent.runtime.states import FactType


def made(attempt: Attempt, facts: Mapping[str, FactType]) -> dict[str, object]:
    """Return what an attempt made: its data, what was taken out of it, and what a model was shown."""
    recorded = TraceView.of(attempt.data, facts)
    shown = {} if attempt.shown is None else {"shown": attempt.shown}
    data = attempt.content if recorded.data is attempt.data else recorded.data
    return {"data": data, **redactions(recorded.redacted), **shown}


def redactions(count: int) -> dict[str, int]:
    """Return the field that tells of secrets taken out; none where there were none."""
    return {"redacted": count} if count else {}
