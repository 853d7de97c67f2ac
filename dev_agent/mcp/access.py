"""What a server may be asked: which repositories and programs, whether anything may change, who may approve.

Said once, by who starts the server. A client chooses among what is here by name; it can name no path, no policy and no
sandbox, so it cannot choose its judge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.mcp.clients import LOCAL
from dev_agent.mcp.owners import Owners
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Refused(Exception):
    """A client asked for what it may not have; the text is for the client."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A repository by its name: the folder commands run in, and who made which run there."""

    name: str
    root: Path
    owners: Owners


@dataclass(frozen=True, kw_only=True, slots=True)
class HostedProgram:
    """A program the server's owner lets clients run: its file, and the module with its actions."""

    name: str
    file: Path
    actions: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """The whole of it. `shared`: clients of a network see runs that are not theirs; at stdio there is one client."""

    places: Mapping[str, Place]
    programs: Mapping[str, HostedProgram] = field(default_factory=dict)
    read_only: bool = False
    approvals: bool = False
    shared: bool = False

    def place(self, name: str | None) -> Place:
        """The repository of that name, or the only one. Raises Refused."""
        if name is None and len(self.places) == 1:
            return next(iter(self.places.values()))
        found = self.places.get(name or "")
        if found is None:
            known = ", ".join(sorted(self.places))
            said = "say which repository" if name is None else f"there is no repository {name[:80]!r} here"
            raise Refused(f"{said}; there are: {known}")
        return found

    def program(self, name: str) -> HostedProgram:
        """The program of that name. Raises Refused."""
        found = self.programs.get(name)
        if found is None:
            known = ", ".join(sorted(self.programs)) or "none"
            raise Refused(f"there is no program {name[:80]!r} here; there are: {known}")
        return found

    def require_change(self) -> None:
        """Raises Refused if this server only reads."""
        if self.read_only:
            raise Refused("this server only reads: it was started with --read-only")

    def require_approvals(self) -> None:
        """Raises Refused unless clients may speak for a person here."""
        self.require_change()
        if not self.approvals:
            raise Refused("a person decides here: the server was started without --allow-approvals")

    def may_see(self, client: str, place: Place, run: str) -> bool:
        """True if the run is the client's, or everybody's."""
        return client == LOCAL or self.shared or place.owners.owner(run) == client

    def require_own(self, client: str, place: Place, run: str) -> None:
        """Raises Refused for a run of somebody else, in the words used for one that is not there."""
        if not self.may_see(client, place, run):
            raise Refused(f"there is no run {run[:80]!r} of yours in {place.name}")


def places_of(repositories: Sequence[Repository]) -> dict[str, Place]:
    """The repositories by the names of their folders, numbered where two are alike."""
    made: dict[str, Place] = {}
    for repository in repositories:
        root = repository.work_tree
        if any(one.root == root for one in made.values()):
            raise UsageFault(f"the repository {root} is named twice", hint="leave one of them out")
        stem = root.name if _NAME.fullmatch(root.name) else "repository"
        name, number = stem, 2
        while name in made:
            name, number = f"{stem}-{number}", number + 1
        owners = Owners(path=repository.state_dir / "mcp" / "owners")
        made[name] = Place(name=name, root=root, owners=owners)
    return made


def programs_of(words: Sequence[str]) -> dict[str, HostedProgram]:
    """Programs from `NAME=FILE,ACTIONS` words. Raises UsageFault."""
    made: dict[str, HostedProgram] = {}
    for word in words:
        name, sign, rest = word.partition("=")
        file, comma, actions = rest.partition(",")
        if not sign or not comma or not _NAME.fullmatch(name) or not file or not actions or name in made:
            raise UsageFault(
                f"{word!r} names no program", hint="write NAME=FILE,ACTIONS: review=review.toml,actions.py"
            )
        if not Path(file).is_file():
            raise UsageFault(f"there is no program file {file}", hint="name a TOML file")
        module = str(Path(actions).absolute()) if actions.endswith(".py") else actions
        made[name] = HostedProgram(name=name, file=Path(file).absolute(), actions=module)
    return made
