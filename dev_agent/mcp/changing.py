"""The tools that change something, in the order of what they take: a change, a decision, a program's run.

Annotations and docstrings of the tools are what the client is told of them, and are read when the server is made.
"""

from __future__ import annotations

from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import ToolAnnotations
from pydantic import Field

from dev_agent.mcp.answers import ProgramAnswer, RunAnswer
from dev_agent.mcp.arguments import DryRun, Edits, MustPass, Name, Run, Values, Where, Why
from dev_agent.mcp.asking import Asking
from dev_agent.mcp.desk import Desk

_CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


def add_changing(server: MCPServer, desk: Desk, ask: Asking) -> None:
    """Add what changes the repository."""

    @server.tool(annotations=_CHANGES)
    async def propose_change(
        context: Context,
        task: Annotated[str, Field(description="What the change is for; it becomes the commit's message.")],
        edits: Edits,
        repository: Where = None,
        branch: Annotated[
            str | None, Field(description="Land on this branch, not on the current one.")
        ] = None,
        dry_run: DryRun = False,  # noqa: FBT002 - the protocol's arguments have names
        must_pass: MustPass = [],  # noqa: B006 - never changed, and the schema says that it is a list
        idempotency_key: Annotated[
            str | None, Field(description="Requests of yours with one key are executed once.", max_length=80)
        ] = None,
    ) -> RunAnswer:
        """Stage edits apart, judge them by policy, types and tests, and land them as one commit or not at all."""
        return await ask(
            context,
            lambda caller: desk.propose(
                caller,
                repository=repository,
                task=task,
                edits=edits,
                branch=branch,
                dry_run=dry_run,
                must_pass=must_pass,
                key=idempotency_key,
            ),
        )

    @server.tool(annotations=_CHANGES)
    async def undo(
        context: Context,
        run: Run,
        repository: Where = None,
        dry_run: DryRun = False,  # noqa: FBT002 - the protocol's arguments have names
    ) -> RunAnswer:
        """Take back what a run of yours landed, by a commit of its own."""
        return await ask(
            context, lambda caller: desk.undo(caller, repository=repository, run=run, dry_run=dry_run)
        )


def add_approving(server: MCPServer, desk: Desk, ask: Asking) -> None:
    """Add what answers for a person."""

    @server.tool(annotations=_CHANGES)
    async def approve(context: Context, run: Run, reason: Why = "", repository: Where = None) -> RunAnswer:
        """Let a run that waits for a person land. The approval is for the exact tree that was judged."""
        return await ask(
            context,
            lambda caller: desk.decide(caller, repository=repository, run=run, approved=True, reason=reason),
        )

    @server.tool(annotations=_CHANGES)
    async def reject(context: Context, run: Run, reason: Why = "", repository: Where = None) -> RunAnswer:
        """Turn down a run that waits for a person."""
        return await ask(
            context,
            lambda caller: desk.decide(caller, repository=repository, run=run, approved=False, reason=reason),
        )


def add_programs(server: MCPServer, desk: Desk, ask: Asking) -> None:
    """Add what runs the programs of the server's owner."""

    known = ", ".join(sorted(desk.access.programs))

    @server.tool(
        annotations=_CHANGES,
        description="Run a governed program of the server's owner, to its end or to where it waits. There are: "
        + known,
    )
    async def run_program(context: Context, name: Name, inputs: Values = {}) -> ProgramAnswer:  # noqa: B006
        return await ask(context, lambda caller: desk.start_program(caller, name=name, inputs=inputs))

    @server.tool(annotations=_CHANGES)
    async def step_program(
        context: Context,
        name: Name,
        run: Run,
        signal: Annotated[str, Field(description="One of the outcomes the run awaits.", max_length=80)],
        data: Values = {},  # noqa: B006
    ) -> ProgramAnswer:
        """Answer what a run of a program waits for, and let it go on."""
        return await ask(
            context, lambda caller: desk.step_program(caller, name=name, run=run, signal=signal, data=data)
        )
