"""Which Python a project's gates run with, why that one, and what of the host it needs to see.

Looked for in this order: the setting `python`; `.venv` and `venv` in the repository; VIRTUAL_ENV; poetry's and
hatch's own places for this very checkout; and, only for a project that declares no dependencies, the
interpreter dev-agent itself runs on. Files are looked at, nothing is run here but `python -I -S` in the
sandbox, which reads no `.pth`, no sitecustomize and nothing of the repository.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.gates.cache import Cache
from dev_agent.gates.inquiry import ask
from dev_agent.sandbox.job import Mount, MountKind
from dev_agent.sandbox.sandbox import Sandbox
from dev_agent.values import dataclass

# What every sandbox shows of the host by itself.
_ALWAYS_THERE = (Path("/usr"), Path("/bin"), Path("/lib"), Path("/lib64"), Path("/sbin"))
_MAX_HOPS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What the caller knows about the user's machine; nothing here reads the environment itself.

    `own_python` is a plain interpreter (not a venv's) that dev-agent runs on. `mypy_cache` is MYPY_CACHE_DIR;
    `in_ci` says that the checkout is a machine's, not a person's.
    """

    home: Path
    own_python: Path
    virtual_env: str = ""
    mypy_cache: str = ""
    in_ci: bool = False

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Surroundings:
        """What the caller's environment, and the interpreter dev-agent runs on, say."""
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return cls(
            home=Path(environ.get("HOME") or "/nonexistent"),
            own_python=Path(sys.base_prefix).resolve() / "bin" / name,
            virtual_env=environ.get("VIRTUAL_ENV", ""),
            mypy_cache=environ.get("MYPY_CACHE_DIR", ""),
            in_ci=environ.get("CI", "").lower() not in {"", "0", "false"},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """A Python and where it lives. `prefix` is the venv, or the installation itself if it is none.

    `shown` are (target, source) pairs of host directories or files it needs, outside of the repository.
    """

    path: Path
    prefix: Path
    base_prefix: Path
    is_venv: bool
    because: str
    version: tuple[int, int, int]
    implementation: str
    site_dirs: tuple[Path, ...]
    shown: tuple[tuple[Path, Path], ...]

    @property
    def version_text(self) -> str:
        """Such as "3.11.7"."""
        return ".".join(str(part) for part in self.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """An interpreter that exists, and the reason it was taken."""

    path: Path
    because: str


def find_interpreter(
    root: Path, *, configured: str, project_name: str, has_dependencies: bool, surroundings: Surroundings
) -> Candidate:
    """The interpreter of the project in `root`.

    Raises UsageFault if the configured one does not exist, EnvironmentFault if there is none at all.
    """
    if configured:
        path = root / configured
        if not _runnable(path):
            raise UsageFault(
                f"the configured interpreter {configured!r} does not exist or cannot be run",
                hint=f"{_how_to_make(Path(configured))}mend `python` in the settings",
            )
        return Candidate(path=path, because="set as `python` in the settings")
    for candidate in _places(root, project_name, surroundings):
        if _runnable(candidate.path):
            return candidate
        if candidate.path.is_relative_to(root) and _was_made(candidate.path):
            # Another Python in its place would judge with other packages than the project's, and nobody would see.
            raise EnvironmentFault(
                f"the project's environment is broken: {candidate.path} does not exist or cannot be run",
                hint=f"make it anew (python -m venv --clear {candidate.path.parent.parent}) or remove the folder",
            )
    if not has_dependencies:
        return Candidate(
            path=surroundings.own_python,
            because="no virtual environment found; the project declares no dependencies, "
            "so the Python that dev-agent runs on serves",
        )
    raise EnvironmentFault(
        f"no Python environment found for {root}",
        hint="create one (`python -m venv .venv && .venv/bin/pip install -e .`, `uv sync`), activate it, or set "
        '`python = "path/to/bin/python"` under [tool.dev-agent]',
    )


def _places(root: Path, project_name: str, surroundings: Surroundings) -> Iterator[Candidate]:
    for name in (".venv", "venv"):
        yield Candidate(path=root / name / "bin" / "python", because=f"{name} in the repository")
    if surroundings.virtual_env:
        active = Path(surroundings.virtual_env)
        if active.is_absolute():
            yield Candidate(path=active / "bin" / "python", because="the active environment (VIRTUAL_ENV)")
    mark = base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(root)).digest()).decode()[:8]
    if project_name:
        plain = re.sub(r'[ $`!*@"\\\r\n\t]', "_", project_name)[:42].lower()
        places = surroundings.home / ".cache" / "pypoetry" / "virtualenvs"
        for folder in sorted(places.glob(f"{_literal(plain)}-{mark}-py*")):
            yield Candidate(path=folder / "bin" / "python", because=f"poetry's environment {folder.name}")
        own = surroundings.home / ".local" / "share" / "hatch" / "env" / "virtual" / project_name / mark
        for folder in sorted(own.glob("*"), key=lambda one: (one.name != project_name, one.name)):
            yield Candidate(path=folder / "bin" / "python", because=f"hatch's environment {folder.name}")


def _how_to_make(configured: Path) -> str:
    """The way to a missing interpreter whose path looks like a virtual environment's, "" for any other."""
    venv = configured.parent.parent
    is_venv = configured.parent.name == "bin" and venv.name
    return f"create it (python -m venv {venv}) or " if is_venv else ""


def _was_made(python: Path) -> bool:
    """True if a virtual environment was made where this interpreter should be."""
    return python.is_symlink() or (python.parent.parent / "pyvenv.cfg").is_file()


def _literal(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def _runnable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def inspect(
    candidate: Candidate,
    *,
    root: Path,
    home: Path,
    sandbox: Sandbox,
    cancel: Cancel,
    cache: Cache | None = None,
) -> Interpreter:
    """Everything about a found interpreter. Raises EnvironmentFault if it does not run or lives in a bad place.

    With a `cache`, one that has answered before in this confinement is not asked again.
    """
    path = Path(os.path.normpath(candidate.path))
    venv = path.parent.parent
    settings = _venv_settings(venv)
    is_venv = settings is not None
    real = path.resolve()
    base_prefix = real.parent.parent
    _check_prefix(base_prefix, root=root, home=home)
    shown = _shown(path, base_prefix, venv if is_venv else None, settings or {}, root, home)
    answer = ask(
        path,
        candidate.because,
        mounts=_view(shown, venv if is_venv else None),
        sandbox=sandbox,
        cancel=cancel,
        cache=cache,
    )
    version = answer.version
    prefix = venv if is_venv else base_prefix
    sites = _venv_sites(venv, version) if is_venv else ()
    if not is_venv or (settings or {}).get("include-system-site-packages", "").lower() == "true":
        sites += tuple(one for one in answer.site_dirs if one.is_dir())
    return Interpreter(
        path=path,
        prefix=prefix,
        base_prefix=base_prefix,
        is_venv=is_venv,
        because=candidate.because,
        version=version,
        implementation=answer.implementation,
        site_dirs=sites,
        shown=shown,
    )


def _venv_settings(venv: Path) -> dict[str, str] | None:
    """pyvenv.cfg (PEP 405): `key = value` lines; None if there is no such file."""
    try:
        text = (venv / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _check_prefix(prefix: Path, *, root: Path, home: Path) -> None:
    """A Python in ~/bin has the home directory as its prefix: showing that would show every secret in it."""
    if prefix == Path("/") or home.is_relative_to(prefix) or root.resolve().is_relative_to(prefix):
        raise EnvironmentFault(
            f"the interpreter's installation is {prefix}, which holds more than Python",
            hint="use a Python installed in a directory of its own (system, pyenv, uv)",
        )


def _shown(
    path: Path, base: Path, venv: Path | None, settings: dict[str, str], root: Path, home: Path
) -> tuple[tuple[Path, Path], ...]:
    """The host paths to show: the installation, the venv, and every name the chain of links goes through."""
    pairs: dict[Path, Path] = {}
    if not _there(base):
        pairs[base] = base
    named = [hop.parent.parent for hop in _hops(path)]
    if settings.get("home"):
        named.append(Path(os.path.normpath(settings["home"])).parent)
    for prefix in named:
        if prefix.resolve() == base and not _there(prefix) and not prefix.is_relative_to(root):
            pairs[prefix] = base
    for hop in _hops(path):
        covered = any(hop.is_relative_to(one) for one in (*pairs, root, *([venv] if venv else [])))
        if not covered and not _there(hop):
            pairs[hop] = path.resolve()
    if venv is not None and not venv.is_relative_to(root) and not _there(venv):
        _check_prefix(venv, root=root, home=home)
        pairs[venv] = venv.resolve()
    return tuple(sorted(pairs.items()))


def _there(path: Path) -> bool:
    return any(path.is_relative_to(one) for one in _ALWAYS_THERE)


def _hops(path: Path) -> list[Path]:
    """The names a chain of symbolic links goes through, the last one last; directories stay as written."""
    hops: list[Path] = []
    while path.is_symlink() and len(hops) < _MAX_HOPS:
        path = Path(os.path.normpath(path.parent / path.readlink()))
        hops.append(path)
    return hops


def _view(shown: tuple[tuple[Path, Path], ...], venv: Path | None) -> tuple[Mount, ...]:
    mounts = [Mount(kind=MountKind.READ_ONLY, target=target, source=source) for target, source in shown]
    if venv is not None and venv not in {target for target, _ in shown} and not _there(venv):
        mounts.append(Mount(kind=MountKind.READ_ONLY, target=venv, source=venv.resolve()))
    return tuple(mounts)


def _venv_sites(venv: Path, version: tuple[int, int, int]) -> tuple[Path, ...]:
    names = (f"python{version[0]}.{version[1]}", f"pypy{version[0]}.{version[1]}")
    sites: list[Path] = []
    for library in ("lib", "lib64"):
        for name in names:
            folder = venv / library / name / "site-packages"
            if folder.is_dir() and folder.resolve() not in {one.resolve() for one in sites}:
                sites.append(folder)
    return tuple(sites)
