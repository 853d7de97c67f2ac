"""Runs one job of tier 2 in a process tree of its own, and ends that tree. Run as a script.

    python -I -S confine.py PARENT INSTRUCTIONS        (both numbers: a process, a descriptor)

Three processes, because the one that our caller can kill must not be the one that has to clean up:

    outer         what the caller started and may kill; waits for the supervisor
    supervisor    in a session of its own, adopts every orphan of the job (PR_SET_CHILD_SUBREAPER); when the job's first
                  process has ended, or the outer one has, kills and reaps until nothing is left
    job           in a session of its own: no capabilities, no new privileges, Landlock, the filter, then exec

Rules kept here:
- nothing of the job exists before the supervisor said "up" on the status pipe, and it says "gone" only when nothing of
  it exists any more, so a reader that knows the outer process has ended knows what to wait for;
- the status pipe belongs to the supervisor alone: what the job says can never be taken for how it ended;
- order in the job: rules are made and the session begun first, then privileges go, then Landlock, then the filter,
  which refuses some of the calls before it.

If the outer process dies, the supervisor gets SIGTERM and cleans up. If the supervisor is killed, the job's first
process is killed with it and "gone" is never said.

Instructions, as JSON: argv, cwd, env; read, write, devices, optional (lists of paths; a missing one fails but for
`optional`, which are read); filter (hex); abi, tcp (is TCP to be denied?), status (the status pipe's descriptor).

Lines on the status pipe: `up`, then `never REASON` or `ended CODE` (negative: a signal), then `gone`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import sys
from typing import Any

_MISSING = 127
_WATCHED = (signal.SIGCHLD, signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """The outer process."""
    kernel = _kernel()
    parent, told = map(int, arguments)
    kernel.die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        return 1
    with os.fdopen(told, "rb") as stream:
        instructions = json.loads(stream.read())
    # Before the fork: a signal that comes at once waits until somebody looks.
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    outer = os.getpid()
    supervisor = os.fork()
    if supervisor == 0:
        try:
            supervise(kernel, instructions, outer)
        finally:
            os._exit(0)
    for descriptor in (3, 4, instructions["status"]):
        os.close(descriptor)
    os.waitpid(supervisor, 0)
    return 0


def supervise(kernel: Any, instructions: dict[str, Any], outer: int) -> None:
    """The supervisor, from its fork to its end."""
    status = instructions["status"]
    os.setsid()
    kernel.adopt_orphans()
    kernel.die_with_parent(signal.SIGTERM)
    os.write(status, b"up\n")
    if os.getppid() != outer:
        os.write(status, b"gone\n")
        return
    reading, failed = os.pipe()
    supervisor = os.getpid()
    job = os.fork()
    if job == 0:
        _become(kernel, instructions, supervisor, failed)
    for descriptor in (3, 4, failed):
        os.close(descriptor)
    with os.fdopen(reading, "rb") as stream:
        reason = stream.read()
    code = _wait(job)
    end_everything()
    if reason:
        os.write(status, b"never " + reason.replace(b"\n", b" ") + b"\n")
    elif code is not None:
        os.write(status, b"ended %d\n" % code)
    os.write(status, b"gone\n")


def _wait(job: int) -> int | None:
    """Reap until `job` has ended; its exit code, or None if the outer process ended first."""
    while True:
        if signal.sigwait(_WATCHED) == signal.SIGTERM:
            return None
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == job:
                return os.waitstatus_to_exitcode(status)
            if pid == 0:
                break


def end_everything() -> None:
    """Kill and reap until we have no child; whoever loses a parent meanwhile becomes our child."""
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            # One at least ends: each of them has been killed, or came after the look and is killed in the next.
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                signal.sigtimedwait({signal.SIGCHLD}, 0.01)
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as stream:
            return [int(one) for one in stream.read().split()]
    except OSError:
        # A kernel without CONFIG_PROC_CHILDREN: ask every process for its parent.
        return [
            int(name)
            for name in os.listdir("/proc")  # noqa: PTH208
            if name.isdecimal() and _parent(name) == os.getpid()
        ]


def _parent(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return int(stream.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def _become(kernel: Any, instructions: dict[str, Any], supervisor: int, failed: int) -> None:
    """Be the job: never returns. Why it could not be started goes to `failed`, which exec closes."""
    try:
        os.setsid()
        kernel.die_with_parent(signal.SIGKILL)
        if os.getppid() == supervisor:
            confine(kernel, instructions)
            _execute(instructions)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the job must not be run without it
        os.write(failed, str(error).encode(errors="replace")[:1000] or b"unknown")
    finally:
        os._exit(_MISSING)


def confine(kernel: Any, instructions: dict[str, Any]) -> None:
    """Give everything up that the job is not to have."""
    rules = kernel.Ruleset(instructions["abi"], tcp=instructions["tcp"])
    for path in instructions["read"]:
        rules.allow(path, kernel.READ)
    for path in instructions["write"]:
        rules.allow(path, kernel.WRITE)
    for path in instructions["devices"]:
        rules.allow(path, kernel.DEVICE)
    # The job's own, while it is this very process; its children have none.
    for path in (*instructions["optional"], f"/proc/{os.getpid()}"):
        with contextlib.suppress(FileNotFoundError):
            rules.allow(path, kernel.READ & ~kernel.Access.EXECUTE)
    if os.geteuid() == 0:
        with contextlib.suppress(PermissionError):
            os.setgroups([])
    kernel.no_new_privileges()
    kernel.give_up_capabilities()
    rules.enforce()
    os.chdir(instructions["cwd"])
    kernel.load_filter(bytes.fromhex(instructions["filter"]))


def _execute(instructions: dict[str, Any]) -> None:
    argv = instructions["argv"]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        # Python ignores them, and what is ignored stays so over exec.
        signal.signal(number, signal.SIG_DFL)
    os.close(instructions["status"])
    try:
        os.execve(argv[0], argv, instructions["env"])  # noqa: S606 - that is what it is for
    except FileNotFoundError as error:
        # As a shell says it; the job's own outcome, not ours.
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.stderr.flush()


def _kernel() -> Any:
    """The module beside this script, by path: the package is not importable here, and need not be."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kernel.py")  # noqa: PTH100, PTH118, PTH120
    spec = importlib.util.spec_from_file_location("_dev_agent_kernel", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
