"""Ten and more real projects from their own source packages, each a repository with an environment of its own.

Prepared once into a folder and used again from there; prepared, a project needs no network. Every one gets a file
`TRIAL`, committed, which says what a campaign's command is to do in it: `good FILE` or `bad FILE`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A project, the module its campaign edits, whether that edit breaks it, and what its tests need."""

    name: str
    version: str
    module: str
    good: bool = True
    needs: tuple[str, ...] = ()


PROJECTS = (
    Wanted(name="iniconfig", version="2.3.1", module="src/iniconfig/exceptions.py"),
    Wanted(name="pluggy", version="1.7.0", module="src/pluggy/_result.py"),
    Wanted(name="inflection", version="0.5.1", module="inflection/__init__.py", good=False),
    Wanted(name="itsdangerous", version="2.2.0", module="src/itsdangerous/exc.py", needs=("freezegun",)),
    Wanted(name="markupsafe", version="3.0.4", module="src/markupsafe/_native.py"),
    Wanted(name="tabulate", version="0.10.0", module="tabulate/__init__.py"),
    Wanted(name="cachetools", version="8.0.1", module="src/cachetools/keys.py"),
    Wanted(name="toolz", version="1.2.0", module="toolz/utils.py"),
    Wanted(name="deepmerge", version="4.0.0", module="deepmerge/exception.py"),
    Wanted(name="python-slugify", version="9.2.0", module="slugify/special.py", good=False),
    Wanted(name="isodate", version="0.7.2", module="src/isodate/isoerror.py"),
)
_IGNORED = "\n.venv/\n__pycache__/\n*.egg-info/\n*.so\nbuild/\n.hypothesis/\n.pytest_cache/\n"
_AS = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")


def prepare(folder: Path, uv: str | None) -> dict[str, Path]:
    """Name → repository, for all of them; what is there already is taken as it is. Raises RuntimeError.

    A project is made beside its place and renamed into it whole: a preparation that was killed leaves a folder whose
    name ends in `.part`, and the next one begins that project anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for wanted in PROJECTS:
        place = folder / wanted.name
        if not (place / ".venv" / ".ready").exists():
            sys.stderr.write(f"preparing {wanted.name} {wanted.version}\n")
            _prepare_one(wanted, place, uv)
        found[wanted.name] = place
    return found


def git(place: Path, *words: str) -> str:
    """What git says there. Raises RuntimeError."""
    return _run(("git", *_AS, *words), cwd=place)


def _prepare_one(wanted: Wanted, place: Path, uv: str | None) -> None:
    shutil.rmtree(place, ignore_errors=True)
    part = place.with_name(f"{place.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    requirement = f"{wanted.name}=={wanted.version}"
    _run(
        (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", wanted.name, requirement),
        cwd=part,
    )
    (archive,) = part.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(part, filter="data")
    archive.unlink()
    (source,) = part.iterdir()
    with (source / ".gitignore").open("a") as ignored:
        ignored.write(_IGNORED)
    (source / "TRIAL").write_text(f"{'good' if wanted.good else 'bad'} {wanted.module}\n")
    if not (source / wanted.module).is_file():
        raise RuntimeError(
            f"{requirement} has no {wanted.module}: another version than the trial was written for"
        )
    # In its place before the environment is made: an environment and what is installed into it name their paths.
    source.rename(place)
    shutil.rmtree(part)
    _environment(wanted, place, uv)
    git(place, "init", "-q", "-b", "main")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", f"Import {requirement}")
    (place / ".venv" / ".ready").write_text(git(place, "rev-parse", "HEAD"))


def _environment(wanted: Wanted, place: Path, uv: str | None) -> None:
    python = str(place / ".venv/bin/python")
    packages = ("-e", ".", "pytest", "mypy", *wanted.needs)
    environ = {**os.environ, "SETUPTOOLS_SCM_PRETEND_VERSION": wanted.version}
    if uv is not None:
        _run((uv, "venv", "-q", "--python", sys.executable, ".venv"), cwd=place)
        _run((uv, "pip", "install", "-q", "--python", python, *packages), cwd=place, environ=environ)
    else:
        _run((sys.executable, "-m", "venv", ".venv"), cwd=place)
        _run((python, "-m", "pip", "install", "-q", *packages), cwd=place, environ=environ)


def _run(argv: tuple[str, ...], *, cwd: Path, environ: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        argv, cwd=cwd, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise RuntimeError(f"{' '.join(argv)} ended with status {done.returncode} in {cwd}: {said}")
    return done.stdout.strip()
