"""The ladder: find the one place in a file where given lines stand.

    EXACT       every line and line end as given
    WHITESPACE  line ends and trailing space may differ
    INDENT      the whole block may be shifted by one indentation, which is applied to the replacement too
    UNICODE     typographic quotes, dashes and spaces count as their ASCII forms
    ELLIPSIS    `...` lines stand for skipped text (see `ellipsis.py`)

Rules kept here:
- At every level all places are found. Two places are an ambiguity, never a choice, unless a line number names
  one of them exactly. A stricter level is tried first and decides: leniency never outvotes an exact match.
- Lines are never compared with their indentation stripped one by one: in Python and YAML that moves code
  between blocks.
- Whole lines only: `bar = 1` is not found in `foobar = 1`.
- Time is bounded: candidates are found by the rarest of the sought lines, or by string search over one code
  point per distinct line; both have a budget. Running out of it is `Exhausted`, never "no more places": that
  could make one of several places look unique.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.text import FileText, Line, indentation, without_trailing_space
from dev_agent.values import dataclass

Scope = tuple[int, int]
"""Base lines [start, end), 0-based."""

MANY: Final = 20
"""So many places are enough to know and to show that there are too many."""
_RARE: Final = 100
"""The places of a line that has no more than these are looked at one by one."""
_WALKED: Final = 4096
"""Looking through so many lines is one more step."""

_FOLDS: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys(
            "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
        "\u2026": "...",
    }
)


class Exhausted(Exception):
    """Finding all places would cost more than the budget of one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One indentation that all lines of a block gain (`sign` 1) or lose (-1)."""

    sign: int = 0
    by: str = ""

    def applied(self, content: str) -> str | None:
        """Return the line shifted, None if it has not the indentation to lose. Blank lines stay."""
        if not content.strip() or not self.sign:
            return content
        if self.sign > 0:
            return self.by + content
        return content[len(self.by) :] if content.startswith(self.by) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where lines stand: base lines [start, end), 0-based, and the shift from the given lines to the base."""

    start: int
    end: int
    shift: Shift = Shift()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All places at the first level that has any; `chosen` is the one, None if there are several."""

    level: MatchLevel
    places: tuple[Place, ...]
    chosen: Place | None


def folded_punctuation(content: str) -> str:
    """Return `content` with typographic punctuation as ASCII."""
    return content if content.isascii() else content.translate(_FOLDS)


def _exact(line: Line) -> str:
    return line[0] + line[1]


def _whitespace(line: Line) -> str:
    return without_trailing_space(line[0])


def _indent(line: Line) -> str:
    return line[0].strip(" \t\r\x0b\x0c")


def _unicode(line: Line) -> str:
    return folded_punctuation(line[0]).strip(" \t\r\x0b\x0c")


_KEYS: Final[dict[MatchLevel, Callable[[Line], str]]] = {
    MatchLevel.EXACT: _exact,
    MatchLevel.WHITESPACE: _whitespace,
    MatchLevel.INDENT: _indent,
    MatchLevel.UNICODE: _unicode,
}


class _Index:
    """The file as a string with one code point per distinct line, and where each distinct line stands."""

    def __init__(self, keys: Iterator[str]) -> None:
        self._codes: dict[str, str] = {}
        self._text = "".join(self._codes.setdefault(key, chr(len(self._codes))) for key in keys)
        self._places: list[list[int]] = [[] for _ in self._codes]
        for at, code in enumerate(self._text):
            self._places[ord(code)].append(at)

    def needle(self, keys: Sequence[str]) -> str | None:
        """Return what `find` and `stands` seek for lines with these keys, None if the file lacks one."""
        if any(key not in self._codes for key in keys):
            return None
        return "".join(self._codes[key] for key in keys)

    def rarest(self, needle: str) -> tuple[int, Sequence[int]]:
        """Return which line of the needle stands at the fewest places, and those."""
        found = min(range(len(needle)), key=lambda each: len(self._places[ord(needle[each])]))
        return found, self._places[ord(needle[found])]

    def find(self, needle: str, within: Scope) -> Iterator[int]:
        """Yield all places of the needle in `within` by looking through the file."""
        at = self._text.find(needle, *within)
        while at >= 0:
            yield at
            at = self._text.find(needle, at + 1, within[1])

    def stands(self, needle: str, at: int, within: Scope) -> bool:
        return within[0] <= at and self._text.startswith(needle, at, within[1])


class Haystack:
    """A base file, searched many times. Indexes are made when first needed."""

    def __init__(self, file: FileText, *, budget: int = 1_000_000) -> None:
        self.file = file
        self._budget = budget
        self._indexes: dict[MatchLevel, _Index] = {}
        self._margins: dict[MatchLevel, list[str]] = {}

    def find(
        self,
        lines: Sequence[Line],
        *,
        hint: int | None,
        levels: Sequence[MatchLevel],
        within: Scope | None = None,
    ) -> Found | None:
        """Find `lines` (at least one) at the first of `levels` that has any place, all of it in `within`.

        `hint` is a 1-based line.
        """
        for level in levels:
            places = self.places(lines, level, hint, within)
            if places:
                exact = [place for place in places if hint is not None and place.start == hint - 1]
                chosen = places[0] if len(places) == 1 else exact[0] if exact else None
                return Found(level=level, places=tuple(places), chosen=chosen)
        return None

    def places(
        self,
        lines: Sequence[Line],
        level: MatchLevel,
        hint: int | None = None,
        within: Scope | None = None,
    ) -> list[Place]:
        """Return the places at one level, at most `MANY` and the hinted one, in order. Raises Exhausted."""
        key, index = _KEYS[level], self._index(level)
        scope = (0, len(self.file.lines)) if within is None else within
        needle = index.needle([key(line) for line in lines])
        if needle is None:
            return []
        block = _Block(lines, level)
        places: list[Place] = []
        for at in self._candidates(index, needle, scope):
            places += self._placed(block, at)
            if len(places) >= MANY:
                # The hinted place is looked up, not walked to: every hunk of a long file would walk.
                if hint is not None and hint - 1 > at and index.stands(needle, hint - 1, scope):
                    places += self._placed(block, hint - 1)
                break
        return places

    def _candidates(self, index: _Index, needle: str, scope: Scope) -> Iterator[int]:
        """Yield where the contents stand. A line that is rare says so without a look through the file."""
        offset, places = index.rarest(needle)
        if len(places) <= _RARE:
            return (at - offset for at in places if index.stands(needle, at - offset, scope))
        self._budget -= 1 + (scope[1] - scope[0]) // _WALKED
        if self._budget < 0:
            raise Exhausted
        return index.find(needle, scope)

    def _placed(self, block: _Block, at: int) -> list[Place]:
        """Return the place of `block` at line `at`, where its contents stand, if one shift leads there."""
        shift = self._shift(block, at)
        return [] if shift is None else [Place(start=at, end=at + len(block.margins), shift=shift)]

    def _index(self, level: MatchLevel) -> _Index:
        if level not in self._indexes:
            self._indexes[level] = _Index(map(_KEYS[level], self.file.lines))
        return self._indexes[level]

    def _margins_at(self, level: MatchLevel) -> list[str]:
        if level not in self._margins:
            self._margins[level] = [_margin(line, level) for line in self.file.lines]
        return self._margins[level]

    def _shift(self, block: _Block, at: int) -> Shift | None:
        """Return the one shift that leads from the block to the base lines at `at`, None if there is none."""
        if block.level <= MatchLevel.WHITESPACE:
            return Shift()
        # Comparing costs one step and a little for each line: lists of strings are compared in C.
        self._budget -= 1 + len(block.margins) // 64
        if self._budget < 0:
            raise Exhausted
        margins = self._margins_at(block.level)
        if block.anchor is None:
            return None
        shift = _shift_between(block.margins[block.anchor], margins[at + block.anchor])
        if shift is None or block.shifted(shift) != margins[at : at + len(block.margins)]:
            return None
        return shift


class _Block:
    """The indentations of the sought lines; blank lines have none, and fit blank lines whatever theirs is."""

    def __init__(self, lines: Sequence[Line], level: MatchLevel) -> None:
        self.level = level
        self.margins = [_margin(line, level) for line in lines]
        self.anchor = next((at for at, (content, _) in enumerate(lines) if content.strip()), None)
        self._blank = [not content.strip() for content, _ in lines]
        self._shifted: dict[Shift, list[str] | None] = {}

    def shifted(self, shift: Shift) -> list[str] | None:
        """Return the indentations after `shift`, None if a line has not the indentation to lose."""
        if shift not in self._shifted:
            # Judged on indentation alone: a mark stands for the content that `applied` wants to see.
            pairs = [("" if blank else shift.applied(f"{margin}.")) for margin, blank in self._each()]
            lost = any(each is None for each in pairs)
            self._shifted[shift] = None if lost else [(each or "").removesuffix(".") for each in pairs]
        return self._shifted[shift]

    def _each(self) -> Iterator[tuple[str, bool]]:
        return zip(self.margins, self._blank, strict=True)


def _margin(line: Line, level: MatchLevel) -> str:
    content = folded_punctuation(line[0]) if level >= MatchLevel.UNICODE else line[0]
    return indentation(content) if content.strip() else ""


def _shift_between(given: str, real: str) -> Shift | None:
    if given == real:
        return Shift()
    if real.endswith(given):
        return Shift(sign=1, by=real[: len(real) - len(given)])
    if given.endswith(real):
        return Shift(sign=-1, by=given[: len(given) - len(real)])
    return None
