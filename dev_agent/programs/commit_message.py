"""The message of a run's commit: a person's own words for what a person proposed, typed ones for what a model did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.programs.change import tree_changes
from dev_agent.programs.commit_words import details_of, heading_of
from dev_agent.programs.cost import Cost
from dev_agent.programs.trailers import CO_AUTHOR, COST, trailers
from dev_agent.repository.conventional import conventional_message
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.messages import commit_message
from dev_agent.runtime.receipt import costs

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext


def message_of_run(context: ApplyContext) -> str | Callable[[str], str]:
    """The message, or for a model's change a function of the staged tree that makes it. Reads only."""
    ours = trailers(context.journal)
    if context.asking is None:
        return commit_message(context.task, ours)
    from dev_agent.programs.solving.progress import progress_of  # noqa: PLC0415 - only where a model is asked

    plan = progress_of(context.journal.events, context.journal.blob, base=context.base).plan
    said = {} if plan is None else {"kind": plan.kind.value, "summary": plan.summary}
    spent = Cost.of(costs(context.journal.events)).words
    all_ours = {
        **ours,
        **({COST: spent} if spent else {}),
        **({CO_AUTHOR: context.co_authored_by} if context.co_authored_by else {}),
    }
    return lambda tree: _typed(context, said, tree, all_ours)


def _typed(context: ApplyContext, plan: Mapping[str, Any], tree: str, ours: Mapping[str, str]) -> str:
    changes = tree_changes(context.repository, tree_of(context.repository, context.base), tree)
    return conventional_message(
        heading_of(plan, changes), task=context.task, details=details_of(changes), trailers=ours
    )
