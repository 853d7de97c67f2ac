"""Recent history as evidence: what was changed lately, what was changed together, what was changed in like words.

A `Past` is made once for a base commit and kept as bytes: the same commit has the same past.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from itertools import chain
from math import exp, log
from typing import Any

from dev_agent.context.words import terms
from dev_agent.context.written import WrittenRows, written_rows
from dev_agent.values import dataclass

_WIDEST = 25
"""A commit of more files is a sweep, and says nothing about any of them."""

_FADES_AFTER = 150
_MOST_ALIKE = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """Commits, newest first: the paths of each, and for a term of their messages the numbers of the commits.

    `busy` is what `lately` says, where it was kept.
    """

    paths: Sequence[Sequence[str]] = ()
    words: Mapping[str, Sequence[int]] = field(default_factory=dict)
    busy: Mapping[str, float] | None = None

    def lately(self) -> Mapping[str, float]:
        """How often and how lately a path changed; the busiest has 1."""
        if self.busy is not None:
            return self.busy
        found: dict[str, float] = defaultdict(float)
        for age, paths in enumerate(self.paths):
            for path in paths:
                found[path] += exp(-age / _FADES_AFTER)
        return _scaled(found)

    def together_with(self, hits: Mapping[str, float]) -> dict[str, float]:
        """How often a path changed in one commit with these, weighted as they are; the nearest has 1."""
        found: dict[str, float] = defaultdict(float)
        for paths in self.paths:
            weight = sum([hits[path] for path in paths if path in hits])
            if weight:
                for path in paths:
                    found[path] += (weight - hits.get(path, 0.0)) / len(paths)
        return _scaled(found)

    def alike(self, task: Iterable[str]) -> dict[str, float]:
        """How much a path was changed by commits whose messages share words with the task; the most alike has 1."""
        scores: dict[int, float] = defaultdict(float)
        for term in task:
            rows = self.words.get(term, ())
            for number in rows:
                scores[number] += log(1 + len(self.paths) / len(rows)) ** 2
        found: dict[str, float] = defaultdict(float)
        nearest = sorted(scores, key=lambda number: (-scores[number], number))[:_MOST_ALIKE]
        for number in nearest:
            for path in self.paths[number]:
                found[path] += scores[number] / len(self.paths[number]) ** 0.5
        return _scaled(found)

    def said_of(self, task: Iterable[tuple[str, float]]) -> dict[str, float]:
        """How much of the task (terms and weights) all messages about a path say, by BM25; the most has 1."""
        commits = Counter(path for paths in self.paths for path in paths)
        average = sum(commits.values()) / max(1, len(commits))
        scores: dict[str, float] = defaultdict(float)
        for term, weight in task:
            times: dict[str, float] = defaultdict(float)
            for number in self.words.get(term, ()):
                paths = self.paths[number]
                for path in paths:
                    times[path] += 1 / len(paths) ** 0.5
            rarity = log(1 + (len(commits) - len(times) + 0.5) / (len(times) + 0.5))
            for path, said in times.items():
                length = 0.5 + 0.5 * commits[path] / average
                scores[path] += weight * rarity * said / (said + 1.2 * length)
        return _scaled(scores)

    def to_bytes(self) -> bytes:
        """The inverse of `past_from`: a line of JSON for the commits, one for the words."""
        names = {path: number for number, path in enumerate(dict.fromkeys(chain.from_iterable(self.paths)))}
        commits = [[names[path] for path in paths] for paths in self.paths]
        busy = self.lately()
        known = {"names": list(names), "commits": commits, "busy": [busy.get(path, 0.0) for path in names]}
        first = json.dumps(known, separators=(",", ":"), ensure_ascii=True)
        return f"{first}\n{written_rows(self.words)}".encode("ascii")


def past_of(commits: Iterable[tuple[str, Sequence[str]]]) -> Past:
    """The past of commits (message and paths each), newest first."""
    paths: list[Sequence[str]] = []
    words: dict[str, list[int]] = defaultdict(list)
    for message, changed in commits:
        if 0 < len(changed) <= _WIDEST:
            for term in Counter(terms(message)):
                words[term].append(len(paths))
            paths.append(tuple(changed))
    return Past(paths=tuple(paths), words=words)


def past_from(data: bytes) -> Past:
    """The past that `to_bytes` gave."""
    commits, _, words = data.decode("ascii").partition("\n")
    known: dict[str, Any] = json.loads(commits)
    names = known["names"]
    paths = [[names[number] for number in numbers] for numbers in known["commits"]]
    busy = {path: value for path, value in zip(names, known["busy"], strict=True) if value}
    return Past(paths=paths, words=WrittenRows(words), busy=busy)


def _scaled(found: Mapping[str, float]) -> dict[str, float]:
    most = max(found.values(), default=0.0)
    return {path: value / most for path, value in found.items() if value} if most else {}
