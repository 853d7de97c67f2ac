"""Ranking the files of a tree for a task.

Five things speak for a file, and are summed:

    text     BM25F over bodies, symbols, docstring heads and path, the best file having 1
    named    a symbol, path, module or line of a stack trace that the task names exactly
    near     what the best files import, or what imports them, one hop, shared between the neighbours
    history  changed lately, changed together with the best files, changed by commits in like words
    kind     the product of all that with `kinds.WEIGHT`, written as what it takes away

Ties are broken by path. The same tree, past and task give the same order, to the bit, however the index lies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import log

from dev_agent.context.clues import Clues
from dev_agent.context.index import Index
from dev_agent.context.kinds import WEIGHT, Kind, kind_of
from dev_agent.context.model import Ranked
from dev_agent.context.modules import Modules
from dev_agent.context.past import Past
from dev_agent.context.words import terms


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
    lately: float = 0.08
    together: float = 0.25
    alike: float = 0.45


WEIGHTS = Weights()
_RARE = 12
_SEEDS = 5


class Ranking:
    """One question, answered on one index."""

    def __init__(self, paths: Sequence[str], index: Index, past: Past, weights: Weights = WEIGHTS) -> None:
        self._paths, self._index, self._past, self._weights = paths, index, past, weights
        self._here = frozenset(paths)

    def ranked(self, clues: Clues) -> dict[str, dict[str, float]]:
        """The parts of the score of every file that something speaks for."""
        found: dict[str, dict[str, float]] = defaultdict(dict)

        def add(part: str, scores: Mapping[str, float], weight: float) -> None:
            for path, score in scores.items():
                if path in self._here and score * weight:
                    found[path][part] = found[path].get(part, 0.0) + score * weight

        add("text", self._text(clues), 1.0)
        add("named", self._named(clues), 1.0)
        hits = {path: sum(parts.values()) * WEIGHT[kind_of(path)] for path, parts in found.items()}
        seeds = dict(sorted(hits.items(), key=lambda item: (-item[1], item[0]))[:_SEEDS])
        add("near", self._near(seeds), self._weights.near)
        add("history", self._past.lately(), self._weights.lately)
        add("history", self._past.together_with(seeds), self._weights.together)
        add("history", self._past.alike([term for term, _ in clues.terms]), self._weights.alike)
        return found

    def _text(self, clues: Clues) -> dict[str, float]:
        w = self._weights
        count = max(len(self._paths), len(self._index.lengths))
        average = max(1.0, sum(self._index.lengths.values()) / max(1, len(self._index.lengths)))
        in_paths = _paths_by_term(self._paths)
        scores: dict[str, float] = defaultdict(float)
        for term, weight in clues.terms:
            weighed: dict[str, float] = defaultdict(float)
            for field, factor in (("b", 1.0), ("s", w.symbols), ("h", w.heads)):
                for path, times in self._index.occurrences(field + term).items():
                    weighed[path] += factor * times
            for path in weighed:  # a long file says everything once
                length = self._index.lengths.get(path, 0) / average
                weighed[path] /= 1 - w.shortness + w.shortness * length
            for path, is_stem in in_paths.get(term, ()):
                weighed[path] += w.stem if is_stem else w.path
            rarity = log(1 + (max(0, count - len(weighed)) + 0.5) / (len(weighed) + 0.5))
            for path, weighted in weighed.items():
                scores[path] += weight * rarity * weighted / (weighted + w.saturation)
        most = max(
            (score * WEIGHT[kind_of(path)] for path, score in scores.items() if path in self._here),
            default=0.0,
        )
        return {path: score / most for path, score in scores.items()} if most else {}

    def _named(self, clues: Clues) -> dict[str, float]:
        w = self._weights
        scores: dict[str, float] = defaultdict(float)
        for name in clues.names:
            rows = self._index.occurrences(f"d{name}")
            homes = [path for path in rows if kind_of(path) is not Kind.TEST]
            sure = name in clues.sure
            if 0 < len(homes) <= (_RARE if sure else 2):
                for path in homes:
                    scores[path] += (w.sure_name if sure else w.name) / len(homes) ** 0.5
        for written in clues.paths:
            homes = [
                path
                for path in self._paths
                if path == written or path.endswith(f"/{written}") or written.endswith(f"/{path}")
            ]
            for path in homes if len(homes) <= _RARE else ():
                scores[path] += w.path_named / len(homes) ** 0.5
        if clues.dotted:
            modules = self._modules
            for name in clues.dotted:
                home = modules.path_of(name)
                if home:
                    scores[home] += w.module_named
        return {path: min(score, 2.0) for path, score in scores.items()}

    def _near(self, seeds: Mapping[str, float]) -> dict[str, float]:
        modules = self._modules
        scores: dict[str, float] = defaultdict(float)
        for path, weight in seeds.items():
            outward = list(modules.imported(path, self._index.outline(path).imports))
            last = modules.name_of(path).rpartition(".")[2]
            inward = [one for one in self._index.occurrences(f"i{last}") if one != path] if last else []
            for neighbours in (outward, inward):
                for one in neighbours:
                    scores[one] += weight / len(neighbours) ** 0.5
        most = max(scores.values(), default=0.0)
        return {path: score / most for path, score in scores.items()} if most else {}

    @cached_property
    def _modules(self) -> Modules:
        return Modules(self._paths)


def rank(
    files: Mapping[str, tuple[str, str]],
    index: Index,
    past: Past,
    clues: Clues,
    *,
    within: Callable[[str], bool] = lambda _path: True,
    weights: Weights = WEIGHTS,
) -> list[Ranked]:
    """The files something speaks for, best first. Withheld files are not among them."""
    paths = [path for path in files if within(path) and kind_of(path) is not Kind.WITHHELD]
    scored = Ranking(paths, index, past, weights).ranked(clues)
    found = []
    for path, parts in scored.items():
        total = sum(parts.values())
        score = total * WEIGHT[kind_of(path)]
        kept = {name: round(value, 6) for name, value in parts.items()}
        if score != total:
            kept["kind"] = round(score - total, 6)
        found.append(Ranked(path=path, object_id=files[path][1], score=round(score, 6), parts=kept))
    return sorted(found, key=lambda one: (-one.score, one.path))


def _paths_by_term(paths: Sequence[str]) -> dict[str, list[tuple[str, bool]]]:
    """Term → the paths that have it, and whether in the file's own name."""
    found: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for path in paths:
        folder, _, name = path.rpartition("/")
        own = _terms_in(name.partition(".")[0])
        for term in own:
            found[term].append((path, True))
        for term in _terms_in(folder) - own:
            found[term].append((path, False))
    return found


@lru_cache(maxsize=1 << 14)
def _terms_in(text: str) -> frozenset[str]:
    return frozenset(terms(text))
