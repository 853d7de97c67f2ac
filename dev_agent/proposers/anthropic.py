"""Claude, through Anthropic's own client: the Messages API at Anthropic, at Amazon Bedrock and at Google Cloud.

The form goes out as structured output (`output_config.format`), not as a forced tool, which today's largest models
refuse; what comes back is read and checked here all the same. The stable text is the first block and carries the cache
mark, so that every later question of a run reads it from the service's cache. Always streamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from dev_agent.proposers import anthropic_events
from dev_agent.proposers.asking import texts_of
from dev_agent.proposers.exchange import CONNECT_S
from dev_agent.proposers.forms import sent_schema
from dev_agent.proposers.hearing import Heard, Stop
from dev_agent.proposers.keys import Secret
from dev_agent.proposers.model import Ask
from dev_agent.proposers.settings import ModelSettings

BEDROCK, VERTEX = "anthropic-bedrock", "anthropic-vertex"


class AnthropicApi:
    """The Messages API. `secret` is None for a profile, and for platforms that have credentials of their own."""

    package = "anthropic"
    stops: Mapping[str, Stop] = {
        "end_turn": Stop.COMPLETE,
        "stop_sequence": Stop.COMPLETE,
        "tool_use": Stop.COMPLETE,
        "max_tokens": Stop.LENGTH,
        "refusal": Stop.REFUSED,
        "model_context_window_exceeded": Stop.WINDOW,
    }

    def __init__(self, settings: ModelSettings, secret: Secret | None) -> None:
        self._settings = settings
        self._secret = secret

    def client(self) -> Any:
        """A new client; it is always told its credential, or it would look for a profile on the disk by itself."""
        import anthropic  # noqa: PLC0415 - takes long; only who asks a model pays for it
        import httpx2  # noqa: PLC0415 - the same

        settings = self._settings
        timeout = httpx2.Timeout(None, connect=CONNECT_S)
        options: dict[str, Any] = {
            "max_retries": 0,
            "timeout": timeout,
            "open_telemetry": False,
            "http_client": anthropic.DefaultAsyncHttpxClient(
                timeout=timeout, follow_redirects=False, mounts=settings.unproxied
            ),
        }
        if settings.base_url:
            options["base_url"] = settings.base_url
        if settings.proposer == BEDROCK:
            platform = {"aws_region": settings.region, "aws_profile": settings.profile}
            return anthropic.AsyncAnthropicBedrock(**options, **_given(platform))
        if settings.proposer == VERTEX:
            platform = {"region": settings.region, "project_id": settings.project}
            return anthropic.AsyncAnthropicVertex(**options, **_given(platform))
        return anthropic.AsyncAnthropic(**options, **self._credential())

    def request(self, ask: Ask, *, plain: bool) -> dict[str, Any]:
        """The request for a question; `plain` without form and effort."""
        settings = self._settings
        request: dict[str, Any] = {
            "model": settings.model,
            "max_tokens": min(ask.max_output, settings.max_output),
            "messages": [{"role": "user", "content": self._blocks(ask, plain=plain)}],
        }
        if plain:
            return request
        request["output_config"] = {"format": {"type": "json_schema", "schema": sent_schema(ask.form)}}
        if settings.effort:
            request["output_config"]["effort"] = settings.effort
        if settings.thinking:
            request["thinking"] = {"type": "adaptive" if settings.thinking == "on" else "disabled"}
        return request

    async def stream(self, client: Any, request: dict[str, Any]) -> Any:
        """Send a request; the client's stream of events."""
        return await client.messages.create(stream=True, **request)

    async def count(self, client: Any, request: dict[str, Any]) -> int | None:
        """The tokens of a request; Bedrock has no such call."""
        if self._settings.proposer == BEDROCK:
            return None
        asked = {name: value for name, value in request.items() if name != "max_tokens"}
        counted = await client.messages.count_tokens(**asked)
        tokens = getattr(counted, "input_tokens", None)
        return tokens if isinstance(tokens, int) else None

    async def look(self, client: Any) -> str:
        """What Anthropic says of the model; the platforms have no such call."""
        settings = self._settings
        if settings.proposer != "anthropic":
            return f"{settings.host} cannot be asked for its models; a first question will tell"
        told = await client.models.retrieve(settings.model)
        life = getattr(told, "lifecycle", "")
        note = f"; it is {life} there" if life in ("deprecated", "retired") else ""
        return f"{settings.host} knows the key and the model{note}"

    def take(self, event: Mapping[str, Any], heard: Heard) -> None:
        """Take one event of a stream."""
        anthropic_events.take(event, heard)

    def _blocks(self, ask: Ask, *, plain: bool) -> list[dict[str, Any]]:
        stable, changing = texts_of(ask, spelled_out=plain or not self._keeps_to_forms())
        blocks: list[dict[str, Any]] = []
        # An empty block is an error of the API's.
        if stable.strip():
            blocks.append({"type": "text", "text": stable, "cache_control": {"type": "ephemeral"}})
        if changing.strip():
            blocks.append({"type": "text", "text": changing})
        return blocks

    def _keeps_to_forms(self) -> bool:
        """Whether the service is known to: Anthropic's own, or a platform's; not what imitates it."""
        host = urlsplit(self._settings.base_url).hostname or ""
        return not host or host.endswith(".anthropic.com")

    def _credential(self) -> dict[str, Any]:
        secret = self._secret
        if secret is None:
            return {"profile": self._settings.profile}
        kind = "auth_token" if secret.source.endswith("ANTHROPIC_AUTH_TOKEN") else "api_key"
        return {kind: secret.reveal()}


def _given(options: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value}
