"""Three network namespaces on one machine: a client with its scheduler, and two workers, on one bridge.

    client  10.203.86.1 ── bridge ──┬── veth ── worker a  10.203.86.2
                                    └── veth ── worker b  10.203.86.3

The bridge is in the client's namespace, so nothing of the machine's own network is touched. Killed at any line:
namespaces whose names begin with the trial's, which `ip netns delete` removes, with every device in them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

WORKERS = ("a", "b")
_PREFIX = "10.203.86"
_ADDRESSES = {"client": f"{_PREFIX}.1", "a": f"{_PREFIX}.2", "b": f"{_PREFIX}.3"}


class NoNamespaces(Exception):
    """This machine or this user cannot make network namespaces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """`name` begins the names of the namespaces."""

    name: str

    def address(self, place: str) -> str:
        """The address of "client", "a" or "b"."""
        return _ADDRESSES[place]

    def inside(self, place: str) -> tuple[str, ...]:
        """What a command line begins with to run there; nothing but the network is another one."""
        return ("nsenter", f"--net=/run/netns/{self._space(place)}", "--")

    def cut(self, worker: str) -> None:
        """Pull this worker's cable."""
        _ip("-n", self._space("client"), "link", "set", f"to-{worker}", "down")

    def mend(self, worker: str) -> None:
        """Put it back."""
        _ip("-n", self._space("client"), "link", "set", f"to-{worker}", "up")

    def _space(self, place: str) -> str:
        return f"{self.name}-{place}"

    def make(self) -> None:
        """Everything, up and reachable. Raises NoNamespaces."""
        client = self._space("client")
        for place in _ADDRESSES:
            _ip("netns", "add", self._space(place))
            _ip("-n", self._space(place), "link", "set", "lo", "up")
        _ip("-n", client, "link", "add", "bridge", "type", "bridge")
        _ip("-n", client, "address", "add", f"{_ADDRESSES['client']}/24", "dev", "bridge")
        _ip("-n", client, "link", "set", "bridge", "up")
        for worker in WORKERS:
            space = self._space(worker)
            _ip(
                "-n",
                client,
                "link",
                "add",
                f"to-{worker}",
                "type",
                "veth",
                "peer",
                "name",
                "eth",
                "netns",
                space,
            )
            _ip("-n", client, "link", "set", f"to-{worker}", "master", "bridge", "up")
            _ip("-n", space, "address", "add", f"{_ADDRESSES[worker]}/24", "dev", "eth")
            _ip("-n", space, "link", "set", "eth", "up")

    def remove(self) -> None:
        """All of it, and nobody else's."""
        for name in self.left():
            subprocess.run(("ip", "netns", "delete", name), capture_output=True, check=False)

    def left(self) -> tuple[str, ...]:
        """The namespaces of this trial that are there."""
        listed = subprocess.run(("ip", "netns", "list"), capture_output=True, text=True, check=False).stdout
        names = (line.split()[0] for line in listed.splitlines() if line.strip())
        return tuple(name for name in names if name.startswith(f"{self.name}-"))


@contextmanager
def network(name: str) -> Iterator[Network]:
    """A network for as long as the block lasts. Raises NoNamespaces with what to do."""
    if os.geteuid() != 0:
        raise NoNamespaces(
            "network namespaces that can be joined by cables are made by root: run this as root"
        )
    made = Network(name=name)
    try:
        made.make()
        yield made
    finally:
        made.remove()


def _ip(*words: str) -> None:
    try:
        done = subprocess.run(("ip", *words), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoNamespaces("there is no program `ip`: install iproute2") from None
    if done.returncode:
        raise NoNamespaces(f"ip {' '.join(words)}: {done.stderr.strip()}")
