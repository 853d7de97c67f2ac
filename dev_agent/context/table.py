"""The table of one tree: all that a question needs to know of every file, made once a tree and kept as JSON.

What paths there are, what kind each is, what words and module names its path has, how long its body is and in which
segment at which number its entry lies. A function of the tree and of the segments it names; where one of those is gone,
so is the table. Files are numbered in the order of the listing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from dev_agent.context.kinds import Kind, kind_of
from dev_agent.context.words import terms
from dev_agent.values import dataclass

NOWHERE = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """`homes` is a segment's and an entry's number a file, both `NOWHERE` for one known by name only.

    `words` maps a term to the files that have it in their paths: twice the number, one more if in the file's own name.
    """

    paths: Sequence[str]
    entries: Sequence[tuple[str, str]]
    kinds: Sequence[Kind]
    lengths: Sequence[int]
    segments: Sequence[str]
    homes: Sequence[tuple[int, int]]
    words: Mapping[str, Sequence[int]]

    def to_bytes(self) -> bytes:
        """The inverse of `table_from`."""
        known = {
            "paths": list(self.paths),
            "modes": [mode for mode, _ in self.entries],
            "ids": [object_id for _, object_id in self.entries],
            "kinds": [kind.value for kind in self.kinds],
            "lengths": list(self.lengths),
            "segments": list(self.segments),
            "homes": [list(home) for home in self.homes],
            "words": {term: list(numbers) for term, numbers in self.words.items()},
        }
        return json.dumps(known, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def table_from(data: bytes) -> Table:
    """The table that `to_bytes` gave."""
    known: dict[str, Any] = json.loads(data)
    return Table(
        paths=known["paths"],
        entries=list(zip(known["modes"], known["ids"], strict=True)),
        kinds=[_KINDS[value] for value in known["kinds"]],
        lengths=known["lengths"],
        segments=known["segments"],
        homes=known["homes"],
        words=known["words"],
    )


def table_of(
    files: Mapping[str, tuple[str, str]],
    keys: Mapping[str, str],
    segments: Sequence[tuple[str, Sequence[tuple[str, int]]]],
) -> Table:
    """The table of `files`, those in `keys` (path → key of entry) being in segments (name, keys and lengths).

    Of several entries of a key the first counts.
    """
    places: dict[str, tuple[int, int, int]] = {}
    for number, (_, rows) in enumerate(segments):
        for at, (key, length) in enumerate(rows):
            places.setdefault(key, (number, at, length))
    paths = list(files)
    nowhere = (NOWHERE, NOWHERE, NOWHERE)
    found = [places.get(keys.get(path, ""), nowhere) for path in paths]
    return Table(
        paths=paths,
        entries=list(files.values()),
        kinds=[kind_of(path) for path in paths],
        lengths=[length for _, _, length in found],
        segments=[name for name, _ in segments],
        homes=[(number, at) for number, at, _ in found],
        words=_words_of(paths),
    )


def _words_of(paths: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, path in enumerate(paths):
        folder, _, name = path.rpartition("/")
        own = _terms_in(name.partition(".")[0])
        for term in own:
            found[term].append(2 * number + 1)
        for term in _terms_in(folder) - own:
            found[term].append(2 * number)
    return dict(sorted(found.items()))


@lru_cache(maxsize=1 << 14)
def _terms_in(text: str) -> frozenset[str]:
    return frozenset(terms(text))


_KINDS = {kind.value: kind for kind in Kind}
