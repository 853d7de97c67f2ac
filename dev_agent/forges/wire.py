"""One exchange with a host over HTTP: a request goes out, an answer of bounded size comes back, or it is lost.

The token goes to the origin of the base URL and nowhere else, in the clear to this machine only. Redirects are not
followed here. Proxies and certificates are the environment's (`HTTPS_PROXY`, `SSL_CERT_FILE`), except to this machine.
What an answer means, and whether to ask again, is `patience`'s and `http`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import dev_agent
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.extras import install_command
from dev_agent.forges.errors import ForgeUnintelligible
from dev_agent.values import dataclass

if TYPE_CHECKING:
    import httpx2

    from dev_agent.forges.token import Token

MAX_ANSWER = 32 * 1024 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Lost(Exception):
    """No answer came. `sent` is False only if the host cannot have had the request."""

    def __init__(self, said: str, *, sent: bool) -> None:
        super().__init__(said)
        self.sent = sent


def origin(url: str) -> tuple[str, str]:
    """Scheme and host with port, as the token is bound to them."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def checked_base(url: str) -> str:
    """The base URL without a slash at its end. Raises UsageFault for one a token must not be sent to."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    plain = parts.scheme == "http" and host in _LOOPBACK
    if (
        not host
        or not (parts.scheme == "https" or plain)
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise UsageFault(
            "the address of the API is not one a token may be sent to"[:300],
            hint="https://api.github.com, or https://HOST/api/v3 of a GitHub Enterprise Server "
            "(http:// only to this very machine, no user and no password in it)",
        )
    return url.rstrip("/")


class Wire:
    """Connections to one origin."""

    def __init__(self, base: str, token: Token) -> None:
        """`base` has passed `checked_base`. Raises EnvironmentFault if the HTTP library is not there."""
        self._token = token
        self._origin = origin(base)
        self._client = _client(own_machine=urlsplit(base).hostname in _LOOPBACK)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def exchange(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
        etag: str,
    ) -> Answer:
        """The answer. Raises Lost, and ForgeUnintelligible for one that does not end."""
        import httpx2  # noqa: PLC0415 - heavy, and only a bot needs it

        if origin(url) != self._origin:
            raise ForgeUnintelligible("the host points to another host", hint="the token does not go there")
        content = None if body is None else json.dumps(body).encode("ascii")
        request = self._client.build_request(
            method, url, params=dict(params) or None, content=content, headers=self._headers(content, etag)
        )
        try:
            response = self._client.send(request, stream=True)
            try:
                return _read(response)
            finally:
                response.close()
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.PoolTimeout) as error:
            # `from None`, always: the library's exceptions carry the request, and its headers the token.
            raise Lost(f"no connection ({type(error).__name__})", sent=False) from None
        except httpx2.TimeoutException:
            raise Lost("no answer in time", sent=True) from None
        except httpx2.HTTPError as error:
            raise Lost(f"the connection broke ({type(error).__name__})", sent=True) from None

    def _headers(self, content: bytes | None, etag: str) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._token.reveal()}"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if etag:
            headers["If-None-Match"] = etag
        return headers


def _client(*, own_machine: bool) -> httpx2.Client:
    try:
        import httpx2  # noqa: PLC0415 - heavy, and only a bot needs it
    except ModuleNotFoundError:
        raise EnvironmentFault(
            "talking to GitHub needs the package httpx2, which is not installed",
            hint=install_command("github"),
        ) from None
    return httpx2.Client(
        timeout=httpx2.Timeout(30.0, connect=10.0),
        follow_redirects=False,
        trust_env=not own_machine,
        headers={
            "Accept": "application/vnd.github+json",
            "User-Agent": f"dev-agent/{dev_agent.__version__}",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )


def _read(response: httpx2.Response) -> Answer:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise ForgeUnintelligible(
                f"the host sent more than {MAX_ANSWER // 1024 // 1024} MB",
                hint="no answer of its API is that long",
            )
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=headers, body=bytes(body))
