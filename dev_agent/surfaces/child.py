"""One command in a process of its own: `python -m dev_agent.surfaces.child DESCRIPTOR ARGUMENT…`.

As the command line itself, but what it says on stderr goes to the descriptor, so that a client sees progress while it
happens. When the server dies the pipe breaks and stdin ends; the command is ended by the kernel then, as by a kill.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command; returns its exit code."""
    parent = os.getppid()
    # The thread that started us waits for our end, so that its death is the server's.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        return 130
    os.dup2(int(sys.argv[1]), 2)
    sys.argv[1:] = sys.argv[2:]
    from dev_agent.__main__ import main as command  # noqa: PLC0415 - after stderr is where it belongs

    return command()


if __name__ == "__main__":
    sys.exit(main())
