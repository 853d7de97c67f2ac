"""The values of this package, and the two interfaces through which it sees a repository.

Nothing here or beside it runs git or opens a work tree: a `Source` gives file bytes by blob id, `past` holds
the paths of recent commits, both for one base commit. What is asked of them decides the cost, so a source gives
sizes before bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Source(Protocol):
    """The files of one base commit."""

    def files(self) -> Mapping[str, tuple[str, str]]:
        """Path → git mode and object id, of every file, symlink and submodule."""
        ...

    def sizes(self, ids: Iterable[str]) -> Mapping[str, int]:
        """The sizes of blobs, in bytes."""
        ...

    def read_many(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of blobs."""
        ...


Redact = Callable[[str], str]
"""One line of text, with every credential in it blotted out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbol:
    """A line of an outline: where it is, how deep, what to show of it. `head` is its docstring's first line."""

    line: int
    depth: int
    text: str
    head: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """What a file is about, without its bodies. `imports` are dotted names, a relative one with leading dots."""

    symbols: tuple[Symbol, ...] = ()
    imports: tuple[str, ...] = ()
    head: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """A file and why it stands where it does: `parts` are the summands of `score`, none of them zero."""

    path: str
    object_id: str
    score: float
    parts: Mapping[str, float]
    symbols: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """What would be shown of one file: `text` ends with a line break. `cut` and `redacted` count lines."""

    ranked: Ranked
    rank: int
    text: str
    tokens: int
    cut: int = 0
    redacted: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """The map of a repository for one task. `tokens` never exceeds `budget`; `left_out` counts ranked files."""

    sections: tuple[Section, ...]
    budget: int
    tokens: int
    left_out: int
    withheld: int
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, as a model would see it."""
        return "".join(section.text for section in self.sections)
