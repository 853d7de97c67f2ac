"""The chunks of OpenAI's stream, taken one by one; whatever is not of their form is passed over. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dev_agent.proposers.hearing import Heard, tokens, word
from dev_agent.proposers.model import Usage


def take(event: Mapping[str, Any], heard: Heard) -> None:
    """Take one chunk of the stream, or the whole completion if the service did not stream."""
    whole = event.get("type") == "whole"
    chunk = _object(event.get("body")) if whole else event
    choices = chunk.get("choices")
    heard.begun = heard.begun or isinstance(choices, list)
    heard.model = word(chunk.get("model")) or heard.model
    heard.usage = _usage(_object(chunk.get("usage"))) or heard.usage
    if not isinstance(choices, list) or not choices:
        return
    choice = _object(choices[0])
    said = _object(choice.get("message" if whole else "delta"))
    heard.hear(said.get("content"))
    heard.hear(said.get("reasoning_content"), counts=False)
    refusal = said.get("refusal")
    heard.refusal += refusal if isinstance(refusal, str) else ""
    _take_calls(said.get("tool_calls"), heard)
    heard.stop = word(choice.get("finish_reason")) or heard.stop


def _take_calls(calls: object, heard: Heard) -> None:
    for one in calls if isinstance(calls, list) else ():
        function = _object(_object(one).get("function"))
        heard.tool = heard.tool or word(function.get("name"))
        arguments = function.get("arguments")
        # The API says text; some servers send the object.
        heard.hear(json.dumps(arguments) if isinstance(arguments, dict) else arguments)


def _usage(told: Mapping[str, Any]) -> Usage | None:
    """The counts; OpenAI's number of prompt tokens includes those of the cache."""
    if not told:
        return None
    details = _object(told.get("prompt_tokens_details"))
    read, written = tokens(details.get("cached_tokens")), tokens(details.get("cache_write_tokens"))
    return Usage(
        input=max(tokens(told.get("prompt_tokens")) - read - written, 0),
        output=tokens(told.get("completion_tokens")),
        cache_read=read,
        cache_write=written,
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
