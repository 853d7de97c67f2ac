"""Where a queue lands: a branch here, through the landing transaction, or a branch of a remote, by a push with a lease.

Both are compare-and-swap from the parent to the commit. Killed before it: nothing happened; a landing in a work tree is
taken back by recovery. Killed after it: the target holds the commit, which `holds` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dev_agent.errors import EnvironmentFault, RepositoryFault, UsageFault
from dev_agent.programs.queueing.events import Blocked, Moved
from dev_agent.repository.discovery import read_head, resolve_commit, tree_of
from dev_agent.repository.landing import outcome
from dev_agent.repository.landing.land import land
from dev_agent.repository.landing.target import (
    Target,
    TargetKind,
    find_target,
    require_no_operation,
    require_sole_checkout,
    tip_of,
)
from dev_agent.repository.merge import contains
from dev_agent.repository.push import Branch, Pushed, PushMoved, push_commit, remote_tip
from dev_agent.repository.tracking import LOCAL, REMOTES, full_name, remote_branch
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.durability import Barrier


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """`name` is the caller's word, `ref` the full name here; `branch` is the remote's branch, None for one here."""

    name: str
    ref: str
    target: Target | None
    branch: Branch | None

    def tip(self, repository: Repository) -> str:
        """The commit it is at, which is here then. Raises EnvironmentFault, UsageFault if there is none."""
        found = self._tip(repository)
        if found is None:
            raise UsageFault(
                f"the branch {self.name!r} does not exist", hint="a queue lands on a branch that exists"
            )
        if self.branch is not None and resolve_commit(repository, found) is None:
            _fetch(repository, self.branch)
        return found

    def holds(self, repository: Repository, commit: str) -> bool:
        """True if it is at `commit` or at something built on it."""
        return contains(repository, self.tip(repository), commit)

    def publish(
        self,
        repository: Repository,
        *,
        parent: str,
        commit: str,
        run: str,
        cancel: Cancel,
        flush_trace: Callable[[Barrier], None],
        on_begin: Callable[[], None],
    ) -> Moved | Blocked | None:
        """Move it from `parent` to `commit`; None if it is there now. Raises EnvironmentFault."""
        if self.branch is not None:
            on_begin()
            pushed = push_commit(repository, to=self.branch, commit=commit, expected=parent)
            if isinstance(pushed, Pushed):
                return None
            if isinstance(pushed, PushMoved):
                return Moved(tip=self.tip(repository))
            return Blocked(reason=f"{self.branch.remote} refused the push: {pushed.text}")
        if self.target is None:
            raise AssertionError("BUG: a destination is here or at a remote")
        done = land(
            repository,
            base=parent,
            commit=commit,
            verified_tree=tree_of(repository, commit),
            target=self.target,
            run=run,
            cancel=cancel,
            flush_trace=flush_trace,
            on_begin=on_begin,
        )
        if isinstance(done, outcome.Landed):
            return None
        if isinstance(done, outcome.Moved):
            return Moved(tip=self.tip(repository))
        return Blocked(reason=done.text)

    def _tip(self, repository: Repository) -> str | None:
        if self.branch is not None:
            return remote_tip(repository, self.branch)
        return None if self.target is None else tip_of(repository, self.target)


def find_destination(repository: Repository, name: str | None) -> Destination:
    """The branch `name` (main, or origin/main to push there), or the one HEAD is on.

    Raises UsageFault for what is no branch, RepositoryFault where nothing can land on it now.
    """
    if name is None:
        name = read_head(repository).branch
        if name is None:
            raise UsageFault("HEAD is on no branch", hint="name the branch to land on with --into")
    full = full_name(repository, name)
    if full.startswith(REMOTES):
        remote, branch = remote_branch(repository, full)
        if remote:
            where = Branch(remote=remote, ref=LOCAL + branch)
            return Destination(name=name, ref=full, target=None, branch=where)
    if not full.startswith(LOCAL):
        raise UsageFault(
            f"{name!r} is no branch", hint="name one with --into: main, or origin/main to push to it"
        )
    target = find_target(repository, full.removeprefix(LOCAL))
    if target.kind in (TargetKind.UNBORN, TargetKind.NEW_BRANCH):
        raise UsageFault(
            f"the branch {name!r} has no commit yet", hint="a queue needs a first commit to begin at"
        )
    try:
        if repository.root is not None:
            require_no_operation(repository.git_dir)
        require_sole_checkout(repository, target)
    except outcome.Refusal as refusal:
        raise RepositoryFault("blocked", str(refusal), hint="nothing was changed") from None
    return Destination(name=name, ref=full, target=target, branch=None)


def _fetch(repository: Repository, branch: Branch) -> None:
    done = repository.git.run(
        "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
        "--", branch.remote, branch.ref,
        hooks=True,
    )  # fmt: skip
    if not done.ok:
        raise EnvironmentFault(
            f"{branch.ref} could not be fetched: {done.stderr.decode('utf-8', 'replace').strip()}",
            hint=f"try it yourself: git fetch {branch.remote}",
        )
