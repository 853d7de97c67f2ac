"""The one door to a code host's REST API: requests with patience, and answers that are what they say they are.

Rules kept here, so that no method of a client can forget them:
- GET and PATCH are sent again after a lost answer or a 5xx, with growing pauses and a bounded number of times. A
  POST is only if it cannot have been done: nothing was sent, or a rate limit turned it away. A POST that may have been
  done is a ForgeUnreachable, and its caller looks before it writes again.
- A rate limit is waited for as the host asks, as long as all pauses of one call stay below `patience_s`; else it is
  told at once, with the seconds that are missing.
- A stop that was asked for ends a pause. Lists end after a bounded number of pages. Only the base URL's origin
  is asked.

Answers to GET are kept by ETag for the life of this object: asking again for what has not changed costs no rate. What
the JSON means is left to `shapes` and the clients, what an answer calls for to `patience`.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urljoin, urlsplit

from dev_agent.forges.errors import ForgeThrottled, ForgeUnintelligible, ForgeUnreachable
from dev_agent.forges.patience import (
    NOT_THE_API,
    REACH,
    asked_to_wait,
    backoff,
    json_of,
    limited_for,
    refusal,
)
from dev_agent.forges.wire import Answer, Lost, Wire, checked_base, origin

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.forges.token import Token

MAX_PAGES = 50
ATTEMPTS = 5
_KEPT = 64
_MOVES = 3
_TICK_S = 0.2
_NEXT = re.compile(r'<([^<>]*)>[^,<]*;\s*rel="?next"?', re.IGNORECASE)


class Clock(Protocol):
    """Time as the host measures it, and waiting."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        ...


class SystemTime:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        time.sleep(seconds)


class Http:
    """Requests to one API with one token; to be closed."""

    def __init__(
        self, base_url: str, token: Token, *, cancel: Cancel, clock: Clock, patience_s: float = 600
    ) -> None:
        """Raises UsageFault for a base URL a token must not go to, EnvironmentFault without the HTTP library."""
        self._base = checked_base(base_url)
        self._wire = Wire(self._base, token)
        self._cancel = cancel
        self._clock = clock
        self._patience_s = patience_s
        self._kept: OrderedDict[str, tuple[str, Answer]] = OrderedDict()

    def close(self) -> None:
        """Let the connections go."""
        self._wire.close()

    def get(self, path: str, **params: str | int) -> Any:
        """The JSON at `path`, which is below the base URL and encoded already."""
        return json_of(self._send("GET", self._base + path, params=params), f"GET {path}")

    def pages(self, path: str, *, key: str = "", **params: str | int) -> Iterator[Any]:
        """The items of a list, page after page; `key` names the array where it is inside an object."""
        url, asked = self._base + path, {"per_page": 100, **params}
        for _ in range(MAX_PAGES):
            answer = self._send("GET", url, params=asked)
            page = json_of(answer, f"GET {path}")
            items = page.get(key) if key and isinstance(page, dict) else page
            if not isinstance(items, list):
                raise ForgeUnintelligible(f"GET {path}: the host sent no list", hint=NOT_THE_API)
            yield from items
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            url, asked = self._within(url, following.group(1)), {}
        raise ForgeUnintelligible(
            f"GET {path}: more than {MAX_PAGES} pages",
            hint="that is more than anybody has read; ask for less",
        )

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """What the host answers to JSON sent by POST or PATCH."""
        return json_of(self._send(method, self._base + path, body=body), f"{method} {path}")

    def _send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One good answer, after as many attempts as it may take. Raises the family of ForgeFault."""
        where = f"{method} {urlsplit(url).path}"
        until = self._clock.now() + self._patience_s
        for attempt in range(1, ATTEMPTS + 1):
            self._cancel.check()
            last = attempt == ATTEMPTS
            try:
                answer = self._moved(method, url, params or {}, body)
            except Lost as lost:
                if last or (method == "POST" and lost.sent):
                    raise ForgeUnreachable(f"{where}: {lost}", hint=REACH) from None
                self._pause(backoff(attempt), until, where, limit=False)
                continue
            if answer.status < 300:
                return answer
            wait = limited_for(answer, attempt=attempt, now=self._clock.now())
            if wait is not None:
                self._pause(wait if not last else float("inf"), until, where, limit=True)
                continue
            if last or answer.status < 500 or method == "POST":
                raise refusal(answer, where)
            self._pause(asked_to_wait(answer) or backoff(attempt), until, where, limit=False)
        raise ForgeUnreachable(f"{where}: no usable answer after {ATTEMPTS} attempts", hint=REACH)

    def _moved(
        self, method: str, url: str, params: Mapping[str, str | int], body: Mapping[str, Any] | None
    ) -> Answer:
        """An answer that does not point elsewhere: a renamed repository's new address is asked instead."""
        for _ in range(_MOVES):
            answer = self._known(method, url, params, body)
            kept_method = answer.status in {307, 308} or (method == "GET" and answer.status in {301, 302})
            if not kept_method:
                return answer
            url, params = self._within(url, answer.headers.get("location", "")), {}
        raise ForgeUnintelligible(
            f"{method} {urlsplit(url).path}: the host sends us in circles", hint=NOT_THE_API
        )

    def _known(
        self, method: str, url: str, params: Mapping[str, str | int], body: Mapping[str, Any] | None
    ) -> Answer:
        """An answer, taken from memory if the host says that it is the same as last time."""
        name = f"{url}?{sorted(params.items())}"
        etag, before = self._kept.get(name, ("", None)) if method == "GET" else ("", None)
        answer = self._wire.exchange(method, url, params=params, body=body, etag=etag)
        if answer.status == 304 and before is not None:
            return before
        if method == "GET" and answer.status == 200 and answer.headers.get("etag"):
            self._kept[name] = answer.headers["etag"], answer
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return answer

    def _within(self, url: str, target: str) -> str:
        """The address the host points to. Raises ForgeUnintelligible if it leaves the origin the token is for."""
        found = urljoin(url, target)
        if not target or origin(found) != origin(self._base):
            raise ForgeUnintelligible(
                f"{urlsplit(url).path}: the host points to another host, where the token does not go",
                hint=NOT_THE_API,
            )
        return found

    def _pause(self, seconds: float, until: float, where: str, *, limit: bool) -> None:
        """Wait, hearing a request to stop. Raises a fault at once if the wait would outlast our patience."""
        if self._clock.now() + seconds > until:
            if not limit:
                raise ForgeUnreachable(f"{where}: no usable answer in time", hint=REACH)
            missing = "" if seconds == float("inf") else f" for {int(seconds)} s more"
            raise ForgeThrottled(
                f"{where}: the host's rate limit holds{missing}",
                hint="start the same command again after that; nothing is done twice",
                resets_in_s=0 if seconds == float("inf") else int(seconds),
            )
        end = self._clock.now() + seconds
        while (left := end - self._clock.now()) > 0:
            self._cancel.check()
            self._clock.sleep(min(left, _TICK_S))
