"""How a tool asks the desk: in a thread, with progress told, and refusals in plain words."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import anyio.from_thread
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from dev_agent.cancel import Cancel
from dev_agent.mcp.access import Refused
from dev_agent.mcp.desk import Caller
from dev_agent.mcp.traffic import Traffic
from dev_agent.values import dataclass

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How a tool asks the desk."""

    who: Callable[[Context], str]
    traffic: Traffic

    async def __call__(self, context: Context, question: Callable[[Caller], T]) -> T:
        """Ask in a thread. Raises ToolError with what the desk refused."""
        client = self.who(context)

        def work(cancel: Cancel) -> T:
            steps = 0

            def progress(said: Mapping[str, Any]) -> None:
                nonlocal steps
                steps += 1
                words = (str(said[key]) for key in ("state", "action", "outcome", "text") if key in said)
                if not cancel.requested:
                    # Progress is a courtesy: a client that does not take it changes nothing about the command.
                    with suppress(Exception):
                        anyio.from_thread.run(_told(context, steps, " ".join(words)[:500]))

            return question(Caller(client=client, cancel=cancel, progress=progress))

        try:
            return await self.traffic.through(work)
        except Refused as refused:
            raise ToolError(str(refused)) from None


def _told(context: Context, steps: int, message: str) -> Callable[[], Coroutine[Any, Any, None]]:
    async def tell() -> None:
        await context.report_progress(steps, message=message)

    return tell
