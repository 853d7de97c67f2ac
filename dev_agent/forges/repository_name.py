"""The name of a repository on a host."""

from __future__ import annotations

import re

from dev_agent.errors import UsageFault
from dev_agent.values import dataclass

_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?\Z")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryName:
    """`owner/name` of a repository on the host, in letters that are safe in a URL as they stand."""

    owner: str
    name: str

    def __post_init__(self) -> None:
        """Raises UsageFault for anything a host would not allow."""
        if not _OWNER.match(self.owner) or not _NAME.match(self.name) or self.name in {".", ".."}:
            raise UsageFault(
                f"{self.owner}/{self.name} is not the name of a repository"[:300],
                hint="write it as owner/name, for example octo/invoices",
            )

    @classmethod
    def parse(cls, text: str) -> RepositoryName:
        """From `owner/name`. Raises UsageFault."""
        owner, _, name = text.partition("/")
        return cls(owner=owner, name=name)

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"
