"""A cluster on this machine for the length of one command: a host process, and below it scheduler and workers.

The host lives on a pipe whose other end only this process has. However this process ends, `kill -9` included, the
kernel closes that end, and the host ends its workers and itself.

Workers keep what they learn in a folder beside what the cluster is for (a repository, or all campaigns), so that the
next command finds it warm. One command at a time has it, under a lock that lives as long as its host; another that runs
beside it gets a folder for once.

Killed while starting: a host without an asker ends when it first looks; the folder with the key is removed by the
next command (`repository.scratch`). Killed later: as above; clients of a host that is gone lose their scheduler.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dev_agent
from dev_agent.cancel import Cancel
from dev_agent.cluster.dask_host import plain_environ
from dev_agent.cluster.security import Tls, temporary_tls
from dev_agent.cluster.shared import read_trouble
from dev_agent.errors import EnvironmentFault
from dev_agent.process import Completed, run
from dev_agent.repository.scratch import scratch_in
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_HOST = "dev_agent.cluster.dask_host"
_START_S = 120.0
_END_S = 10.0
_FOR_A_WEEK = 7 * 24 * 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalCluster:
    """A cluster that is up: its scheduler's address, and what to show it; `folder` is its own, for as long as it lives.

    `alive` is False once its host has ended, by itself or by somebody's hand.
    """

    url: str
    tls: Tls
    folder: Path
    alive: Callable[[], bool]

    def trouble(self) -> str:
        """Why a worker ended last, "" if none did."""
        return read_trouble(self.folder)


@contextmanager
def cluster_in(state: Path, workers: int, environ: Mapping[str, str]) -> Iterator[LocalCluster]:
    """A scheduler here, whose workers are starting, until the block ends; they keep what they learn in `state`.

    Raises EnvironmentFault, OSError.
    """
    with scratch_in(state / "tmp") as place:
        tls = temporary_tls(place.path)
        folder, lease = _leased(state / "cluster", place.path)
        host = _Host((str(place.path), str(folder), str(workers)), place.path, (place.claim, *lease), environ)
        try:
            yield LocalCluster(url=host.address(), tls=tls, folder=place.path, alive=host.alive)
        finally:
            host.end()
            for each in lease:
                os.close(each)


def local_cluster(
    repository: Repository, workers: int, environ: Mapping[str, str]
) -> AbstractContextManager[LocalCluster]:
    """As `cluster_in`, for one repository."""
    return cluster_in(repository.state_dir, workers, environ)


def _leased(kept: Path, otherwise: Path) -> tuple[Path, tuple[int, ...]]:
    """The folder that is kept, with the descriptor that claims it; the other one while somebody has that."""
    kept.mkdir(parents=True, exist_ok=True, mode=0o700)
    claim = os.open(kept, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(claim)
        return otherwise, ()
    return kept, (claim,)


class _Host:
    """The host process, in a thread that waits for its end."""

    def __init__(
        self, arguments: tuple[str, ...], cwd: Path, claims: tuple[int, ...], environ: Mapping[str, str]
    ) -> None:
        self._cancel = Cancel()
        self._said = b""
        self._heard = threading.Event()
        self._ended: Completed | None = None
        self._theirs, self._life = os.pipe()
        self._reading, self._writing = os.pipe()
        argv = (sys.executable, "-m", _HOST, str(self._theirs), str(self._writing), *arguments)
        self._thread = threading.Thread(
            target=self._run, args=(argv, cwd, claims, _environ(environ)), daemon=True
        )
        self._thread.start()

    def address(self) -> str:
        """What the host says, waited for."""
        self._heard.wait(_START_S)
        address = self._said.partition(b"\n")[0].decode("ascii", "replace")
        if address.startswith("tls://127.0.0.1:"):
            return address
        said = self._ended.stderr.decode("utf-8", "replace").strip() if self._ended else "it says nothing"
        raise EnvironmentFault(
            f"no cluster could be started here: {said.rpartition(chr(10))[2][:300]}",
            hint="try without --cluster, and see: dev-agent doctor",
        )

    def alive(self) -> bool:
        """False once the host has ended."""
        return self._ended is None

    def end(self) -> None:
        """Let the host end by its own door; by force, if it does not."""
        os.close(self._life)
        self._thread.join(_END_S)
        self._cancel.request()
        self._thread.join(_END_S)
        for each in (self._theirs, self._reading, self._writing):
            os.close(each)

    def _run(
        self, argv: tuple[str, ...], cwd: Path, claims: tuple[int, ...], environ: Mapping[str, str]
    ) -> None:
        self._ended = run(
            argv,
            cwd=cwd,
            env=environ,
            timeout_s=_FOR_A_WEEK,
            pass_fds=(self._theirs, self._writing, *claims),
            output_limit=1 << 16,
            cancel=self._cancel,
            extra=((self._reading, self._take),),
        )
        self._heard.set()

    def _take(self, data: bytes) -> None:
        self._said += data
        if b"\n" in self._said:
            self._heard.set()


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    """What the host gets, with the asker's own dev-agent first: another one's answers would be refused."""
    kept = plain_environ(environ)
    own = str(Path(dev_agent.__file__).resolve().parents[1])
    return {**kept, "PYTHONPATH": os.pathsep.join([own, *filter(None, [kept.get("PYTHONPATH")])])}
