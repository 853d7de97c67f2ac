"""The user's git settings: all of them asked for by one child, and believed while nothing they come from has changed.

Git decides what is set: files, includes and their conditions, the environment and our own fixed options. What is
remembered is only its answer, together with what every file looked like that the answer came from, that could be
included, or that would have been read had it been there. If any of them is another file now, was touched, came or went,
git is asked again. Not remembered at all:

- an answer some of whose files changed a moment ago: another change in the same tick of the clock would not show;
- settings that hang on the branch that is checked out (`includeIf.onbranch`), or are included by a path that only git
  can expand.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed
from dev_agent.repository.recent import Recent
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_TICK_NS = 100_000_000
"""Longer than any clock of a file system takes for one step."""
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "": False}

_Look = tuple[int, int, int, int, int]
_Key = tuple[object, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One setting: `name` as git spells it (section and variable in lower case), None for a value without `=`."""

    origin: str
    name: str
    value: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What git said, in the order in which it reads: the last row of a name decides."""

    rows: tuple[Row, ...]

    def value(self, name: str) -> str | None:
        """The value of `name`, None if it is not set; of one without `=` the empty text."""
        found = [row for row in self.rows if row.name == name]
        return (found[-1].value or "") if found else None

    def flag(self, name: str) -> bool | None:
        """The boolean `name`, None if it is not set. Raises ValueError where only git can read what stands there."""
        found = [row for row in self.rows if row.name == name]
        if not found:
            return None
        said = found[-1].value
        known = True if said is None else _WORDS.get(said.lower())
        if known is None:
            raise ValueError(f"{name} is {said!r}")
        return known


_REMEMBERED: Recent[_Key, tuple[Settings, Mapping[str, _Look | None]]] = Recent(most=8)


def read_settings(repository: Repository) -> Settings:
    """The settings in force now. Raises GitFailed."""
    git = repository.git
    environ = git.environment()
    key = (git.program, git.git_dir, git.cwd, git.settings, *sorted(environ.items()))
    known = _REMEMBERED.get(key)
    if known and all(_look(path) == look for path, look in known[1].items()):
        return known[0]
    asked = time.time_ns()
    settings = Settings(rows=tuple(parse_rows(git.out("config", "-z", "--list", "--show-origin"))))
    files = _files(repository, environ, settings)
    looks = {path: _look(path) for path in map(str, files or ())}
    if files is not None and all(look is None or look[-1] < asked - _TICK_NS for look in looks.values()):
        _REMEMBERED.put(key, (settings, looks))
    return settings


def read_flag(repository: Repository, name: str, *, default: bool = False) -> bool:
    """The boolean setting `name`. Raises GitFailed if it is not a boolean."""
    try:
        said = read_settings(repository).flag(name)
    except ValueError:
        return repository.git.flag(name)
    return default if said is None else said


def may_have_hook(repository: Repository, name: str) -> bool:
    """False if there is surely no hook `name`: none in git's own folder, and no setting says of another place."""
    return hooks_may_be_elsewhere(repository) or os.path.lexists(repository.common_dir / "hooks" / name)


def hooks_may_be_elsewhere(repository: Repository) -> bool:
    """False if hooks surely are files of the folder `hooks` of the shared git dir."""
    try:
        rows = read_settings(repository).rows
    except GitFailed:
        return True
    # We ourselves say on the command line that there are no hooks.
    return any(
        row.name.startswith(("core.hookspath", "hook.")) and row.origin != "command line:" for row in rows
    )


def parse_rows(output: bytes) -> Iterator[Row]:
    """What `git config -z --list --show-origin` said: `origin NUL name LF value NUL`, repeated."""
    fields = output.decode("utf-8", "surrogateescape").split("\0")[:-1]
    for origin, said in zip(fields[::2], fields[1::2], strict=True):
        name, equals, value = said.partition("\n")
        yield Row(origin=origin, name=name, value=value if equals else None)


@lru_cache(maxsize=8)
def system_places(program: str, name: str) -> tuple[Path, ...]:
    """Every place where the git at `program` could look for its system-wide file `name`: it is told when git is built.

    Below each folder above it, as it is called and as it is: `/etc` for `/usr/bin/git`, `<prefix>/etc` for others.
    """
    above = dict.fromkeys([*Path(program).parents, *Path(os.path.realpath(program)).parents])
    return tuple(folder / below / name for folder in above for below in ("etc", "share/git-core"))


def _files(repository: Repository, environ: Mapping[str, str], settings: Settings) -> set[Path] | None:
    """The files on which an answer of git's hangs, None if it hangs on more than files."""
    home = environ.get("HOME")
    xdg = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    named = [environ.get("GIT_CONFIG_GLOBAL"), environ.get("GIT_CONFIG_SYSTEM")]
    named += [home and f"{home}/.gitconfig", xdg and f"{xdg}/git/config"]
    files = {repository.git.cwd / one for one in named if one}
    files |= {repository.common_dir / "config", repository.git_dir / "config.worktree"}
    files.update(system_places(repository.git.program, "gitconfig"))
    for row in settings.rows:
        kind, _, origin = row.origin.partition(":")
        if kind == "file":
            files.add(repository.git.cwd / origin)
        elif kind != "command line":
            return None
        if row.name.startswith(("include.", "includeif.")):
            included = _included(row, repository.git.cwd / origin, home)
            if included is None:
                return None
            files.add(included)
    return files


def _included(row: Row, origin: Path, home: str | None) -> Path | None:
    """The file that an include names, None if it is not for us to say."""
    value = row.value or ""
    if row.name.startswith("includeif.onbranch:") or not value or value.startswith(("%", ":")):
        return None
    if not value.startswith("~"):
        return origin.parent / value
    return Path(home + value[1:]) if home and value.startswith("~/") else None


def _look(path: str) -> _Look | None:
    """What tells one state of a file from another; its time of change comes last. None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - twenty of them each time a setting is asked for
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
