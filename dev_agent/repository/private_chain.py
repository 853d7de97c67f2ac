"""Private refs that only ever grow: a commit chain, each link made by the agent itself.

A link is added by compare-and-swap on the ref, so of two processes one is told to try again on the other's
link and nothing is lost. Killed before the swap there is a commit nothing names; killed after it the link
stands. Identity and date are constants: the id of a chain depends on what was put into it, nothing else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dev_agent.errors import EnvironmentFault, RepositoryFault
from dev_agent.repository.identity import AGENT
from dev_agent.repository.landing.outcome import refusal_in
from dev_agent.repository.refs import read_ref, swap_ref
from dev_agent.repository.store import NewObject, ObjectStore

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_ATTEMPTS = 200
_LONGEST_WAIT_MS = 40
_NO_FOLDER = "unable to create directory"
"""What git says, without the system's reason, where it may not make the folder of a ref."""


def append_link(
    repository: Repository, ref: str, *, message: str, tree_after: Callable[[str | None], str]
) -> str:
    """Add a commit to the chain `ref` and return its id.

    `tree_after(tip)` gives the new link's tree and is asked again whenever somebody else was faster. Raises
    EnvironmentFault if the ref cannot be moved at all, GitFailed for anything else git refuses.
    """
    store = ObjectStore(repository)
    for attempt in range(_ATTEMPTS):
        tip = read_ref(repository, ref)
        link = NewObject(kind="commit", data=_commit(tree_after(tip), tip, message))
        commit = store.write([link])[0]
        done = swap_ref(repository, ref, commit, tip, reason=message)
        if done.ok:
            return commit
        said = done.stderr.decode("utf-8", "replace").strip()
        if refusal_in(said) or _NO_FOLDER in said:
            # No other process's doing, so no attempt will go better.
            raise EnvironmentFault(
                f"{ref} cannot be written: {said}",
                hint=f"look at the rights in {repository.common_dir / 'refs'} and at the free space",
            )
        time.sleep(secrets.randbelow(min(2 + attempt, _LONGEST_WAIT_MS)) / 1000)
    raise EnvironmentFault(
        f"{ref} could not be extended in {_ATTEMPTS} attempts",
        hint=f"if no other dev-agent is running, remove {repository.common_dir / ref}.lock",
    )


def links_of(repository: Repository, ref: str) -> tuple[str, ...]:
    """The commits of the chain, oldest first; none if the ref does not exist.

    Raises RepositoryFault `damaged-chain` if it is not one straight line, GitFailed if a link is missing.
    """
    tip = read_ref(repository, ref)
    if tip is None:
        return ()
    rows = repository.git.out("rev-list", "--parents", tip).decode("ascii").split("\n")[:-1]
    if any(row.count(" ") > 1 for row in rows):
        raise RepositoryFault(
            "damaged-chain",
            f"{ref} has a merge in it, which this tool never makes",
            hint=f"look at it with: git log --graph {ref}",
        )
    return tuple(row.split(" ")[0] for row in reversed(rows))


def _commit(tree: str, parent: str | None, message: str) -> bytes:
    """The bytes of a commit by the agent (gitformat: header lines, an empty line, the message)."""
    by = f"{AGENT.author.name} <{AGENT.author.email}> {AGENT.author.when}"
    lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {by}", f"committer {by}"]
    return ("\n".join(lines) + f"\n\n{message}\n").encode("ascii")
