"""Small real recipes: enough to drive a run through everything a recipe may answer."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dev_agent.recipes.model import Bench, Declined, Job, Place, Recipe, Rewritten

_REPLACE = re.compile(r"replace (\w+) by (\w+)")
_MOVE = re.compile(r"move (\S+) to (\S+)")
_WRITE = re.compile(r"write (\S+)")


@dataclass(frozen=True)
class Work:
    """A job made of its title and a function."""

    title: str
    done: Callable[[Bench], Rewritten | Declined]

    def work(self, bench: Bench) -> Rewritten | Declined:
        return self.done(bench)


@dataclass(frozen=True)
class Small:
    """A recipe made of a function that reads a task."""

    name: str
    examples: tuple[str, ...]
    reading: Callable[[str], Job | Declined | None]
    summary: str = "for tests"

    def read(self, task: str) -> Job | Declined | None:
        return self.reading(task)


def _replacing(task: str) -> Job | Declined | None:
    """Every word `old` of Python files becomes `new`; declined where `new` is a word already."""
    found = _REPLACE.fullmatch(task)
    if found is None:
        return None
    old, new = found.groups()
    if keyword.iskeyword(new):
        return Declined(code="keyword", message=f"{new} is a keyword", hint="choose another name")

    def work(bench: Bench) -> Rewritten | Declined:
        files: dict[str, bytes | None] = {}
        taken = []
        paths = [path for path in bench.tree.paths() if path.endswith(".py")]
        for number, path in enumerate(paths):
            bench.pause()
            bench.told(f"{number} of {len(paths)} files")
            data = bench.tree.read(path)
            for line, text in enumerate(data.decode().splitlines(), 1):
                if re.search(rf"\b{new}\b", text):
                    taken.append(Place(path=path, line=line, text=text))
            changed = re.sub(rf"\b{old}\b".encode(), new.encode(), data)
            if changed != data and bench.covers(path):
                files[path] = changed
        if taken:
            return Declined(
                code="name_taken",
                message=f"{new} is taken",
                hint="choose another name",
                places=tuple(taken),
            )
        return Rewritten(files=files, notes=(f"{len(files)} files",))

    return Work(title=f"every {old} becomes {new}", done=work)


def _moving(task: str) -> Job | None:
    found = _MOVE.fullmatch(task)
    if found is None:
        return None
    old, new = found.groups()
    return Work(title=task, done=lambda _bench: Rewritten(files={}, moves={old: new}))


def _writing(task: str) -> Job | None:
    """Writes where it is told to, whatever --path says: a recipe gone wrong."""
    found = _WRITE.fullmatch(task)
    if found is None:
        return None
    return Work(title=task, done=lambda _bench: Rewritten(files={found.group(1): b"x = 1\n"}))


def _mending(task: str) -> Job | None:
    """Gives functions their missing `-> None`, as long as the type checker complains about one."""
    if task != "mend types":
        return None

    def work(bench: Bench) -> Rewritten | Declined:
        if bench.checker is None:
            return Declined(code="no_checker", message="types cannot be checked here")
        done: dict[str, bytes | None] = {}
        while True:
            complaints = bench.checker(Rewritten(files=done))
            mine = [one for one in complaints if one.code == "no-untyped-def" and bench.covers(one.path)]
            if not mine:
                left = tuple(Place(path=one.path, line=one.line, text=one.message) for one in complaints)
                return Rewritten(files=done, places=left)
            one = mine[0]
            lines = (done.get(one.path) or bench.tree.read(one.path)).decode().splitlines(keepends=True)
            lines[one.line - 1] = lines[one.line - 1].replace("):", ") -> None:")
            done[one.path] = "".join(lines).encode()

    return Work(title="give functions their missing -> None", done=work)


SMALL: Mapping[str, Recipe] = {
    one.name: one
    for one in (
        Small("replace", ("replace total by amount",), _replacing),
        Small("move", ("move a.py to b.py",), _moving),
        Small("write", ("write a.py",), _writing),
        Small("mend", ("mend types",), _mending),
    )
}
