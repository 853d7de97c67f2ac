"""What can be read by address: diff, receipt and trace of a run, and the policy of a repository."""

from __future__ import annotations

from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

from dev_agent.mcp.asking import Asking
from dev_agent.mcp.desk import Desk


def add_resources(server: MCPServer, desk: Desk, ask: Asking) -> None:
    """Add what has an address."""

    @server.resource(
        "run://{repository}/{run}/diff", mime_type="text/x-diff", description="The change of a run."
    )
    async def diff(repository: str, run: str, context: Context) -> str:
        return await ask(context, lambda caller: desk.diff(caller, repository=repository, run=run))

    @server.resource(
        "run://{repository}/{run}/receipt", mime_type="application/json", description="The receipt of a run."
    )
    async def receipt(repository: str, run: str, context: Context) -> dict[str, Any]:
        made = await ask(context, lambda caller: desk.receipt(caller, repository=repository, run=run))
        return made.receipt

    @server.resource(
        "run://{repository}/{run}/trace",
        mime_type="application/json",
        description="The first 500 events of a run's trace; get_trace reads on.",
    )
    async def trace(repository: str, run: str, context: Context) -> dict[str, Any]:
        made = await ask(
            context, lambda caller: desk.trace(caller, repository=repository, run=run, first=0, limit=500)
        )
        return made.model_dump()

    @server.resource(
        "policy://{repository}",
        mime_type="application/json",
        description="The policy the repository's base asks for.",
    )
    async def policy(repository: str, context: Context) -> dict[str, Any]:
        return dict(await ask(context, lambda caller: desk.policy(caller, repository=repository)))
