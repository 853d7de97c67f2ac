"""The landing target a run was started for, read back from its recorded request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.landing.target import Target, TargetKind

if TYPE_CHECKING:
    from dev_agent.programs.story import Story


def target_of(story: Story) -> Target:
    """The target in a run's request."""
    known = story.request["target"]
    return Target(kind=TargetKind(known["kind"]), ref=str(known["ref"]))
