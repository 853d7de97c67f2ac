"""One connection to a Dask scheduler: a function of ours is run on some worker, and its bytes come back, or a setback.

Rules kept here:
- before anything is asked, whoever listens is known to be a scheduler of our own version; that takes seconds, not
  minutes, whatever listens;
- a wait ends: by an answer, by the caller's wish, or by a setback that names what was seen. No two machines' clocks are
  compared: a worker is silent if what the scheduler knows of it does not change by our own clock;
- whoever stops waiting takes the task back, so that the worker is told;
- what comes is bytes. How they came is the engine's business: whoever is let into a cluster runs code in all of it,
  which is why certificates decide who is.

The engine runs a task again whose worker died, as often as its scheduler allows. The connection itself is made anew
when it was lost; what was asked is then for the caller to ask again.
"""

from __future__ import annotations

import threading
import time
import uuid
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from distributed import Client, KilledWorker
from distributed.client import FutureCancelledError
from distributed.core import Status

from dev_agent.cluster.answer import TroubleKind
from dev_agent.cluster.dask_greeting import OTHER_END, be_quiet, require_scheduler, unreachable, words
from dev_agent.cluster.faults import Loss, Setback
from dev_agent.cluster.watching import LOOK_S, Asked, Patience, View, Watch, Worker
from dev_agent.errors import EnvironmentFault

if TYPE_CHECKING:
    from distributed import Future, Security

    from dev_agent.cancel import Cancel

_TICK_S = 0.1
_RPC_S = 5.0
_LOST = frozenset({"scheduler-connection-lost", "scheduler-restart", "client-closed"})


class Link:
    """One scheduler, for as many threads as want to ask."""

    def __init__(
        self, url: str, security: Security, patience: Patience, explain: Callable[[], str] = lambda: ""
    ) -> None:
        """`explain` says why there may be no workers, if it is known."""
        self._url = url
        self.explain = explain
        self._security = security
        self._patience = patience
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._view: tuple[float, View] = (0.0, View())
        self._seen = time.monotonic()
        self._blind_since = 0.0
        self._heard: dict[str, tuple[float, float]] = {}
        self._client = self._connected(patience.connect_s)

    @classmethod
    def open(
        cls,
        url: str,
        security: Security,
        patience: Patience | None = None,
        explain: Callable[[], str] = lambda: "",
    ) -> Link:
        """Connect. Raises EnvironmentFault if nobody, somebody else, or another version is there."""
        be_quiet()
        patience = patience or Patience()
        require_scheduler(url, security, patience.connect_s)
        return cls(url, security, patience, explain)

    @property
    def url(self) -> str:
        """Where the scheduler is."""
        return self._url

    def close(self) -> None:
        """Let go of everything that was asked; workers stop what nobody waits for."""
        with self._lock, suppress(Exception):
            self._client.close(timeout=2)

    def view(self) -> View:
        """What the scheduler knew a second ago at most; what it knew last, if it does not say."""
        with self._looking:
            at, known = self._view
            now = time.monotonic()
            if now - at < LOOK_S:
                return known
            try:
                found: View = self._client.sync(
                    self._looked, callback_timeout=min(_RPC_S, self._patience.scheduler_s)
                )
            except Exception:  # noqa: BLE001 - whatever the engine raises, nothing new is known
                self._blind_since = self._blind_since or now
                found = View(workers=known.workers)
            else:
                self._blind_since, self._seen = 0.0, time.monotonic()
                for address, worker in found.workers.items():
                    if self._heard.get(address, (None, 0))[0] != worker.heard:
                        self._heard[address] = (worker.heard, self._seen)
            self._view = (time.monotonic(), found)
            return found

    def silent_s(self, address: str) -> float:
        """For how long, by our own clock, the scheduler has heard nothing of a worker."""
        return self._seen - self._heard.get(address, (0.0, self._seen))[1]

    @property
    def blind_s(self) -> float:
        """For how long the scheduler itself has said nothing, though it was asked."""
        return self._view[0] - self._blind_since if self._blind_since else 0.0

    def ask(self, asked: Asked, cancel: Cancel) -> bytes | Setback:
        """The bytes that the function gives on some worker. Raises KeyboardInterrupt once `cancel` was requested."""
        try:
            client = self._alive(cancel)
            # A key of its own each time: an answer to somebody else, or to an earlier asking, is not this one's.
            key = f"dev-agent-{uuid.uuid4().hex}"
            future = client.submit(
                asked.function, *asked.arguments, key=key, workers=asked.only or None, pure=False
            )
        except EnvironmentFault as fault:
            return Setback(kind=Loss.NOBODY, said=fault.message, hint=fault.hint)
        except Exception as error:  # noqa: BLE001 - the connection may break at any of the engine's lines
            return Setback(kind=Loss.SCHEDULER, said=f"the scheduler was lost: {words(error)}")
        try:
            return self._awaited(client, future, asked, cancel)
        finally:
            with suppress(Exception):
                future.release()

    def run_on(
        self,
        worker: str,
        function: Callable[..., bytes],
        arguments: tuple[bytes | str | int, ...],
        timeout_s: float,
    ) -> bytes | Setback:
        """What a short function of ours gives on exactly this worker, beside whatever its slots do."""
        try:
            said = self._client.sync(
                self._client._run,  # noqa: SLF001 - `run` itself has no time-out, and a worker may be stopped
                function,
                *arguments,
                workers=[worker],
                on_error="return",
                callback_timeout=timeout_s,
            )
        except Exception as error:  # noqa: BLE001 - the connection may break at any of the engine's lines
            return Setback(
                kind=Loss.LOST, said=f"the worker cannot be sent anything: {words(error)}", worker=worker
            )
        came = said.get(worker)
        if isinstance(came, bytes):
            return came
        why = words(came) if isinstance(came, Exception) else "it is not there any more"
        return Setback(kind=Loss.LOST, said=f"the worker took nothing: {why}", worker=worker)

    def running(self, key: str) -> bool | None:
        """True if a worker is at work on the task, False if it waits in line; None if nobody says."""
        try:
            found = self._client.sync(_stacks_of, self._client, key, callback_timeout=_RPC_S)
        except Exception:  # noqa: BLE001 - a worker that is stopped does not answer this either
            return None
        return any(key in stacks for stacks in found.values())

    def _awaited(
        self, client: Client, future: Future[bytes], asked: Asked, cancel: Cancel
    ) -> bytes | Setback:
        done = threading.Event()
        future.add_done_callback(lambda _future: done.set())
        watch = Watch(self, str(future.key), asked, self._patience)
        while not done.wait(_TICK_S):
            if cancel.requested:
                raise KeyboardInterrupt
            if client.status == "closed":
                # It has given up, and nobody tells its futures.
                return Setback(kind=Loss.SCHEDULER, said=f"the scheduler at {self._url} was lost")
            setback = watch.look()
            if setback is not None:
                return setback
        return _result_of(future)

    def _alive(self, cancel: Cancel) -> Client:
        """The client, made anew if it has given its scheduler up. Raises EnvironmentFault after its patience."""
        deadline = time.monotonic() + self._patience.scheduler_s
        with self._lock:
            while self._client.status == "closed":
                cancel.check()
                try:
                    self._client = self._connected(self._patience.connect_s)
                except EnvironmentFault:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(LOOK_S)
            return self._client

    def _connected(self, timeout_s: float) -> Client:
        try:
            with warnings.catch_warnings():
                # Versions are compared by us, before and by every worker.
                warnings.simplefilter("ignore")
                return Client(
                    self._url,
                    timeout=timeout_s,
                    security=self._security,
                    set_as_default=False,
                    name="dev-agent",
                )
        except Exception as error:
            raise unreachable(self._url, error) from error

    async def _looked(self) -> View:
        scheduler = self._client.scheduler
        told = await scheduler.identity(n_workers=-1)
        tasks = await scheduler.processing(workers=None)
        return View(
            workers={
                address: Worker(
                    address=address,
                    name=str(one["name"]),
                    slots=int(one["nthreads"]),
                    heard=float(one["last_seen"]),
                )
                for address, one in told["workers"].items()
                if one["status"] == Status.running.name
            },
            tasks={str(key): address for address, keys in tasks.items() for key in keys},
        )


def _result_of(future: Future[bytes]) -> bytes | Setback:
    try:
        result = future.result(timeout=60)
    except FutureCancelledError as error:
        if error.reason in _LOST:
            return Setback(kind=Loss.SCHEDULER, said="the scheduler was lost or started again")
        return Setback(
            kind=Loss.LOST, said=f"the task was taken back by somebody: {error.reason or 'no reason given'}"
        )
    except KilledWorker as error:
        return Setback(
            kind=Loss.KILLED,
            said=f"every worker that began it died, {error.allowed_failures + 1} in all",
            hint="see what ends the workers: memory, a limit of the machine, or the judged code itself",
        )
    except (TimeoutError, OSError) as error:
        return Setback(kind=Loss.LOST, said=f"the answer did not come over: {words(error)}")
    except Exception as error:  # noqa: BLE001 - whatever a worker raises comes here as itself
        return Setback(kind=TroubleKind.BROKEN, said=f"the worker failed: {words(error)}", hint=OTHER_END)
    if not isinstance(result, bytes):
        return Setback(kind=Loss.NONSENSE, said="the worker's answer is no bytes")
    return result


async def _stacks_of(client: Client, key: str) -> Mapping[str, Mapping[str, object]]:
    return await client.scheduler.call_stack(keys=[key])  # type: ignore[no-any-return]
