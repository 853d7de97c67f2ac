"""Runs a command as if on a machine that allows no namespaces (a container, hosted CI), on one that does.

    python -m tests.sandbox.without_namespaces make demo
    python -m tests.sandbox.without_namespaces .venv/bin/python -m pytest tests/sandbox tests/programs tests/cli

What Docker's default profile does to a container without CAP_SYS_ADMIN: `unshare`, `setns`, every mount call and a
`clone` that asks for a namespace are refused, `clone3` is not there, and root loses CAP_SYS_ADMIN for good. Nothing
else changes, and all that the command starts is held to it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import struct
import sys

from dev_agent.sandbox.kernel import load_filter, no_new_privileges
from dev_agent.sandbox.syscalls import CLONE, DENIED, Denied, Inspected

_REFUSED = (
    "unshare", "setns", "mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsmount",
)  # fmt: skip
_NEW_NAMESPACES = 0x7E020000
_CAP_SYS_ADMIN, _CAPBSET_DROP = 21, 24


def filter_program(machine: str) -> bytes:
    """The classic-BPF program of the rules above."""
    calls: list[Denied | Inspected] = [*DENIED, CLONE]
    numbers = {call.name: call.x86_64 if machine == "x86_64" else call.aarch64 for call in calls}
    known = {name: number for name, number in numbers.items() if number is not None}
    allow, refuse = (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050000 | errno.EPERM)
    code: list[tuple[int, int, int, int]] = [(0x20, 0, 0, 0)]
    for name in _REFUSED:
        code += [(0x15, 0, 1, known[name]), refuse]
    code += [(0x15, 0, 1, known["clone3"]), (0x06, 0, 0, 0x00050000 | errno.ENOSYS)]
    code += [(0x15, 0, 3, known["clone"]), (0x20, 0, 0, 16), (0x45, 0, 1, _NEW_NAMESPACES), refuse, allow]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


def give_namespaces_up() -> None:
    """Hold this process and all it starts to the rules."""
    no_new_privileges()
    load_filter(filter_program(os.uname().machine))
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(_CAPBSET_DROP, ctypes.c_ulong(_CAP_SYS_ADMIN), *[ctypes.c_ulong(0)] * 3)


if __name__ == "__main__":
    program = shutil.which(sys.argv[1])
    if program is None:
        sys.exit(f"{sys.argv[1]}: not found")
    give_namespaces_up()
    os.execv(program, sys.argv[1:])  # noqa: S606 - the caller's own command
