"""The folder of one transaction, and the names in it.

<git dir>/dev-agent/tx-<id>/      per work tree, so another work tree's recovery leaves it alone
    journal      what is to be done; its appearance is BEGIN
    closed       the journal of a finished or undone transaction whose folder is being removed
    beside       what may have been made in the work tree before BEGIN (another file system only)
    lock         the text that index.lock is a hard link of
    index        private index, exactly the new commit
    index.new    the user's index with the change applied
    co/          where git writes the new files
    f/<n>        per step: first the new file, after the install what it replaced
<git dir>/dev-agent/kept-<id>/    files that could not go back; see `keep.py`
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_PREFIX = "tx-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Transaction:
    """The folder of the transaction `id`."""

    id: str
    folder: Path

    @classmethod
    def create(cls, repository: Repository) -> Transaction:
        """A new one, its folders made. Killed here: a folder without a journal, which recovery removes."""
        home = home_of(repository)
        token = secrets.token_hex(6)
        made = cls(id=token, folder=home / f"{_PREFIX}{token}")
        home.mkdir(parents=True, exist_ok=True)
        made.folder.mkdir(mode=0o700)
        made.files.mkdir()
        made.checkout.mkdir()
        return made

    @property
    def journal(self) -> Path:
        """The typed plan; exists from BEGIN to the close."""
        return self.folder / "journal"

    @property
    def closed(self) -> Path:
        """The journal after the close."""
        return self.folder / "closed"

    @property
    def beside(self) -> Path:
        """Names made in the work tree before BEGIN, one a line."""
        return self.folder / "beside"

    @property
    def lock(self) -> Path:
        """The file that index.lock is linked to."""
        return self.folder / "lock"

    @property
    def index(self) -> Path:
        """The private index."""
        return self.folder / "index"

    @property
    def new_index(self) -> Path:
        """The user's index after the landing."""
        return self.folder / "index.new"

    @property
    def checkout(self) -> Path:
        """The private work tree git writes to."""
        return self.folder / "co"

    @property
    def files(self) -> Path:
        """One slot per step."""
        return self.folder / "f"

    @property
    def kept(self) -> Path:
        """Where files go that must not be lost."""
        return self.folder.with_name(f"kept-{self.id}")


def home_of(repository: Repository) -> Path:
    """Where this work tree's transactions lie."""
    return repository.git_dir / "dev-agent"


def leftover_transactions(repository: Repository) -> list[Transaction]:
    """All transaction folders of this work tree, by name. One directory listing."""
    home = home_of(repository)
    try:
        names = sorted(entry.name for entry in os.scandir(home) if entry.name.startswith(_PREFIX))
    except FileNotFoundError:
        return []
    return [Transaction(id=name.removeprefix(_PREFIX), folder=home / name) for name in names]
