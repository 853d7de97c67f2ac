"""Any model behind OpenAI's Chat Completions API: OpenAI's own, gateways, and local servers.

The form goes out as a JSON schema (`response_format`). Many servers that claim the API ignore it, so anywhere but at
OpenAI the form is also said in words; and what comes back is read and checked here whatever was promised. Always
streamed; a server that answers in one piece is understood as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from dev_agent.proposers import openai_events
from dev_agent.proposers.asking import texts_of
from dev_agent.proposers.exchange import CONNECT_S, Failed
from dev_agent.proposers.forms import is_strict, sent_schema
from dev_agent.proposers.hearing import Heard, Stop
from dev_agent.proposers.keys import Secret
from dev_agent.proposers.model import Ask, Form, Trouble
from dev_agent.proposers.settings import ModelSettings
from dev_agent.proposers.troubles import problem, readable

# The client wants a key; a server that needs none does not look at it.
_NO_KEY = "none"


class OpenAIApi:
    """The Chat Completions API. `secret` is None where none is needed."""

    package = "openai"
    stops: Mapping[str, Stop] = {
        "stop": Stop.COMPLETE,
        "tool_calls": Stop.COMPLETE,
        "function_call": Stop.COMPLETE,
        "length": Stop.LENGTH,
        "content_filter": Stop.REFUSED,
    }

    def __init__(self, settings: ModelSettings, secret: Secret | None) -> None:
        self._settings = settings
        self._secret = secret
        self._official = urlsplit(settings.base_url).hostname == "api.openai.com"

    def client(self) -> Any:
        """A new client."""
        import httpx2  # noqa: PLC0415 - takes long; only who asks a model pays for it
        import openai  # noqa: PLC0415 - the same

        timeout = httpx2.Timeout(None, connect=CONNECT_S)
        return openai.AsyncOpenAI(
            base_url=self._settings.base_url,
            api_key=self._secret.reveal() if self._secret else _NO_KEY,
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAsyncHttpxClient(
                timeout=timeout, follow_redirects=False, mounts=self._settings.unproxied
            ),
        )

    def request(self, ask: Ask, *, plain: bool) -> dict[str, Any]:
        """The request for a question; `plain` with nothing but model, text and length."""
        settings = self._settings
        texts = texts_of(ask, spelled_out=plain or not self._official)
        # One turn: the templates of many local models refuse two turns of one speaker.
        prompt = "\n\n".join(text for text in texts if text.strip())
        # The older name is the one every server knows; OpenAI's own models want the newer.
        longest = "max_completion_tokens" if self._official else "max_tokens"
        request: dict[str, Any] = {
            "model": settings.model,
            "messages": [{"role": "user", "content": prompt}],
            longest: min(ask.max_output, settings.max_output),
        }
        if plain:
            return request
        request["stream_options"] = {"include_usage": True}
        request["response_format"] = _format(ask.form)
        if settings.effort:
            request["reasoning_effort"] = settings.effort
        return request

    async def stream(self, client: Any, request: dict[str, Any]) -> Any:
        """Send a request; the client's stream of chunks."""
        return await client.chat.completions.create(stream=True, **request)

    async def count(self, client: Any, request: dict[str, Any]) -> int | None:  # noqa: ARG002 - see below
        """None: the API cannot tell before it answers."""
        return None

    async def look(self, client: Any) -> str:
        """Whether the model is among those the service lists. Raises Failed if it is not."""
        settings = self._settings
        page = await client.models.list()
        names = [str(one.id) for one in page.data]
        if settings.model not in names:
            listed = readable(", ".join(names[:8]) or "none")
            said = f"{settings.host} does not list the model {settings.model}; it lists {listed}"
            raise Failed(problem(Trouble.UNKNOWN_MODEL, said))
        return f"{settings.host} takes the key and lists the model"

    def take(self, event: Mapping[str, Any], heard: Heard) -> None:
        """Take one chunk of a stream."""
        openai_events.take(event, heard)


def _format(form: Form) -> dict[str, Any]:
    schema = sent_schema(form)
    told = {"name": form.name, "description": form.description, "strict": is_strict(schema), "schema": schema}
    return {"type": "json_schema", "json_schema": told}
