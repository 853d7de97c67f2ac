"""Tier 0: no confinement. Only by the user's explicit word.

The job runs as we do and can do what we can. What is kept of a job's description: argv and environment (the
safe base and its own variables, not ours), cwd, input, report, limits, time-out, caps on output, killing
the process group. Mounts are only imitated, see `imitation`: nothing keeps a job from writing to a read-only one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.sandbox.imitation import Imitation, imitate, writable_sources
from dev_agent.sandbox.job import Ended, EndedHow, Job
from dev_agent.sandbox.launch import Host, ended, launch
from dev_agent.sandbox.mounts import MountRefused, check, in_order
from dev_agent.sandbox.sandbox import Json
from dev_agent.sandbox.scratch import folder, sweep
from dev_agent.sandbox.watchdog import Watchdog, tasks_of

_NOT_STARTED = 125


class Off:
    """The variant without confinement."""

    name = "off"
    tier = 0

    def __init__(self, *, scratch_root: Path) -> None:
        self._scratch_root = scratch_root
        sweep(scratch_root)

    def run(self, job: Job, cancel: Cancel) -> Ended:
        """Run `job` unconfined; see `Sandbox.run`, and the module for what is not kept."""
        if cancel.requested:
            return Ended(how=EndedHow.CANCELLED, detail="cancelled before it was started")
        try:
            mounts = in_order(job.mounts)
            check(mounts)
            with folder(self._scratch_root) as private:
                return self._run(job, imitate(job, mounts, private), private, cancel)
        except MountRefused as refusal:
            return Ended(how=EndedHow.UNAVAILABLE, detail=str(refusal))
        except OSError as error:
            return Ended(how=EndedHow.UNAVAILABLE, detail=f"the job could not be prepared: {error}")

    def describe(self) -> Mapping[str, Json]:
        """What it gives and what it lacks."""
        return {
            "name": self.name,
            "tier": self.tier,
            "caller": "root" if os.geteuid() == 0 else "user",
            "scratch": "copy",
            "gives": [
                "an environment made of named variables only",
                "limits on time, address space, processes and output",
                "an end to the process group",
            ],
            "lacks": [
                "any boundary: the job can read and write what you can, and use the network",
                "read-only mounts: the staged tree and the virtual environment can be changed",
                "an end to processes that leave the process group",
                "mounts over the project's own path: code may be imported from the real checkout",
            ],
        }

    def _run(self, job: Job, told: Imitation, private: Path, cancel: Cancel) -> Ended:
        watchdog = Watchdog(job.limits, writable=[*writable_sources(job.mounts), private])
        host = Host(cwd=told.cwd, env=told.env)
        launched = launch(
            told.argv, job, host, tasks=tasks_of(os.geteuid()), watchdog=watchdog, cancel=cancel
        )
        code: int | None = launched.completed.code
        said = launched.completed.stderr.decode(errors="replace").strip()
        if code == _NOT_STARTED and said.startswith("launcher: "):
            code = 127 if "No such file" in said else None
        return ended(launched, watchdog, job.limits, code, said)
