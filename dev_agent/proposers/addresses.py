"""Addresses of services: what is one, and whether it is this machine. Pure; no name is looked up."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from dev_agent.errors import UsageFault


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_address(address: str) -> None:
    """Raise UsageFault unless a client could ask there; a password in it would be shown and recorded."""
    hint = "write it as https://host/v1"
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - a wrong port is refused by asking
    except ValueError as error:
        raise UsageFault(f"the address of the model's service is not one: {error}", hint=hint) from error
    if parts.username or parts.password:
        raise UsageFault(
            "the address of the model's service holds a password",
            hint="put the key into a variable or the keyring",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageFault(f"the address of the model's service is not one: {address[:120]!r}", hint=hint)
