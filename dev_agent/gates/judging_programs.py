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

_INTERPRETERS = frozenset({"node", "deno", "bun", "perl", "ruby", "php"})
_RUNNERS = frozenset({"uv", "poetry", "pdm", "pipenv", "hatch", "rye"})
_RULES = {
    "make": ("GNUmakefile", "makefile", "Makefile"),
    "gmake": ("GNUmakefile", "makefile", "Makefile"),
    "just": ("justfile", ".justfile", "Justfile"),
    "npm": ("package.json",),
    "pnpm": ("package.json",),
    "yarn": ("package.json",),
}
_SHELL = re.compile(r"(ba|da|z|k)?sh")
_PYTHON = re.compile(r"(python|pypy)[\d.]*")
# Letters that stand together, `-Im tools.check`, with the last one's value in the same word or in the next.
_CLUSTER = re.compile(r"-[bBdEiIOPqsSuvx]*([cmWX])(.*)", re.DOTALL)
_WITH_VALUE = frozenset({"-r", "-o", "--require"})
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
    elif _PYTHON.fullmatch(name):
        yield from _given_to_python(rest)
    elif _SHELL.fullmatch(name):
        yield from _given_to_shell(rest)
    elif name in _INTERPRETERS:
        yield from _given(rest)


def _given_to_python(arguments: Sequence[str]) -> Iterator[str]:
    """The script or module, and the words of `-c`."""
    left = iter(arguments)
    for one in left:
        cluster = _CLUSTER.fullmatch(one)
        if cluster is None and not one.startswith("-"):
            yield one
            return
        value = "" if cluster is None else cluster[2] or next(left, "")
        if cluster is not None and cluster[1] == "m":
            base = value.replace(".", "/")
            yield from (f"{root}{base}{end}" for root in _ROOTS for end in (".py", "/__main__.py"))
            return
        if cluster is not None and cluster[1] == "c":
            yield from _words(value)
            return


def _given_to_shell(arguments: Sequence[str]) -> Iterator[str]:
    """The script, or the words of `-c`, which may stand among other letters: `-euo pipefail -c TEXT`, `-lc TEXT`."""
    left, is_text = iter(arguments), False
    for one in left:
        if not one.startswith(("-", "+")):
            yield from _words(one) if is_text else [one]
            return
        if not one.startswith("--"):
            is_text = is_text or "c" in one
            if "o" in one or "O" in one:
                next(left, "")


def _given(arguments: Sequence[str]) -> Iterator[str]:
    """The script among another interpreter's arguments, or the words of `-e`."""
    left = iter(arguments)
    for one in left:
        if one in _WITH_VALUE:
            next(left, "")
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
