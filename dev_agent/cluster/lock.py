"""The lock of an environment, read from a disk without running anything of it.

A distribution's digest is made of its RECORD (PEP 376), of the lines about files below site-packages and without what
an installer adds by itself: so two installations of a wheel agree, whoever installed it and wherever. What belongs to
no wheel (the project's own editable installation, path files, modules put there by hand) is named file by file, since a
worker can only get it from the asker.

A path file or an editable installation that leads out of the repository leads to code no lock can name: that is
refused, because the same path elsewhere may hold anything. `verify` hashes each file instead of believing RECORD: a
worker proves by that what it is about to judge in.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dev_agent.cluster.frozen import MOST_FILES, FrozenEnvironment, NamedFile, Pinned
from dev_agent.errors import EnvironmentFault
from dev_agent.gates.environment import Installed, normalised
from dev_agent.gates.interpreter import Interpreter
from dev_agent.values import dataclass

_METADATA = ".dist-info"
_BY_INSTALLERS = frozenset(
    {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json", "uv_build.json"}
)
_NOT_OWN = frozenset({"INSTALLER", "REQUESTED", "RECORD", "uv_cache.json", "uv_build.json"})
# What the makers of virtual environments put there for themselves.
_MAKERS = frozenset({"_virtualenv.py", "_virtualenv.pth", "__pycache__", "README.txt"})
_VERSION_ONLY = frozenset({"pip"})
_LOOSE_FILES = (".py", ".pth", ".so", ".pyi", ".egg-link")
_MOST_OWN_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """A lock, and where the bytes of its `own` files are, by sha256."""

    environment: FrozenEnvironment
    sources: Mapping[str, Path]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A file of a distribution: its path below the site directory, and what RECORD says of it."""

    path: str
    digest: str


def freeze(interpreter: Interpreter, installed: Installed, root: Path, *, verify: bool = False) -> Frozen:
    """The lock of `interpreter` with what is `installed` for it, for the repository whose work tree is `root`.

    Raises EnvironmentFault for an environment that no lock can name.
    """
    _require_inside(interpreter, installed, root)
    pins: dict[str, Pinned] = {}
    own: dict[str, tuple[NamedFile, Path]] = {}
    for site in interpreter.site_dirs:
        claimed: set[str] = set()
        for folder in _folders_of(site):
            if _is_editable(folder, installed):
                continue
            rows = _rows(folder)
            claimed.update(row.path.partition("/")[0] for row in rows)
            claimed.add(folder.name)
            pin = _pinned(folder, rows, verify=verify)
            pins.setdefault(pin.name, pin)
        for path in _own_paths(site, claimed):
            name = path.relative_to(site).as_posix()
            if name not in own:
                own[name] = (_named(name, path), path)
            _require_few(own, site)
    return Frozen(
        environment=FrozenEnvironment(
            python=interpreter.version_text,
            implementation=interpreter.implementation,
            platform=f"{sys.platform}-{os.uname().machine}",
            distributions=tuple(pins[name] for name in sorted(pins)),
            own=tuple(own[name][0] for name in sorted(own)),
        ),
        sources={one.sha256: path for one, path in own.values()},
    )


def _require_inside(interpreter: Interpreter, installed: Installed, root: Path) -> None:
    places = (root, interpreter.prefix, *interpreter.site_dirs)
    for folder in installed.added_folders:
        if not any(folder.is_relative_to(one) for one in places):
            raise EnvironmentFault(
                f"the environment takes code from {folder}, outside of the repository: its lock cannot name that",
                hint="install it from a wheel, or judge here (without --cluster)",
            )


def _require_few(own: Mapping[str, tuple[NamedFile, Path]], site: Path) -> None:
    if len(own) > MOST_FILES or sum(one.size for one, _ in own.values()) > _MOST_OWN_BYTES:
        raise EnvironmentFault(
            f"{site} holds more files of no installed wheel than can be sent to a worker",
            hint="install them from wheels, or judge here (without --cluster)",
        )


def _folders_of(site: Path) -> list[Path]:
    try:
        return sorted(one for one in site.iterdir() if one.name.endswith(_METADATA) and one.is_dir())
    except OSError:
        return []


def _is_editable(folder: Path, installed: Installed) -> bool:
    name, version = _name_of(folder)
    return any(
        one.editable is not None and one.site == folder.parent and (one.name, one.version) == (name, version)
        for one in installed.distributions
    )


def _name_of(folder: Path) -> tuple[str, str]:
    stem, _, version = folder.name.removesuffix(_METADATA).rpartition("-")
    return normalised(stem), version


def _rows(folder: Path) -> list[_Row]:
    """The lines of RECORD about files below the site directory; without a RECORD, the metadata stands for all."""
    try:
        text = (folder / "RECORD").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return [_Row(path=f"{folder.name}/METADATA", digest=_sha256(folder / "METADATA")[0])]
    try:
        found = [[*row, ""][:2] for row in csv.reader(text.splitlines()) if row]
    except csv.Error as error:
        raise EnvironmentFault(
            f"{folder / 'RECORD'} cannot be read: {error}", hint="install it anew"
        ) from None
    rows = (_Row(path=path, digest=digest) for path, digest in found)
    return [row for row in rows if _counts(row.path, folder.name)]


def _counts(path: str, folder: str) -> bool:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "__pycache__" in parts or path.endswith(".pyc"):
        return False
    return not (parts[0] == folder and parts[-1] in _BY_INSTALLERS and len(parts) == 2)


def _pinned(folder: Path, rows: list[_Row], *, verify: bool) -> Pinned:
    name, version = _name_of(folder)
    if name in _VERSION_ONLY:
        return Pinned(name=name, version=version, digest="")
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda one: one.path):
        said = _found(folder.parent, row) if verify and row.digest.startswith("sha256=") else row.digest
        digest.update(f"{row.path}\0{said}\n".encode("utf-8", "surrogateescape"))
    return Pinned(name=name, version=version, digest=digest.hexdigest())


def _found(site: Path, row: _Row) -> str:
    """What RECORD would have to say of the file as it is."""
    try:
        hexadecimal = _sha256(site / row.path)[0]
    except OSError:
        return "missing"
    return "sha256=" + base64.urlsafe_b64encode(bytes.fromhex(hexadecimal)).rstrip(b"=").decode()


def _own_paths(site: Path, claimed: set[str]) -> Iterator[Path]:
    """The files below `site` that no wheel brought: top-level entries of their own, and editable installations."""
    try:
        entries = sorted(site.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name in _MAKERS or entry.name in claimed:
            continue
        if entry.is_dir() and not entry.is_symlink():
            if entry.name.isidentifier() or entry.name.endswith((_METADATA, ".egg-info")):
                yield from _below(entry)
        elif entry.is_file() and entry.name.endswith(_LOOSE_FILES):
            yield entry


def _below(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != "__pycache__")
        for name in sorted(names):
            path = Path(where, name)
            if (
                not name.endswith(".pyc")
                and path.is_file()
                and not (where == str(folder) and folder.name.endswith(_METADATA) and name in _NOT_OWN)
            ):
                yield path


def _named(name: str, path: Path) -> NamedFile:
    sha256, size = _sha256(path)
    return NamedFile(path=name, sha256=sha256, size=size)


def _sha256(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
