"""Any program as a proposer: it works in a throw-away clone at the repository's own path, and its diff is the proposal.

The clone is writable and confined like a hook's: the user's work tree, index, refs and configuration are not there, the
repository's objects and the project's environment are read-only, and there is no network unless the caller asked for it
and the profile gives it. What the program did to the clone's own `.git` is not looked at: the tree is computed from the
files alone, and every changed path obeys the same law as an edit.

It decides nothing: status 0 and a tree that can be taken is a proposal, all else is a refusal with what it said.

Killed anywhere: a scratch folder its next maker removes. On resume the program runs again, from the same base.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.programs.change import MOST_BYTES, MOST_FILES
from dev_agent.programs.not_found import (
    STATUSES,
    launchers_words,
    where_others_are_sought,
    why_not_executed,
    why_not_found,
)
from dev_agent.programs.path_law import breach
from dev_agent.programs.proposers import Answer
from dev_agent.repository.confined import remove_all
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.folder_tree import Most, NotTaken, changes_in, listing
from dev_agent.repository.hook_clone import OBJECTS, Draft, make_clone
from dev_agent.repository.identity import user_identity
from dev_agent.repository.scratch import scratch
from dev_agent.repository.staging import compose
from dev_agent.repository.user_hooks import UserHooks
from dev_agent.sandbox.job import Ended, EndedHow
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.cancel import Cancel
    from dev_agent.programs.context import Judges
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.scratch import Scratch

_ALL = Most(entries=10_000_000, size=1 << 50)
_NO_HOOKS = UserHooks(names=(), folder=None, files={})
_BRANCH = "dev-agent-run"
_TOLD_LINES, _TOLD = 20, 2_000
_NOTHING = "changed nothing that git does not ignore"


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandRun:
    """One program to run on `base`. It is bound to a run's services, and asked once."""

    repository: Repository
    judges: Judges
    cancel: Cancel
    base: str | None
    argv: tuple[str, ...]
    network: bool
    name: str = "command"
    revises: bool = False

    def propose(self) -> Answer:
        """Run it and take what it changed. Raises KeyboardInterrupt if the run is to stop."""
        with scratch(self.repository) as place:
            try:
                return self._in(self._clone(place))
            finally:
                # The program may have taken permissions away that the removal needs.
                remove_all(place.path)
                place.path.mkdir()

    def _clone(self, place: Scratch) -> Path:
        draft = Draft(
            tree=tree_of(self.repository, self.base),
            base=self.base,
            branch=_BRANCH,
            message="",
            identity=user_identity(self.repository),
        )
        return make_clone(self.repository, place, _NO_HOOKS, draft).path

    def _in(self, clone: Path) -> Answer:
        tree = tree_of(self.repository, self.base)
        before = listing(self.repository, clone, _ALL)
        ended = self.judges.run_command(
            self.argv,
            base_tree=tree,
            clone=clone,
            objects=(OBJECTS, self.repository.common_dir / "objects"),
            network=self.network,
            cancel=self.cancel,
        )
        self.cancel.check()
        blobs = {"stdout": ended.stdout, "stderr": ended.stderr}
        blobs = {name: data for name, data in blobs.items() if data}
        problem = self._problem(ended, tree, clone)
        if problem:
            return Answer(
                declined=f"{problem}{_told(ended)}", reason="command_failed", status=ended.code, blobs=blobs
            )
        most = Most(entries=len(before.files) + MOST_FILES, size=before.size + MOST_BYTES)
        try:
            changes = changes_in(self.repository, clone, before, tree, most)
        except NotTaken as refused:
            return Answer(declined=refused.message, reason="not_taken", blobs=blobs)
        fault = breach(self.repository, tree, before.files, changes)
        if fault:
            return Answer(declined=fault, reason="refused_path", blobs=blobs)
        made = compose(self.repository, tree, changes)
        return Answer(
            tree=made,
            status=ended.code,
            blobs=blobs,
            # A program may swallow its own failure: whoever sees no change is shown what it said.
            nothing_done=f"{self.argv[0]} ended with status 0 and {_NOTHING}{_told(ended)}"
            if made == tree
            else "",
        )

    def _problem(self, ended: Ended, tree: str, clone: Path) -> str:
        """Why the program's work does not count, "" if it ended well."""
        program = self.argv[0]
        if ended.how is not EndedHow.EXITED:
            return f"{program} {ended.how.value}{': ' + ended.detail if ended.detail else ''}"
        if ended.code == 0:
            return ""
        said = f"{program} ended with status {ended.code}"
        if ended.code not in STATUSES:
            return said
        sight = self.judges.in_sight(tree)
        missing = why_not_found(program, ended.code, sight, clone)
        if not missing and launchers_words(ended.stderr):
            return why_not_executed(program, ended.code)
        return missing or f"{said}; {where_others_are_sought(sight)}"


def _told(ended: Ended) -> str:
    """The end of what it said, below the sentence; what only the sandbox's launcher said is ours to say in words."""
    theirs = b"" if launchers_words(ended.stderr) else ended.stderr
    said = (ended.stdout + b"\n" + theirs).decode("utf-8", "replace").strip()
    return "\n" + "\n".join(said.splitlines()[-_TOLD_LINES:])[-_TOLD:] if said else ""
