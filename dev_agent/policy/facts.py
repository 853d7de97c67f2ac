"""Facts: what a change set does, without an opinion about it.

`compute_facts` is pure and total: the same changes and settings give the same facts, and no bytes make it
raise. A detector that cannot read something says so by a fact (`unparsable_python`, `binary_content`, "not
readable as TOML"), because silence would read as innocence. Cost follows the size of the changed files, never
its square.

What a fact means and how strictly it is taken by default is listed in `catalogue`; what counts as a test or
as a gate's configuration in `settings`; whether a fact matters is the policy's business.
"""

from __future__ import annotations

import gc
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from dev_agent.policy import globs
from dev_agent.policy.api_facts import api_facts
from dev_agent.policy.catalogue import CATALOGUE, COUNTS, FACT_NAMES
from dev_agent.policy.change import FileChange, FileDelta, pair
from dev_agent.policy.config_facts import config_facts
from dev_agent.policy.diff_lines import count_changes
from dev_agent.policy.marks import Sighting, newly
from dev_agent.policy.path_facts import path_facts
from dev_agent.policy.place import Place, shown_path
from dev_agent.policy.python_facts import python_facts, python_marks
from dev_agent.policy.settings import FactSettings
from dev_agent.policy.suite_facts import suite_facts
from dev_agent.policy.text_facts import content_facts, text_marks
from dev_agent.policy.vocabulary import PATH_LISTS
from dev_agent.values import dataclass

__all__ = ["FactSettings", "FactValue", "Facts", "FileChange", "Place", "compute_facts"]

FactValue = bool | int | tuple[str, ...]
_PLACES_KEPT = 50
_BUILT_IN = FactSettings()


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """`values`: every fact's name to its value, also of facts not seen (0 or ()); `places`: where the seen
    ones stand.

    Facts about whole paths have the sorted paths as value, counts an int, `touches_x` and `only_x` a bool, and
    every other fact the number of times it was seen. At most 50 places are kept of each; the value is complete.
    `paths` lists what changed, by kind of change; it is for conditions, and no part of the JSON.
    """

    values: Mapping[str, FactValue]
    places: Mapping[str, tuple[Place, ...]]
    paths: Mapping[str, tuple[str, ...]]

    def __getitem__(self, name: str) -> FactValue:
        """The value of a fact; KeyError for a name that is no fact's."""
        return self.values[name]

    def count(self, name: str) -> int:
        """How many times a fact was seen: the number of paths, or the value itself."""
        value = self.values[name]
        return len(value) if isinstance(value, tuple) else int(value)

    def words(self) -> Mapping[str, FactValue]:
        """The same as the words of `vocabulary`, which rules' conditions use."""
        counted = {
            name: len(value) if isinstance(value, tuple) else value for name, value in self.values.items()
        }
        listed = {f"paths.{name}": value for name, value in self.values.items() if isinstance(value, tuple)}
        return {**counted, **listed, **{f"paths.{name}": value for name, value in self.paths.items()}}

    def to_json(self) -> dict[str, object]:
        """Plain JSON without floats; facts not seen are left out of `places`."""
        return {
            "values": {name: _plain(value) for name, value in sorted(self.values.items())},
            "places": {
                name: [dict(one.to_json()) for one in places] for name, places in sorted(self.places.items())
            },
        }


def compute_facts(changes: Sequence[FileChange], *, settings: FactSettings = _BUILT_IN) -> Facts:
    """The facts about a change set."""
    with warnings.catch_warnings(), _collector_paused():
        # Parsing somebody's code may warn about it; that is their linter's business and must not be ours.
        warnings.simplefilter("ignore")
        return _computed(changes, settings)


def _computed(changes: Sequence[FileChange], settings: FactSettings) -> Facts:
    deltas = pair(changes)
    seen = _distinct(_sightings(deltas, settings))
    return _facts({**_counts(deltas), **_sets(deltas, settings)}, seen, _paths(deltas))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Syntax trees are very many objects and no cycles: looking for garbage among them again and again takes as
    long as all the rest. What is not needed any more still goes at once, and the trees before the search resumes."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _sightings(deltas: Sequence[FileDelta], settings: FactSettings) -> Iterator[Sighting]:
    yield from path_facts(deltas, settings)
    yield from config_facts(deltas, settings)
    yield from content_facts(deltas)
    yield from newly([text_marks(delta) for delta in deltas])
    yield from python_facts(deltas)
    yield from newly([python_marks(delta, settings) for delta in deltas if delta.is_python])
    yield from suite_facts(deltas, settings)
    yield from api_facts(deltas, settings)


def _distinct(sightings: Iterable[Sighting]) -> dict[str, list[Place]]:
    places: dict[str, list[Place]] = defaultdict(list)
    for one in sightings:
        places[one.fact].append(one.place)
    return {fact: sorted(found, key=_reading_order) for fact, found in places.items()}


def _reading_order(place: Place) -> tuple[str, int, str]:
    return (place.path, place.line or 0, place.text)


def _facts(
    given: Mapping[str, int], seen: Mapping[str, Sequence[Place]], paths: Mapping[str, tuple[str, ...]]
) -> Facts:
    values: dict[str, FactValue] = dict(given)
    for name in FACT_NAMES:
        fact = CATALOGUE[name]
        found = seen.get(name, ())
        values[name] = tuple(sorted({place.path for place in found})) if fact.lists_paths else len(found)
    return Facts(
        values=MappingProxyType(values),
        places=MappingProxyType({name: tuple(places[:_PLACES_KEPT]) for name, places in seen.items()}),
        paths=MappingProxyType(paths),
    )


def _sets(deltas: Sequence[FileDelta], settings: FactSettings) -> Mapping[str, bool]:
    """What of the path sets is changed. The looser reading for "any", the stricter one for "all"."""
    changed = [path for delta in deltas for path in delta.paths]
    found: dict[str, bool] = {}
    for name, patterns in settings.path_sets().items():
        found[f"touches_{name}"] = any(globs.matches(patterns, path, casefold=True) for path in changed)
        found[f"only_{name}"] = bool(changed) and all(globs.matches(patterns, path) for path in changed)
    return found


def _paths(deltas: Sequence[FileDelta]) -> dict[str, tuple[str, ...]]:
    lists: dict[str, set[str]] = {name: set() for name in PATH_LISTS}
    for delta in deltas:
        lists["changed"].update(delta.paths)
        lists[_kind(delta)].add(delta.path)
    return {name: tuple(sorted(paths)) for name, paths in lists.items()}


def _kind(delta: FileDelta) -> str:
    if delta.is_renamed:
        return "renamed"
    if delta.is_added:
        return "added"
    return "deleted" if delta.is_deleted else "modified"


def _counts(deltas: Sequence[FileDelta]) -> Mapping[str, int]:
    counts = Counter(dict.fromkeys(COUNTS, 0))
    for delta in deltas:
        lines = count_changes(
            (delta.before or b"").splitlines(keepends=True), (delta.after or b"").splitlines(keepends=True)
        )
        counts["files"] += 1
        counts[f"files_{_kind(delta)}"] += 1
        counts["lines_added"] += lines.added
        counts["lines_removed"] += lines.removed
        counts["bytes"] += len(delta.after or b"") if delta.before != delta.after else 0
    counts["lines"] = counts["lines_added"] + counts["lines_removed"]
    counts["deletions"] = counts["files_deleted"]
    return counts


def _plain(value: FactValue) -> object:
    return [shown_path(one) for one in value] if isinstance(value, tuple) else value
