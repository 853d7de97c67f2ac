"""Trees for judging without mounts: what ran may have changed a slot, so it is filled anew each time.

Mounted read-only, or under a layer that is thrown away, a slot cannot change. Without confinement a job can write
to it, and the kernel's own rules (tier 2) leave modes and times of its files open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.slots import Slot
    from dev_agent.repository.trees import RepositoryTrees


class _DistrustedSlot:
    """A slot that forgets what it shows as soon as it shows it: killed at any later line, it is filled anew."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def checkout(self, tree: str) -> Path:
        """Make the folder show `tree`."""
        path = self._slot.checkout(tree)
        self._slot.distrust()
        return path


class DistrustedTrees:
    """The trees of a repository whose slots are believed for one use only."""

    def __init__(self, trees: RepositoryTrees) -> None:
        self._trees = trees

    @contextmanager
    def lease(self, purpose: str) -> Iterator[_DistrustedSlot]:
        """A private work tree whose every checkout starts from nothing."""
        with self._trees.lease(purpose) as slot:
            yield _DistrustedSlot(slot)

    def compose(self, tree: str, replacements: Mapping[str, tuple[str, str] | None]) -> str:
        """As the trees."""
        return self._trees.compose(tree, replacements)

    def entry(self, tree: str, path: str) -> tuple[str, str] | None:
        """As the trees."""
        return self._trees.entry(tree, path)

    def read(self, tree: str, path: str) -> bytes | None:
        """As the trees."""
        return self._trees.read(tree, path)

    def paths(self, tree: str) -> Sequence[str]:
        """As the trees."""
        return self._trees.paths(tree)

    def diff(self, old: str, new: str) -> Sequence[tuple[str, str]]:
        """As the trees."""
        return self._trees.diff(old, new)

    def in_checkout(self, path: str) -> bool:
        """As the trees."""
        return self._trees.in_checkout(path)
