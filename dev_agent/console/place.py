"""What the console looks at: one repository, and whether a person may answer for runs here. Said by who started it."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.repository.discovery import Repository, discover
from dev_agent.surfaces.command import Answer, Commands
from dev_agent.surfaces.looking import VARIABLE
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The repository, how commands are run in it, and what is allowed."""

    repository: Repository
    commands: Commands
    approvals: bool

    def run(self, *words: str, stdin: bytes = b"") -> Answer:
        """Run a command of ours in the repository."""
        return self.commands.run(words, cwd=self.repository.work_tree, stdin=stdin, cancel=Cancel())


@lru_cache(maxsize=4)
def place_in(text: str) -> Place:
    """The place a variable's text names. Raises RepositoryFault if the repository is gone."""
    known = json.loads(text)
    environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return Place(
        repository=discover(Path(known["root"]), environ),
        commands=Commands(environ=environ),
        approvals=bool(known["approvals"]),
    )
