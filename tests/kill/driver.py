"""The command that is killed: `python -m tests.kill.driver land|recover`, in a repository with a branch `topic`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.repository.discovery import discover, resolve_commit, tree_of
from dev_agent.repository.landing.land import land
from dev_agent.repository.landing.outcome import Landed
from dev_agent.repository.landing.target import find_target
from dev_agent.repository.recovery import recover


def main() -> int:
    repository = discover(Path.cwd(), os.environ)
    recover(repository)
    commit = resolve_commit(repository, "topic")
    if sys.argv[1] == "recover" or commit is None:
        return 0
    outcome = land(
        repository,
        base=resolve_commit(repository, "HEAD"),
        commit=commit,
        verified_tree=tree_of(repository, commit),
        target=find_target(repository),
        run="run-1",
        cancel=Cancel(),
    )
    return 0 if isinstance(outcome, Landed) else 1


if __name__ == "__main__":
    sys.exit(main())
