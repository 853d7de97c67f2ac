"""The last step before a confined program: limits set, descriptors in place, then exec. Run as a script.

    python -I -S launcher.py PARENT REPORT STATUS NAME=LIMIT[,NAME=LIMIT...] -- PROGRAM ARGUMENT...

Why a script and not the usual ways: limits and descriptors have to be set between fork and exec, where
Python code is unsafe in a program with threads; `prlimit` is not on every system; and a POSIX shell cannot
address descriptors above 9, so it could not put a pipe at exactly 3 or 4. It runs on the host, before the
sandbox exists, in our own interpreter, without site packages.

Rules kept here:
- descriptor 0 becomes 3 (the job's input), then /dev/null; REPORT (a number from 10 up) becomes 4, or
  /dev/null if it is -1;
- the hard limit goes down with the soft one, never up, so that the job cannot lift it again;
- if PARENT died before we got here nothing is started;
- STATUS, unless it is -1, is where a supervisor says what became of PROGRAM (`supervision`), and ends whatever is left
  of it when PARENT dies: bubblewrap ties its processes to their parents only once it runs, one after the other, and
  what was started before would stay, with nobody to hold it to its limits.

Exit status 125: nothing was started, the reason is on stderr.
"""

from __future__ import annotations

import fcntl
import os
import resource
import sys

NOT_STARTED = 125


def set_limit(name: str, value: int) -> None:
    """Lower one limit, soft and hard, as far as the present hard limit lets us."""
    number = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(number)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(number, (value, value))


def place_descriptors(report: int) -> None:
    """Input at 3, report at 4, nothing readable at 0; all three survive exec."""
    os.dup2(0, 3)
    # Well above 4, so that no step here overwrites a descriptor a later step needs. It closes itself on exec.
    null = fcntl.fcntl(os.open(os.devnull, os.O_RDWR), fcntl.F_DUPFD_CLOEXEC, 10)
    os.dup2(null, 0)
    os.dup2(null if report < 0 else report, 4)
    if report >= 0:
        os.close(report)


def main(arguments: list[str]) -> int:
    """Do what the module says; returns only if nothing was started; a supervised one ends here too."""
    parent, report, status, limits, _, *program = arguments
    if os.getppid() != int(parent):
        sys.stderr.write("launcher: the process that wanted this is gone\n")
        return NOT_STARTED
    place_descriptors(int(report))
    try:
        for entry in filter(None, limits.split(",")):
            name, value = entry.split("=")
            set_limit(name, int(value))
        if int(status) >= 0:
            return supervise(int(parent), int(status), program)
        os.execv(program[0], program)  # noqa: S606 - that is what it is for
    except (OSError, ValueError) as error:
        sys.stderr.write(f"launcher: {program[0]}: {error}\n")
    return NOT_STARTED


def supervise(parent: int, status: int, program: list[str]) -> int:
    """Run the program below a supervisor."""
    # The package is not importable here, and need not be.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - starts fast without pathlib
    import supervision  # type: ignore[import-not-found] # noqa: PLC0415 - as above

    del sys.path[0]

    def become() -> None:
        try:
            os.execv(program[0], program)  # noqa: S606 - that is what it is for
        except OSError as error:
            raise OSError(f"{program[0]}: {error.strerror}") from error

    return int(supervision.supervise(parent, status, become))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
