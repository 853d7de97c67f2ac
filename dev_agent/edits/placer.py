"""Finds where text edits go in one file, and what they change there.

Lines are sought down the ladder of leniency, below the edit's anchors if it has any, and last with `...` for lines
that are left out; edits that name their place themselves are fitted by `fit.py`, `symbols.py` and `imports.py`. What
has no place raises `Refused`; `misfits.py` says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from dev_agent.edits import ellipsis
from dev_agent.edits.changes import Match, MatchLevel
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.fit import Fit, insertion
from dev_agent.edits.imports import imported
from dev_agent.edits.matching import Exhausted, Found, Haystack, Place
from dev_agent.edits.misfits import Misfits
from dev_agent.edits.model import (
    AddImport,
    Insert,
    InsertAfterSymbol,
    Replace,
    ReplaceSymbol,
    ReplaceText,
    TextEdit,
)
from dev_agent.edits.refused import Refused
from dev_agent.edits.scope import Anchors
from dev_agent.edits.sides import Sides
from dev_agent.edits.splice import Region, Splice, splices
from dev_agent.edits.symbols import Symbols
from dev_agent.edits.text import BOM, FileText, Line, escaped, split_lines, without_trailing_space
from dev_agent.edits.verbatim import Verbatim

_LADDER: Final = (MatchLevel.EXACT, MatchLevel.WHITESPACE, MatchLevel.INDENT, MatchLevel.UNICODE)
PlacedEdit: TypeAlias = Replace | ReplaceText | Insert | ReplaceSymbol | InsertAfterSymbol


class Placer:
    """Finds places in one file. Keeps the file's indexes between its edits.

    matches    where each edit went so far
    keeps_bom  whether the file still begins with its byte order mark
    """

    def __init__(self, path: str, base: bytes, max_level: MatchLevel) -> None:
        self._name, self._path = path, f"'{escaped(path)}'"
        self.file = FileText.from_bytes(base)
        self.keeps_bom = self.file.bom
        self.matches: list[Match] = []
        self._haystack = Haystack(self.file)
        self._anchors = Anchors(self.file, self._path)
        self._verbatim = Verbatim(self.file, self._path)
        self._symbols = Symbols(self.file, self._path)
        self._misfits = Misfits(self.file, self._path, self._haystack, max_level)

    def region(self, edit: PlacedEdit) -> Region:
        """Return what `edit` covers and does. Raises Refused."""
        try:
            return self._sought(edit) if isinstance(edit, Replace) else self._fitted(edit)
        except Exhausted:
            raise Refused(
                ProblemCode.TOO_LARGE,
                f"finding every place in {self._path} takes too long; the search was stopped",
                "quote more, and exactly, or send fewer edits",
            ) from None

    def imports(self, edits: Sequence[AddImport]) -> Region:
        """Return the one region that adds all imports. Raises Refused."""
        for edit in edits:
            self._misfits.require_encodable(edit.statement)
        fit = imported(self.file, self._path, edits)
        return self._region_of(edits[0], fit)

    def _sought(self, edit: Replace) -> Region:
        sides = self._sides(edit)
        return self._replacement(edit, sides) if sides.old else self._insertion(edit, sides)

    def _fitted(self, edit: ReplaceText | Insert | ReplaceSymbol | InsertAfterSymbol) -> Region:
        new = edit.new if isinstance(edit, ReplaceText) else edit.text
        old = edit.old if isinstance(edit, ReplaceText) else ""
        self._misfits.require_encodable(old + new)
        self._misfits.refuse_placeholder(old, split_lines(new))
        if isinstance(edit, Insert):
            fit = insertion(self.file, self._path, edit)
        elif isinstance(edit, ReplaceText):
            found = self._verbatim.fit(edit)
            if found is None and edit.verbatim:
                raise self._misfits.not_found(self._sides(_as_lines(edit)))
            if found is None:
                return self._sought(_as_lines(edit))
            fit = found
            self._misfits.refuse_repetition(Sides(old=fit.old, new=fit.new), fit.place)
        elif isinstance(edit, ReplaceSymbol):
            fit = self._symbols.replaced(edit)
        else:
            fit = self._symbols.inserted_after(edit)
        return self._region_of(edit, fit)

    def _region_of(self, edit: TextEdit, fit: Fit) -> Region:
        self._misfits.require_allowed(fit.old, fit.level, fit.place)
        region = self._region(edit, [(fit.place, fit.splice_level, fit.old, fit.new)])
        self._matched(fit.level, fit.place, 1)
        return region

    def _sides(self, edit: Replace) -> Sides:
        self._misfits.require_encodable(edit.old + edit.new)
        old, new = edit.old, edit.new
        # The mark is no part of the text that people see and quote; only an edit that quotes it may change
        # it.
        at_top = self.file.bom and old.startswith(BOM) and self._begins_with(old[1:])
        drops = at_top and not new.startswith(BOM)
        if at_top:
            old, new = old[1:], new.removeprefix(BOM)
        lines = split_lines(new)
        self._misfits.refuse_placeholder(edit.old, lines)
        return Sides(old=split_lines(old), new=lines, at_top=at_top, drops_bom=drops)

    def _begins_with(self, text: str) -> bool:
        sought = split_lines(text)
        return [without_trailing_space(content) for content, _ in sought] == [
            without_trailing_space(content) for content, _ in self.file.lines[: len(sought)]
        ]

    def _insertion(self, edit: Replace, sides: Sides) -> Region:
        lines = self.file.lines
        if not lines:
            at = 0
            self.keeps_bom = self.keeps_bom and not sides.drops_bom
        elif sides.at_top:
            raise Refused(
                ProblemCode.NOT_FOUND, f"{self._path} is more than a byte order mark", "quote a line"
            )
        elif edit.numbered and edit.line_hint is not None and edit.line_hint <= len(lines) + 1:
            at = edit.line_hint - 1
        elif edit.line_hint is None and not edit.numbered:
            raise Refused(
                ProblemCode.EMPTY_SEARCH,
                f"nothing is sought, but {self._path} exists and has content",
                "quote the lines next to which the text belongs; an empty SEARCH only makes a new file",
            )
        else:
            raise Refused(
                ProblemCode.NO_PLACE,
                f"an insertion into {self._path} has no context that says where",
                "add context lines around it",
            )
        match = Match(path=self._name, level=MatchLevel.EXACT, line=at + 1, count=1)
        self.matches.append(match)
        place = Place(start=at, end=at)
        return self._region(edit, [(place, MatchLevel.EXACT, sides.old, sides.new)])

    def _replacement(self, edit: Replace, sides: Sides) -> Region:
        hint = 1 if sides.at_top else edit.line_hint
        scoped = bool(edit.anchors) or edit.at_end
        found = (
            self._found_in_scope(edit, sides)
            if scoped
            else self._haystack.find(sides.old, hint=hint, levels=_LADDER)
        )
        if found is None and scoped:
            raise self._misfits.not_found(sides, hint)
        if found is None:
            return self._elided(edit, sides)
        self._misfits.require_allowed(sides.old, found.level, found.places[0])
        if found.chosen is None:
            raise self._misfits.ambiguous(sides, found)
        if sides.at_top and found.chosen.start != 0:
            raise Refused(
                ProblemCode.NOT_FOUND, f"a byte order mark is sought inside {self._path}", "leave it out"
            )
        if self.file.bom and not edit.old.startswith(BOM) and found.chosen.start == 0 and sides.new:
            # The file keeps its mark; one that the replacement brings must not become a second.
            sides.new[0] = (sides.new[0][0].removeprefix(BOM), sides.new[0][1])
        # A numbered hunk is exempt: its context on both sides says that the lines are wanted twice.
        if not edit.numbered:
            self._misfits.refuse_repetition(sides, found.chosen)
        region = self._region(edit, [(found.chosen, found.level, sides.old, sides.new)])
        self.keeps_bom = self.keeps_bom and not sides.drops_bom
        self._matched(found.level, found.chosen, len(found.places))
        return region

    def _found_in_scope(self, edit: Replace, sides: Sides) -> Found | None:
        """Return the places below the anchors, from the narrowest scope that has any."""
        for start, end in self._anchors.scopes(edit.anchors):
            within = (start, end)
            if edit.at_end:
                within = (max(start, end - len(sides.old)), len(self.file.lines))
            found = self._haystack.find(sides.old, hint=None, levels=_LADDER, within=within)
            if found is not None:
                return found
        return None

    def _elided(self, edit: Replace, sides: Sides) -> Region:
        pieces = ellipsis.pieces(self._haystack, sides.old, sides.new)
        chosen = [(piece, piece.found.chosen) for piece in pieces if piece.found.chosen is not None]
        if not chosen:
            raise self._misfits.not_found(sides, edit.line_hint)
        self._misfits.require_allowed(sides.old, MatchLevel.ELLIPSIS, chosen[0][1])
        region = self._region(
            edit, [(place, piece.found.level, piece.old, piece.new) for piece, place in chosen]
        )
        self._matched(MatchLevel.ELLIPSIS, chosen[0][1], 1)
        return region

    def _matched(self, level: MatchLevel, place: Place, count: int) -> None:
        self.matches.append(Match(path=self._name, level=level, line=place.start + 1, count=count))

    def _region(
        self, edit: TextEdit, parts: Sequence[tuple[Place, MatchLevel, Sequence[Line], Sequence[Line]]]
    ) -> Region:
        made: list[Splice] = []
        for place, level, old, new in parts:
            here = splices(self.file, place, level, old, new)
            if here is None:
                raise Refused(
                    ProblemCode.NOT_FOUND,
                    f"the lines stand in {self._path} at line {place.start + 1} with less indentation,"
                    " and the replacement cannot be shifted so far",
                    "send the replacement with the file's own indentation",
                )
            made += here
        return Region(
            start=parts[0][0].start, end=parts[-1][0].end, line=edit.origin.line, splices=tuple(made)
        )


def _as_lines(edit: ReplaceText) -> Replace:
    """Return the edit of whole lines that text which occurs nowhere verbatim may have meant."""
    old, new = (side if not side or side.endswith("\n") else f"{side}\n" for side in (edit.old, edit.new))
    return Replace(path=edit.path, old=old, new=new, to=edit.to, origin=edit.origin)
