"""Ranking the files of a tree for a task.

Five things speak for a file, and are summed:

    text     BM25F over bodies, symbols, docstring heads and path, the best file having 1
    named    a symbol, path, module or line of a stack trace that the task names exactly
    near     what the best files import, or what imports them, one hop, shared between the neighbours
    history  changed lately, changed together with the best files, by commits in like words, or spoken of in them
    kind     the product of all that with `kinds.WEIGHT`, written as what it takes away

Ties are broken by path. The same tree, past and task give the same order, to the bit, however the index lies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property
from math import log

from dev_agent.context.clues import Clues
from dev_agent.context.index import Index
from dev_agent.context.kinds import WEIGHT, Kind
from dev_agent.context.model import Ranked
from dev_agent.context.modules import Modules
from dev_agent.context.past import Past
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """How much each thing counts. The defaults were chosen on some repositories and measured on others."""

    symbols: float = 1.5
    heads: float = 1.0
    path: float = 6.0
    stem: float = 6.0
    shortness: float = 0.5
    saturation: float = 4.0
    sure_name: float = 0.5
    name: float = 0.1
    path_named: float = 1.2
    module_named: float = 0.7
    near: float = 0.12
    lately: float = 0.2
    together: float = 0.25
    alike: float = 0.45
    said: float = 0.3


WEIGHTS = Weights()
_RARE = 12
_SEEDS = 5


class Ranking:
    """One question, answered on one index. Files go by their numbers in the index's table."""

    def __init__(
        self, index: Index, past: Past, within: Callable[[str], bool], weights: Weights = WEIGHTS
    ) -> None:
        self._index, self._past, self._weights = index, past, weights
        table = index.table
        self._paths, self._lengths, self._words = table.paths, table.lengths, table.words
        self._factors = [WEIGHT.get(kind, 0.0) for kind in table.kinds]
        self._tests = [kind is Kind.TEST for kind in table.kinds]
        self._here = [
            kind is not Kind.WITHHELD and within(path)
            for path, kind in zip(table.paths, table.kinds, strict=True)
        ]

    def ranked(self, clues: Clues) -> list[Ranked]:
        """The files something speaks for, best first."""
        rows = []
        for number, parts in self._parts(clues).items():
            factor = self._factors[number]
            rows.append((-round(sum(parts.values()) * factor, 6), self._paths[number], number, parts, factor))
        rows.sort()
        ids = self._index.table.entries
        return [
            Ranked(path=path, object_id=ids[number][1], score=-score, found=parts, factor=factor)
            for score, path, number, parts, factor in rows
        ]

    def _parts(self, clues: Clues) -> dict[int, dict[str, float]]:
        """The parts of the score of every file that something speaks for."""
        found: dict[int, dict[str, float]] = defaultdict(dict)

        def add(part: str, scores: Mapping[int, float], weight: float) -> None:
            for number, score in scores.items():
                if self._here[number] and score * weight:
                    parts = found[number]
                    parts[part] = parts.get(part, 0.0) + score * weight

        add("text", self._text(clues), 1.0)
        add("named", self._named(clues), 1.0)
        hits = {number: sum(parts.values()) * self._factors[number] for number, parts in found.items()}
        seeds = dict(sorted(hits.items(), key=lambda item: (-item[1], self._paths[item[0]]))[:_SEEDS])
        add("near", self._near(seeds), self._weights.near)
        by_path = {self._paths[number]: hit for number, hit in seeds.items()}
        add("history", self._numbered(self._past.lately()), self._weights.lately)
        add("history", self._numbered(self._past.together_with(by_path)), self._weights.together)
        like = self._past.alike([term for term, _ in clues.terms])
        add("history", self._numbered(like), self._weights.alike)
        add("history", self._numbered(self._past.said_of(clues.terms)), self._weights.said)
        return found

    def _numbered(self, scores: Mapping[str, float]) -> dict[int, float]:
        """Scores of the files that are there still."""
        numbers = self._index.numbers
        return {numbers[path]: score for path, score in scores.items() if path in numbers}

    def _text(self, clues: Clues) -> dict[int, float]:
        w = self._weights
        known = [length for length in self._lengths if length >= 0]
        count = max(sum(self._here), len(known))
        average = max(1.0, sum(known) / max(1, len(known)))
        scores: dict[int, float] = defaultdict(float)
        for term, weight in clues.terms:
            weighed: dict[int, float] = defaultdict(float)
            for field, factor in (("b", 1.0), ("s", w.symbols), ("h", w.heads)):
                for number, times in self._index.rows(field + term):
                    weighed[number] += factor * times
            for number in weighed:  # a long file says everything once
                weighed[number] /= 1 - w.shortness + w.shortness * (self._lengths[number] / average)
            for marked in self._words.get(term, ()):
                number, is_stem = marked >> 1, marked & 1
                if self._here[number]:
                    weighed[number] += w.stem if is_stem else w.path
            rarity = log(1 + (max(0, count - len(weighed)) + 0.5) / (len(weighed) + 0.5))
            for number, weighted in weighed.items():
                scores[number] += weight * rarity * weighted / (weighted + w.saturation)
        most = max(
            (score * self._factors[number] for number, score in scores.items() if self._here[number]),
            default=0.0,
        )
        return {number: score / most for number, score in scores.items()} if most else {}

    def _named(self, clues: Clues) -> dict[int, float]:
        w = self._weights
        scores: dict[int, float] = defaultdict(float)
        for name in clues.names:
            homes = [number for number, _ in self._index.rows(f"d{name}") if not self._tests[number]]
            sure = name in clues.sure
            if 0 < len(homes) <= (_RARE if sure else 2):
                for number in homes:
                    scores[number] += (w.sure_name if sure else w.name) / len(homes) ** 0.5
        for written in clues.paths:
            homes = [
                number
                for number, path in enumerate(self._paths)
                if self._here[number] and _means(written, path)
            ]
            for number in homes if len(homes) <= _RARE else ():
                scores[number] += w.path_named / len(homes) ** 0.5
        for name in clues.dotted:
            home = self._modules.path_of(name)
            if home:
                scores[self._index.numbers[home]] += w.module_named
        return {number: min(score, 2.0) for number, score in scores.items()}

    def _near(self, seeds: Mapping[int, float]) -> dict[int, float]:
        numbers = self._index.numbers
        scores: dict[int, float] = defaultdict(float)
        for number, weight in seeds.items():
            path = self._paths[number]
            imported = self._modules.imported(path, self._index.outline(path).imports)
            last = self._modules.name_of(path).rpartition(".")[2]
            inward = [one for one, _ in self._index.rows(f"i{last}") if one != number] if last else []
            for neighbours in ([numbers[one] for one in imported], inward):
                for one in neighbours:
                    scores[one] += weight / len(neighbours) ** 0.5
        most = max(scores.values(), default=0.0)
        return {number: score / most for number, score in scores.items()} if most else {}

    @cached_property
    def _modules(self) -> Modules:
        return Modules(path for path, here in zip(self._paths, self._here, strict=True) if here)


def rank(
    index: Index,
    past: Past,
    clues: Clues,
    *,
    within: Callable[[str], bool] = lambda _path: True,
    weights: Weights = WEIGHTS,
) -> list[Ranked]:
    """The files something speaks for, best first. Withheld files are not among them."""
    return Ranking(index, past, within, weights).ranked(clues)


def _means(written: str, path: str) -> bool:
    """Whether a path as somebody wrote it, longer or shorter, means this file."""
    return path == written or path.endswith(f"/{written}") or written.endswith(f"/{path}")
