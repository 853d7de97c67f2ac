"""Files of the repository that the settings' own commands run: checks, set-up, a type checker of the project's. Pure.

`python tools/check.py` judges a change by what `tools/check.py` says, and that file is in the tree that is judged. So
a change of it is for a person to see. Known are programs named by their path, scripts and modules given to an
interpreter, words of a shell's `-c`, and the files of make and its like. What those run in turn is not followed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev_agent.gates.config import GateConfig

_INTERPRETER = re.compile(r"(python|pypy)[\d.]*|(ba|da|z|k)?sh|node|deno|bun|perl|ruby|php")
_RUNNERS = frozenset({"uv", "poetry", "pdm", "pipenv", "hatch", "rye"})
_RULES = {
    "make": ("GNUmakefile", "makefile", "Makefile"),
    "gmake": ("GNUmakefile", "makefile", "Makefile"),
    "just": ("justfile", ".justfile", "Justfile"),
    "npm": ("package.json",),
    "pnpm": ("package.json",),
    "yarn": ("package.json",),
}
_WITH_VALUE = frozenset({"-W", "-X", "-r", "-o", "--require"})
_ROOTS = ("", "src/")


def judging_programs(config: GateConfig, is_file: Callable[[str], bool]) -> frozenset[str]:
    """Paths of the tree, of which `is_file` tells files, that a command of `config` runs."""
    commands = (*config.setup, config.types.command, *(one.command for one in config.checks))
    named = {str(PurePosixPath(path)) for argv in commands for path in _named(list(argv))}
    return frozenset(path for path in named if is_file(path))


def _named(argv: Sequence[str]) -> Iterator[str]:
    """What the command may run, as paths that need not be there."""
    if not argv:
        return
    first, rest = argv[0], argv[1:]
    name = PurePosixPath(first).name
    if "/" in first:
        yield first
    yield from _RULES.get(name, ())
    if name in _RUNNERS and rest[:1] == ["run"]:
        yield from _named(rest[1:])
    elif name == "env":
        yield from _named([one for one in rest if "=" not in one and not one.startswith("-")])
    elif _INTERPRETER.fullmatch(name):
        yield from _given(rest)


def _given(arguments: Sequence[str]) -> Iterator[str]:
    """The script or module among an interpreter's arguments."""
    left = iter(arguments)
    for one in left:
        if one in _WITH_VALUE:
            next(left, "")
        elif one == "-m":
            base = next(left, "").replace(".", "/")
            yield from (f"{root}{base}{end}" for root in _ROOTS for end in (".py", "/__main__.py"))
            return
        elif one in {"-c", "-e"}:
            yield from _words(next(left, ""))
            return
        elif not one.startswith("-"):
            yield one
            return


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
