"""Publishing a commit on a branch of another repository: compare-and-swap, through git's own push.

The lease names the commit that the branch has to hold; the other side swaps the ref or refuses, so there is no
mixture. Killed before the other side swapped: nothing happened there. Killed after it: the branch is complete, and
asking again finds the commit on it. What a lost answer meant is decided by looking at the branch, not by the answer.

The user's own `pre-push` hook runs, as under any push of theirs. Nobody is asked for a password: credentials are those
that the remote's own configuration gives, and none is ever part of an argument here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import EnvironmentFault
from dev_agent.repository.merge import contains
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """The branch with the full name `ref` of the remote that this repository calls `remote`."""

    remote: str
    ref: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pushed:
    """The branch holds the commit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PushMoved:
    """The branch was somewhere else: at `tip`, which was fetched (None: it does not exist)."""

    tip: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PushRefused:
    """The other side said no although the branch stood where it should; `text` is what it said."""

    text: str


def push_commit(
    repository: Repository, *, to: Branch, commit: str, expected: str
) -> Pushed | PushMoved | PushRefused:
    """Move the branch from `expected` to `commit`, which is built on it.

    Raises AssertionError if it is not, EnvironmentFault if the remote cannot be reached.
    """
    if not contains(repository, commit, expected):
        raise AssertionError(f"BUG: {commit} is not built on {expected}, which it is to replace")
    done = repository.git.run(
        "push",
        "--porcelain",
        "--no-follow-tags",
        f"--force-with-lease={to.ref}:{expected}",
        to.remote,
        f"{commit}:{to.ref}",
        hooks=True,
    )
    if done.ok:
        return Pushed()
    tip = remote_tip(repository, to)
    if tip == commit:
        return Pushed()
    if tip == expected:
        return PushRefused(text=done.stderr.decode("utf-8", "replace").strip())
    if tip is not None:
        _fetch(repository, to)
        if contains(repository, tip, commit):
            return Pushed()
    return PushMoved(tip=tip)


def remote_tip(repository: Repository, branch: Branch) -> str | None:
    """The commit a remote's ref holds now, None if it does not exist. Raises EnvironmentFault."""
    done = repository.git.run("ls-remote", "--", branch.remote, branch.ref, hooks=True)
    if not done.ok:
        raise _unreachable(branch, done.stderr)
    rows = (line.split("\t") for line in done.stdout.decode("utf-8", "surrogateescape").split("\n"))
    return next((row[0] for row in rows if len(row) == 2 and row[1] == branch.ref), None)


def _fetch(repository: Repository, branch: Branch) -> None:
    done = repository.git.run(
        "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
        "--", branch.remote, branch.ref,
        hooks=True,
    )  # fmt: skip
    if not done.ok:
        raise _unreachable(branch, done.stderr)


def _unreachable(branch: Branch, stderr: bytes) -> EnvironmentFault:
    return EnvironmentFault(
        f"the remote {branch.remote} cannot be asked for {branch.ref}: {stderr.decode('utf-8', 'replace').strip()}",
        hint=f"try it yourself: git ls-remote {branch.remote}",
    )
