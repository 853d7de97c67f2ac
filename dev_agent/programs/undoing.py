"""What an undo is about: the landed run it takes back, and whether there still is something to take back.

A commit that undoes another one says so in a trailer. The branch itself is asked, not our run folders: they may
have been pruned, and the branch is what everybody shares. A trailer is text anybody can write; a forged one can
only make an undo refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dev_agent.errors import UsageFault
from dev_agent.programs.staged import current, landing_of
from dev_agent.programs.trailers import RUN, UNDOES
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.story import Story
    from dev_agent.repository.discovery import Repository

_COMMITTED = "committed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Undoing:
    """The landed `commit` of `run` on `ref`, the tree that run `restores` (the one it began with), and who asked."""

    run: str
    commit: str
    ref: str
    restores: str
    actor: str

    def to_json(self) -> dict[str, str]:
        """The form of a trace."""
        return dict(asdict(self))


@dataclass(frozen=True, kw_only=True, slots=True)
class Undone:
    """The commit on the branch that took another one back; `run` is empty if it names none."""

    commit: str
    run: str


def landed_change(story: Story, actor: str) -> Undoing:
    """What there is to undo of a run. Raises UsageFault if it never landed."""
    staged = current(story.facts)
    if not story.finished or story.state != _COMMITTED or staged is None:
        stands = (
            f"ended in {story.state}" if story.finished else f"stands in {story.state or 'its beginning'}"
        )
        raise UsageFault(
            f"run {story.run} landed nothing that could be undone: it {stands}",
            hint=f"see: dev-agent show {story.run}"
            + ("" if story.finished or not story.request else _not_over(story)),
        )
    landed = landing_of(story.facts)
    if landed.get("remote"):
        raise UsageFault(
            f"run {story.run} landed on {landed['remote']}, which undo does not reach",
            hint=f"take it back by a merge of its own: git revert -m 1 {staged.commit} on a branch, then premerge that",
        )
    return Undoing(
        run=story.run,
        commit=staged.commit,
        ref=str(landed["ref"]),
        restores=staged.base_tree,
        actor=actor,
    )


def _not_over(story: Story) -> str:
    """Say how an unfinished run goes on; whoever was cut off in an undo means the run it was taking back."""
    undoing = undoing_of(story)
    taken_back = "" if undoing is None else f" (it takes back run {undoing.run})"
    return f"; it is not over and can go on{taken_back}: dev-agent resume {story.run}"


def undoing_of(story: Story) -> Undoing | None:
    """What a run of `undo` takes back, read from its request; None for a run of another program."""
    return recorded_undoing(story.request)


def recorded_undoing(request: Mapping[str, Any]) -> Undoing | None:
    """The same, from the request itself."""
    known = request.get("undo")
    if not isinstance(known, Mapping):
        return None
    return Undoing(**{key: str(value) for key, value in known.items()})


def require_undoable(repository: Repository, undoing: Undoing, tip: str | None) -> None:
    """Refuse what is not on the branch any more, or was taken back already. Raises UsageFault, GitFailed."""
    name = undoing.ref.removeprefix("refs/heads/")
    short = undoing.commit[:12]
    if tip is None or not _holds(repository, tip, undoing.commit):
        raise UsageFault(
            f"the commit {short} of run {undoing.run} is not on {name} any more, so there is nothing to undo there",
            hint=f"if it was rebased, look for it with: git log --all --grep='{RUN}: {undoing.run}', "
            "and take it back with git revert",
        )
    undone = undone_by(repository, undoing.commit, tip)
    if undone is not None:
        again = (
            f"to bring it back: dev-agent undo {undone.run}"
            if undone.run
            else f"see: git show {undone.commit}"
        )
        raise UsageFault(
            f"run {undoing.run} was undone already, by the commit {undone.commit[:12]} on {name}", hint=again
        )


def undone_by(repository: Repository, commit: str, tip: str) -> Undone | None:
    """The commit between `commit` and `tip` that took it back and was not itself taken back since."""
    listed = repository.git.out(
        "log",
        "-z",
        "--topo-order",
        f"--format=%H%n%(trailers:key={UNDOES},valueonly,separator=%x2C)%n%(trailers:key={RUN},valueonly,separator=%x2C)",
        "--end-of-options",
        f"{commit}..{tip}",
    )
    standing: dict[str, Undone] = {}
    # Newest first, so whoever took a commit back was seen before it. A commit can only name what existed.
    for record in listed.decode("utf-8", "replace").split("\0"):
        made, _, rest = record.strip("\n").partition("\n")
        undone, _, run = rest.partition("\n")
        if made and undone and made not in standing:
            standing[undone.strip()] = Undone(commit=made, run=run.strip())
    return standing.get(commit)


def _holds(repository: Repository, tip: str, commit: str) -> bool:
    return repository.git.run("merge-base", "--is-ancestor", commit, tip).ok
