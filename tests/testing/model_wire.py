"""How the two services write their answers: bodies and streams as their documentation and clients have them.

Pure: texts in, bytes out. Which answer, how fast and how broken is `model_server`'s affair.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ANTHROPIC, OPENAI = "anthropic", "openai"
_STOPS = {
    ANTHROPIC: {"done": "end_turn", "tool": "tool_use", "length": "max_tokens", "refusal": "refusal"},
    OPENAI: {"done": "stop", "tool": "tool_calls", "length": "length", "refusal": "content_filter"},
}
_PIECE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the model says: text, or the input of a tool of this name, and why it stops (see `_STOPS`)."""

    api: str
    model: str
    text: str
    tool: str = ""
    stop: str = "done"
    usage: Mapping[str, int]
    number: int

    @property
    def stop_word(self) -> str:
        return _STOPS[self.api]["tool" if self.tool and self.stop == "done" else self.stop]

    @property
    def id(self) -> str:
        return f"msg_{self.number:04d}"


def stream(said: Said) -> Iterator[bytes]:
    """The answer as server-sent events, one at a time."""
    return _anthropic_stream(said) if said.api == ANTHROPIC else _openai_stream(said)


def whole(said: Said) -> dict[str, Any]:
    """The answer as one body."""
    return _anthropic_body(said) if said.api == ANTHROPIC else _openai_body(said)


def error(api: str, status: int, kind: str, message: str, number: int) -> dict[str, Any]:
    """The body of an error."""
    if api == ANTHROPIC:
        told = {"type": kind, "message": message}
        return {"type": "error", "error": told, "request_id": request_id(number)}
    return {
        "error": {"message": message, "type": kind, "param": None, "code": kind if status != 429 else None}
    }


def request_id(number: int) -> str:
    """The name of the server's n-th request, as its header gives it."""
    return f"req_{number:04d}"


def pieces(text: str) -> list[str]:
    """The text in pieces, as a stream would bring it."""
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]


def event(data: Mapping[str, Any]) -> bytes:
    """One event of Anthropic's stream."""
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()


def chunk(data: Mapping[str, Any] | str) -> bytes:
    """One event of OpenAI's stream."""
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def _anthropic_usage(usage: Mapping[str, int]) -> dict[str, int]:
    return {
        "input_tokens": usage.get("input", 0),
        "output_tokens": usage.get("output", 0),
        "cache_creation_input_tokens": usage.get("cache_write", 0),
        "cache_read_input_tokens": usage.get("cache_read", 0),
    }


def _anthropic_body(said: Said) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": said.text}
    if said.tool:
        block = {"type": "tool_use", "id": "toolu_1", "name": said.tool, "input": json.loads(said.text)}
    return {
        "id": said.id,
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "stop_reason": said.stop_word,
        "stop_sequence": None,
        "content": [block] if said.text else [],
        "usage": _anthropic_usage(said.usage),
    }


def _anthropic_stream(said: Said) -> Iterator[bytes]:
    begun = {**_anthropic_usage(said.usage), "output_tokens": 1}
    message = {**_anthropic_body(said), "content": [], "stop_reason": None, "usage": begun}
    yield event({"type": "message_start", "message": message})
    yield event({"type": "ping"})
    if said.text:
        block: dict[str, Any] = {"type": "text", "text": ""}
        if said.tool:
            block = {"type": "tool_use", "id": "toolu_1", "name": said.tool, "input": {}}
        yield event({"type": "content_block_start", "index": 0, "content_block": block})
        for piece in pieces(said.text):
            delta = {"type": "text_delta", "text": piece}
            if said.tool:
                delta = {"type": "input_json_delta", "partial_json": piece}
            yield event({"type": "content_block_delta", "index": 0, "delta": delta})
        yield event({"type": "content_block_stop", "index": 0})
    ended = {"stop_reason": said.stop_word, "stop_sequence": None}
    usage = {"output_tokens": said.usage.get("output", 0)}
    yield event({"type": "message_delta", "delta": ended, "usage": usage})
    yield event({"type": "message_stop"})


def _openai_usage(usage: Mapping[str, int]) -> dict[str, Any]:
    read, written = usage.get("cache_read", 0), usage.get("cache_write", 0)
    prompt = usage.get("input", 0) + read + written
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.get("output", 0),
        "total_tokens": prompt + usage.get("output", 0),
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
    }


def _call(said: Said, arguments: str) -> dict[str, Any]:
    function = {"name": said.tool, "arguments": arguments}
    return {"index": 0, "id": "call_1", "type": "function", "function": function}


def _openai_body(said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if said.tool:
        message = {"role": "assistant", "content": None, "tool_calls": [_call(said, said.text)]}
    return {
        "id": said.id,
        "object": "chat.completion",
        "created": 1,
        "model": said.model,
        "choices": [{"index": 0, "message": message, "finish_reason": said.stop_word}],
        "usage": _openai_usage(said.usage),
    }


def _openai_stream(said: Said) -> Iterator[bytes]:
    same = {"id": said.id, "object": "chat.completion.chunk", "created": 1, "model": said.model}

    def choice(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        return chunk({**same, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield choice({"role": "assistant", "content": ""})
    for piece in pieces(said.text):
        yield choice({"tool_calls": [_call(said, piece)]} if said.tool else {"content": piece})
    yield choice({}, said.stop_word)
    yield chunk({**same, "choices": [], "usage": _openai_usage(said.usage)})
    yield chunk("[DONE]")
