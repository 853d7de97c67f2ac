"""One question to a service and whatever comes of it, as a Reply: the part both clients have in common.

Nothing the network, the service or its client raises gets out; our own bugs do. The clients never retry (their
`max_retries` is 0), follow no redirect (a question holds code; it goes where the user said and nowhere else) and send
no telemetry. A refused request parameter is the one thing asked again here, without it: see `service.py`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

from dev_agent.proposers.answers import Answer
from dev_agent.proposers.hearing import Heard, word
from dev_agent.proposers.keys import Secret
from dev_agent.proposers.model import Ask, Reply, Trouble
from dev_agent.proposers.troubles import Problem, problem, problem_of, readable, refusal_of, wait_of
from dev_agent.proposers.waiting import finish
from dev_agent.runtime.host import Cancel

CONNECT_S = 15.0
_WHOLE = "application/json"


class Failed(Exception):
    """A request failed; `problem` says how."""

    def __init__(self, problem: Problem, *, retry_after_ms: int | None = None, request_id: str = "") -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.retry_after_ms = retry_after_ms
        self.request_id = request_id


def exchange(
    hear: Callable[[], Coroutine[Any, Any, None]],
    heard: Heard,
    *,
    cancel: Cancel,
    seconds: float,
    host: str,
    model: str,
) -> Reply:
    """Let `hear` fill `heard`, within `seconds`, and judge it. Raises KeyboardInterrupt once `cancel` asks to stop."""
    begun = time.monotonic()
    failed: Failed | None = None
    try:
        finish(hear, cancel=cancel, seconds=seconds)
        judged = heard.judged(host)
    except TimeoutError:
        judged = problem(Trouble.TIMED_OUT, f"{host} gave no complete answer within {seconds:g} seconds")
    except Failed as error:
        judged, failed = error.problem, error
    common: dict[str, Any] = {
        "text": heard.text.encode("utf-8", "replace").decode(),
        "usage": heard.usage,
        "model": heard.model or model,
        "stop": heard.stop,
        "request_id": heard.request_id or (failed.request_id if failed else ""),
        "ms": int((time.monotonic() - begun) * 1000),
        "retry_after_ms": failed.retry_after_ms if failed else None,
    }
    if isinstance(judged, Answer) and judged.trouble is None:
        return Reply(content=judged.content, **common)
    hint = judged.hint if isinstance(judged, Problem) else ""
    return Reply(trouble=judged.trouble, detail=judged.detail, hint=hint, **common)


def too_large(ask: Ask, window: int | None, count: Callable[[Ask], int | None]) -> Problem | None:
    """Why a question cannot fit a window, None if it may. Counts only if the number of bytes leaves a doubt."""
    if window is None:
        return None
    room = window - ask.max_output
    size = sum(len(prompt.text.encode("utf-8", "replace")) for prompt in (ask.stable, ask.changing))
    # No tokenizer makes more tokens than there are bytes.
    if size <= room:
        return None
    counted = count(ask)
    # Nobody counts: refuse only what no known tokenizer could fit.
    least = size // 8 if counted is None else counted
    if least <= room:
        return None
    how = "at least " if counted is None else ""
    said = f"the question has {how}{least} tokens, and the model has room for {max(room, 0)}"
    return problem(Trouble.TOO_LARGE, f"{said} beside an answer of {ask.max_output}")


async def events(stream: Any, heard: Heard, host: str) -> AsyncIterator[Mapping[str, Any]]:
    """The events of a client's stream as plain objects; the one body, if the service did not stream."""
    kind = str(stream.response.headers.get("content-type", "")).partition(";")[0].strip().lower()
    request_id = stream.response.headers.get("request-id") or stream.response.headers.get("x-request-id")
    heard.request_id = word(request_id)
    if kind.startswith("text/html"):
        refused = refusal_of(stream.response.status_code, "")
        raise Failed(problem_of(refused, host), request_id=heard.request_id)
    try:
        if kind == _WHOLE:
            await stream.response.aread()
            yield {"type": "whole", "body": stream.response.json()}
            return
        async for event in stream:
            yield event.to_dict() if hasattr(event, "to_dict") else {}
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        # What a stranger's bytes make of a client: broken JSON, an event where none may be, a list for an object.
        trouble = Trouble.CUT_OFF if heard.begun else Trouble.NOT_AN_API
        raise Failed(
            problem(trouble, f"{host} sent what is no answer of a model ({type(error).__name__})"),
            request_id=heard.request_id,
        ) from None


def failure(
    error: Exception, sdk: Any, host: str, secret: Secret | None, *, begun: bool = False, request_id: str = ""
) -> Failed:
    """What an error of a client's means. `sdk` is its module; both have the same family. `begun`: an answer had."""
    if isinstance(error, sdk.APIStatusError):
        refusal = refusal_of(error.status_code, error.body)
        found = _scrubbed(problem_of(refusal, host), secret)
        headers = {name.lower(): value for name, value in error.response.headers.items()}
        named = word(headers.get("request-id") or headers.get("x-request-id"))
        return Failed(found, retry_after_ms=wait_of(headers, datetime.now(UTC)), request_id=named)
    if isinstance(error, getattr(sdk, "CredentialsError", ())):
        return Failed(problem(Trouble.UNAUTHORISED, f"no credentials for {host}: {readable(str(error))}"))
    if isinstance(error, sdk.APITimeoutError):
        said = f"{host} did not take the connection within {CONNECT_S:.0f} seconds"
        return Failed(problem(Trouble.UNREACHABLE, said))
    if isinstance(error, sdk.APIResponseValidationError):
        return Failed(problem(Trouble.NOT_AN_API, f"{host} answered something that is no answer of a model"))
    if isinstance(error, sdk.APIConnectionError) or not isinstance(error, sdk.APIError):
        return Failed(_scrubbed(_broken(error, host, begun=begun), secret), request_id=request_id)
    # An error in the middle of OpenAI's stream has a body and no status.
    return Failed(_scrubbed(problem_of(refusal_of(200, error.body), host), secret), request_id=request_id)


def _broken(error: Exception, host: str, *, begun: bool) -> Problem:
    causes = [str(one) for one in (error.__cause__, error) if one is not None and str(one)]
    said = readable(causes[0]) if causes else type(error).__name__
    if begun:
        return problem(Trouble.CUT_OFF, f"the connection to {host} broke in the middle of the answer: {said}")
    found = problem(Trouble.UNREACHABLE, f"{host} cannot be reached: {said}")
    if "CERTIFICATE" in said.upper():
        hint = "if a proxy has a certificate of its own, name its CA in SSL_CERT_FILE"
        return Problem(trouble=found.trouble, detail=found.detail, hint=hint)
    return found


def _scrubbed(found: Problem, secret: Secret | None) -> Problem:
    if secret is None:
        return found
    return Problem(trouble=found.trouble, detail=secret.scrubbed(found.detail), hint=found.hint)
