"""The events of Anthropic's stream, taken one by one; whatever is not of their form is passed over. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dev_agent.proposers.hearing import Heard, tokens, word
from dev_agent.proposers.model import Usage


def take(event: Mapping[str, Any], heard: Heard) -> None:
    """Take one event of the stream, or the whole message if the service did not stream."""
    kind = event.get("type")
    if kind == "whole":
        _take_message(_object(event.get("body")), heard)
    elif kind == "message_start":
        message = _object(event.get("message"))
        heard.begun = True
        heard.model = word(message.get("model"))
        heard.usage = _usage(_object(message.get("usage")), heard.usage)
    elif kind == "content_block_start":
        _take_block(_object(event.get("content_block")), heard)
    elif kind == "content_block_delta":
        delta = _object(event.get("delta"))
        heard.hear(delta.get("text") if delta.get("type") == "text_delta" else delta.get("partial_json"))
        heard.hear(delta.get("thinking"), counts=False)
    elif kind == "message_delta":
        heard.stop = word(_object(event.get("delta")).get("stop_reason")) or heard.stop
        heard.usage = _usage(_object(event.get("usage")), heard.usage)


def _take_block(block: Mapping[str, Any], heard: Heard) -> None:
    if block.get("type") == "tool_use":
        heard.tool = word(block.get("name")) or "?"
    elif block.get("type") == "text":
        heard.hear(block.get("text"))


def _take_message(message: Mapping[str, Any], heard: Heard) -> None:
    content = message.get("content")
    heard.begun = isinstance(content, list)
    for one in content if isinstance(content, list) else ():
        block = _object(one)
        _take_block(block, heard)
        if block.get("type") == "tool_use":
            heard.hear(json.dumps(block.get("input")))
    heard.model = word(message.get("model"))
    heard.stop = word(message.get("stop_reason"))
    heard.usage = _usage(_object(message.get("usage")), None)


def _usage(told: Mapping[str, Any], before: Usage | None) -> Usage | None:
    """The counts so far: the later ones of a stream replace the earlier, and leave out what did not change."""
    if not told:
        return before
    last = before or Usage()

    def of(name: str, old: int) -> int:
        return tokens(told[name]) if told.get(name) is not None else old

    return Usage(
        input=of("input_tokens", last.input),
        output=of("output_tokens", last.output),
        cache_read=of("cache_read_input_tokens", last.cache_read),
        cache_write=of("cache_creation_input_tokens", last.cache_write),
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
