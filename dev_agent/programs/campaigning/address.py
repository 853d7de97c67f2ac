"""Where a repository is: a folder here, or a URL of one of four transports. Pure: text in, value or refusal out.

Refused before anything is written or started: URLs with credentials, whose text is repeated nowhere (not in a message,
a trace, an argument of a process); transports that run programs (`ext::`) or go in the clear with nothing to check
(`http`, `ftp`); whatever a program could take for an option; characters that do not show.
"""

from __future__ import annotations

import os
import re
from enum import StrEnum
from urllib.parse import urlsplit

from dev_agent.errors import UsageFault
from dev_agent.values import dataclass

_SCP = re.compile(
    r"(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^:]+)\Z"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(://|::)")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*\Z|\[[0-9A-Fa-f:.]+\]\Z")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_LONGEST = 4096


class Kind(StrEnum):
    """How git gets there; the values of URLs are git's own names of transports."""

    FOLDER = "folder"
    HTTPS = "https"
    SSH = "ssh"
    GIT = "git"
    FILE = "file"


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A repository's place. `text` is an absolute path, or a URL without secrets; `host` is "" for what is here."""

    kind: Kind
    text: str
    host: str = ""
    path: str = ""

    @property
    def is_url(self) -> bool:
        """True if it has to be cloned."""
        return self.kind is not Kind.FOLDER


def parse_address(text: str, *, folder: str, home: str) -> Address:
    """The address `text` says; relative paths are below `folder`, `~/` is `home`. Raises UsageFault."""
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise UsageFault(
            "an address has characters that do not show, or is empty or too long", hint="write it anew"
        )
    if text.startswith("-"):
        raise UsageFault(
            f"{text[:80]!r} looks like an option", hint="write a path that begins with - as ./-…"
        )
    scheme = _SCHEME.match(text)
    if scheme:
        return _url(text, scheme[1], scheme[2])
    scp = _SCP.match(text)
    if scp:
        return Address(kind=Kind.SSH, text=text, host=scp["host"], path=scp["path"])
    if text == "~" or text.startswith("~/"):
        text = home + text[1:]
    return Address(kind=Kind.FOLDER, text=os.path.normpath(os.path.join(folder, text)))  # noqa: PTH118 - text


def _url(text: str, scheme: str, separator: str) -> Address:
    kind = next((one for one in Kind if one.value == scheme.lower() and one is not Kind.FOLDER), None)
    if kind is None or separator != "://":
        raise UsageFault(
            f"the transport {scheme[:20]!r} is not used", hint="use https://, ssh://, git:// or file://"
        )
    rest = text[len(scheme) + len(separator) :]
    authority = rest.partition("/")[0]
    user, at, _ = authority.rpartition("@")
    if at and (kind is not Kind.SSH or not _USER.match(user)):
        # Its text is a secret: it is named by its line only.
        raise UsageFault(
            "a URL with a user name or a password in it is not taken",
            hint="take them out; use ssh://git@HOST/… with a key, or let git's credential helper answer for https",
        )
    if any(mark in rest for mark in "?#@\\"[: 2 if at else 4]) or "@" in rest[len(authority) :]:
        raise UsageFault(
            "a URL with ?, #, \\ or a second @ in it is not taken",
            hint="write the address of the repository alone",
        )
    return _checked(kind, text)


def _checked(kind: Kind, text: str) -> Address:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageFault("a URL cannot be read", hint="look at its host and its port") from None
    if kind is Kind.FILE:
        if parts.netloc or not parts.path.startswith("/"):
            raise UsageFault(f"{text[:200]!r} names no folder here", hint="write file:///absolute/path")
    elif not _HOST.match(f"[{host}]" if ":" in host else host) or not parts.path.strip("/"):
        raise UsageFault(
            f"{text[:200]!r} names no host and repository", hint="write for example https://HOST/OWNER/NAME"
        )
    return Address(kind=kind, text=text, host=host, path=parts.path.strip("/"))
