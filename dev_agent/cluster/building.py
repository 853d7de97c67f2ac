"""Making an environment from a lock: exact versions, no dependencies, wheels only.

    <folder>/<digest>/           the virtual environment
    <folder>/<digest>.whole      written last; its time is that of the last use

The packages come from the index of the worker's own configuration (uv's or pip's files and variables), never from
anything a job says. Wheels are unpacked, nothing of them is run; packages that exist as sources only are refused unless
the worker's operator allows them, because building one runs its code here, outside of every sandbox.

Death at any line leaves a folder without its mark, which is removed before anything is made there again. A folder with
its mark is still proved by whoever uses it (`environments`).
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.cluster.frozen import FrozenEnvironment
from dev_agent.errors import EnvironmentFault
from dev_agent.process import Completed, Stopped, run
from dev_agent.sandbox.scratch import remove_tree
from dev_agent.values import dataclass

_TIMEOUT_S = 1800.0
_NAMES = (
    "PATH",
    "HOME",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NETRC",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
)
_PREFIXES = (
    "UV_",
    "PIP_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Installer:
    """How this worker makes environments. `uv` is the program, None to use venv and pip."""

    environ: Mapping[str, str]
    uv: Path | None
    sources: bool = False

    @classmethod
    def of(cls, environ: Mapping[str, str], *, sources: bool = False) -> Installer:
        """What the machine offers: uv if it is on PATH."""
        found = shutil.which("uv", path=environ.get("PATH"))
        return cls(environ=environ, uv=Path(found) if found else None, sources=sources)

    def build(self, wanted: FrozenEnvironment, place: Path, cancel: Cancel) -> None:
        """Make `place` from nothing. Raises EnvironmentFault with the installer's words, OSError, KeyboardInterrupt."""
        forget(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        listed = place.with_name(f"{place.name}.txt")
        listed.write_text(
            "".join(f"{one.name}=={one.version}\n" for one in wanted.distributions), encoding="ascii"
        )
        for argv in self._steps(wanted, place, listed):
            self._run(argv, place.parent, cancel)
        listed.unlink()
        mark(place)

    def _steps(self, wanted: FrozenEnvironment, place: Path, listed: Path) -> Sequence[Sequence[str]]:
        make: tuple[str, ...]
        install: tuple[str, ...]
        wheels = () if self.sources else ("--only-binary", ":all:")
        python = str(place / "bin" / "python")
        if self.uv is not None:
            uv = (str(self.uv), "--quiet", "--no-progress")
            make = (
                *uv,
                "venv",
                "--no-project",
                "--no-python-downloads",
                "--python",
                _nearest_python(wanted),
                str(place),
            )
            install = (*uv, "pip", "install", "--python", python, "--no-deps", *wheels, "-r", str(listed))
        else:
            base = _same_python(wanted, self.environ)
            make = (str(base), "-I", "-m", "venv", "--without-pip", str(place))
            pip = (str(_with_pip(base)), "-I", "-m", "pip", "--python", python)
            quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
            install = (*pip, "install", *quiet, "--no-deps", *wheels, "-r", str(listed))
        return (make, install) if wanted.distributions else (make,)

    def _run(self, argv: Sequence[str], cwd: Path, cancel: Cancel) -> None:
        env = {
            name: value
            for name, value in self.environ.items()
            if name in _NAMES or any(name.startswith(one) for one in _PREFIXES)
        }
        done = run(argv, cwd=cwd, env={**env, "LC_ALL": "C.UTF-8"}, timeout_s=_TIMEOUT_S, cancel=cancel)
        if done.stopped is Stopped.CANCELLED:
            raise KeyboardInterrupt
        if not done.ok:
            raise _failed(done)


def mark(place: Path) -> None:
    """Say that an environment is whole: everything of it is on its way to the disk before the mark is."""
    making = place.with_name(f"{place.name}.mark")
    making.write_bytes(b"")
    os.sync()
    making.replace(_mark_of(place))


def is_whole(place: Path) -> bool:
    """True if the environment was made to its end. Counts as a use of it."""
    try:
        os.utime(_mark_of(place))
    except OSError:
        return False
    return True


def forget(place: Path) -> None:
    """Remove an environment, its mark first: killed in between, it is not whole."""
    _mark_of(place).unlink(missing_ok=True)
    remove_tree(place)


def last_used(place: Path) -> int:
    """This machine's nanoseconds of the last use, 0 if it is not whole."""
    try:
        return _mark_of(place).lstat().st_mtime_ns
    except OSError:
        return 0


def _mark_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.whole")


def _failed(done: Completed) -> Exception:
    said = done.stderr.decode("utf-8", "replace").strip()[-1200:]
    if "No space left on device" in said or "os error 28" in said:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    why = (
        f"took longer than {_TIMEOUT_S:g} s"
        if done.stopped is Stopped.TIMED_OUT
        else f"ended with {done.code}"
    )
    return EnvironmentFault(
        f"{Path(done.argv[0]).name} {why}: {said or 'it said nothing'}",
        hint="give the worker an index that has these wheels, or name a ready environment with --environment",
    )


def _nearest_python(wanted: FrozenEnvironment) -> str:
    """For uv: our own Python if it is of the version, which uv may not know of; else the version, to be looked for."""
    return str(_own_python()) if _is_own(wanted) else wanted.python


def _same_python(wanted: FrozenEnvironment, environ: Mapping[str, str]) -> Path:
    """A Python of exactly the version: the one dev-agent runs on, or one on PATH by its name."""
    if _is_own(wanted):
        return _own_python()
    name = f"python{wanted.python.rpartition('.')[0]}"
    found = shutil.which(name, path=environ.get("PATH"))
    if found:
        done = run((found, "-I", "-S", "-V"), cwd=Path("/"), env={}, timeout_s=60)
        if done.ok and done.stdout.decode("ascii", "replace").strip() == f"Python {wanted.python}":
            return Path(found)
    raise EnvironmentFault(
        f"this worker has no Python {wanted.python} (it runs on {_own_version()})",
        hint="install that version on the worker, or uv, which finds more of them",
    )


def _with_pip(base: Path) -> Path:
    """A Python that has pip: our own, or the one the environment is made of."""
    for python in (Path(sys.executable), base):
        if run((str(python), "-I", "-c", "import pip"), cwd=Path("/"), env={}, timeout_s=60).ok:
            return python
    raise EnvironmentFault(
        "this worker has neither uv nor a Python with pip to build environments with",
        hint="install uv on the worker",
    )


def _is_own(wanted: FrozenEnvironment) -> bool:
    return sys.implementation.name == wanted.implementation and _own_version() == wanted.python


def _own_python() -> Path:
    return Path(sys.base_prefix).resolve() / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"


def _own_version() -> str:
    return ".".join(map(str, sys.version_info[:3]))
