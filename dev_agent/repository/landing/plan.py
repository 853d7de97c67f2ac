"""The plan of a landing: what would change, and that nothing of the user's is in the way.

Made under the land lock and before anything is written. Every refusal lists all paths it is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.landing.difference import difference, require_landable
from dev_agent.repository.landing.index_copy import index_bytes
from dev_agent.repository.landing.index_view import require_index_fit, view_index
from dev_agent.repository.landing.outcome import BranchMoved
from dev_agent.repository.landing.preimage import Before, examine_work_tree
from dev_agent.repository.landing.replaced import require_unreplaced
from dev_agent.repository.landing.target import (
    Target,
    require_no_operation,
    require_sole_checkout,
    require_unswitched,
    tip_of,
)
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.journal import Change


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """`before` is what stands at the paths now, None if no work tree goes with the ref.

    `index` is the index file the plan was made for.
    """

    changes: tuple[Change, ...]
    before: Before | None
    index: bytes | None


def make_plan(repository: Repository, target: Target, base: str | None, commit: str) -> Plan:
    """Plan the landing of `commit`, built on `base`. Changes nothing. Raises Stop, GitFailed, OSError."""
    require_ready(repository, target, base)
    require_sole_checkout(repository, target)
    if target.has_work_tree:
        require_unreplaced(repository, base)
    changes = difference(repository, base, commit)
    require_landable(repository, base, commit, changes)
    if not target.has_work_tree:
        return Plan(changes=changes, before=None, index=None)
    index = index_bytes(repository)
    require_index_fit(view_index(repository.git), changes)
    return Plan(changes=changes, before=examine_work_tree(repository, changes), index=index)


def require_ready(repository: Repository, target: Target, base: str | None) -> None:
    """Refuse unless HEAD and the ref are what the landing starts from, with no operation in progress."""
    require_unswitched(repository, target)
    if target.has_work_tree:
        require_no_operation(repository.git_dir)
    tip = tip_of(repository, target)
    if tip != target.expected(base):
        raise BranchMoved(tip)
