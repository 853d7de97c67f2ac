"""Who a commit is by.

Two kinds: the user, exactly as their own git would say it (so that a landed commit looks like one they made),
and the agent itself, for the private chains nobody reads as history. The user's identity is asked for before
anything else is done: a run that ends with "please tell me who you are" would have wasted every gate.

Whether commits are signed is the user's setting too; `git commit-tree` ignores it, so it is read here.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.repository.commit_bytes import is_plain
from dev_agent.repository.settings import read_flag, read_settings
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.settings import Settings

_ROLES = ("AUTHOR", "COMMITTER")
_IDENT = re.compile(r"(?P<name>.*) <(?P<email>[^<>]*)> (?P<when>\d+ [+-]\d{4})", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A name, an address and an instant; `when` is git's own form, `<seconds> <zone>`."""

    name: str
    email: str
    when: str

    def variables(self, role: str) -> dict[str, str]:
        """The environment that makes this person the `role` (AUTHOR or COMMITTER) of a commit."""
        return {
            f"GIT_{role}_NAME": self.name,
            f"GIT_{role}_EMAIL": self.email,
            # Without the @ git reads a small number of seconds as a calendar date.
            f"GIT_{role}_DATE": f"@{self.when}",
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """The author and the committer of a commit."""

    author: Person
    committer: Person

    def environment(self) -> dict[str, str]:
        """The variables that give a commit this identity."""
        return {**self.author.variables("AUTHOR"), **self.committer.variables("COMMITTER")}


_AGENT = Person(name="dev-agent", email="dev-agent@localhost", when="0 +0000")
AGENT = Identity(author=_AGENT, committer=_AGENT)
"""The identity of the private chains: always the same, so that their ids depend on their content alone."""


def parse_person(line: str) -> Person:
    """The person in `Name <mail> seconds zone`, the form of `git var` and of commit headers.

    Raises ValueError if it is not of that form.
    """
    found = _IDENT.fullmatch(line)
    if not found:
        raise ValueError(f"not a git identity: {line!r}")
    return Person(name=found["name"], email=found["email"], when=found["when"])


def user_identity(repository: Repository) -> Identity:
    """The identity `git commit` would use here and now.

    Read from the settings where they say it plainly; git is asked where it would guess, clean or refuse. Raises
    UsageFault if git does not know one.
    """
    settings = read_settings(repository)
    environ = repository.git.environment()
    author, committer = (
        _plainly(settings, environ, role) or _ask(repository, f"GIT_{role}_IDENT") for role in _ROLES
    )
    return Identity(author=author, committer=committer)


def _plainly(settings: Settings, environ: Mapping[str, str], role: str) -> Person | None:
    """The person of `role` now; None if only git can say who that is, or what time it is there."""
    # A child of ours has no TZ: it lives in the machine's time zone, and we may not.
    if f"GIT_{role}_DATE" in environ or "TZ" in os.environ:
        return None
    name, email = (
        environ.get(
            f"GIT_{role}_{field.upper()}",
            settings.value(f"{role.lower()}.{field}") or settings.value(f"user.{field}"),
        )
        for field in ("name", "email")
    )
    now = int(time.time())
    when = f"{now} {time.strftime('%z', time.localtime(now))}"
    person = Person(name=name or "", email=email or "", when=when)
    return person if is_plain(person) else None


def _ask(repository: Repository, variable: str) -> Person:
    done = repository.git.run("var", variable)
    if not done.ok:
        raise UsageFault(
            "git does not know who you are, so nothing can be committed",
            hint='git config --global user.name "You" && git config --global user.email you@example.com',
        )
    return parse_person(done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n"))


def wants_signed_commits(repository: Repository) -> bool:
    """True if the user's git signs every commit (`commit.gpgsign`)."""
    return read_flag(repository, "commit.gpgsign")
