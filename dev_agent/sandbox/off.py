"""Tier 0: no confinement. Only by the user's explicit word.

The job runs as we do and can do what we can. What is kept of a job's description: argv and environment (the
safe base and its own variables, not ours), cwd, input, report, limits, time-out, caps on output, and that
nothing of it outlives its run. Mounts are only imitated, see `imitation`: nothing keeps a job from writing to a
read-only one.

Order of a run: imitate the mounts in a private folder, start the program below a supervisor (`supervision`), and let
the folder go only when the supervisor said that nothing of the job is left. If this process dies: before the
supervisor said "up" nothing of the job exists, and nothing comes; after that the outer process gets SIGKILL and the
supervisor SIGTERM, and it ends the job, whatever session its processes are in; the folder stays until the next sweep.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.sandbox.imitation import Imitation, imitate, writable_sources
from dev_agent.sandbox.job import Ended, EndedHow, Job
from dev_agent.sandbox.launch import Host, ended, launch
from dev_agent.sandbox.mounts import MountRefused, check, in_order
from dev_agent.sandbox.pipe import Pipe
from dev_agent.sandbox.sandbox import Json
from dev_agent.sandbox.scratch import folder, sweep
from dev_agent.sandbox.supervised import Supervised
from dev_agent.sandbox.watchdog import Watchdog, tasks_of

# As a shell says it.
_MISSING = 127
# The outer process and the supervisor.
_OVERHEAD = 2


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
                "an end to every process of the job, also to those that leave its session",
            ],
            "lacks": [
                "any boundary: the job can read and write what you can, and use the network",
                "read-only mounts: the staged tree and the virtual environment can be changed",
                "a hold on a job that means harm: it can kill its supervisor, and what it left then stays",
                "mounts over the project's own path: code may be imported from the real checkout",
            ],
        }

    def _run(self, job: Job, told: Imitation, private: Path, cancel: Cancel) -> Ended:
        watchdog = Watchdog(job.limits, writable=[*writable_sources(job.mounts), private], overhead=_OVERHEAD)
        with Pipe() as pipe:
            status = Supervised(pipe)
            host = Host(
                cwd=told.cwd,
                env=told.env,
                pass_fds=[pipe.writing],
                status=pipe.writing,
                readers=[(pipe.reading, status.add)],
            )
            try:
                launched = launch(
                    told.argv, job, host, tasks=tasks_of(os.geteuid()), watchdog=watchdog, cancel=cancel
                )
            finally:
                gone = status.everything_is_gone()
        if not gone:
            return Ended(
                how=EndedHow.UNAVAILABLE,
                detail="a process of the job outlived the kill, or its supervisor was killed",
            )
        said = status.never or launched.completed.stderr.decode(errors="replace").strip()
        if status.never.endswith(os.strerror(errno.ENOENT)):
            missing = ended(launched, watchdog, job.limits, _MISSING, "")
            return replace(missing, stderr=f"{status.never}\n".encode())
        return ended(launched, watchdog, job.limits, status.code, said)
