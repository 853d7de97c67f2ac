"""The words a rule's condition may use: name, type, meaning. One catalogue, also printed by the documentation.

    files, lines_added …       a count of the whole change
    <fact>                     how many times a fact of `[on]` was seen; for facts about whole paths, how many paths
    paths.changed …            lists of paths; both sides of a rename are changed
    paths.<fact>               the paths of a fact about whole paths
    touches_<set>, only_<set>  whether any, or every, changed path is in a path set: a set of the policy's own
                               `[paths]`, or one of the built-in sets that are told by path alone

Every word always has a value: what was not seen is 0, false or the empty list. `touches_` ignores the case of
letters and `only_` does not, so that each errs on the side that sees more of a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from dev_agent.policy.catalogue import CATALOGUE, COUNTS, FACT_NAMES
from dev_agent.policy.conditions import WordKind
from dev_agent.values import dataclass

BUILT_IN_SETS = ("tests", "ci", "hooks")
"""Told by path alone. Gate configuration and dependencies also live in tables of shared files: see their facts."""

PATH_LISTS = ("changed", "added", "modified", "deleted", "renamed")

_COUNTED = {
    "files": "files changed; a renamed file is one",
    "files_added": "files added",
    "files_modified": "files modified",
    "files_deleted": "files deleted; a renamed file is not",
    "files_renamed": "files renamed, changed or not",
    "lines": "lines added plus lines removed",
    "lines_added": "lines added; a replaced line counts in both",
    "lines_removed": "lines removed",
    "bytes": "bytes of the new contents",
    "deletions": "the same as files_deleted, as `[limits]` calls it",
}
_LISTED = {
    "changed": "every path the change touches, both paths of a rename",
    "added": "paths of added files",
    "modified": "paths of modified files",
    "deleted": "paths of deleted files",
    "renamed": "new paths of renamed files",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A typed name; `meaning` is one line."""

    name: str
    kind: WordKind
    meaning: str


def vocabulary(sets: Iterable[str] = ()) -> Mapping[str, Word]:
    """All words, given the names of a policy's own path sets."""
    words = [
        *(_word(name, WordKind.INT, _COUNTED[name]) for name in COUNTS),
        *(_word(f"paths.{name}", WordKind.LIST, _LISTED[name]) for name in PATH_LISTS),
        *(_of_set(name) for name in (*BUILT_IN_SETS, *sets)),
        *(_of_fact(name) for name in FACT_NAMES),
    ]
    return MappingProxyType(
        {word.name: word for group in words for word in (group if isinstance(group, tuple) else (group,))}
    )


def kinds(words: Mapping[str, Word]) -> Mapping[str, WordKind]:
    """The types alone, as an engine wants them."""
    return {name: word.kind for name, word in words.items()}


def _word(name: str, kind: WordKind, meaning: str) -> Word:
    return Word(name=name, kind=kind, meaning=meaning)


def _of_set(name: str) -> tuple[Word, ...]:
    return (
        _word(f"touches_{name}", WordKind.BOOL, f"a changed path is in the set {name}"),
        _word(
            f"only_{name}", WordKind.BOOL, f"something changed, and every changed path is in the set {name}"
        ),
    )


def _of_fact(name: str) -> tuple[Word, ...]:
    fact = CATALOGUE[name]
    if not fact.lists_paths:
        return (_word(name, WordKind.INT, f"how many times seen: {fact.because}"),)
    return (
        _word(name, WordKind.INT, f"how many paths: {fact.because}"),
        _word(f"paths.{name}", WordKind.LIST, "the paths of that fact"),
    )
