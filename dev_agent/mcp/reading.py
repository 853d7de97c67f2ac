"""The tools that change nothing: judging, runs and their proofs, policy, context.

Annotations and docstrings of the tools are what the client is told of them, and are read when the server is made.
"""

from __future__ import annotations

from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import ToolAnnotations
from pydantic import Field

from dev_agent.mcp.answers import (
    ContextAnswer,
    Explained,
    Proof,
    ReceiptAnswer,
    RunAnswer,
    RunList,
    RunStory,
    TracePart,
)
from dev_agent.mcp.arguments import MaybeEdits, MustPass, Run, Where
from dev_agent.mcp.asking import Asking
from dev_agent.mcp.desk import Desk

_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)


def add_reading(server: MCPServer, desk: Desk, ask: Asking) -> None:
    """Add the tools that read."""

    @server.tool(annotations=_READS)
    async def check_change(
        context: Context,
        edits: MaybeEdits = None,
        commits: Annotated[str | None, Field(description="Commits as BASE..HEAD.", max_length=500)] = None,
        must_pass: MustPass = [],  # noqa: B006
        repository: Where = None,
    ) -> RunAnswer:
        """Judge edits, or commits that exist, exactly as propose_change would, and land nothing."""
        return await ask(
            context,
            lambda caller: desk.check(
                caller, repository=repository, edits=edits, commits=commits, must_pass=must_pass
            ),
        )

    @server.tool(annotations=_READS)
    async def list_runs(
        context: Context,
        limit: Annotated[int, Field(ge=1, le=1000)] = 20,
        outcome: Annotated[str | None, Field(description="Only runs that ended so.", max_length=40)] = None,
        repository: Where = None,
    ) -> RunList:
        """Your runs, newest first."""
        return await ask(
            context, lambda caller: desk.runs(caller, repository=repository, limit=limit, outcome=outcome)
        )

    @server.tool(annotations=_READS)
    async def get_run(context: Context, run: Run, repository: Where = None) -> RunStory:
        """One run whole: the states it went through, verdicts with what newly fails, what policy found."""
        return await ask(context, lambda caller: desk.story(caller, repository=repository, run=run))

    @server.tool(annotations=_READS)
    async def get_trace(
        context: Context,
        run: Run,
        first: Annotated[int, Field(ge=0)] = 0,
        limit: Annotated[int, Field(ge=1, le=500)] = 100,
        repository: Where = None,
    ) -> TracePart:
        """Events of a run's hash-chained trace, as they are recorded."""
        return await ask(
            context,
            lambda caller: desk.trace(caller, repository=repository, run=run, first=first, limit=limit),
        )

    @server.tool(annotations=_READS)
    async def get_receipt(context: Context, run: Run, repository: Where = None) -> ReceiptAnswer:
        """The receipt of a run that has ended: an in-toto statement."""
        return await ask(context, lambda caller: desk.receipt(caller, repository=repository, run=run))

    @server.tool(annotations=_READS)
    async def verify_receipt(context: Context, run: Run, repository: Where = None) -> Proof:
        """Check the proof of a run anew: the chain, the receipt recomputed from it, anchors, signature."""
        return await ask(context, lambda caller: desk.verify(caller, repository=repository, run=run))

    @server.tool(annotations=_READS)
    async def explain_policy(
        context: Context,
        run: Annotated[str | None, Field(description="A run of yours.", max_length=64)] = None,
        edits: MaybeEdits = None,
        repository: Where = None,
    ) -> Explained:
        """The facts about a change and the rules that look at them: a run's as recorded, edits' as of now."""
        return await ask(
            context, lambda caller: desk.explain(caller, repository=repository, run=run, edits=edits)
        )

    @server.tool(annotations=_READS)
    async def get_context(
        context: Context,
        task: Annotated[str, Field(description="What is to be done, in any words.", max_length=20_000)],
        budget: Annotated[int, Field(ge=100, le=200_000, description="The most tokens, by estimate.")] = 8000,
        repository: Where = None,
    ) -> ContextAnswer:
        """A ranked map of the repository for a task: what a model would be shown, and why."""
        return await ask(
            context, lambda caller: desk.context(caller, repository=repository, task=task, budget=budget)
        )
