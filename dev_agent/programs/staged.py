"""Which staged commit a run is about right now, read from the facts its states have left.

Three states can make one: `stage`, `hooks` (which may rewrite files) and `rebase`. Each numbers what it makes
with `step`, one more than the last; the highest number is the current one. Evidence names trees, so a verdict
on an earlier one never counts for a later one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dev_agent.programs.paths import from_recorded, to_recorded
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.tree_walk import Difference

_WRITERS = ("stage", "hooks", "rebase")


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedCommit:
    """A staged commit: `base` is its parent (None for a root commit), `tree` what gates judge and landing lands."""

    step: int
    commit: str
    tree: str
    base: str | None
    base_tree: str
    files: tuple[str, ...]

    def to_json(self, changes: Sequence[Difference]) -> dict[str, Any]:
        """The facts a state records about it."""
        return {
            "step": self.step,
            "commit": self.commit,
            "tree": self.tree,
            "base": self.base or "",
            "base_tree": self.base_tree,
            "changes": [_recorded(change) for change in sorted(changes, key=lambda one: one.path)],
        }


def said(facts: Mapping[str, Any], state: str) -> Mapping[str, Any]:
    """What a state recorded last, {} if it was not left yet."""
    found = facts.get(state)
    return found if isinstance(found, Mapping) else {}


def landing_of(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the state that publishes recorded last, whichever of the two it is; {} before that."""
    return said(facts, "land") or said(facts, "push")


def current(facts: Mapping[str, Any]) -> StagedCommit | None:
    """The staged commit the run is about, or None before there is one."""
    found = [facts[state] for state in _WRITERS if state in facts and facts[state].get("commit")]
    if not found:
        return None
    latest = max(found, key=lambda one: int(one["step"]))
    return StagedCommit(
        step=latest["step"],
        commit=latest["commit"],
        tree=latest["tree"],
        base=latest["base"] or None,
        base_tree=latest["base_tree"],
        files=tuple(from_recorded(change["path"]) for change in latest["changes"]),
    )


def required(facts: Mapping[str, Any]) -> StagedCommit:
    """The current staged commit. A state that needs one and finds none was wired wrongly: our bug."""
    staged = current(facts)
    if staged is None:
        raise AssertionError("BUG: a state that needs a staged commit ran before one was made")
    return staged


def _recorded(change: Difference) -> dict[str, Any]:
    """The form of a trace and of the receipt's `changes`."""
    mode, _ = change.after or change.before or ("", "")
    return {
        "path": to_recorded(change.path),
        "status": change.status,
        "mode": mode,
        "before": {"gitBlob": change.before[1]} if change.before else None,
        "after": {"gitBlob": change.after[1]} if change.after else None,
    }
