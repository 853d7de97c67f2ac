"""A model at a service, whichever API it speaks: `Model` on top of an `Api`, which knows one client package.

A service that refuses the request as it is (status 400) is asked once more in the plainest way its API has, with the
form in words; if that helps, it is asked only that way from then on. Both APIs are imitated by servers that do not know
all of them, and a refused request costs nothing. This is the only thing ever asked twice here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any, Protocol

from dev_agent.proposers.exchange import Failed, events, exchange, failure, too_large
from dev_agent.proposers.hearing import Heard, Stop
from dev_agent.proposers.keys import Secret
from dev_agent.proposers.model import Ask, Reply, Trouble
from dev_agent.proposers.settings import ModelSettings
from dev_agent.proposers.troubles import Problem, problem
from dev_agent.proposers.waiting import finish
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.host import Cancel, NeverCancelled

_SHORT_S = 30.0


class Api(Protocol):
    """One API and the package that speaks it."""

    package: str
    stops: Mapping[str, Stop]

    def client(self) -> Any:
        """A new client of the package, with nothing left to its environment but proxies and certificates."""
        ...

    def request(self, ask: Ask, *, plain: bool) -> dict[str, Any]:
        """The request for a question."""
        ...

    async def stream(self, client: Any, request: dict[str, Any]) -> Any:
        """Send a request; the client's stream."""
        ...

    async def count(self, client: Any, request: dict[str, Any]) -> int | None:
        """The tokens of a request by the service's count, None if it has none."""
        ...

    async def look(self, client: Any) -> str:
        """What the service says of the model, in a sentence, without asking the model anything. Raises Failed."""
        ...

    def take(self, event: Mapping[str, Any], heard: Heard) -> None:
        """Take one event of a stream."""
        ...


class ServiceModel:
    """A model at its service. `secret` is taken out of whatever the service says."""

    def __init__(self, settings: ModelSettings, api: Api, secret: Secret | None) -> None:
        self._settings = settings
        self._api = api
        self._secret = secret
        self._plain = False

    @property
    def name(self) -> str:
        """The proposer's name."""
        return self._settings.proposer

    @property
    def model(self) -> str:
        """The model's name at its service."""
        return self._settings.model

    def ask(self, ask: Ask, *, cancel: Cancel, told: Callable[[int], None]) -> Reply:
        """Ask, and wait for the whole answer; see `Model.ask`."""
        refused = too_large(ask, self._settings.window, lambda one: self._counted(one, cancel))
        if refused is not None:
            return Reply(trouble=refused.trouble, detail=refused.detail, hint=refused.hint, model=self.model)
        seconds = self._settings.timeout_s if ask.timeout_ms is None else ask.timeout_ms / 1000
        reply = self._asked(ask, cancel, told, seconds=seconds, plain=self._plain)
        if reply.trouble is Trouble.BAD_REQUEST and not self._plain:
            left = max(seconds - reply.ms / 1000, 0.0)
            plainly = self._asked(ask, cancel, told, seconds=left, plain=True)
            if plainly.trouble is not Trouble.BAD_REQUEST:
                self._plain = True
                return plainly
        return reply

    def count(self, ask: Ask) -> int | None:
        """The tokens of the question by the service's own count; None if it has none or does not answer."""
        return self._counted(ask, NeverCancelled())

    def describe(self) -> Mapping[str, Json]:
        """What the trace says of this model."""
        settings, package = self._settings, self._api.package
        return {
            "name": settings.proposer,
            "model": settings.model,
            "host": settings.host,
            "effort": settings.effort,
            "thinking": settings.thinking,
            "max_output": settings.max_output,
            "client": f"{package} {import_module(package).__version__}",
        }

    def look(self, cancel: Cancel) -> str | Problem:
        """Whether the service knows key and model, asked without a question, which would cost something."""
        import httpx2  # noqa: PLC0415 - see _hear

        sdk: Any = import_module(self._api.package)
        host = self._settings.host

        async def work() -> str:
            try:
                async with self._client() as client:
                    return await self._api.look(client)
            except (_family(sdk), httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
                raise failure(error, sdk, host, self._secret) from None

        try:
            return finish(work, cancel=cancel, seconds=_SHORT_S)
        except Failed as error:
            return error.problem
        except TimeoutError:
            return problem(Trouble.TIMED_OUT, f"{host} did not answer within {_SHORT_S:.0f} seconds")
        except (ValueError, TypeError, AttributeError) as error:
            # Whatever answered there makes no sense to the client.
            return problem(
                Trouble.NOT_AN_API, f"{host} answered something that is no API ({type(error).__name__})"
            )

    def _asked(
        self, ask: Ask, cancel: Cancel, told: Callable[[int], None], *, seconds: float, plain: bool
    ) -> Reply:
        heard = Heard(ask=ask, stops=self._api.stops, told=told)

        async def hear() -> None:
            await self._hear(heard, plain=plain)

        host = self._settings.host
        return exchange(hear, heard, cancel=cancel, seconds=seconds, host=host, model=self.model)

    async def _hear(self, heard: Heard, *, plain: bool) -> None:
        import httpx2  # noqa: PLC0415 - takes long; only who asks a model pays for it

        sdk: Any = import_module(self._api.package)
        host = self._settings.host
        try:
            async with AsyncExitStack() as held:
                client = await held.enter_async_context(self._client())
                stream = await self._api.stream(client, self._api.request(heard.ask, plain=plain))
                await held.enter_async_context(stream)
                async for event in events(stream, heard, host):
                    self._api.take(event, heard)
                    if heard.too_long:
                        break
        except (_family(sdk), httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            begun, named = heard.begun, heard.request_id
            raise failure(error, sdk, host, self._secret, begun=begun, request_id=named) from None

    def _client(self) -> Any:
        try:
            return self._api.client()
        except (ValueError, ImportError) as error:
            # A proxy variable that is no address, a proxy scheme without its package.
            raise Failed(problem(Trouble.UNREACHABLE, f"the client cannot be set up: {error}")) from None

    def _counted(self, ask: Ask, cancel: Cancel) -> int | None:
        import httpx2  # noqa: PLC0415 - see _hear

        async def work() -> int | None:
            async with self._client() as client:
                return await self._api.count(client, self._api.request(ask, plain=self._plain))

        sdk: Any = import_module(self._api.package)
        try:
            return finish(work, cancel=cancel, seconds=_SHORT_S)
        except (_family(sdk), Failed, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, TypeError):
            # The question itself will meet the same trouble, and name it.
            return None


def _family(sdk: Any) -> type[Exception]:
    """The base of all errors of a client package."""
    family: type[Exception] = getattr(sdk, "AnthropicError", None) or sdk.OpenAIError
    return family
