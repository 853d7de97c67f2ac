"""A Dask scheduler and workers of ours as real processes, to be killed, stopped and started again by tests."""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from dev_agent.cluster.dask_greeting import security_of
from dev_agent.cluster.dask_link import Link
from dev_agent.cluster.security import Tls
from dev_agent.cluster.watching import Patience, View
from dev_agent.errors import EnvironmentFault

CHECKOUT = Path(__file__).parents[2]
_PATIENCE_S = 300.0

CALM = Patience(connect_s=60, scheduler_s=300, nobody_s=300, gone_s=300, silent_s=300)
"""Patience that no machine wears out that is merely slow: for everything but a fault that has to be seen."""


class Temper:
    """A patience that can change: calm until the fault is there that has to be seen, and only then short.

    `connect_s` alone is asked for once, by a client that takes it for the time to find a lost scheduler again, too.
    """

    def __init__(self, *, connect_s: float = CALM.connect_s) -> None:
        self._calm = self.now = replace(CALM, connect_s=connect_s)

    @property
    def patience(self) -> Patience:
        """What a link takes for a patience; it asks at each look."""
        return cast("Patience", self)

    def lose(self, **seconds: float) -> None:
        """Be short about this from now on."""
        self.now = replace(self._calm, **seconds)

    def calm_down(self) -> None:
        """Have all the patience again."""
        self.now = self._calm

    def __getattr__(self, name: str) -> float:
        seconds: float = getattr(self.now, name)
        return seconds


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait until it holds; not for ever."""
    until = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.05)


@dataclass(kw_only=True)
class Cluster:
    """One scheduler at a port of its own, and its workers by name. `folder` is for what they keep and say."""

    folder: Path
    port: int
    tls: Tls | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    scheduler: subprocess.Popen[bytes] | None = None
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the scheduler is."""
        return f"{'tls' if self.tls else 'tcp'}://127.0.0.1:{self.port}"

    def start_scheduler(self, **variables: str) -> None:
        """Start it, or start it again at the same port; it listens when this returns."""
        options = ["--host", self.url, "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
        if self.tls:
            options += ["--tls-ca-file", str(self.tls.ca), "--tls-cert", str(self.tls.cert)]
            options += ["--tls-key", str(self.tls.key)]
        self.scheduler = self._start("scheduler", ["distributed.cli.dask_scheduler", *options], variables)
        eventually(self._listens, "the scheduler listens")

    def start_worker(self, name: str, *options: str, **variables: str) -> None:
        """Start a worker of one slot; `registered` says when it is there."""
        argv = ["dev_agent", "worker", self.url, "--name", name, "--folder", str(self.folder / name)]
        if self.tls:
            argv += ["--tls-ca", str(self.tls.ca), "--tls-cert", str(self.tls.cert)]
            argv += ["--tls-key", str(self.tls.key)]
        self.workers[name] = self._start(name, [*argv, *options], variables)

    def link(self, patience: Patience = CALM) -> Link:
        """A connection; the caller closes it. Somebody is there: a patience that was too short for him is had again."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return Link.open(self.url, security_of(self.url, self.tls), patience)
            except EnvironmentFault:
                if time.monotonic() > until:
                    raise

    def wait_for(self, link: Link, *names: str) -> View:
        """What the scheduler knows once exactly these workers are there."""
        eventually(
            lambda: {one.name for one in link.view().workers.values()} == set(names),
            f"workers {names}: {self.said()}",
        )
        return link.view()

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a worker, or to the `scheduler`; after a SIGKILL it is gone when this returns."""
        process = self.scheduler if name == "scheduler" else self.workers[name]
        assert process is not None
        process.send_signal(number)
        if number == signal.SIGKILL:
            process.wait()

    def said(self, name: str = "") -> str:
        """What processes wrote: the one of this name, or all."""
        return "\n".join(
            path.read_text(errors="replace")[-2000:] for path in self.folder.glob(f"{name or '*'}.log")
        )

    def close(self) -> None:
        """End everything, by process and not by name."""
        for process in (*self.workers.values(), *([self.scheduler] if self.scheduler else [])):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()

    def _start(self, name: str, module: list[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *module],
                cwd=self.folder,
                env={**environ, **self.variables, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _listens(self) -> bool:
        assert self.scheduler is not None
        assert self.scheduler.poll() is None, self.said("scheduler")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def cluster(
    folder: Path, *names: str, tls: Tls | None = None, variables: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    """A scheduler with workers of these names on their way, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with own_port() as port:
        made = Cluster(folder=folder, port=port, tls=tls, variables=variables or {})
        try:
            made.start_scheduler()
            for name in names:
                made.start_worker(name)
            yield made
        finally:
            made.close()


@contextmanager
def own_port() -> Iterator[int]:
    """A port of the loopback at which nobody listens but whom we start there, until the block ends.

    It is bound all the time and never listened at by us: Linux gives such a port to nobody who asks for any, and lets
    a server that asks for this one listen, again and again, as long as both say SO_REUSEADDR.
    """
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield int(kept.getsockname()[1])


_NUMBERS = itertools.count(1)


def endless_sleep() -> str:
    """A `sleep` for years, told from all others on this machine, those of another run of the tests included."""
    return f"sleep {os.getpid() * 10_000 + 10**12 + next(_NUMBERS)}"


def at_sleep(sleep: str) -> list[int]:
    """The processes that sleep so now, in whatever sandbox."""
    return processes(rf"^{sleep} $")


def processes(pattern: str) -> list[int]:
    """Processes of this machine, sandboxed ones too, whose command line matches."""
    return [*command_lines(pattern)]


def started(pattern: str) -> list[int]:
    """As `processes`, without children that are only being started and have their parent's words until they run."""
    found = command_lines(pattern)
    return [pid for pid, words in found.items() if found.get(_parent(pid)) != words]


def _parent(pid: int) -> int:
    """The parent of a process; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def command_lines(pattern: str) -> dict[int, list[str]]:
    """Their words, by process; twice where a child is being started, which has its parent's words until it runs."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if re.search(pattern, " ".join(words)):
                found[int(entry.name)] = words
    return found
