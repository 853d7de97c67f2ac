"""What a run of `premerge` is about: which head is merged into which base, and where the merge may land.

The names are the caller's words, kept for messages and for asking again where they stand; what is merged are commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dev_agent.repository.discovery import resolve_commit
from dev_agent.repository.push import Branch, remote_tip
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.story import Story
    from dev_agent.repository.discovery import Repository

_KIND = "merge"
_BRANCHES = "refs/heads/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Merging:
    """Head and base as the caller named them, the head's commit, and what is to become of the merge.

    `land`: publish it, on the remote's branch `ref` if `remote` is named, else on the run's target. `own_commit`: make
    a merge commit even where the head is built on the base. `as_is`: judge the head's own tree against the base, not a
    merge. `head_ref` is the ref of the remote the head came from, "" if nobody said.
    """

    base_name: str
    head_name: str
    head: str
    land: bool = False
    own_commit: bool = False
    as_is: bool = False
    remote: str = ""
    ref: str = ""
    head_ref: str = ""

    @property
    def branch(self) -> Branch | None:
        """The branch of a remote it lands on, None if it lands here or nowhere."""
        return Branch(remote=self.remote, ref=self.ref) if self.remote and self.land else None

    @property
    def title(self) -> str:
        """In a few words, for lists and for the commit's message."""
        return f"Merge {_short(self.head_name)} into {_short(self.base_name)}"

    def superseded_by(self, repository: Repository) -> str:
        """The commit the head's name means now, if that is another one; "" while it is not. Raises EnvironmentFault.

        A name that is gone is no other head: a branch may be deleted, and what was judged stays what it was.
        """
        here = resolve_commit(repository, self.head_name)
        there = (
            remote_tip(repository, Branch(remote=self.remote, ref=self.head_ref))
            if self.head_ref and self.remote
            else None
        )
        return next((one for one in (there, here) if one not in (None, self.head)), "") or ""

    def to_json(self) -> dict[str, Any]:
        """The form of a trace."""
        return {"kind": _KIND, **asdict(self)}

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Merging:
        """The inverse of `to_json`. Raises KeyError for anything else."""
        return cls(
            base_name=str(known["base_name"]),
            head_name=str(known["head_name"]),
            head=str(known["head"]),
            land=bool(known["land"]),
            own_commit=bool(known["own_commit"]),
            as_is=bool(known["as_is"]),
            remote=str(known["remote"]),
            ref=str(known["ref"]),
            head_ref=str(known["head_ref"]),
        )


def is_merging(known: Mapping[str, Any]) -> bool:
    """True for the recorded proposer of a run of `premerge`."""
    return known.get("kind") == _KIND


def merging_of(story: Story) -> Merging | None:
    """What a run merges, read from its request; None for a run of another program."""
    known = story.request.get("proposer")
    return Merging.from_json(known) if isinstance(known, Mapping) and is_merging(known) else None


def _short(name: str) -> str:
    return name.removeprefix(_BRANCHES).removeprefix("refs/remotes/").removeprefix("refs/")
