"""The slot of a step: where its file lies while it is not in the work tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dev_agent.repository.landing.folders import place_at
from dev_agent.repository.rename import Place

if TYPE_CHECKING:
    from dev_agent.repository.landing.journal import Step


@contextmanager
def slot_at(root: int, files: int, step: Step) -> Iterator[Place]:
    """The slot's place: in the work tree `root` if the step says so, else in the transaction's `files`."""
    if step.beside:
        with place_at(root, step.beside) as place:
            yield place
    else:
        yield Place(folder=files, name=str(step.n))


def spare_of(slot: Place) -> Place:
    """A second private name beside the slot, for looking at something before deciding."""
    return Place(folder=slot.folder, name=f"{slot.name}.out")
