"""Who asks: the one program at the other end of stdio, or a holder of a token over HTTP.

A token file has one `NAME TOKEN` a line. Only digests are kept in memory, and they are compared in constant time, all
of them: neither which token nor how much of it was right can be told from the time an answer takes.
"""

from __future__ import annotations

import hmac
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import field
from hashlib import sha256
from pathlib import Path

from dev_agent.errors import UsageFault
from dev_agent.values import dataclass

LOCAL = "local"
"""The name of the client at the other end of stdio."""

SHORTEST_TOKEN = 24
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MOST = 1000
_LARGEST = 256 * 1024
_BEARER = "bearer "


@dataclass(frozen=True, kw_only=True, slots=True)
class Clients:
    """The clients a server knows, by the SHA-256 of their tokens."""

    digests: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def named(self, authorization: str | None) -> str | None:
        """The client with the token of an `Authorization` header, None for nobody's."""
        words = authorization or ""
        if words[: len(_BEARER)].lower() != _BEARER:
            return None
        given = sha256(words[len(_BEARER) :].strip().encode("utf-8", "surrogatepass")).digest()
        found = [name for name, known in self.digests.items() if hmac.compare_digest(given, known)]
        return found[0] if found else None


def clients_from(tokens: Mapping[str, str]) -> Clients:
    """Clients by name and token. Raises UsageFault for a name or token that will not do, or a token held twice."""
    made: dict[str, bytes] = {}
    for name, token in tokens.items():
        if not _NAME.fullmatch(name) or name == LOCAL:
            raise UsageFault(
                f"{name!r} is no name for a client",
                hint=f"use small letters, digits and hyphens, at most 40, and not {LOCAL!r}",
            )
        if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
            raise UsageFault(
                f"the token of {name} is not {SHORTEST_TOKEN} or more printable ASCII characters without blanks",
                hint="make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
        digest = sha256(token.encode()).digest()
        if digest in made.values():
            raise UsageFault(
                f"{name} has the token of another client", hint="give every client a token of its own"
            )
        made[name] = digest
    return Clients(digests=made)


def read_tokens(path: Path) -> dict[str, str]:
    """The names and tokens of a file. Raises UsageFault, never repeating what stands in it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_LARGEST + 1)
        text = data.decode("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageFault(
            f"the token file {path} cannot be read: {reason}", hint="name a readable file"
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise UsageFault(
            f"the token file {path} can be read by others than its owner", hint=f"first: chmod 600 {path}"
        )
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or words[0] in found or len(found) >= _MOST:
            raise UsageFault(
                f"{path}:{number}: this line is not a new NAME and its TOKEN", hint="write: laptop 3fJ…"
            )
        found[words[0]] = words[1]
    if not found:
        raise UsageFault(f"the token file {path} names no client", hint="write one NAME TOKEN a line")
    return found
