"""The host of a cluster on one machine: a scheduler in this process, and workers of one slot as its children.

    python -m dev_agent.cluster.dask_host LIFE SAYS TLS FOLDER WORKERS        (as `dask_local` starts it)

It lives on the descriptor LIFE: nobody writes there, and when the asker's end is closed, by its end or by its death,
everything here ends. A worker that dies is started again, a few times. To SAYS it writes the scheduler's address; how a
worker ended by itself is noted in TLS (`shared`).

Everything speaks TLS with the one certificate in the folder TLS, on the loopback. The scheduler's own web pages are
off: they ask nobody who they are. Workers get no variable of the asker's but those that say where things are.

Killed itself: its workers lose the scheduler and end; the asker sees the connection go.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.cancel import Cancel
from dev_agent.cluster.shared import tell_trouble, tls_in
from dev_agent.process import run

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOWED_FAILURES = 2
"""How often the scheduler gives a job whose worker died to another one; then the job is at fault, or the machine."""
_LONGEST = 1000
_STARTS = 16
"""Of one worker: a cluster whose workers die all the time is of no use to anybody."""
_SETTINGS = {
    "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.dashboard.tls.cert": None,
    "distributed.comm.timeouts.connect": "10s",
}
_KEPT = "2GB"
"""Of one worker, in the repository's own folder."""
_FOR_A_WEEK = 7 * 24 * 3600.0


def main(argv: list[str]) -> int:
    """Host until nobody holds the other end of LIFE."""
    life, says, tls, folder, workers = int(argv[0]), int(argv[1]), Path(argv[2]), Path(argv[3]), int(argv[4])
    cancel = Cancel()
    threading.Thread(target=_end_with, args=(life, cancel), daemon=True).start()
    asyncio.run(_hosted(says, tls, folder, workers, cancel))
    return 0


def _end_with(life: int, cancel: Cancel) -> None:
    """Wait for the end of the asker. Nothing is ever written to `life`: to be read means that it was closed."""
    os.read(life, 1)
    cancel.request()


async def _hosted(says: int, shown: Path, folder: Path, workers: int, cancel: Cancel) -> None:
    import dask  # noqa: PLC0415 - the life line is watched before a second is spent on this
    from distributed import Scheduler, Security  # noqa: PLC0415 - as above

    tls = tls_in(shown)
    security = Security(
        require_encryption=True,
        tls_ca_file=str(tls.ca),
        tls_scheduler_cert=str(tls.cert),
        tls_scheduler_key=str(tls.key),
    )
    with dask.config.set(_SETTINGS):
        async with Scheduler(
            host="127.0.0.1",
            port=0,
            protocol="tls",
            security=security,
            dashboard=False,
            dashboard_address="127.0.0.1:0",
        ) as scheduler:
            _tell(says, scheduler.address)
            starts = [
                asyncio.to_thread(_worker, scheduler.address, shown, folder, number, cancel)
                for number in range(1, workers + 1)
            ]
            await asyncio.gather(*starts)
            while not cancel.requested:
                await asyncio.sleep(0.5)


def _worker(address: str, shown: Path, folder: Path, number: int, cancel: Cancel) -> None:
    """Keep one worker alive until the end; note what it said last when it ended by itself."""
    argv = worker_argv(address, shown, folder / f"worker-{number}", name=f"local-{number}")
    for _ in range(_STARTS):
        done = run(
            argv,
            cwd=folder,
            env=plain_environ(os.environ),
            timeout_s=_FOR_A_WEEK,
            output_limit=1 << 16,
            cancel=cancel,
        )
        if cancel.requested:
            return
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"]
        words = " ".join(said[-2:])[:_LONGEST]
        tell_trouble(shown, f"local-{number} ended with status {done.code} and said: {words}")


def _tell(says: int, line: str) -> None:
    """One line to the asker, in one write; nobody listens any more if it is gone."""
    with suppress(OSError):
        os.write(says, line.encode("utf-8", "replace") + b"\n")


def worker_argv(address: str, shown: Path, folder: Path, *, name: str) -> list[str]:
    """The command that is a worker of one slot, with the certificate in `shown`."""
    tls = tls_in(shown)
    return [
        *(sys.executable, "-m", "dev_agent", "worker", address),
        *("--slots", "1", "--name", name, "--folder", str(folder), "--cache-size", _KEPT, "--patience", "0"),
        *("--tls-ca", str(tls.ca), "--tls-cert", str(tls.cert), "--tls-key", str(tls.key)),
    ]


def plain_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """What host and workers inherit of a command: no key of the asker's, and no option of theirs."""
    kept = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "LC_ALL", "PYTHONPATH")
    return {name: environ[name] for name in kept if name in environ}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
