"""The one interface of all confinement tiers, and what it means to have none.

Tiers: 1 bubblewrap (own mount, pid, net, ipc view; seccomp; limits), 2 kernel rules without namespaces, 0
nothing (and, as 2, no mounts: paths are said anew). A variant is one file with one class; `choose` knows them by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault
from dev_agent.sandbox.job import Ended, Job
from dev_agent.values import dataclass

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


class SandboxUnavailable(EnvironmentFault):
    """This machine offers no confinement of the kind asked for; the hint says what would."""


class Sandbox(Protocol):
    """Runs jobs. Safe to use from several threads at once."""

    @property
    def name(self) -> str:
        """The variant's name, as in the setting."""
        ...

    @property
    def tier(self) -> int:
        """How strong it is: 1, 2, or 0 for no confinement."""
        ...

    def run(self, job: Job, cancel: Cancel) -> Ended:
        """Run `job` to its end; afterwards no process of it is left.

        Expected outcomes, also "it could not be started", are values. If this process dies at any moment
        the job dies with it; left-over scratch copies are removed by the next sandbox made with the same
        scratch root.
        """
        ...

    def describe(self) -> Mapping[str, Json]:
        """What it gives and what it lacks, for the trace and for `doctor`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """What trying one variant on this machine showed; `remedy` is empty if it works."""

    name: str
    tier: int
    works: bool
    detail: str
    remedy: str = ""
