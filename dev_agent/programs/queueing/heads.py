"""Which heads a queue is about: names, patterns and files turned into items, in the order they were given.

A name is whatever git takes for a commit. A pattern has a `*` and stands for the refs it matches, numbers in them
counted as numbers, so that `refs/pull/*/head` puts pull request 9 before 10. A file has one name or pattern a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.programs.paths import recordable
from dev_agent.programs.queueing.model import Item
from dev_agent.repository.discovery import resolve_commit

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

MOST = 1000
_LARGEST = 1 << 20
_PREFIXES = ("", "refs/", "refs/heads/", "refs/remotes/")
_NUMBER = re.compile(r"(\d+)")


def read_names(file: str) -> tuple[str, ...]:
    """The names in a file, one a line; `#` begins a comment. Raises UsageFault if it cannot be read."""
    try:
        with Path(file).open("rb") as stream:
            text = stream.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageFault(f"the list of heads {file!r} cannot be read: {reason}") from error
    if len(text) > _LARGEST:
        raise UsageFault(f"the list of heads {file!r} is larger than {_LARGEST} bytes")
    lines = (line.partition("#")[0].strip() for line in text.decode("utf-8", "surrogateescape").splitlines())
    return tuple(line for line in lines if line)


def find_items(repository: Repository, names: Sequence[str], *, target: str) -> tuple[Item, ...]:
    """The items of the named heads; the target's own ref is left out of patterns, a commit named twice counts once.

    Raises UsageFault for a name that is no commit, a pattern that matches nothing, none or too many.
    """
    refs = _refs(repository)
    found: dict[str, str] = {}
    for name in names:
        for one in _matches(name, refs, target) if "*" in name else (name,):
            commit = None if "\0" in one else resolve_commit(repository, one)
            if commit is None:
                raise UsageFault(
                    f"the head {recordable(one)!r} is no commit here",
                    hint=f"{_meant(one, refs)}a queue takes heads (branches, commits, patterns), no sub-commands; "
                    "fetch what is elsewhere, for example: git fetch origin 'refs/pull/*/head:refs/pull/*/head'",
                )
            found.setdefault(commit, recordable(one))
    if not found:
        raise UsageFault(
            "no head was named", hint="name branches, patterns such as 'refs/pull/*/head', or a file"
        )
    if len(found) > MOST:
        raise UsageFault(f"{len(found)} heads are too many for one queue; {MOST} are allowed")
    return tuple(
        Item(number=number, name=name, commit=commit) for number, (commit, name) in enumerate(found.items())
    )


def _meant(name: str, refs: Sequence[str]) -> str:
    """The nearest name of a ref as people write it, as the beginning of a hint."""
    short = {re.sub(r"\Arefs/(?:heads|remotes|tags)/", "", ref) for ref in refs}
    near = get_close_matches(name, sorted(short), n=1)
    return f"did you mean {recordable(near[0])!r}? " if near else ""


def _refs(repository: Repository) -> tuple[str, ...]:
    listed = repository.git.out("for-each-ref", "--format=%(refname)").decode("utf-8", "surrogateescape")
    return tuple(line for line in listed.split("\n") if line and not line.startswith("refs/dev-agent/"))


def _matches(pattern: str, refs: Sequence[str], target: str) -> Iterator[str]:
    for prefix in _PREFIXES:
        matched = [ref for ref in refs if fnmatchcase(ref, prefix + pattern) and ref != target]
        if matched:
            return iter(sorted(matched, key=_natural))
    raise UsageFault(
        f"the pattern {recordable(pattern)!r} matches no ref here", hint="see what there is: git for-each-ref"
    )


def _natural(ref: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _NUMBER.split(ref)]
