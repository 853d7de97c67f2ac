"""A reply as JSON and back, for the two who keep replies: one field of the object for each of the Reply's. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dev_agent.proposers.model import Reply, Trouble, Usage
from dev_agent.runtime.canonical import Json, frozen_object
from dev_agent.runtime.errors import NotCanonical

_TEXTS = ("text", "detail", "hint", "model", "stop", "request_id")


def reply_to_json(reply: Reply) -> dict[str, Json]:
    """The reply as an object."""
    return {
        "content": reply.content,
        "text": reply.text,
        "trouble": None if reply.trouble is None else reply.trouble.value,
        "detail": reply.detail,
        "hint": reply.hint,
        "usage": None if reply.usage is None else reply.usage.to_json(),
        "model": reply.model,
        "stop": reply.stop,
        "request_id": reply.request_id,
        "ms": reply.ms,
        "retry_after_ms": reply.retry_after_ms,
    }


def reply_from_json(told: object) -> Reply:
    """The reply an object stands for. Raises ValueError for one that stands for none."""
    try:
        if not isinstance(told, Mapping):
            raise TypeError("an object is wanted")
        texts = {name: _text(told[name]) for name in _TEXTS}
        content, trouble, usage, wait = (
            told[key] for key in ("content", "trouble", "usage", "retry_after_ms")
        )
        return Reply(
            content=None if content is None else frozen_object(content),
            trouble=None if trouble is None else Trouble(trouble),
            usage=None
            if usage is None
            else Usage(**{name: _number(usage[name]) for name in Usage().to_json()}),
            ms=_number(told["ms"]),
            retry_after_ms=None if wait is None else _number(wait),
            **texts,
        )
    except (KeyError, TypeError, NotCanonical) as error:
        raise ValueError(f"not a reply: {error}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text is wanted")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("a count is wanted")
    return value
