"""What a name a caller writes stands for: the full name of a ref, and the remote's branch a tracking ref follows.

A ref's name may hold what Unicode calls the end of a line (U+0085, U+2028 …): only git's own ends a name here, or
part of a name would be taken for the whole name of another ref.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

LOCAL, REMOTES = "refs/heads/", "refs/remotes/"


def full_name(repository: Repository, name: str) -> str:
    """The ref `name` means to git, "" if it means a commit without one, or nothing."""
    done = repository.git.run(
        "rev-parse", "--symbolic-full-name", "--verify", "--quiet", "--end-of-options", name
    )
    said = done.stdout.decode("utf-8", "surrogateescape").split("\n")
    return next((line for line in said if line.startswith("refs/")), "") if done.ok else ""


def remote_branch(repository: Repository, full: str) -> tuple[str, str]:
    """Remote and short branch name of a remote-tracking ref; the longest remote's name that fits."""
    names = repository.git.out("remote").decode("utf-8", "surrogateescape").split("\n")
    for remote in sorted(names, key=len, reverse=True):
        if full.startswith(f"{REMOTES}{remote}/"):
            return remote, full.removeprefix(f"{REMOTES}{remote}/")
    return "", ""
