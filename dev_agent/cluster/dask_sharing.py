"""One cluster on this machine for all children of a command, for the length of that command.

    with Sharing(state, workers=2, environ=environ) as sharing:
        word = sharing.word()          # from any thread: what a child's --cluster is

The cluster is started when it is first asked for. A child is told a folder that only its user can enter (`shared`).

Who dies, and what comes of it:
- this process, `kill -9` included: the kernel closes the pipe its host lives on, and host, scheduler and workers end,
  with what they judge. Children are somebody else's business (`surfaces.command`): they are told by the kernel too;
- a child: the scheduler sees its connection go, and the workers end what they judge for it, and for nobody else;
- a worker: its host starts another one in its place; the scheduler gives its job to whoever is there;
- the host: workers end with it. Children that wait give up within a minute, with an error that is no verdict; whoever
  asks for the word next has another cluster started, a few times in all. One that could not be started is not tried
  again: whoever asks hears why;
- the folder goes with the cluster it tells of; what a killed process left of it, the next one here removes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from dev_agent.cluster.dask_local import LocalCluster, cluster_in
from dev_agent.cluster.shared import share
from dev_agent.errors import DevAgentError, EnvironmentFault

_MOST_STARTS = 3


class Sharing:
    """See above. Enter it once; `word` may be asked from several threads at once."""

    def __init__(self, state: Path, *, workers: int, environ: Mapping[str, str]) -> None:
        """`state` is the folder in which the workers keep what they learn."""
        self._state, self._workers, self._environ = state, workers, environ
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._here: LocalCluster | None = None
        self._word = ""
        self._starts = 0
        self._fault: EnvironmentFault | None = None

    def __enter__(self) -> Sharing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        with self._lock:
            self._starts = _MOST_STARTS
            self._open.close()

    def word(self) -> str:
        """What `--cluster` is for a child that begins now. Raises EnvironmentFault if no cluster can be started."""
        with self._lock:
            if self._here is None or not self._here.alive():
                self._start()
            return self._word

    def _start(self) -> None:
        """Another cluster, in the place of one that is gone. A machine that cannot have one is not tried for ever."""
        if self._fault is not None:
            raise EnvironmentFault(self._fault.message, hint=self._fault.hint)
        if self._starts >= _MOST_STARTS:
            raise EnvironmentFault(
                f"the cluster on this machine has ended {_MOST_STARTS} times, and is not started again",
                hint="see what ends it: memory, or a limit of the machine",
            )
        self._starts += 1
        self._open.close()
        self._here = None
        try:
            here = self._open.enter_context(cluster_in(self._state, self._workers, self._environ))
            self._word = share(here.folder, url=here.url, workers=self._workers)
        except DevAgentError as error:
            self._fault = EnvironmentFault(error.message, hint=error.hint)
            raise self._fault from error
        except OSError as error:
            self._fault = EnvironmentFault(
                f"no cluster could be started here: {error.filename or self._state}: {error.strerror or error}",
                hint="look at that folder, or leave --cluster out",
            )
            raise self._fault from error
        self._here = here
