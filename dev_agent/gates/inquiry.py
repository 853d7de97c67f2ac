"""What a Python says of itself, asked in the sandbox, and remembered for as long as it is the same Python.

It is `python -I -S` that is asked: no `.pth`, no sitecustomize, nothing of the repository runs. An answer is
remembered under the identity of everything it depends on: the program's file behind all links and the libraries
of its installation (device, inode, size, times), the paths shown, the confinement, the boot of the machine. Only
answers are remembered; a Python that does not run is asked again every time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault
from dev_agent.gates.cache import Cache, digest_of
from dev_agent.sandbox.job import Ended, EndedHow, Job, Limits, Mount
from dev_agent.sandbox.sandbox import Sandbox
from dev_agent.values import dataclass

_ASK = (
    "import json, site, sys; "
    "print(json.dumps([list(sys.version_info[:3]), sys.implementation.name, site.getsitepackages([sys.base_prefix])]))"
)
_KIND = "interpreter"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """`site_dirs` are those of the installation, not of a venv made from it; they need not exist."""

    version: tuple[int, int, int]
    implementation: str
    site_dirs: tuple[Path, ...]


def ask(
    path: Path,
    because: str,
    *,
    mounts: Sequence[Mount],
    sandbox: Sandbox,
    cancel: Cancel,
    cache: Cache | None,
) -> Answer:
    """The answer of the interpreter at `path`, seen through `mounts`.

    Raises EnvironmentFault, which says `because`, if it does not run or says nothing a Python says.
    """
    key = "" if cache is None else _identity(path, mounts, sandbox)
    known = cache.get(_KIND, key) if cache is not None else None
    if known is not None:
        return _read([known.get("version"), known.get("implementation"), known.get("site_dirs")])
    job = Job(
        argv=(str(path), "-I", "-S", "-B", "-c", _ASK),
        cwd=Path("/"),
        mounts=tuple(mounts),
        limits=Limits(wall_s=60, cpu_s=60),
    )
    answer = _answer(sandbox.run(job, cancel), path, because)
    if cache is not None:
        cache.put(_KIND, key, _said(answer))
    return answer


def _said(answer: Answer) -> dict[str, Any]:
    return {
        "version": list(answer.version),
        "implementation": answer.implementation,
        "site_dirs": [str(one) for one in answer.site_dirs],
    }


def _identity(path: Path, mounts: Sequence[Mount], sandbox: Sandbox) -> str:
    real = path.resolve()
    libraries = sorted((real.parent.parent / "lib").glob("libpython*"))
    return digest_of(
        {
            "path": str(path),
            "files": [[str(one), *_signature(one)] for one in (real, *libraries)],
            "mounts": [[str(one.target), str(one.source)] for one in mounts],
            "sandbox": dict(sandbox.describe()),
            "boot": _boot(),
        }
    )


def _signature(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _boot() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _answer(ended: Ended, path: Path, because: str) -> Answer:
    fault = EnvironmentFault(
        f"the interpreter {path} ({because}) does not run in the sandbox: "
        + (
            ended.detail
            or ended.stderr.decode(errors="replace").strip()[-400:]
            or f"it ends with exit status {ended.code} and says nothing a Python says"
        ),
        hint="recreate the environment, or set another `python` under [tool.dev-agent]",
    )
    if ended.how is not EndedHow.EXITED or ended.code != 0:
        raise fault
    try:
        return _read(json.loads(ended.stdout))
    except (ValueError, TypeError) as error:
        raise fault from error


def _read(said: Any) -> Answer:
    version, implementation, sites = said
    major, minor, micro = (int(part) for part in version)
    return Answer(
        version=(major, minor, micro),
        implementation=str(implementation),
        site_dirs=tuple(Path(one) for one in sites),
    )
