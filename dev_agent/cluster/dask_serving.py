"""One worker process at a scheduler, for as long as both live.

Rules kept here:
- the workshop is made, and its confinement tried, before anybody learns that there is a worker;
- a scheduler of another version is refused, with both named; one that cannot be reached is waited for, bounded;
- when the scheduler is lost, what runs is told to stop (its client asks again), and the worker registers anew with all
  it has kept, so a restarted scheduler costs a reconnection;
- a signal ends it by its own door: running judgements stop, the scheduler is told, so that others take over at once.

There is no nanny: a second process costs as much memory again, and who restarts the nanny? A service manager restarts a
worker that died, and one that is killed takes its sandboxes with it (they die with their parent).
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask
from distributed import Security, Worker

from dev_agent.cluster.dask_greeting import be_quiet, require_scheduler
from dev_agent.cluster.dask_worker import WorkshopPlugin
from dev_agent.errors import DevAgentError, EnvironmentFault, UsageFault
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cluster.security import Tls
    from dev_agent.cluster.workshop import Workshop

_CONNECT_S = 5.0
_PAUSE_S = 0.5
_NAME_TAKEN_S = 30.0
_SETTINGS = {
    # What a worker tells anybody over HTTP without asking who it is: nothing.
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.comm.timeouts.connect": "10s",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """How to serve. `patience_s`: how long a scheduler may be away; 0 ends the worker when it is lost."""

    url: str
    slots: int
    name: str
    folder: Path
    tls: Tls | None = None
    host: str | None = None
    port: int = 0
    patience_s: float = 600.0


def security_for_worker(url: str, tls: Tls | None) -> Security:
    """What this end shows and accepts: the files given, or what Dask's own settings name. Raises UsageFault."""
    if tls is not None:
        known = Security(
            require_encryption=True,
            tls_ca_file=str(tls.ca),
            tls_worker_cert=str(tls.cert),
            tls_worker_key=str(tls.key),
            tls_client_cert=str(tls.cert),
            tls_client_key=str(tls.key),
        )
    else:
        known = Security()
    if url.startswith("tls://"):
        if not (known.tls_ca_file and known.tls_worker_cert):
            raise UsageFault(
                f"{url} wants certificates, and none are named",
                hint="name them with --tls-ca, --tls-cert and --tls-key (docs/cluster.md)",
            )
        try:
            known.get_connection_args("worker")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise UsageFault(
                f"the certificates cannot be used: {error}",
                hint="--tls-ca, --tls-cert and --tls-key name files in PEM; the key has to be the certificate's",
            ) from None
        if not known.tls_client_cert:
            known.tls_client_cert, known.tls_client_key = known.tls_worker_cert, known.tls_worker_key
    return known


def serve(workshop: Workshop, serving: Serving, tell: Callable[[str], None]) -> int:
    """Serve until a signal ends it: 0 for SIGTERM, 130 for SIGINT.

    `tell` gets a sentence when something happened. Raises EnvironmentFault if there is no scheduler for too long or one
    of another version, UsageFault for a name that is taken or certificates that cannot be read.
    """
    be_quiet()
    with dask.config.set(_SETTINGS):
        return asyncio.run(_Service(workshop, serving, tell).run())


class _Service:
    def __init__(self, workshop: Workshop, serving: Serving, tell: Callable[[str], None]) -> None:
        self._serving = serving
        self._tell = tell
        self._plugin = WorkshopPlugin(workshop)
        self._security = security_for_worker(serving.url, serving.tls)
        self._stop = asyncio.Event()
        self._signal = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        known = False
        while not self._stop.is_set():
            if known and not self._serving.patience_s:
                raise EnvironmentFault(f"the scheduler at {self._serving.url} is gone")
            if not await self._scheduler_is_there():
                break
            await self._session()
            known = True
            if not self._stop.is_set():
                self._tell(f"lost the scheduler at {self._serving.url}; what ran was stopped")
        return 130 if self._signal == signal.SIGINT else 0

    def _on_signal(self, number: int) -> None:
        self._signal = number
        self._stop.set()
        self._plugin.stop_everything()

    async def _scheduler_is_there(self) -> bool:
        """Wait for it; False if we were told to stop meanwhile."""
        until = time.monotonic() + max(self._serving.patience_s, _CONNECT_S)
        while not self._stop.is_set():
            try:
                await asyncio.to_thread(require_scheduler, self._serving.url, self._security, _CONNECT_S)
            except DevAgentError as fault:
                if "another version" in fault.message or time.monotonic() > until:
                    raise
                await self._pause()
            else:
                return True
        return False

    async def _session(self) -> None:
        """Be registered, until the scheduler is gone or we are told to stop."""
        worker = await self._registered()
        if worker is None:
            return
        self._tell(
            f"{self._serving.name} is at {worker.contact_address or worker.address}, registered at "
            f"{self._serving.url}: {self._serving.slots} slot(s)"
        )
        finished = asyncio.ensure_future(worker.finished())
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({finished, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._plugin.stop_everything()
            stopped.cancel()
            with suppress(Exception):
                await asyncio.wait_for(worker.close(timeout=5, nanny=False), 20)
            finished.cancel()

    async def _registered(self) -> Any:
        """A started worker; None if the scheduler went away meanwhile."""
        until = time.monotonic() + _NAME_TAKEN_S
        while not self._stop.is_set():
            worker = self._worker()
            try:
                await worker
            except Exception as error:
                with suppress(Exception):
                    await worker.close(timeout=1, nanny=False)
                if "name taken" not in f"{error} {error.__cause__}":
                    if isinstance(error, (OSError, TimeoutError)) or _is_a_loss(error):
                        return None
                    raise
                if time.monotonic() > until:
                    raise UsageFault(
                        f"another worker at {self._serving.url} is called {self._serving.name}",
                        hint="give each worker a name of its own with --name",
                    ) from error
                await self._pause()
            else:
                return worker
        return None

    def _worker(self) -> Any:
        return Worker(
            self._serving.url,
            nthreads=self._serving.slots,
            name=self._serving.name,
            security=self._security,
            host=self._serving.host,
            port=self._serving.port,
            local_directory=str(self._serving.folder / "dask"),
            plugins=(self._plugin,),
            dashboard=False,
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            death_timeout="30s",
        )

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), _PAUSE_S)


def _is_a_loss(error: Exception) -> bool:
    causes = (error, error.__cause__, error.__context__)
    return any(isinstance(one, (OSError, TimeoutError)) for one in causes)
