"""Where edits come from: one small Protocol, the patch or the tree somebody else made, the model that is asked.

The program that makes a tree is in `command`, the recipe's work in `recipe_run`; here is only what was asked of them.

A proposer computes; it decides nothing. Its answer is raw bytes in some edit format, or a whole tree in the
repository's objects, or a reason why there is none. `revises` says whether asking again after a failure can give
another answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.merging import Merging
    from dev_agent.programs.solving.asking import Price
    from dev_agent.programs.spending import Spending
    from dev_agent.programs.undoing import Undoing
    from dev_agent.proposers.model import Model
    from dev_agent.recipes.model import Job, Place

_LONGEST_TITLE = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a proposer said: the raw bytes or a tree's id, or neither with the reason it declined.

    `commit` is a commit that already has the tree, "" if one is to be made. `unchanged` says why the tree may be the
    base's own. `nothing_done` is how a program ended that left the base as it was, with what it said, and
    is kept beside the trace. `status` is a program's exit status, if one was run and ended by itself. `hint` belongs to
    the refusal; `places` are lines of the base it is about, or that are worth a look. `blobs` go beside the trace.
    """

    content: bytes | None = None
    tree: str = ""
    commit: str = ""
    unchanged: str = ""
    nothing_done: str = ""
    declined: str = ""
    reason: str = "declined"
    hint: str = ""
    places: tuple[Place, ...] = ()
    status: int | None = None
    notes: tuple[str, ...] = ()
    blobs: Mapping[str, bytes] = field(default_factory=dict)


class Proposer(Protocol):
    """A source of proposals."""

    @property
    def name(self) -> str:
        """Its name in traces and receipts."""
        ...

    @property
    def revises(self) -> bool:
        """True if it may answer differently when told what was wrong."""
        ...

    def propose(self) -> Answer:
        """The proposal."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Inverse:
    """Nobody proposes an undo: it is computed from the commit it takes back, in git's own objects."""

    undoing: Undoing
    name: str = "undo"
    revises: bool = False

    def propose(self) -> Answer:
        """No bytes."""
        return Answer(content=None, declined="an undo is computed, not proposed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Merge:
    """Nobody proposes a merge: it is computed from its two commits, in git's own objects."""

    merging: Merging
    name: str = "merge"
    revises: bool = False

    def propose(self) -> Answer:
        """No bytes."""
        return Answer(content=None, declined="a merge is computed, not proposed")


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchFile:
    """A patch as bytes: it is what it is, so a second asking would change nothing."""

    content: bytes
    name: str = "patch"
    revises: bool = False

    def propose(self) -> Answer:
        """The bytes of the file."""
        return Answer(content=self.content)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingTree:
    """A tree that exists: of a commit, of the index, of the work tree. `name` says of which."""

    tree: str
    name: str
    commit: str = ""
    notes: tuple[str, ...] = ()
    revises: bool = False

    def propose(self) -> Answer:
        """The tree."""
        return Answer(tree=self.tree, commit=self.commit, notes=self.notes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A program the caller names, not yet bound to a run. `network` is their wish; the profile decides."""

    argv: tuple[str, ...]
    network: bool = False
    name: str = "command"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipeTask:
    """A task that a recipe took, not yet bound to a run. No `paths`: it may rewrite every file."""

    recipe: str
    task: str
    paths: tuple[str, ...]
    job: Job
    name: str = "recipe"

    @property
    def words(self) -> tuple[str, ...]:
        """What makes two requests the same, besides what a request says itself."""
        return (self.recipe, *self.paths)

    @property
    def title(self) -> str:
        """The task in the recipe's own words, on one line, as a trace can hold it."""
        words = " ".join(self.job.title.split())
        return words.encode("utf-8", "backslashreplace").decode()[:_LONGEST_TITLE]


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A model that can be asked, what a usage of it costs (None: unknown), and the bounds of one answer."""

    model: Model
    price: Price
    max_output: int
    timeout_ms: int | None = None


Models = Callable[[str], Opened]
"""A model by how it was opened, as a run's trace has it. Raises UsageFault for what cannot be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelTask:
    """A model that is to plan and write, and what it may look at: no `paths`, everything.

    `settings` is how it was opened, as a text without secrets, so that a run can be taken up again; `spending` the most
    it may cost; `sleep` waits between attempts.
    """

    opened: Opened
    settings: str
    spending: Spending
    paths: tuple[str, ...] = ()
    sleep: Callable[[float], None] = time.sleep
    revises: bool = True

    @property
    def name(self) -> str:
        """The proposer's name with the model's, as a trace can hold it."""
        model = self.opened.model
        return f"{model.name} {model.model}"[:_LONGEST_TITLE]

    @property
    def words(self) -> tuple[str, ...]:
        """What makes two requests the same, besides what a request says itself."""
        return (self.settings, *self.paths)

    def propose(self) -> Answer:
        """A model proposes in the states of `solve`, by typed answers, and never here."""
        raise AssertionError("BUG: a model was asked past the program")


Source = PatchFile | ExistingTree | Command | RecipeTask | Inverse | Merge | ModelTask
"""What a caller can name as the source of a proposal."""
