"""Tier 2: a job under the kernel's own rules, for machines without namespaces (containers, hosted CI).

What a job gets: reading the system's directories and its own read-only places, writing to its copies and its
writable places, nothing else of the file system; no socket; no privilege and no way to one; signals to nobody
else; bounded time, memory, processes, files, output. `kernel` has the calls, `confine` their
order, `supervision` the processes, `seccomp` the filter, `imitation` what stands in for mounts, `watchdog` the sums.

What Landlock does not rule over is in `describe()`, under "lacks", and in SECURITY.md: a job can change modes, times
and extended attributes of files whose owner it is, and see that a file exists.

Order of a run: check the mounts, imitate them in a private folder, chown what root hands over, start, and only when
the supervisor said that nothing of the job is left give everything back. If this process dies: the outer process
gets SIGKILL, the supervisor SIGTERM, and it ends the job; copies stay until the next sweep.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.sandbox import seccomp
from dev_agent.sandbox.arguments import host_layout
from dev_agent.sandbox.imitation import Imitation, imitate, writable_sources
from dev_agent.sandbox.job import Ended, EndedHow, Job, Mount, MountKind
from dev_agent.sandbox.launch import Host, ended, holding, launch
from dev_agent.sandbox.mounts import MountRefused, check, in_order
from dev_agent.sandbox.ownership import hand_over
from dev_agent.sandbox.pipe import Pipe
from dev_agent.sandbox.profile import Profile
from dev_agent.sandbox.sandbox import Json
from dev_agent.sandbox.scratch import folder, sweep
from dev_agent.sandbox.supervised import Supervised
from dev_agent.sandbox.watchdog import Watchdog, tasks_of

OLDEST_ABI = 4
WITH_SCOPES = 6

_CONFINE = Path(__file__).with_name("confine.py")
# The outer process and the supervisor.
_OVERHEAD = 2
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
# Of the machine, not of its processes: /proc as a whole would show every command line.
_OPTIONAL = (
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
_RESOLVER = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/protocols")


class Landlock:
    """The variant. `abi` is what the kernel offers, at least OLDEST_ABI."""

    name = "landlock"
    tier = 2

    def __init__(self, profile: Profile, *, scratch_root: Path, abi: int) -> None:
        self.abi = abi
        self._profile = profile
        self._scratch_root = scratch_root
        self._as_root = os.geteuid() == 0
        self._system = tuple(map(str, host_layout(profile.read_only).binds))
        sweep(scratch_root)

    def run(self, job: Job, cancel: Cancel) -> Ended:
        """Run `job`; see `Sandbox.run`.

        A mount that must not be made, or a wish the profile forbids: UNAVAILABLE.
        """
        if cancel.requested:
            return Ended(how=EndedHow.CANCELLED, detail="cancelled before it was started")
        if job.network and not self._profile.network:
            return _never_ran(f"the sandbox profile {self._profile.name!r} gives no network")
        try:
            mounts = in_order(job.mounts)
            check(mounts)
            if self._as_root:
                _give_to_root(mounts)
            with folder(self._scratch_root) as private:
                told = imitate(job, mounts, private)
                watchdog = Watchdog(
                    job.limits, writable=[*writable_sources(mounts), private], overhead=_OVERHEAD
                )
                return self._run(job, mounts, told, watchdog, cancel)
        except MountRefused as refusal:
            return _never_ran(str(refusal))
        except OSError as error:
            return _never_ran(f"the sandbox could not be prepared: {error}")

    def describe(self) -> Mapping[str, Json]:
        """What it gives and what it lacks."""
        return {
            "name": self.name,
            "tier": self.tier,
            "profile": self._profile.name,
            "landlock": {"abi": self.abi},
            "caller": "root" if self._as_root else "user",
            "scratch": "copy",
            "gives": [
                "a file system of named places only, for reading, writing and running",
                "no sockets but pairs, no TCP" if not self._profile.network else "no TCP unless asked for",
                "no capabilities, no new privileges, no new namespaces",
                "system-call filter",
                *(["no signals and no abstract sockets out of the job"] if self.abi >= WITH_SCOPES else []),
                "limits on time, memory, processes, files, disk and output",
                "an end to every process of the job, also to those that leave its session",
                "an environment made of named variables only",
            ],
            "lacks": [*self._lacks()],
        }

    def _lacks(self) -> list[Json]:
        lacks: list[Json] = [
            "namespaces: processes, host name and kernel are the host's",
            "mounts over the project's own path: paths are said anew, and an absolute one in a file leads nowhere",
            "a hold on modes, times and extended attributes of files the job's user owns anywhere",
            "discretion about which files exist",
            "loopback, unix sockets, pseudo-terminals, POSIX semaphores and shared memory, for tests that need them",
            "memory file systems: TMPDIR and HOME are on disk, held by the limit on disk",
            "read-only files inside a writable copy: a job can replace them in its own copy",
            "exact sums: memory and processes are measured about twenty times a second, disk twice",
            "protection from faults of the kernel itself",
        ]
        if self.abi < WITH_SCOPES:
            lacks.append("a hold on signals: the job can end processes of its user (Linux 6.12 has it)")
        if self._as_root:
            lacks.append(
                "another user: run by root, the job owns root's files and is free of the process limit"
            )
        if self._profile.network:
            lacks.append("a network boundary, for jobs that ask for the network")
        return lacks

    def _run(
        self, job: Job, mounts: Sequence[Mount], told: Imitation, watchdog: Watchdog, cancel: Cancel
    ) -> Ended:
        with ExitStack() as stack:
            pipe = stack.enter_context(Pipe())
            hold, held = stack.enter_context(holding())
            status = Supervised(pipe)
            told_fd = hold(json.dumps(self._instructions(job, mounts, told, pipe.writing)).encode())
            host = Host(pass_fds=[pipe.writing, *held], readers=[(pipe.reading, status.add)])
            program = [sys.executable, "-I", "-S", str(_CONFINE), str(os.getpid()), str(told_fd)]
            try:
                launched = launch(
                    program, job, host, tasks=tasks_of(os.geteuid()), watchdog=watchdog, cancel=cancel
                )
            finally:
                gone = status.everything_is_gone()
            if not gone:
                return _never_ran("a process of the job outlived the kill, or its supervisor was killed")
            said = status.never or launched.completed.stderr.decode(errors="replace").strip()
            return ended(
                launched, watchdog, job.limits, status.code, f"the sandbox could not be set up: {said}"
            )

    def _instructions(
        self, job: Job, mounts: Sequence[Mount], told: Imitation, status: int
    ) -> dict[str, Json]:
        read, write = [*self._system, *map(str, told.shown)], [str(told.home), str(told.tmp)]
        for mount in mounts:
            shown = mount.kind in {MountKind.READ_ONLY, MountKind.DATA}
            (read if shown else write).append(str(told.places[mount.target]))
        optional = [*_OPTIONAL, *(_RESOLVER if job.network else ())]
        program = seccomp.program(
            os.uname().machine, self._profile.allow_syscalls, shared=True, network=job.network
        )
        return {
            "argv": [*told.argv],
            "cwd": str(told.cwd),
            "env": dict(told.env),
            "read": [*read],
            "write": [*write],
            "devices": [*_DEVICES],
            "optional": [*optional],
            "filter": program.hex(),
            "abi": self.abi,
            "tcp": not job.network,
            "status": status,
        }


def _give_to_root(mounts: Sequence[Mount]) -> None:
    """Root without its capabilities is held by modes as everybody is. Raises MountRefused for what it cannot read."""
    for source in writable_sources(mounts):
        hand_over(source, 0, 0)
    for mount in mounts:
        if mount.kind is not MountKind.READ_ONLY or mount.source is None:
            continue
        status = mount.source.stat()
        needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(status.st_mode) else 0)
        if status.st_uid != 0 and status.st_mode & needed != needed:
            raise MountRefused(
                f"{mount.source} can be read by its owner only, and the job has none of root's capabilities: "
                f"run dev-agent as its owner, or chmod -R o+rX {mount.source}"
            )


def _never_ran(why: str) -> Ended:
    return Ended(how=EndedHow.UNAVAILABLE, detail=why)
