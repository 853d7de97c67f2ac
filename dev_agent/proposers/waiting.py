"""Doing one request with one deadline, and letting go of it at once.

A service that says nothing, says a byte a minute, or never ends its answer holds a blocking read for as long as it
likes; time-outs of HTTP clients count per read. So the request runs on an event loop of its own in the calling thread:
the whole of it has one deadline, and a request to stop, from a signal or from another thread, cancels it where it
stands, which closes its connection. Nothing of it is left when this returns: no thread, no task, no socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from dev_agent.runtime.host import Cancel

_R = TypeVar("_R")
_LOOK_S = 0.05
_GRACE_S = 2.0


def finish(work: Callable[[], Coroutine[Any, Any, _R]], *, cancel: Cancel, seconds: float) -> _R:
    """What `work` returns. Raises TimeoutError after `seconds`, KeyboardInterrupt once `cancel` asks to stop.

    A KeyboardInterrupt of a signal handler passes through, with the connection closed as well.
    """
    if cancel.requested:
        raise KeyboardInterrupt
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_watched(work, cancel, seconds))
    finally:
        _close(loop)


async def _watched(work: Callable[[], Coroutine[Any, Any, _R]], cancel: Cancel, seconds: float) -> _R:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    task = loop.create_task(work())
    while True:
        left = deadline - loop.time()
        done, _ = await asyncio.wait({task}, timeout=max(min(left, _LOOK_S), 0))
        if done:
            return task.result()
        if cancel.requested:
            await _stopped(task)
            raise KeyboardInterrupt
        if left <= 0:
            await _stopped(task)
            raise TimeoutError


async def _stopped(task: asyncio.Task[Any]) -> None:
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=_GRACE_S)
    for one in done:
        if not one.cancelled():
            one.exception()  # seen, so that nobody is told of an error nobody waits for


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """End what an interruption left on the loop, then the loop.

    Unlike `asyncio.run` this does not wait for a name look-up: it cannot be cancelled and may take half a minute.
    """
    try:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=_GRACE_S))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(asyncio.sleep(0))  # closed transports let go of their sockets one turn later
    finally:
        loop.close()
