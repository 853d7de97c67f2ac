"""Marks: occurrences in one version of a file, compared with the other version to see what is new.

A mark on the new side is new unless something explains it, tried in this order:
  1. the same mark in the same words stood in the old version of the file;
  2. a mark of the same kind is gone from the file: the line was edited, the mark was there already;
  3. the same mark in the same words is gone from another file of the change set: code moved.
So an edit beside an old suppression, or a function carried to another module, brings nothing new, while the
number of marks of a kind can never grow unseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from dev_agent.policy.place import Place, excerpt
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """One occurrence: which fact it speaks for, its kind within it, and where; `text` is the raw line."""

    fact: str
    kind: str
    line: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FileMarks:
    """The marks of both versions of one file."""

    path: str
    before: tuple[Mark, ...]
    after: tuple[Mark, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """A fact seen at a place."""

    fact: str
    place: Place


def newly(files: Iterable[FileMarks]) -> Iterator[Sighting]:
    """The marks that the change set as a whole brought in."""
    left = [(one.path, *_explained_within(one)) for one in files]
    moved = Counter(_words(mark) for _, gone, _ in left for mark in gone)
    for path, _, fresh in left:
        for mark in fresh:
            if moved[_words(mark)] > 0:
                moved[_words(mark)] -= 1
            else:
                yield Sighting(
                    fact=mark.fact, place=Place(path=path, line=mark.line, text=excerpt(mark.text))
                )


def _explained_within(marks: FileMarks) -> tuple[list[Mark], list[Mark]]:
    """What is gone and what is fresh, after equal marks and edited lines are taken out."""
    gone = _minus(marks.before, Counter(map(_words, marks.after)), _words)
    fresh = _minus(marks.after, Counter(map(_words, marks.before)), _words)
    kinds_gone, kinds_fresh = Counter(map(_kind, gone)), Counter(map(_kind, fresh))
    return _minus(gone, kinds_fresh, _kind), _minus(fresh, kinds_gone, _kind)


def _words(mark: Mark) -> tuple[str, ...]:
    return (mark.fact, mark.kind, mark.text.strip())


def _kind(mark: Mark) -> tuple[str, ...]:
    return (mark.fact, mark.kind)


def _minus(
    marks: Iterable[Mark], spare: Counter[tuple[str, ...]], key: Callable[[Mark], tuple[str, ...]]
) -> list[Mark]:
    spare = spare.copy()
    left = []
    for mark in marks:
        if spare[key(mark)] > 0:
            spare[key(mark)] -= 1
        else:
            left.append(mark)
    return left
