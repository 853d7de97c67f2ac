"""Holding what a run landed against what it verified: commit, tree, trailers, attached receipt, the anchor before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import DevAgentError
from dev_agent.programs.proof import Check, Mark
from dev_agent.programs.staged import current
from dev_agent.programs.trailers import RUN, message_of
from dev_agent.programs.trailers import TRACE as TRACE_TRAILER
from dev_agent.repository import receipts
from dev_agent.repository.discovery import Repository, tree_of

if TYPE_CHECKING:
    from dev_agent.programs.story import Story
    from dev_agent.repository.anchors import Anchor


def landing_checks(
    repository: Repository, story: Story, receipt: bytes, anchors: tuple[Anchor, ...], heads: frozenset[str]
) -> list[Check]:
    """Look at what a committed run left: its commit, the receipt attached to it, the anchor made before."""
    staged = current(story.facts)
    if staged is None:
        return [Check(name="commit", mark=Mark.BAD, detail="a committed run names no commit")]
    try:
        return [
            _commit(repository, story.run, heads, staged.commit, staged.tree),
            _attached(repository, staged.commit, receipt),
            _anchored_before(anchors),
        ]
    except DevAgentError as error:
        return [
            Check(name="commit", mark=Mark.BAD, detail=f"{staged.commit} cannot be read: {error.message}")
        ]


def _commit(repository: Repository, run: str, heads: frozenset[str], commit: str, tree: str) -> Check:
    if tree_of(repository, commit) != tree:
        return Check(name="commit", mark=Mark.BAD, detail=f"{commit} does not have the verified tree {tree}")
    lines = message_of(repository, commit).splitlines()
    if f"{RUN}: {run}" not in lines:
        return Check(name="commit", mark=Mark.BAD, detail=f"{commit} does not name this run")
    if not heads.intersection(line.removeprefix(f"{TRACE_TRAILER}: sha256:") for line in lines):
        return Check(name="commit", mark=Mark.BAD, detail=f"{commit} names a head this trace never had")
    return Check(name="commit", mark=Mark.OK, detail=f"{commit} has the verified tree {tree}")


def _attached(repository: Repository, commit: str, receipt: bytes) -> Check:
    stored = receipts.read(repository, commit)
    if stored is None:
        return Check(name="attached receipt", mark=Mark.UNCHECKED, detail="none in refs/dev-agent/receipts")
    same = stored.receipt == receipt
    detail = (
        "the copy in refs/dev-agent/receipts is the same" if same else "the copy in the repository differs"
    )
    return Check(name="attached receipt", mark=Mark.OK if same else Mark.BAD, detail=detail)


def _anchored_before(anchors: tuple[Anchor, ...]) -> Check:
    if any(one.phase == "landing" for one in anchors):
        return Check(
            name="anchored landing", mark=Mark.OK, detail="the trace was anchored before the branch moved"
        )
    return Check(name="anchored landing", mark=Mark.BAD, detail="the landing has no anchor from before it")
