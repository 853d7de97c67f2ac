"""Making the commit of a batch: heads merged one after the other in git's own objects, and one commit of the result.

The commit has the parent first and then every head that went in, so that it is one step on the branch. Writes objects
only. Killed at any line: objects nobody names, and the batch is composed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.programs.paths import recordable
from dev_agent.programs.queueing.events import Composed
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.identity import AGENT, user_identity
from dev_agent.repository.merge import Contained, merge
from dev_agent.repository.messages import commit_message
from dev_agent.repository.rebase import Conflicted
from dev_agent.repository.staging import commit_tree
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev_agent.programs.queueing.commands import Compose
    from dev_agent.programs.queueing.model import Item
    from dev_agent.repository.discovery import Repository

QUEUE = "Dev-Agent-Queue"
"""The trailer that names the queue whose trace tells how the commit was judged."""

_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Stacked:
    """Heads merged on a commit: the tree of all that went in, and what became of each."""

    tree: str
    included: tuple[Item, ...]
    conflicts: tuple[tuple[Item, str], ...]
    contained: tuple[Item, ...]


def compose(repository: Repository, order: Compose, queue: str) -> Composed:
    """Make what was ordered. Raises GitFailed, and EnvironmentFault if a wanted signature cannot be made."""
    stacked = stack(repository, order.parent, order.items)
    commit = ""
    if stacked.included:
        commit = commit_tree(
            repository,
            tree=stacked.tree,
            parents=(order.parent, *(item.commit for item in stacked.included)),
            message=commit_message(title(stacked.included), {QUEUE: queue}),
            identity=user_identity(repository),
        )
    return Composed(
        batch=order.batch,
        parent=order.parent,
        commit=commit,
        included=tuple(item.number for item in stacked.included),
        conflicts=tuple((item.number, why) for item, why in stacked.conflicts),
        contained=tuple(item.number for item in stacked.contained),
    )


def stack(repository: Repository, parent: str, items: Sequence[Item]) -> Stacked:
    """Merge the heads into `parent`, each on those before it that merged. Raises GitFailed."""
    top, tree = parent, tree_of(repository, parent)
    included, conflicts, contained = [], [], []
    for item in items:
        made = merge(repository, base=top, head=item.commit)
        if isinstance(made, Conflicted):
            conflicts.append((item, _why(made)))
        elif isinstance(made, Contained) or made.tree == tree:
            contained.append(item)
        else:
            included.append(item)
            tree = made.tree
            # A step for the next merge to stand on; it is nobody's history, so it needs neither name nor signature.
            top = commit_tree(
                repository,
                tree=tree,
                parents=(top, item.commit),
                message="a step of a queue\n",
                identity=AGENT,
                sign=False,
            )
    return Stacked(
        tree=tree, included=tuple(included), conflicts=tuple(conflicts), contained=tuple(contained)
    )


def title(items: Sequence[Item]) -> str:
    """What the commit of these heads is called."""
    names = [recordable(item.name) for item in items]
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    if len(names) == 1:
        return f"Merge {shown}"
    return "\n".join([f"Merge {len(names)} heads: {shown}", "", *names])


def _why(made: Conflicted) -> str:
    named = ", ".join(made.paths[:_NAMED]) + (", …" if len(made.paths) > _NAMED else "")
    return recordable(f"conflict: {named}" if named else made.text)
