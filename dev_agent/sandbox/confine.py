"""Becomes one job of tier 2, below a supervisor of its own (`supervision`). Run as a script.

    python -I -S confine.py PARENT INSTRUCTIONS        (both numbers: a process, a descriptor)

Order in the job: rules are made first, then privileges go, then Landlock, then the filter, which refuses some of the
calls before it.

Instructions, as JSON: argv, cwd, env; read, write, devices, optional (lists of paths; a missing one fails but for
`optional`, which are read); filter (hex); abi, tcp (is TCP to be denied?), status (the status pipe's descriptor).
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import sys
from typing import Any


def main(arguments: list[str]) -> int:
    """The outer process."""
    supervision, kernel = _beside("supervision"), _beside("kernel")
    parent, told = map(int, arguments)
    with os.fdopen(told, "rb") as stream:
        instructions = json.loads(stream.read())

    def become() -> None:
        confine(kernel, instructions)
        _execute(instructions)

    return int(supervision.supervise(parent, instructions["status"], become))


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
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        # Python ignores them, and what is ignored stays so over exec.
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(argv[0], argv, instructions["env"])  # noqa: S606 - that is what it is for
    except FileNotFoundError as error:
        # As a shell says it; the job's own outcome, not ours.
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.stderr.flush()


def _beside(name: str) -> Any:
    """The module beside this script, by path: the package is not importable here, and need not be."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")  # noqa: PTH100, PTH118, PTH120
    spec = importlib.util.spec_from_file_location(f"_dev_agent_{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
