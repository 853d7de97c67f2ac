"""The values of this package, and the two interfaces through which it sees a repository.

Nothing here or beside it runs git or opens a work tree: a `Source` gives file bytes by blob id, `past` holds
the paths of recent commits, both for one base commit. What is asked of them decides the cost, so a source gives
sizes before bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import NamedTuple, Protocol

from dev_agent.values import dataclass


class Source(Protocol):
    """The files of one base commit."""

    @property
    def name(self) -> str:
        """What names exactly these files: two sources of one name have the same."""
        ...

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


class Symbol(NamedTuple):
    """A line of an outline: where it is, how deep, what to show of it. `head` is its docstring's first line."""

    line: int
    depth: int
    text: str
    head: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """What a file is about, without its bodies. `imports` are dotted names, a relative one with leading dots.

    `texts` and `heads` tell by search term the numbers of the symbols that have it there; only where it was kept.
    """

    symbols: tuple[Symbol, ...] = ()
    imports: tuple[str, ...] = ()
    head: str = ""
    texts: Mapping[str, Sequence[int]] = field(default_factory=dict, compare=False)
    heads: Mapping[str, Sequence[int]] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """A file and why it stands where it does: what speaks for it, and the factor of its kind."""

    path: str
    object_id: str
    score: float
    found: Mapping[str, float]
    factor: float

    @property
    def parts(self) -> Mapping[str, float]:
        """The summands of the score, rounded; the kind's is what it takes away."""
        kept = {name: round(value, 6) for name, value in self.found.items()}
        total = sum(self.found.values())
        if total * self.factor != total:
            kept["kind"] = round(total * self.factor - total, 6)
        return kept


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
