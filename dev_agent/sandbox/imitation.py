"""Mounts without mount namespaces: a job's paths are said anew, as where their content really is.

Shared by the variants that cannot mount (`off`, `landlock`). A target's path, in argv, cwd and environment values,
is replaced by the place of its content, so a program that finds files by other ways sees the real ones, or, where
it is confined, nothing.

    READ_ONLY, WRITABLE   the source itself; inside a copy, a file is copied and a directory linked to as well, so
                          that relative paths lead to it; read-only under its own name in another directory, a
                          link, so that what is shown side by side stays side by side and alone there
    SCRATCH               a private copy, removed after
    TMPFS, DATA           in a private directory, removed after; inside a copy, at their place in it

Everything is made below the private directory the caller gives, which is the caller's to remove: if the process
dies here, the next sweep of the scratch root removes what was made.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev_agent.sandbox import environment
from dev_agent.sandbox.job import Job, Mount, MountKind
from dev_agent.sandbox.mounts import MountRefused, enclosing
from dev_agent.sandbox.scratch import copy_tree, remove_tree
from dev_agent.values import dataclass

_VIEW = "view"


@dataclass(frozen=True, kw_only=True, slots=True)
class Imitation:
    """A job as this host has to be told it. `places` says where the content of each target is."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    places: Mapping[Path, Path]
    home: Path
    tmp: Path
    shown: tuple[Path, ...]
    """Directories of links that have to be read besides."""


def imitate(job: Job, mounts: Sequence[Mount], private: Path) -> Imitation:
    """The job with its `mounts` (in order and checked) imitated in the empty directory `private`.

    Raises MountRefused if there is no directory to run in, OSError.
    """
    places = _places(mounts, private)
    cwd = Path(remap(str(job.cwd), places))
    if not cwd.is_dir():
        raise MountRefused(f"no directory to run in: {cwd}")
    home, tmp = private / "home", private / "tmp"
    home.mkdir()
    tmp.mkdir()
    wanted = {name: remap(value, places) for name, value in job.env.items()}
    # Said as they are: the private directory may itself lie below a target, in the repository's own git directory.
    env = environment.complete(wanted, home=str(home), tmp=str(tmp))
    program, *arguments = [remap(argument, places) for argument in job.argv]
    argv = (_found(program, env["PATH"]), *arguments)
    view = private / _VIEW
    shown = (view,) if view.is_dir() else ()
    return Imitation(argv=argv, cwd=cwd, env=env, places=places, home=home, tmp=tmp, shown=shown)


def remap(text: str, places: Mapping[Path, Path]) -> str:
    """`text` with every target path in it that starts a word replaced by where its content is.

    A word starts at the beginning and after `=`, `:` or a comma, as in `--rootdir=/repo` and in search paths.
    """
    targets = sorted((str(target) for target in places), key=len, reverse=True)
    if not targets:
        return text
    pattern = rf"(^|[=:,])({'|'.join(map(re.escape, targets))})(?=$|[/:,])"
    return re.sub(pattern, lambda found: found[1] + str(places[Path(found[2])]), text)


def writable_sources(mounts: Sequence[Mount]) -> list[Path]:
    """The host directories a job may write into and what it writes stays."""
    return [mount.source for mount in mounts if mount.kind is MountKind.WRITABLE and mount.source is not None]


def _found(program: str, path: str) -> str:
    """The program's path as exec would find it; as given if it is nowhere."""
    if "/" in program:
        return program
    folders = [folder for folder in path.split(":") if folder.startswith("/")]
    return next(
        (f"{folder}/{program}" for folder in folders if os.access(f"{folder}/{program}", os.X_OK)), program
    )


def _places(mounts: Sequence[Mount], private: Path) -> dict[Path, Path]:
    places: dict[Path, Path] = {}
    copied: set[Path] = set()
    for number, mount in enumerate(mounts):
        around = enclosing(mount, mounts)
        inside: Path | None = None
        if around is not None and around.target in copied:
            inside = places[around.target] / mount.target.relative_to(around.target)
        place = inside or private / f"mount-{number}"
        if mount.kind is MountKind.SCRATCH and mount.source is not None:
            place = private / f"mount-{number}"
            copy_tree(mount.source, place)
            copied.add(mount.target)
        elif mount.source is not None:
            if inside is not None:
                place = _shown_inside(mount.source, inside)
            else:
                place = _shown_apart(mount, private) if around is None else mount.source
        elif mount.kind is MountKind.TMPFS:
            place.mkdir(parents=True, exist_ok=True)
            copied.add(mount.target)
        else:
            _write(place, mount)
        places[mount.target] = place
    return places


def _shown_apart(mount: Mount, private: Path) -> Path:
    """A link to the source where it moves to another directory: its neighbours there may not be readable."""
    source, target = mount.source, mount.target
    if source is None:
        raise ValueError("BUG: only mounts with a source are shown")
    moves = source.name == target.name and source.parent != target.parent
    if mount.kind is not MountKind.READ_ONLY or not moves:
        return source
    link = private / _VIEW / target.relative_to("/")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(source)
    return link


def _shown_inside(source: Path, inside: Path) -> Path:
    """Make `source` visible at a place in a private copy; returns where its content is to be sought."""
    inside.parent.mkdir(parents=True, exist_ok=True)
    if inside.is_dir() and not inside.is_symlink():
        remove_tree(inside)
    inside.unlink(missing_ok=True)
    if source.is_file():
        # A link would make its content seem to lie outside of the tree.
        shutil.copy2(source, inside)
        return inside
    inside.symlink_to(source)
    return source


def _write(place: Path, mount: Mount) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.write_bytes(mount.data)
    place.chmod(mount.permissions)
