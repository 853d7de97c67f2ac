"""Rows of numbers by term, still written down as JSON: whoever asks for a few of some thousands parses only those."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence


class WrittenRows(Mapping[str, Sequence[int]]):
    """What `written_rows` wrote, as a mapping. The text has to be what was written: no part of it is checked here."""

    def __init__(self, written: str = "{}") -> None:
        self._written = written

    def __getitem__(self, term: str) -> Sequence[int]:
        start = f"{json.dumps(term)}:["
        at = self._written.find(start)
        while at >= 0 and self._written[at - 1] not in "{,":  # a quote inside of another term
            at = self._written.find(start, at + 1)
        if at < 0:
            raise KeyError(term)
        row = self._written[at + len(start) : self._written.index("]", at + len(start))]
        return [int(number) for number in row.split(",")] if row else []

    def __iter__(self) -> Iterator[str]:
        return iter(json.loads(self._written))

    def __len__(self) -> int:
        return len(json.loads(self._written))

    def to_json(self) -> str:
        """The text itself."""
        return self._written


def written_rows(rows: Mapping[str, Sequence[int]]) -> str:
    """The rows as JSON; the same rows in the same order give the same text."""
    known = {term: list(numbers) for term, numbers in rows.items()}
    return json.dumps(known, separators=(",", ":"), ensure_ascii=True)
