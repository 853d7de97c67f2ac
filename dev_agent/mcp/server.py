"""The tools and resources of the MCP server: each asks the desk, in a thread, and can be called off.

A tool that is cancelled, or whose client goes away, ends its command calmly and answers nothing. Unexpected trouble is
ours and reads as such; what the desk refuses reaches the client in plain words.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from dev_agent import __version__
from dev_agent.cancel import Cancel
from dev_agent.mcp.access import Refused
from dev_agent.mcp.answers import (
    ContextAnswer,
    Explained,
    ProgramAnswer,
    Proof,
    ReceiptAnswer,
    RunAnswer,
    RunList,
    RunStory,
    TracePart,
)
from dev_agent.mcp.desk import Caller
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.mcp.desk import Desk

T = TypeVar("T")
_INSTRUCTIONS = """\
Changes to this repository are made by propose_change and in no other way: give the task and the edits, as a unified \
diff, SEARCH/REPLACE blocks, a *** Begin Patch envelope, whole files or JSON operations. They are staged apart, judged \
by policy, mypy and pytest in a sandbox, and become one commit or nothing. If the outcome is rejected, `gates` and \
`explanation` say what newly fails: mend the edits, against the unchanged base, and propose again. check_change judges \
without landing."""
_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
_CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)

Where = Annotated[
    str | None, Field(description="The repository's name; may be left out if there is one only.")
]
Run = Annotated[str, Field(description="The whole id of a run, from list_runs or an answer.", max_length=64)]
Edits = Annotated[
    str, Field(description="The change, in any of the accepted formats.", max_length=20_000_000)
]
MaybeEdits = Annotated[str | None, Field(description="A change, in any of the accepted formats.")]
DryRun = Annotated[bool, Field(description="Judge everything, land nothing.")]
Why = Annotated[str, Field(description="Why; it is recorded with your name.", max_length=2000)]
Name = Annotated[str, Field(description="A program's name.", max_length=64)]
Values = Annotated[dict[str, Any], Field(description="Values by the names the program declares.")]
MustPass = Annotated[
    list[str], Field(description="Ids of tests that fail before and have to pass after.", max_length=200)
]


@dataclass(kw_only=True)
class Traffic:
    """How many commands run at once, and how many may wait for that."""

    jobs: int = 4
    waiting: int = 100
    _room: anyio.CapacityLimiter | None = None
    _asked: int = 0

    async def through(self, work: Callable[[Cancel], T]) -> T:
        """Do `work` in a thread when there is room. Called off, it is told to stop and waited for. Raises ToolError."""
        if self._asked >= self.jobs + self.waiting:
            raise ToolError(f"the server is busy: {self._asked} commands run or wait; try again later")
        if self._room is None:
            self._room = anyio.CapacityLimiter(self.jobs)  # belongs to the loop that first uses it
        self._asked += 1
        try:
            async with self._room:
                return await _stoppable(work)
        finally:
            self._asked -= 1


async def _stoppable(work: Callable[[Cancel], T]) -> T:
    """A thread cannot be dropped, only asked to stop; and its command has to be gone when we are."""
    cancel = Cancel()
    ended = anyio.Event()
    made: list[T] = []
    failed: list[BaseException] = []

    def job() -> None:
        try:
            made.append(work(cancel))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            failed.append(error)

    async def waited() -> None:
        with anyio.CancelScope(shield=True):
            try:
                await anyio.to_thread.run_sync(job, limiter=anyio.CapacityLimiter(1))
            finally:
                ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(waited)
        try:
            await ended.wait()
        except anyio.get_cancelled_exc_class():
            cancel.request()
            raise
    if failed:
        raise failed[0]
    return made[0]


def server_of(
    desk: Desk,
    *,
    who: Callable[[Context], str],
    traffic: Traffic | None = None,
    auth: Mapping[str, Any] | None = None,
) -> MCPServer:
    """The server with its tools and resources. `who` names the client of a request, by its transport.

    Tools that could change something are not even there on a server that only reads, nor approvals unless allowed.
    """
    server = MCPServer(
        "dev-agent",
        title="dev-agent",
        instructions=_INSTRUCTIONS,
        version=__version__,
        log_level="ERROR",
        **dict(auth or {}),
    )
    ask = _Asking(who=who, traffic=traffic or Traffic())
    _reading(server, desk, ask)
    if not desk.access.read_only:
        _changing(server, desk, ask)
        if desk.access.programs:
            _programs(server, desk, ask)
        if desk.access.approvals:
            _approving(server, desk, ask)
    _resources(server, desk, ask)
    return server


@dataclass(frozen=True, kw_only=True)
class _Asking:
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


def _changing(server: MCPServer, desk: Desk, ask: _Asking) -> None:
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


def _approving(server: MCPServer, desk: Desk, ask: _Asking) -> None:
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


def _programs(server: MCPServer, desk: Desk, ask: _Asking) -> None:
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


def _reading(server: MCPServer, desk: Desk, ask: _Asking) -> None:
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


def _resources(server: MCPServer, desk: Desk, ask: _Asking) -> None:
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
