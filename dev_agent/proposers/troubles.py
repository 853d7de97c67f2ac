"""What a service's refusal means to us: status, error type and code to a `Trouble`, with a sentence and a remedy.

Both services, everything that claims to be compatible with one of them, and the proxies in between come through here;
so the status decides first, then the type or code, and the wording only where nothing else tells two cases apart. Pure.
The service's own message is untrusted text: shortened, without control characters, and with secrets taken out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from dev_agent.proposers.model import Trouble
from dev_agent.runtime.redaction import Redactor
from dev_agent.values import dataclass

_LONGEST = 300
_MOST_WAIT_MS = 3_600_000
# What Anthropic calls its errors; in the middle of a stream the status says 200 whatever happens.
_TYPES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_CODES = {
    "insufficient_quota": Trouble.UNPAID,
    "billing_hard_limit_reached": Trouble.UNPAID,
    "billing_not_active": Trouble.UNPAID,
    "model_not_found": Trouble.UNKNOWN_MODEL,
    "context_length_exceeded": Trouble.TOO_LARGE,
    "invalid_api_key": Trouble.UNAUTHORISED,
    "content_filter": Trouble.REFUSED,
    "content_policy_violation": Trouble.REFUSED,
    "unsupported_country_region_territory": Trouble.FORBIDDEN,
}
_STATUSES = {
    401: Trouble.UNAUTHORISED,
    402: Trouble.UNPAID,
    403: Trouble.FORBIDDEN,
    407: Trouble.UNREACHABLE,
    408: Trouble.TIMED_OUT,
    409: Trouble.SERVER_ERROR,
    413: Trouble.TOO_LARGE,
    429: Trouble.RATE_LIMITED,
    503: Trouble.OVERLOADED,
    504: Trouble.TIMED_OUT,
    529: Trouble.OVERLOADED,
}
_TOO_LONG = re.compile(
    r"prompt is too long|context (?:length|window|size)|exceeds? the (?:available )?context|too many tokens",
    re.IGNORECASE,
)
_UNPAID = re.compile(r"credit balance|billing", re.IGNORECASE)
HINTS: Mapping[Trouble, str] = {
    Trouble.RATE_LIMITED: "wait, or ask the service for a higher limit",
    Trouble.OVERLOADED: "wait, or take another model",
    Trouble.TIMED_OUT: "try again, or allow more time (timeout_s in the settings)",
    Trouble.UNREACHABLE: "check the address (--base-url), the network, and the proxy (HTTPS_PROXY)",
    Trouble.NOT_AN_API: "check the address (--base-url); an OpenAI-compatible one usually ends in /v1",
    Trouble.UNAUTHORISED: "set the right key; dev-agent doctor says which one is used",
    Trouble.FORBIDDEN: "take another model, or a key that may use it",
    Trouble.UNPAID: "add credit at the service, or use another account",
    Trouble.UNKNOWN_MODEL: "name a model the service has (--model)",
    Trouble.TOO_LARGE: "narrow the task (--path), or take a model with a larger window",
    Trouble.BAD_REQUEST: "take another model or endpoint, and leave out --effort",
    Trouble.SERVER_ERROR: "try again later",
    Trouble.TRUNCATED: "ask for less at once, or allow longer answers (max_output in the settings)",
    Trouble.CUT_OFF: "try again; if it happens at the same place, look at the proxy in between",
    Trouble.REFUSED: "word the task differently, or take another model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A service's error: what it said. `is_json` is false for a page."""

    status: int
    kind: str = ""
    code: str = ""
    message: str = ""
    is_json: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A trouble, and the two sentences that go with it."""

    trouble: Trouble
    detail: str
    hint: str


def problem(trouble: Trouble, detail: str) -> Problem:
    """A trouble with the remedy that always goes with it."""
    return Problem(trouble=trouble, detail=detail, hint=HINTS.get(trouble, ""))


def problem_of(refusal: Refusal, host: str) -> Problem:
    """What an error of the service at `host` means."""
    trouble = _trouble(refusal)
    said = readable(refusal.message)
    if 300 <= refusal.status < 400:
        said = "it sends the question elsewhere, and a question with your code in it goes nowhere you did not name"
    elif trouble is Trouble.NOT_AN_API and not refusal.is_json:
        said = "with a page instead of an answer"
    return problem(trouble, f"{host} answered {refusal.status}{f': {said}' if said else ''}")


def refusal_of(status: int, body: object) -> Refusal:
    """Read an error's body, of either service and of most that imitate them."""
    if not isinstance(body, Mapping):
        return Refusal(status=status, is_json=False, message=body if isinstance(body, str) else "")
    told = body.get("error", body)
    if not isinstance(told, Mapping):
        return Refusal(status=status, message=str(told))
    kind, code = _word(told.get("type")), _word(told.get("code"))
    details = told.get("details")
    if isinstance(details, Mapping):
        code = _word(details.get("error_code")) or code
    message = told.get("message", body.get("detail", ""))
    return Refusal(
        status=_TYPES.get(kind, _TYPES.get(code, 500)) if status < 300 else status,
        kind=kind,
        code=code,
        message=message if isinstance(message, str) else str(message),
    )


def readable(text: str) -> str:
    """A stranger's text as part of one sentence: short, printable, without secrets."""
    plain = "".join(char if char.isprintable() else " " for char in text[: 4 * _LONGEST])
    plain = Redactor(randomness=True).text(" ".join(plain.split()))
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}…"


def wait_of(headers: Mapping[str, str], now: datetime) -> int | None:
    """How long the service asks to wait, in milliseconds; header names in small letters."""
    exact = _number(headers.get("retry-after-ms", ""))
    if exact is not None:
        return min(int(exact), _MOST_WAIT_MS)
    told = headers.get("retry-after", "")
    seconds = _number(told)
    if seconds is None and told:
        try:
            seconds = (parsedate_to_datetime(told) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return None if seconds is None else min(max(int(seconds * 1000), 0), _MOST_WAIT_MS)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,6})?", text) else None


def _word(value: object) -> str:
    return str(value)[:80] if isinstance(value, str | int) else ""


def _trouble(refusal: Refusal) -> Trouble:
    status = refusal.status
    if refusal.code in _CODES:
        return _CODES[refusal.code]
    if refusal.kind in _CODES:
        return _CODES[refusal.kind]
    if not refusal.is_json and status not in (407, 408, 413, 429) and status < 500:
        return Trouble.NOT_AN_API
    if status == 404:
        return Trouble.UNKNOWN_MODEL if "model" in refusal.message.lower() else Trouble.NOT_AN_API
    if status in (400, 422) and _TOO_LONG.search(refusal.message):
        return Trouble.TOO_LARGE
    if status == 400 and _UNPAID.search(refusal.message):
        return Trouble.UNPAID
    if status in _STATUSES:
        return _STATUSES[status]
    if status >= 500:
        return Trouble.SERVER_ERROR
    return Trouble.BAD_REQUEST if 400 <= status < 500 else Trouble.NOT_AN_API
