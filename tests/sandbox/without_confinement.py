"""Runs a command as if on a machine that confines nothing: no namespaces, and a kernel without Landlock.

python -m tests.sandbox.without_confinement .venv/bin/python -m dev_agent worker tcp://127.0.0.1:8786
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
import sys

from dev_agent.sandbox.kernel import load_filter
from tests.sandbox.without_namespaces import give_namespaces_up

_CREATE_RULESET = 444  # landlock_create_ruleset, on x86_64 and aarch64
_PROGRAM = (
    (0x20, 0, 0, 0),
    (0x15, 0, 1, _CREATE_RULESET),
    (0x06, 0, 0, 0x00050000 | errno.EOPNOTSUPP),
    (0x06, 0, 0, 0x7FFF0000),
)

if __name__ == "__main__":
    program = shutil.which(sys.argv[1])
    if program is None:
        sys.exit(f"{sys.argv[1]}: not found")
    give_namespaces_up()
    load_filter(b"".join(struct.pack("<HBBI", *instruction) for instruction in _PROGRAM))
    os.execv(program, sys.argv[1:])  # noqa: S606 - the caller's own command
