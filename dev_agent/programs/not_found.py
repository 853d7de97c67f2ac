"""Why a program could not be started inside the sandbox, told to the person who installed it somewhere else.

A program of the user's shell (from `~/.local/bin`, pipx, a node folder) is not visible to a job; what is said is where
it was looked for and what makes it visible. This looks at the host, after the program failed, and decides nothing: the
run is refused either way.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev_agent.gates.in_sight import InSight

_REFUSED = 126
STATUSES = frozenset({_REFUSED, 127})
"""How a shell, and the sandbox, say that a program cannot be executed, or is not there."""

_LAUNCHERS = (b"setpriv: failed to execute ", b"bwrap: execvp ")
"""How setpriv (run by root) and bubblewrap say that the program itself could not be executed."""

_SYSTEM = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")))


def why_not_found(program: str, status: int, sight: InSight, clone: Path) -> str:
    """One sentence, and lines with remedies below it; "" if the program is there, and the status its own word.

    `clone` is where the repository's files lay for the program. Under tier 2 what is not shown cannot be executed, and
    under tier 1 it is not there.
    """
    if "/" not in program:
        if any(_is_there(folder / program, sight, clone) for folder in sight.search):
            return ""
        where = f"not in {', '.join(map(str, sight.search))}"
    else:
        path = sight.root / program
        if _is_there(path, sight, clone):
            return ""
        where = f"{path} is no program that is visible there"
        real = _on_host(path, sight, clone)
        if real is not None and real.is_file() and not os.access(real, os.X_OK):
            return (
                f"{program} has no right to be executed: chmod +x, commit that, or name its interpreter, "
                f"for example: python {shlex.quote(program)}"
            )
    shown = ", ".join(str(one) for one in sight.shown) or "nothing else"
    package = shlex.quote(Path(program).name)
    problem = f"ended with status {status}" if status == _REFUSED else "was not found inside the sandbox"
    return (
        f"{program} {problem}: {where}\n"
        f"Install it into the project's environment, for example: {sight.python} -m pip install {package}\n"
        f"Or give the path of one that is visible inside: a file of the commit below {sight.root}, the system's own "
        f"folders (/usr, /bin …), and {shown}\n"
        'Or show the folder it is in: read_only = ["/folder"] in a profile, named with --profile FILE '
        "(docs/configuration.md, what `run` runs)"
    )


def launchers_words(stderr: bytes) -> bool:
    """Whether all that was said is one line of what starts a program inside the sandbox: the program never ran."""
    return stderr.startswith(_LAUNCHERS) and b"\n" not in stderr.strip()


def why_not_executed(program: str, status: int) -> str:
    """For a program that is there, and that the kernel would not execute all the same."""
    what = "is not there" if status != _REFUSED else "may not be executed"
    return (
        f"{program} is there, but could not be executed inside the sandbox: what its first line (#!) names, or the "
        f"loader it was built for, {what}\n"
        f"Name the interpreter yourself, for example: python {shlex.quote(program)}"
    )


def where_others_are_sought(sight: InSight) -> str:
    """For a program that is there, and may itself have called one that is not."""
    return f"if it calls another program: those are looked for in {', '.join(map(str, sight.search))}"


def _is_there(path: Path, sight: InSight, clone: Path) -> bool:
    """Whether a job can execute it: the file, and what it leads to, lie where a job sees them."""
    real = _on_host(path, sight, clone)
    if real is None or not os.access(real, os.X_OK) or real.is_dir():
        return False
    led_to = real.resolve()
    return led_to.is_relative_to(clone.resolve()) or _on_host(led_to, sight, clone) is not None


def _on_host(path: Path, sight: InSight, clone: Path) -> Path | None:
    """Where the host has what the job sees at `path`, None for what it does not see."""
    path = Path(os.path.normpath(path))
    if any(path.is_relative_to(folder) for folder in (*sight.shown, *_SYSTEM)):
        return path
    if path.is_relative_to(sight.root):
        return clone / path.relative_to(sight.root)
    return None
