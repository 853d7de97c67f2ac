"""How many commands of clients run at once, and how one that is called off ends.

Cancelled, or with its client gone, a command is asked to stop, ends calmly and answers nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread
from mcp.server.mcpserver.exceptions import ToolError

from dev_agent.cancel import Cancel
from dev_agent.values import dataclass

T = TypeVar("T")


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
