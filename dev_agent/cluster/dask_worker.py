"""What runs in a Dask worker: the two functions a client calls, and the plugin that has the workshop.

    answer(job)                                   judge: a task, one slot for its whole length
    take(sha256, sender, offset, size, data)      a piece of a file: through `Client.run`, beside the slots

Both take and give bytes and plain values. Whoever may call them may call anything else in this process too: that is
Dask, and why certificates decide who may (docs/cluster.md).

A task that nobody waits for any more is told to stop: Dask cannot end a running function, but it says that it let go of
it. A running task leaves the state `executing` for `memory` or `error` when it is done, and for `released` when the
client took it back, the client is gone, or the scheduler gave it to somebody else. A worker that loses its scheduler
closes, and takes its plugins off: then everything is told to stop.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin, get_worker

from dev_agent.cancel import Cancel
from dev_agent.cluster.answer import Trouble, TroubleKind, write_answer

if TYPE_CHECKING:
    from dev_agent.cluster.workshop import Workshop

NAME = "dev-agent"
_RUNNING = frozenset({"executing", "long-running"})
_DONE = frozenset({"memory", "error", "rescheduled", "long-running"})


class WorkshopPlugin(WorkerPlugin):  # type: ignore[misc]  # the checker sees nothing of Dask
    """The workshop in a Dask worker. One in a process; it outlives the connection to a scheduler."""

    name = NAME
    idempotent = True

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._lock = threading.Lock()
        self._cancels: dict[str, Cancel] = {}
        self._address = ""

    def setup(self, worker: Any) -> None:
        """Called when the worker starts."""
        self._address = str(worker.contact_address or worker.address)
        _Here.plugin = self

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - Dask's signature
        """Called when the worker closes: nobody waits for anything of it any more."""
        self.stop_everything()

    def transition(self, key: Any, start: str, finish: str, **_more: Any) -> None:
        """Called in the event loop whenever a task changes its state."""
        name = str(key)
        with self._lock:
            if finish == "executing":
                self._cancels[name] = Cancel()
            elif start in _RUNNING and finish not in _DONE and name in self._cancels:
                self._cancels[name].request()

    def stop_everything(self) -> None:
        """Tell every running judgement to stop."""
        with self._lock:
            for cancel in self._cancels.values():
                cancel.request()

    def answer(self, key: str, job: bytes) -> bytes:
        """The worker's address, a line end, and the written answer to a job that runs as the task `key`."""
        with self._lock:
            cancel = self._cancels.setdefault(key, Cancel())
        try:
            return self._address.encode("ascii") + b"\n" + self._workshop.answer_bytes(job, cancel)
        finally:
            with self._lock:
                if self._cancels.get(key) is cancel:
                    del self._cancels[key]

    def take(self, sha256: str, sender: str, offset: int, size: int, data: bytes) -> bytes:
        """As the workshop's."""
        return self._workshop.take(sha256, sender, offset, size, data)


class _Here:
    """The plugin of this process, if it is a worker of ours."""

    plugin: WorkshopPlugin | None = None


def answer(job: bytes) -> bytes:
    """Judge a job in the workshop of this worker. Raises nothing for a job's sake."""
    plugin = _Here.plugin
    if plugin is None:
        return b"\n" + write_answer(_NO_WORKSHOP)
    return plugin.answer(str(get_worker().get_current_task()), job)


def take(sha256: str, sender: str, offset: int, size: int, data: bytes) -> bytes:
    """Keep a piece of a file: how many bytes of it are here now, in digits, or a trouble as written."""
    plugin = _Here.plugin
    if plugin is None:
        return write_answer(_NO_WORKSHOP)
    return plugin.take(sha256, sender, offset, size, data)


_NO_WORKSHOP = Trouble(
    job="",
    kind=TroubleKind.UNCONFINED,
    message="this is a plain Dask worker: it has no sandbox, and judges nothing",
    hint="start workers with: dev-agent worker ADDRESS",
)
