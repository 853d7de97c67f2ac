"""Tier 0: no confinement. Only by the user's explicit word.

The job runs as we do and can do what we can. What is kept of a job's description: argv and environment (the
safe base and its own variables, not ours), cwd, input, report, limits, time-out, caps on output, killing
the process group. Mounts are only imitated: a target's path, in argv, cwd and environment values, is
replaced by where its content is, so a program that finds files by other ways sees the real ones.

    READ_ONLY, WRITABLE   the source itself; nothing keeps a job from writing to a read-only one
    SCRATCH               a private copy, removed after
    TMPFS, DATA           in a private directory, removed after; inside a scratch copy, at their place in it
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.sandbox import environment
from dev_agent.sandbox.job import Ended, EndedHow, Job, Mount, MountKind
from dev_agent.sandbox.launch import Host, ended, launch
from dev_agent.sandbox.mounts import MountRefused, check, enclosing, in_order
from dev_agent.sandbox.sandbox import Json
from dev_agent.sandbox.scratch import copy_tree, folder, sweep
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
                return self._run(job, _places(mounts, private), private, cancel)
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

    def _run(self, job: Job, places: Mapping[Path, Path], private: Path, cancel: Cancel) -> Ended:
        cwd = Path(_remap(str(job.cwd), places))
        if not cwd.is_dir():
            return Ended(how=EndedHow.UNAVAILABLE, detail=f"no directory to run in: {cwd}")
        home, tmp = private / "home", private / "tmp"
        home.mkdir()
        tmp.mkdir()
        variables = environment.complete(job.env, home=str(home), tmp=str(tmp))
        env = {name: _remap(value, places) for name, value in variables.items()}
        argv = [_remap(argument, places) for argument in job.argv]
        argv[0] = _found(argv[0], env["PATH"])
        writable = [
            mount.source
            for mount in job.mounts
            if mount.kind is MountKind.WRITABLE and mount.source is not None
        ]
        watchdog = Watchdog(job.limits, writable=[*writable, private])
        host = Host(cwd=cwd, env=env)
        launched = launch(argv, job, host, tasks=tasks_of(os.geteuid()), watchdog=watchdog, cancel=cancel)
        code: int | None = launched.completed.code
        said = launched.completed.stderr.decode(errors="replace").strip()
        if code == _NOT_STARTED and said.startswith("launcher: "):
            code = 127 if "No such file" in said else None
        return ended(launched, watchdog, job.limits, code, said)


def _found(program: str, path: str) -> str:
    """The program's path as exec would find it; as given if it is nowhere."""
    if "/" in program:
        return program
    folders = [folder for folder in path.split(":") if folder.startswith("/")]
    return next(
        (f"{folder}/{program}" for folder in folders if os.access(f"{folder}/{program}", os.X_OK)), program
    )


def _places(mounts: tuple[Mount, ...], private: Path) -> dict[Path, Path]:
    """Where the content of each target is. Copies and makes files in `private` only."""
    places: dict[Path, Path] = {}
    copied: set[Path] = set()
    for number, mount in enumerate(mounts):
        around = enclosing(mount, mounts)
        inside_copy = around is not None and around.target in copied
        if inside_copy and around is not None:
            place = places[around.target] / mount.target.relative_to(around.target)
        else:
            place = private / f"mount-{number}"
        if mount.kind is MountKind.SCRATCH and mount.source is not None:
            place = private / f"mount-{number}"
            copy_tree(mount.source, place)
            copied.add(mount.target)
        elif mount.source is not None:
            place = mount.source
        elif mount.kind is MountKind.TMPFS:
            place.mkdir(parents=True, exist_ok=True)
            copied.add(mount.target)
        else:
            _write(place, mount)
        places[mount.target] = place
    return places


def _write(place: Path, mount: Mount) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.write_bytes(mount.data)
    place.chmod(mount.permissions)


def _remap(text: str, places: Mapping[Path, Path]) -> str:
    """`text` with every target path in it that starts a word replaced by where its content is.

    A word starts at the beginning and after `=`, `:` or a comma, as in `--rootdir=/repo` and in search paths.
    """
    targets = sorted((str(target) for target in places), key=len, reverse=True)
    if not targets:
        return text
    pattern = rf"(^|[=:,])({'|'.join(map(re.escape, targets))})(?=$|[/:,])"
    return re.sub(pattern, lambda found: found[1] + str(places[Path(found[2])]), text)
