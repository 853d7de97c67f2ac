"""A Dask scheduler and workers of ours as real processes, to be killed, stopped and started again by tests."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dev_agent.cluster.dask_greeting import security_of
from dev_agent.cluster.dask_link import Link
from dev_agent.cluster.security import Tls
from dev_agent.cluster.watching import Patience, View

CHECKOUT = Path(__file__).parents[2]
_PATIENCE_S = 60.0

QUICK = Patience(connect_s=5, scheduler_s=30, nobody_s=20, gone_s=2, silent_s=4)
"""Patience of somebody who has to see a fault within a test."""


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait until it holds; not for ever."""
    until = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.05)


@dataclass(kw_only=True)
class Cluster:
    """One scheduler at a fixed port, and its workers by name. `folder` is for what they keep and say."""

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

    def link(self, patience: Patience = QUICK) -> Link:
        """A connection; the caller closes it."""
        return Link.open(self.url, security_of(self.url, self.tls), patience)

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
    made = Cluster(folder=folder, port=free_port(), tls=tls, variables=variables or {})
    try:
        made.start_scheduler()
        for name in names:
            made.start_worker(name)
        yield made
    finally:
        made.close()


def free_port() -> int:
    """A port of the loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes(pattern: str) -> list[int]:
    """Processes of this machine, sandboxed ones too, whose command line matches."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if re.search(pattern, line):
                found.append(int(entry.name))
    return found
