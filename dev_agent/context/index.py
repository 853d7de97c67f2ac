"""What a question is asked of: the table of a tree, and the segments its entries lie in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from dev_agent.context.model import Outline
from dev_agent.context.segment import Segment
from dev_agent.context.table import NOWHERE, Table


class Index:
    """The entries of the files of one tree. Every question may raise Damaged."""

    def __init__(self, table: Table, segments: Sequence[Segment]) -> None:
        self.table = table
        self._segments = segments
        self._outlines: dict[str, Outline] = {}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Path → number of the file."""
        return {path: number for number, path in enumerate(self.table.paths)}

    @cached_property
    def files(self) -> Mapping[str, tuple[str, str]]:
        """Path → git mode and object id."""
        return dict(zip(self.table.paths, self.table.entries, strict=True))

    def rows(self, term: str) -> list[tuple[int, int]]:
        """The numbers of the files in which the prefixed term occurs, and how often."""
        found: list[tuple[int, int]] = []
        for segment, owners in zip(self._segments, self._owners, strict=True):
            row = segment.postings(term)
            for at, times in zip(row[::2], row[1::2], strict=True):
                owner = owners[at]
                if isinstance(owner, list):
                    found += [(one, times) for one in owner]
                elif owner != NOWHERE:
                    found.append((owner, times))
        return found

    def occurrences(self, term: str) -> dict[str, int]:
        """Path → how often the prefixed term occurs there."""
        return {self.table.paths[number]: times for number, times in self.rows(term)}

    def outline(self, path: str) -> Outline:
        """The outline of a file; empty for one known by name only."""
        if path not in self._outlines:
            homes = self.table.homes
            segment, at = homes[self.numbers[path]] if path in self.numbers else (NOWHERE, NOWHERE)
            self._outlines[path] = self._segments[segment].outline(at) if segment != NOWHERE else Outline()
        return self._outlines[path]

    @cached_property
    def _owners(self) -> list[list[int | list[int]]]:
        """Of each segment, for each entry the file it is of, or the files; `NOWHERE` for one nobody asks for."""
        owners: list[list[int | list[int]]] = [[NOWHERE] * segment.count for segment in self._segments]
        for number, (segment, at) in enumerate(self.table.homes):
            if segment == NOWHERE:
                continue
            known = owners[segment][at]
            if known == NOWHERE:
                owners[segment][at] = number
            else:
                owners[segment][at] = [*(known if isinstance(known, list) else [known]), number]
        return owners
