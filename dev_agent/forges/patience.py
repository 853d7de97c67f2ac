"""What an answer of the host calls for: take it, ask again after a while, or give up with the right words. Pure.

GitHub's rules (docs.github.com/rest: best practices, rate limits): a primary limit answers 403 or 429 with
`X-RateLimit-Remaining: 0` and the time of its end; a secondary one 403 or 429, with `Retry-After` or, without it, asks
for at least a minute and longer each time. Any other 403 is a refusal, and asking again only makes it worse.
"""

from __future__ import annotations

import json
import re
from typing import Any

from dev_agent.forges.errors import (
    ForgeFault,
    ForgeRefused,
    ForgeRejected,
    ForgeUnintelligible,
    ForgeUnreachable,
)
from dev_agent.forges.text import cut
from dev_agent.forges.wire import Answer
from dev_agent.visible import escape_line

_SECONDARY_S = 60
_LIMITED = frozenset({403, 429})

REACH = "look at the host's status page and at this machine's way to it; then start the same command again"
NOT_THE_API = (
    "a proxy or a login page stands in between, or the address is not the API's: "
    "GitHub's is https://api.github.com, a GitHub Enterprise Server's https://HOST/api/v3"
)


def limited_for(answer: Answer, *, attempt: int, now: float) -> float | None:
    """Seconds to wait because of a rate limit; None if the answer is about something else. `now` in seconds of 1970."""
    if answer.status not in _LIMITED:
        return None
    asked = asked_to_wait(answer)
    if asked is not None:
        return asked
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = _whole(answer.headers.get("x-ratelimit-reset", ""))
        # A second more: the host's clock and ours do not agree to the second.
        return max(reset - now, 0) + 1 if reset is not None else float(_SECONDARY_S)
    if answer.status == 429 or "secondary rate limit" in message_of(answer).lower():
        return float(_SECONDARY_S * 2 ** (attempt - 1))
    return None


def asked_to_wait(answer: Answer) -> float | None:
    """The seconds of `Retry-After`; its other form, a date, is not used by GitHub."""
    seconds = _whole(answer.headers.get("retry-after", ""))
    return None if seconds is None else float(seconds)


def backoff(attempt: int) -> float:
    """Seconds before the attempt after this one (1, 2, 4 …) when the host named none."""
    return 2.0 ** (attempt - 1)


def is_json(answer: Answer) -> bool:
    """True if the answer says it is JSON, as every answer of the API with a body does."""
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower().endswith("json")


def json_of(answer: Answer, where: str) -> Any:
    """The JSON of a good answer, None if it has no body. Raises ForgeUnintelligible."""
    if not answer.body:
        return None
    if not is_json(answer):
        raise _unintelligible(answer, where)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise ForgeUnintelligible(
            f"{where}: what came back says it is JSON and is not", hint=NOT_THE_API, status=answer.status
        ) from None


def refusal(answer: Answer, where: str) -> ForgeFault:
    """The fault an answer of 400 and above amounts to, when there is nothing left to try."""
    status = answer.status
    if status == 407:
        return ForgeUnintelligible(
            f"{where}: the proxy wants to know who you are", hint="say it in HTTPS_PROXY", status=status
        )
    if status >= 500:
        return ForgeUnreachable(f"{where}: the host answers {status}", hint=REACH, status=status)
    if not is_json(answer):
        return _unintelligible(answer, where)
    said = f"{where}: {status} {cut(escape_line(message_of(answer)), 300)}"
    if status == 401:
        hint = "the token is wrong, expired or revoked: make a new one, or look at the job's `permissions:`"
        return ForgeRefused(said, hint=hint, status=status)
    if status in {403, 404}:
        wanted = answer.headers.get("x-accepted-github-permissions", "")
        asks = f" (the host asks for {escape_line(wanted)[:100]})" if wanted else ""
        hint = f"there is no such thing, or the token may not: look at the job's `permissions:`{asks}"
        return ForgeRefused(said, hint=hint, status=status)
    return ForgeRejected(said, hint="the host gives the reason; nothing was changed", status=status)


def message_of(answer: Answer) -> str:
    """What the host says in an answer that is no success, with the details of a validation."""
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(data, dict):
        return ""
    errors = data.get("errors")
    details = [_detail(one) for one in errors] if isinstance(errors, list) else []
    return "; ".join([str(data.get("message", "")), *(one for one in details if one)])


def _detail(error: object) -> str:
    if isinstance(error, dict):
        return str(
            error.get("message") or " ".join(str(error.get(key, "")) for key in ("field", "code")).strip()
        )
    return str(error)


def _unintelligible(answer: Answer, where: str) -> ForgeUnintelligible:
    kind = answer.headers.get("content-type", "") or "something without a type"
    server = answer.headers.get("server", "")
    found = re.search(rb"<title[^>]*>([^<]{1,200})", answer.body[:65_536], re.IGNORECASE)
    words = [f"{where}: {answer.status} with {escape_line(kind)[:80]}, not with the JSON of an API"]
    if found:
        shown = " ".join(found.group(1).decode("utf-8", "replace").split())
        words.append(f"titled {escape_line(shown)[:120]!r}")
    if server:
        words.append(f"from {escape_line(server)[:80]!r}")
    return ForgeUnintelligible(", ".join(words), hint=NOT_THE_API, status=answer.status)


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text.strip()) else None
