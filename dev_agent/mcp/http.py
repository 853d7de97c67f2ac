"""The server over streamable HTTP: who has no token gets nothing, and nobody gets more than their share.

In front of the protocol, for every request, in this order: the Origin of a browser (none is welcome but those named),
the bearer token in constant time, the client's rate. The size of a body, the number of sessions and the Host header are
the SDK's own limits, set here.
"""

from __future__ import annotations

import ipaddress
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from dev_agent.errors import UsageFault
from dev_agent.mcp.clients import Clients
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, MutableMapping

    from mcp.server import MCPServer
    from mcp.server.mcpserver import Context

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/mcp"
MOST_BODY = 24 * 1024 * 1024
"""Bytes of one request: the largest patch there may be, as JSON."""

_MOST_SESSIONS = 200
_IDLE_S = 1800.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """True if only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def address_of(text: str) -> Address:
    """Read `PORT` or `HOST:PORT`; the host is the loopback if it is left out. Raises UsageFault."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not port.isascii() or int(port) > 65535:
        raise UsageFault(
            f"{text!r} is no address to listen on", hint="write PORT or HOST:PORT, for example 8765"
        )
    return Address(host=host.strip("[]") or "127.0.0.1", port=int(port))


def require_guarded(address: Address, clients: Clients) -> None:
    """Raises UsageFault for a server over HTTP without any token, on whatever address."""
    if not clients.digests:
        reach = "anybody who can open a web page on this machine" if address.is_loopback else "any machine"
        raise UsageFault(
            f"no client has a token, so {reach} could speak to the server",
            hint="set DEV_AGENT_MCP_TOKEN, or give --token-file FILE with one NAME TOKEN a line",
        )


@dataclass(kw_only=True)
class Rate:
    """A bucket a client: so many requests at once, and so many a minute after that."""

    per_minute: int = 1200
    burst: int = 600
    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def admits(self, client: str) -> bool:
        """True if this request of the client is within its share; it is counted then."""
        now = self.clock()
        left, then = self._left.get(client, (float(self.burst), now))
        left = min(float(self.burst), left + (now - then) * self.per_minute / 60)
        self._left[client] = (left - 1 if left >= 1 else left, now)
        return left >= 1


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The ASGI application in front of the protocol."""

    app: App
    clients: Clients
    origins: frozenset[str] = frozenset()
    rate: Rate = field(default_factory=Rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] == "http":
            refused = self._refusal(_headers(scope))
            if refused is not None:
                await _answer(send, *refused)
                return
        elif scope["type"] != "lifespan":
            return
        await self.app(scope, receive, send)

    def _refusal(self, headers: Mapping[str, str]) -> tuple[int, str] | None:
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins:
            return 403, "requests of web pages are not served"
        client = self.clients.named(headers.get("authorization"))
        if client is None:
            return 401, "a bearer token is needed"
        if not self.rate.admits(client):
            return 429, "too many requests; wait a little"
        return None


def client_of(clients: Clients) -> Callable[[Context], str]:
    """Who asks, told from the request's own token: a session of somebody else gives nobody their name."""

    def named(context: Context) -> str:
        found = clients.named((context.headers or {}).get("authorization"))
        if found is None:
            raise PermissionError("a request without a token came past the guard")
        return found

    return named


def guarded(server: MCPServer, clients: Clients, address: Address, *, origins: frozenset[str]) -> Guard:
    """The whole application: the protocol behind the guard."""
    from mcp.server.transport_security import TransportSecuritySettings  # noqa: PLC0415 - heavy

    names = {address.host, "127.0.0.1", "localhost", "[::1]"} if address.is_loopback else set()
    security = TransportSecuritySettings(
        # Behind a name of its own the guard's token is what protects: a page of a browser has none.
        enable_dns_rebinding_protection=address.is_loopback,
        allowed_hosts=sorted({*names, *(f"{name}:*" for name in names)}),
        allowed_origins=sorted(origins),
    )
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=MOST_BODY,
        session_idle_timeout=_IDLE_S,
        max_sessions=_MOST_SESSIONS,
        transport_security=security,
        host=address.host,
    )
    return Guard(app=app, clients=clients, origins=origins)


def serve(app: Guard, address: Address, *, ready: Callable[[str], None]) -> None:
    """Serve until a signal asks to stop; `ready` hears the URL once requests are answered. Raises UsageFault."""
    import socket  # noqa: PLC0415 - only here
    from contextlib import closing  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415 - heavy

    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((address.host, address.port))
        except OSError as error:
            raise UsageFault(
                f"{address.host}:{address.port} cannot be listened on: {error.strerror or error}",
                hint="is another server running? choose another port: --http PORT",
            ) from error
        listening.listen(128)
        host = f"[{address.host}]" if ":" in address.host else address.host
        ready(f"http://{host}:{listening.getsockname()[1]}{PATH}")
        for number in (signal.SIGINT, signal.SIGTERM):
            # uvicorn stops calmly and then raises the signal once more, for whoever was there before it.
            signal.signal(number, lambda _number, _frame: None)
        config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=20)
        uvicorn.Server(config).run(sockets=[listening])


def _headers(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers") or ()
    }


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="dev-agent"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})
