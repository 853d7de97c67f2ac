"""The job of a recipe that treats one file after the other.

A file is rewritten until nothing changes any more, so a second run of the recipe finds nothing to do. A file whose
rewriting would not parse stays as it was and is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, Protocol

from dev_agent.recipes.files import Files, counted
from dev_agent.recipes.model import Declined, Place, Rewritten
from dev_agent.recipes.source import Edit, Source, Spoiled
from dev_agent.recipes.wording import within
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.model import Bench

_ROUNDS: Final = 8
_SHOWN: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What is to be done to a file: edits that do not overlap, how many things they do, and what was left and why."""

    edits: tuple[Edit, ...] = ()
    done: int = 0
    left: tuple[Place, ...] = ()


class Rewriter(Protocol):
    """What a recipe does to one file."""

    def step(self, path: str, source: Source) -> Step:
        """The next step for a file; one without edits ends it."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """A job over all files. `noun`: what its notes count; `make` builds the rewriter from what the tree says."""

    title: str
    noun: str
    likely: Callable[[bytes], bool]
    make: Callable[[Bench, Files], Rewriter]
    where: str = ""

    def work(self, bench: Bench) -> Rewritten | Declined:
        """See `Job.work`."""
        narrowed = narrow(bench, self.where)
        return narrowed if isinstance(narrowed, Declined) else self.over(narrowed)

    def over(self, bench: Bench) -> Rewritten:
        """The same on all the files that a bench covers, wherever the task says."""
        files = Files(bench)
        rewriter = self.make(bench, files)
        result = Swept()
        for path, source in files.candidates(self.likely):
            result.add(path, source, rewriter)
        return result.rewritten(self.noun, files)


@dataclass(slots=True)
class Swept:
    """What was made of the files so far."""

    files: dict[str, bytes | None] = field(default_factory=dict)
    done: int = 0
    left: set[Place] = field(default_factory=set)
    spoiled: list[Place] = field(default_factory=list)

    def add(self, path: str, source: Source, rewriter: Rewriter) -> None:
        """Rewrite a file until nothing changes."""
        done, current, left = 0, source, set[Place]()
        try:
            for _ in range(_ROUNDS):
                step = rewriter.step(path, current)
                left = set(step.left)
                if not step.edits:
                    break
                current, done = current.edited(step.edits), done + step.done
        except (Spoiled, RecursionError) as error:
            self.spoiled.append(Place(path=path, line=0, text=f"left as it was: {error}"))
            return
        self.left |= left
        if current.text != source.text:
            self.files[path] = current.content()
            self.done += done

    def rewritten(self, noun: str, files: Files) -> Rewritten:
        """The result with its notes."""
        notes = [f"{counted(self.done, noun)} in {counted(len(self.files), 'file')}"] if self.files else []
        if self.left:
            notes.append(f"{counted(len(self.left), 'place')} left alone, each with its reason")
        if self.spoiled:
            notes.append(
                f"{counted(len(self.spoiled), 'file')} would not have parsed afterwards and stayed as it was"
            )
        places = [*self.spoiled, *files.unreadable.values(), *sorted(self.left)]
        return Rewritten(files=self.files, notes=(*notes, *files.notes()), places=tuple(places[:_SHOWN]))


def narrow(bench: Bench, where: str) -> Bench | Declined:
    """The bench for the path a task names; Declined if there is nothing of that name."""
    if not where:
        return bench
    if bench.tree.mode(where) is None:
        return Declined(
            code="no_such_path",
            message=f"There is no {where} in the repository.",
            hint="Name a file or folder from the top of the repository.",
        )
    covers = bench.covers
    return replace(bench, covers=lambda path: covers(path) and within(path, where))
