"""The words between a recipe and whoever runs it: what it is given, what it may answer.

A recipe reads a task's text and says whether it is meant (`Recipe.read`); a job does the work on an immutable tree
(`Job.work`). It computes bytes and decides nothing: a job that is not sure declines and names every place it is not
sure about, and what it did rewrite is judged by the gates like a stranger's patch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.edits.trees import BaseTree


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Place:
    """A line of the tree. `line` counts from 1; 0 stands for the file as a whole."""

    path: str
    line: int
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewritten:
    """What a job made of the tree: nothing but these files differ. Empty `files` and `moves`: nothing to do.

    files  path -> new bytes, None for a file that goes; modes stay as they are, new files are regular.
    moves  old path -> new path, before `files` is applied: `files` speaks of new paths.
    notes  sentences for people, e.g. what was left alone and why; `places` are lines worth a look.
    """

    files: Mapping[str, bytes | None]
    moves: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def empty(self) -> bool:
        """True if nothing is to be changed."""
        return not self.files and not self.moves


@dataclass(frozen=True, kw_only=True, slots=True)
class Declined:
    """Why a job does nothing: `code` for machines, a sentence, what to do, and every place it is about."""

    code: str
    message: str
    hint: str = ""
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Complaint:
    """One message of the type checker about a tree. `column` counts from 0, as mypy's JSON does."""

    path: str
    line: int
    column: int
    code: str
    message: str


Checker: TypeAlias = "Callable[[Rewritten], tuple[Complaint, ...]]"
"""Asks the project's own `mypy --strict` about the tree with a rewriting applied. Raises CheckerFailed."""


class CheckerFailed(Exception):
    """The type checker said nothing that can be used. `message` says why, `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What a job works with.

    tree      the base, immutable
    covers    whether the user's --path lets a file be rewritten; read-only knowledge may come from everywhere
    checker   None if the project's types cannot be checked here
    pause     called between files: raises whatever stops the run (Ctrl-C); costs nothing
    told      called with a short sentence about progress, e.g. "142 of 600 files"
    """

    tree: BaseTree
    covers: Callable[[str], bool]
    checker: Checker | None = None
    pause: Callable[[], None] = lambda: None
    told: Callable[[str], None] = lambda _text: None


class Job(Protocol):
    """One understood task."""

    @property
    def title(self) -> str:
        """The task in the recipe's own words: what it understood, one line."""
        ...

    def work(self, bench: Bench) -> Rewritten | Declined:
        """Compute the change. Raises what `bench.pause` raises, and CheckerFailed."""
        ...


class Recipe(Protocol):
    """A kind of task. `read` answers None for a task that is not of its kind, and says what is wrong with one that is.

    Its patterns match the whole task or nothing: a recipe never takes a sentence it understood half.
    """

    @property
    def name(self) -> str:
        """Its name, in lists and traces: lower case with dashes."""
        ...

    @property
    def summary(self) -> str:
        """One line for `dev-agent recipes`."""
        ...

    @property
    def examples(self) -> tuple[str, ...]:
        """Tasks it understands, as a user would type them. Each is one: a test reads them back."""
        ...

    def read(self, task: str) -> Job | Declined | None:
        """The job a task asks for; Declined if it is of this kind but cannot be meant (a keyword as a name)."""
        ...
