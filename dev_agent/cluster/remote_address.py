"""What a worker may be told to fetch from: one of four transports, no option, no password. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_TRANSPORTS = ("https", "ssh", "git", "file")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def remote_fault(url: str) -> str:
    """What is wrong with the address of a repository for a worker to fetch from; "" if nothing is.

    The words never repeat the address: it may hold a password.
    """
    if not url.isascii() or not url.isprintable() or " " in url or url.startswith("-") or len(url) > 2000:
        return "must be an address in printable ASCII without blanks, not an option"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in _TRANSPORTS or url != f"{parts.scheme}://{parts.netloc}{parts.path}":
        return f"must be {', '.join(f'{name}://' for name in _TRANSPORTS)} and a path, nothing after it"
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        return (
            "must not hold credentials: give them to the worker's own git (a credential helper, an ssh key)"
        )
    if parts.username is not None and not _USER.fullmatch(parts.username):
        return "names no plain user"
    if parts.scheme == "file":
        local = not parts.netloc and parts.path.startswith("/") and is_straight(parts.path.strip("/"))
        return "" if local else "must be file:// and an absolute path without '..'"
    bare = parts.netloc.rpartition("@")[2]
    host = bare.removesuffix(f":{port}") if port is not None else bare
    if not _HOST.fullmatch(host) or len(parts.path) < 2 or not is_straight(parts.path.strip("/")):
        return "names no host with a path on it"
    return ""


def is_straight(path: str) -> bool:
    """True for a path whose parts mean what they say: none empty, none `.` or `..`, no NUL."""
    return bool(path) and "\0" not in path and all(part not in {"", ".", ".."} for part in path.split("/"))
