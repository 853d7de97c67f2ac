"""Telling our bugs from the world's refusals among what actions raised.

To the engine both are outcome `error`, and the run ends in its own way, with a receipt. To the person a refusal
is a report with a remedy, and a bug is a bug: it must not pass for a verdict on their change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.edits.errors import EditError
from dev_agent.errors import DevAgentError
from dev_agent.policy.errors import PolicyError
from dev_agent.runtime.errors import RuntimeFault

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext

_REFUSALS = (DevAgentError, RuntimeFault, EditError, PolicyError, OSError, MemoryError)


def raise_bugs(context: ApplyContext) -> None:
    """Raise the first thing an action of this drive raised that no part of the design expects."""
    for fault in context.faults:
        if not isinstance(fault, _REFUSALS):
            raise fault
