"""What writing the files of some kinds would do to a repository, as a value: each file before and after. Reads only.

Files are read through descriptors opened one component at a time: what is a symlink, or lies behind one, is in the way
and is neither read nor written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.edits.changes import Change, ChangeSet
from dev_agent.edits.render import render
from dev_agent.errors import RepositoryFault
from dev_agent.programs.init.offers import (
    HOOK_MARK,
    PRE_PUSH,
    PRE_RECEIVE,
    TEMPLATES,
    Kind,
    Template,
    shipped_bytes,
)
from dev_agent.repository.landing.folders import opened, place_at
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_MOST = 1 << 20
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class State(StrEnum):
    """What stands at a file's place now."""

    NEW = "new"
    SAME = "same"
    DIFFERENT = "different"
    THEIRS = "theirs"
    IN_THE_WAY = "in the way"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedFile:
    """One file: `before` is None where there is none or nothing that could be read; `root` is trusted, `path` is not.

    `why` says what keeps it from being written, for THEIRS and IN_THE_WAY.
    """

    kind: Kind
    root: Path
    path: str
    state: State
    before: bytes | None
    after: bytes
    executable: bool
    why: str = ""

    def wanted(self, *, overwrite: bool) -> bool:
        """True if it would be written."""
        return self.state is State.NEW or (self.state is State.DIFFERENT and overwrite)

    @property
    def mode(self) -> str:
        """Git's mode of it."""
        return "100755" if self.executable else "100644"


@dataclass(frozen=True, kw_only=True, slots=True)
class InitPlan:
    """All files that were asked for."""

    files: tuple[PlannedFile, ...]
    overwrite: bool

    @property
    def to_write(self) -> tuple[PlannedFile, ...]:
        """Those that would be written."""
        return tuple(one for one in self.files if one.wanted(overwrite=self.overwrite))

    @property
    def kept(self) -> tuple[PlannedFile, ...]:
        """Those that are not as they come with dev-agent, and stay so."""
        return tuple(
            one
            for one in self.files
            if one.state is not State.SAME and not one.wanted(overwrite=self.overwrite)
        )

    def diff(self) -> bytes:
        """What writing would change, and what it would change with `overwrite`, as one unified diff."""
        shown = [one for one in self.files if one.state in (State.NEW, State.DIFFERENT)]
        return render(ChangeSet(changes=tuple(map(_change, shown))))


def plan_files(repository: Repository, kinds: Sequence[Kind], *, overwrite: bool) -> InitPlan:
    """The plan for `kinds`. Raises RepositoryFault where a kind does not go with the repository, OSError."""
    planned = [one for kind in Kind if kind in kinds for one in _plan_kind(repository, kind)]
    return InitPlan(files=tuple(planned), overwrite=overwrite)


def _plan_kind(repository: Repository, kind: Kind) -> Iterator[PlannedFile]:
    if kind is Kind.HOOK:
        yield _planned(_hooks_root(repository), PRE_RECEIVE if repository.root is None else PRE_PUSH)
        return
    root = repository.work_tree
    for template in TEMPLATES:
        if template.kind is kind:
            yield _planned(root, template)


def _hooks_root(repository: Repository) -> Path:
    # `hooks`: our own children are told of no hooks at all, and this asks what the user's git sees.
    said = repository.git.run("config", "--get", "core.hooksPath", hooks=True)
    elsewhere = said.stdout.decode("utf-8", "replace").rstrip("\n")
    if said.ok:
        raise RepositoryFault(
            "hooks-elsewhere",
            f"core.hooksPath is {elsewhere!r}: git takes hooks from there, perhaps for other repositories too",
            hint="call dev-agent from the hook of that folder, or unset core.hooksPath; "
            "the lines to call are in docs/ci.md",
        )
    return repository.common_dir


def _planned(root: Path, template: Template) -> PlannedFile:
    after = shipped_bytes(template)
    state, before, why = _look(root, template, after)
    return PlannedFile(
        kind=template.kind,
        root=root,
        path=template.target,
        state=state,
        before=before,
        after=after,
        executable=template.executable,
        why=why,
    )


def _look(root: Path, template: Template, after: bytes) -> tuple[State, bytes | None, str]:
    try:
        before, executable = read_file(root, template.target)
    except FileNotFoundError:
        return State.NEW, None, ""
    except OSError:
        return State.IN_THE_WAY, None, "a symlink, or something that is no file, stands there"
    if before == after and (executable or not template.executable):
        return State.SAME, before, ""
    if template.kind is Kind.HOOK and before != after and HOOK_MARK not in before[:200]:
        return State.THEIRS, before, "there is a hook of yours; call dev-agent from it"
    if template.shared:
        return State.THEIRS, before, "it has content of yours; add what is missing by hand"
    return State.DIFFERENT, before, ""


def read_file(root: Path, path: str) -> tuple[bytes, bool]:
    """The bytes of the regular file `path` below `root`, and whether its owner may run it.

    Raises FileNotFoundError, and OSError for a symlink anywhere on the way, for what is no file, and for a huge one.
    """
    with opened(root) as top, place_at(top, path) as place:
        fd = os.open(place.name, _FILE, dir_fd=place.folder)
        with os.fdopen(fd, "rb") as stream:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode) or info.st_size > _MOST:
                raise OSError(f"{path} is not a file of a sensible size")
            return stream.read(_MOST), bool(info.st_mode & stat.S_IXUSR)


def _change(one: PlannedFile) -> Change:
    before_mode = None if one.before is None else one.mode
    return Change(
        path=one.path, before_mode=before_mode, before=one.before, after_mode=one.mode, after=one.after
    )
