"""What a queue wants done. Each is an order to the outside; its answer comes back as an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.queueing.model import Item


@dataclass(frozen=True, kw_only=True, slots=True)
class Compose:
    """Make the commit of a batch on `parent`."""

    batch: int
    parent: str
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Judge:
    """Judge `commit` on `parent`. `fresh`: it was red a moment ago, and what is remembered of it does not count."""

    attempt: int
    batch: int
    parent: str
    commit: str
    fresh: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel:
    """The answer to this attempt is not wanted any more."""

    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Land:
    """Move the target from `parent` to `commit`, which was judged green on it in `run`."""

    batch: int
    parent: str
    commit: str
    run: str
    items: tuple[Item, ...]


Command = Compose | Judge | Cancel | Land
