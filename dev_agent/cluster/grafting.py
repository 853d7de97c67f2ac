"""An environment with files of a project's own in it: a copy by hard links, and the shipped files.

The wheels of an environment serve many projects; the project's own editable installation is each one's. A copy costs
names, not bytes, where it lies on the same file system. Nothing of either is run.

Death at any line leaves a folder without its mark (`building`), which is removed before it is made again.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from dev_agent.cluster.building import forget, mark
from dev_agent.cluster.frozen import NamedFile
from dev_agent.errors import EnvironmentFault

_TARGET = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)")
_SCRIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def graft(
    source: Path, site: Path, files: tuple[NamedFile, ...], find: Callable[[str], Path], place: Path
) -> None:
    """Make `place` a copy of the virtual environment `source`, whose site directory is `site`, with `files` in it.

    `find` gives the bytes of a file by its sha256. Raises EnvironmentFault, OSError.
    """
    forget(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    _copy(source, place)
    new_site = place / site.relative_to(source)
    for each in files:
        _put(new_site, each.path, find(each.sha256))
    for each in files:
        if each.path.endswith(".dist-info/entry_points.txt"):
            _write_scripts(new_site / each.path, place / "bin")
    mark(place)


def _copy(source: Path, place: Path) -> None:
    for where, folders, names in os.walk(source):
        here = place / Path(where).relative_to(source)
        here.mkdir(mode=0o755)
        for name in [one for one in folders if Path(where, one).is_symlink()]:
            folders.remove(name)
            names.append(name)
        for name in names:
            _copy_one(Path(where, name), here / name, source, place, script=where == str(source / "bin"))


def _copy_one(old: Path, new: Path, source: Path, place: Path, *, script: bool) -> None:
    if old.is_symlink():
        new.symlink_to(old.readlink())
    elif script:
        text, begin = old.read_bytes(), b"#!" + os.fsencode(source) + b"/"
        if text.startswith(begin):
            text = b"#!" + os.fsencode(place) + b"/" + text[len(begin) :]
        new.write_bytes(text)
        shutil.copymode(old, new)
    elif old.is_file():
        try:
            os.link(old, new)
        except OSError:  # another file system, another owner, too many names
            shutil.copy2(old, new)


def _put(site: Path, path: str, content: Path) -> None:
    """Put one file into the site directory, through no symlink and over nothing that a link shares."""
    target = site / path
    for above in target.relative_to(site).parents:
        if (site / above).is_symlink():
            raise EnvironmentFault(f"the file {path} would be written through a symlink of the environment")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(content, target)
    target.chmod(0o644)


def _write_scripts(entry_points: Path, folder: Path) -> None:
    """The commands an installation of the project would have: tests may call them. One there already stays."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # names are case-sensitive
    try:
        parser.read_string(entry_points.read_text(encoding="utf-8", errors="replace"))
    except configparser.Error:
        return
    if not parser.has_section("console_scripts"):
        return
    for name, value in parser.items("console_scripts"):
        found, script = _TARGET.fullmatch(value.partition("[")[0].strip()), folder / name
        if found and _SCRIPT.fullmatch(name) and not script.exists() and not script.is_symlink():
            module, attribute = found.groups()
            call = f"import sys\nimport {module}\nsys.exit({module}.{attribute}())\n"
            script.write_text(f"#!{folder / 'python'}\n{call}", encoding="utf-8")
            script.chmod(0o755)
