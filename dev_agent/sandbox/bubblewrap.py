"""Tier 1: a job in namespaces of its own, by bubblewrap.

What a job gets: the mounts it names and the system's read-only directories, nothing of $HOME; no network
but its own loopback; no other process; no privilege and no way to one; bounded time, memory, processes,
files, output. `arguments` is the list, `seccomp` the filter, `identity` the user, `mounts` the checks,
`watchdog` the sums.

Scratch mounts are overlays where they can be mounted, else private copies. An overlay shows the owner of its source,
and root's job is somebody else: root hands over a source that is dev-agent's own (one look at each of its files, and
no byte of them), and copies any other.

Order of a run: check the mounts, take the private copies, chown what root hands over, make mount points,
start, and only when the pid namespace is empty give everything back. If this process dies, at whatever moment: a
supervisor that lives outside ends bubblewrap and the namespace (`supervision`); copies and mount points stay, as
`scratch` and `mounts` describe; a chowned directory stays the job user's, which the next run expects.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.process import Stopped
from dev_agent.sandbox import seccomp
from dev_agent.sandbox.arguments import Wiring, bubblewrap_arguments, host_layout
from dev_agent.sandbox.binary import Binary
from dev_agent.sandbox.identity import Identity, Unreadable, for_root, ordinary
from dev_agent.sandbox.job import Ended, EndedHow, Job, Mount, MountKind
from dev_agent.sandbox.launch import Host, ended, holding, launch
from dev_agent.sandbox.mounts import MountRefused, check, in_order, mount_points_in_place
from dev_agent.sandbox.ownership import hand_over
from dev_agent.sandbox.pipe import Pipe
from dev_agent.sandbox.profile import Profile
from dev_agent.sandbox.sandbox import Json
from dev_agent.sandbox.scratch import copy_tree, folder, sweep
from dev_agent.sandbox.status import Status
from dev_agent.sandbox.supervised import Supervised
from dev_agent.sandbox.watchdog import Watchdog, tasks_of
from dev_agent.values import dataclass

# The outer process, the supervisor, bwrap itself outside, and the first process of the namespace.
_OVERHEAD = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class _Prepared:
    mounts: tuple[Mount, ...]
    identity: Identity
    copies: Mapping[Path, Path]


class Bubblewrap:
    """The variant.

    `overlay` says that scratch mounts work as overlays here; `setpriv` is needed by root only. `on_refusal` hears what
    bubblewrap said when it could not set a job up, and knows a remedy or "".
    """

    name = "bubblewrap"
    tier = 1

    def __init__(
        self,
        binary: Binary,
        profile: Profile,
        *,
        scratch_root: Path,
        setpriv: Path | None = None,
        overlay: bool = False,
        as_root: bool | None = None,
    ) -> None:
        self.binary = binary
        self.overlay = overlay
        self._profile = profile
        self._scratch_root = scratch_root
        self._setpriv = setpriv
        self._as_root = os.geteuid() == 0 if as_root is None else as_root
        self._filter = seccomp.program(os.uname().machine, profile.allow_syscalls)
        self._layout = host_layout(profile.read_only)
        self.on_refusal: Callable[[str], str] = lambda _said: ""
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
            with self._prepared(job) as prepared:
                return self._run(job, prepared, cancel)
        except (MountRefused, Unreadable) as refusal:
            return _never_ran(str(refusal))
        except OSError as error:
            return _never_ran(f"the sandbox could not be prepared: {error}")

    def describe(self) -> Mapping[str, Json]:
        """What it gives and what it lacks."""
        lacks: list[Json] = [
            "a limit on memory the kernel holds for a job outside of its processes (pipes, sockets)",
            "exact sums: memory and processes are measured about twenty times a second, disk twice",
            "unix sockets: a listening one inside a mounted directory can be connected to",
            "discretion about the host's kernel: its version, load and the sources of mounts show in /proc",
            "protection from faults of the kernel itself",
        ]
        if self._profile.network:
            lacks.append("a network boundary, for jobs that ask for the network")
        return {
            "name": self.name,
            "tier": self.tier,
            "profile": self._profile.name,
            "bwrap": {
                "path": str(self.binary.path),
                "version": self.binary.version_text,
                "origin": self.binary.origin,
            },
            "caller": "root" if self._as_root else "user",
            "scratch": "overlay" if self.overlay else "copy",
            "gives": [
                "own mount, pid, network, ipc, uts and cgroup namespaces",
                "no capabilities, no new privileges, no new namespaces",
                "system-call filter",
                "limits on time, memory, processes, files, disk and output",
                "an environment made of named variables only",
            ],
            "lacks": lacks,
        }

    def _identity(self, mounts: Sequence[Mount]) -> Identity:
        if not self._as_root:
            return ordinary()
        return for_root(
            mount.source for mount in mounts if mount.kind is MountKind.READ_ONLY and mount.source is not None
        )

    @contextmanager
    def _prepared(self, job: Job) -> Iterator[_Prepared]:
        mounts = in_order(job.mounts)
        check(mounts)
        identity = self._identity(mounts)
        with ExitStack() as stack:
            copies = self._copies(mounts, identity, stack)
            for mount in mounts:
                if mount.kind is MountKind.WRITABLE and mount.source is not None and identity.changes:
                    hand_over(mount.source, identity.uid, identity.gid)
            roots = {
                mount.target: mount.source
                for mount in mounts
                if mount.source is not None and mount.kind is not MountKind.SCRATCH
            }
            stack.enter_context(mount_points_in_place(mounts, {**roots, **copies}))
            yield _Prepared(mounts=mounts, identity=identity, copies=copies)

    def _copies(self, mounts: Sequence[Mount], identity: Identity, stack: ExitStack) -> dict[Path, Path]:
        if self.overlay and not identity.changes:
            return {}
        copies = {}
        for mount in mounts:
            if mount.kind is not MountKind.SCRATCH or mount.source is None:
                continue
            # An overlay shows the source's owner: root's job, somebody else, could not write to what stays root's.
            if self.overlay and mount.ours:
                hand_over(mount.source, identity.uid, identity.gid)
            else:
                copies[mount.target] = stack.enter_context(folder(self._scratch_root)) / "tree"
                copy_tree(mount.source, copies[mount.target], identity)
        return copies

    def _run(self, job: Job, prepared: _Prepared, cancel: Cancel) -> Ended:
        status = Status()
        with ExitStack() as stack:
            stack.callback(status.close)
            said_by_bwrap, said_by_supervisor = stack.enter_context(Pipe()), stack.enter_context(Pipe())
            supervised = Supervised(said_by_supervisor)
            hold, held = stack.enter_context(holding())
            wiring = Wiring(
                hold=hold,
                status_fd=said_by_bwrap.writing,
                filter=self._filter,
                copies=prepared.copies,
                setpriv=self._setpriv,
            )
            arguments = bubblewrap_arguments(
                job, prepared.mounts, self._profile, self._layout, prepared.identity, wiring
            )
            watchdog = self._watchdog(job, prepared, status)
            host = Host(
                pass_fds=[said_by_bwrap.writing, said_by_supervisor.writing, *held],
                status=said_by_supervisor.writing,
                readers=[(said_by_bwrap.reading, status.add), (said_by_supervisor.reading, supervised.add)],
            )
            uid = prepared.identity.uid if prepared.identity.changes else os.geteuid()
            try:
                launched = launch(
                    [str(self.binary.path), *arguments],
                    job,
                    host,
                    tasks=tasks_of(uid),
                    watchdog=watchdog,
                    cancel=cancel,
                )
            finally:
                gone = [supervised.everything_is_gone(), status.everything_is_gone()]
            if not all(gone):
                return _never_ran("a process of the job outlived the kill: it hangs in the kernel")
            said = supervised.never or launched.completed.stderr.decode(errors="replace").strip()
            code = status.exit_code
            if code is None and said.startswith("bwrap: execvp "):
                # The job never ran, so these words are bubblewrap's own: there is no such program inside.
                code = 127
            why = f"the sandbox could not be set up: {said}"
            if code is None and launched.completed.stopped is Stopped.NO:
                remedy = self.on_refusal(said)
                why = f"{why} ({remedy})" if remedy else why
            return ended(launched, watchdog, job.limits, code, why)

    def _watchdog(self, job: Job, prepared: _Prepared, status: Status) -> Watchdog:
        scratch = {mount.target for mount in prepared.mounts if mount.kind is MountKind.SCRATCH}
        writable = [
            mount.source
            for mount in prepared.mounts
            if mount.kind is MountKind.WRITABLE and mount.source is not None
        ]
        return Watchdog(
            job.limits,
            overlays=sorted(scratch - set(prepared.copies)),
            writable=[*writable, *prepared.copies.values()],
            inside=lambda: status.init,
            overhead=_OVERHEAD,
        )


def _never_ran(why: str) -> Ended:
    return Ended(how=EndedHow.UNAVAILABLE, detail=why)
