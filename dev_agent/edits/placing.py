"""Put the text edits of one file in their places in the base text, or say why each has none.

What is refused here: a place that is not unique, a match more lenient than allowed, an insertion without a
place, edits that disturb each other, an edit that is there already, a placeholder in place of code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from difflib import SequenceMatcher
from itertools import chain
from typing import Final, TypeAlias

from dev_agent.edits import ellipsis
from dev_agent.edits.elision import new_placeholder
from dev_agent.edits.errors import Problem, ProblemCode
from dev_agent.edits.explain import Explainer, Nearest, quoted_lines, without_viewer_numbers
from dev_agent.edits.fit import Fit, insertion, verbatim
from dev_agent.edits.imports import imported
from dev_agent.edits.matching import MANY, Exhausted, Found, Haystack, Place
from dev_agent.edits.model import (
    AddImport,
    Insert,
    InsertAfterSymbol,
    Match,
    MatchLevel,
    Replace,
    ReplaceSymbol,
    ReplaceText,
    TextEdit,
)
from dev_agent.edits.refused import Refused
from dev_agent.edits.scope import scopes
from dev_agent.edits.splice import Region, Splice, overlap, run_together, spliced, splices
from dev_agent.edits.symbols import inserted_after_symbol, replaced_symbol
from dev_agent.edits.text import BOM, FileText, Line, escaped, split_lines, to_bytes, without_trailing_space
from dev_agent.values import dataclass

_STRICT: Final = (MatchLevel.EXACT, MatchLevel.WHITESPACE)
_LADDER: Final = (*_STRICT, MatchLevel.INDENT, MatchLevel.UNICODE)
PlacedEdit: TypeAlias = Replace | ReplaceText | Insert | ReplaceSymbol | InsertAfterSymbol
_EXPLAINED: Final = 200
"""After so many misfits of one file the nearest lines are no longer looked up."""


@dataclass(slots=True, kw_only=True)
class _Text:
    """The two sides of one edit as lines, and what they say about the byte order mark."""

    old: list[Line]
    new: list[Line]
    at_top: bool
    drops_bom: bool


@dataclass(slots=True)
class FileEdits:
    """The edits of one base file.

    After `place`, either `problems` is not empty or `content` holds the new bytes.
    """

    path: str
    base: bytes
    max_level: MatchLevel
    matches: list[Match] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    content: bytes = b""

    def place(self, edits: Sequence[TextEdit]) -> None:
        """Place all edits; collect every problem."""
        worker = _Placing(self)
        regions: list[Region] = []
        imports = [edit for edit in edits if isinstance(edit, AddImport)]
        for edit in edits:
            try:
                # Imports may share a line, so that all of a file are one region, made with the first.
                if not isinstance(edit, AddImport):
                    regions.append(worker.region(edit))
                elif edit is imports[0]:
                    regions.append(worker.imports(imports))
            except Refused as refused:
                self.problems.append(_problem(self.path, edit, refused))
        for first, second in [*overlap(regions), *run_together(worker.file, regions)]:
            self.problems.append(_overlapping(self.path, first, second))
        if not self.problems:
            made = [splice for region in regions for splice in region.splices]
            self.content = to_bytes(spliced(worker.file, made), bom=worker.keeps_bom)


def _problem(path: str, edit: TextEdit, refused: Refused) -> Problem:
    return Problem(
        path=path,
        line_in_proposal=edit.origin.line,
        code=refused.code,
        message=refused.message,
        hint=refused.hint,
        nearest=refused.nearest,
        already_applied=refused.applied,
    )


def _overlapping(path: str, first: Region, second: Region) -> Problem:
    if first.line > second.line:
        first, second = second, first
    return Problem(
        path=path,
        line_in_proposal=second.line,
        code=ProblemCode.OVERLAP,
        message=f"the edits of proposal lines {first.line} and {second.line} change the same part of"
        f" '{escaped(path)}' "
        f"(base lines {_range(first)} and {_range(second)})",
        hint="every edit is matched against the file as it was; merge the two into one",
    )


def _range(region: Region) -> str:
    return f"{region.start + 1}-{max(region.end, region.start + 1)}"


class _Placing:
    """Finds places in one file. Keeps the file's indexes between its edits."""

    def __init__(self, edits: FileEdits) -> None:
        self._path = f"'{escaped(edits.path)}'"
        self._edits = edits
        self.file = FileText.from_bytes(edits.base)
        self.keeps_bom = self.file.bom
        self._haystack = Haystack(self.file)
        self._explainer = Explainer(self.file)
        self._explained = 0

    def region(self, edit: PlacedEdit) -> Region:
        """Return what `edit` covers and does. Raises Refused."""
        if not isinstance(edit, Replace):
            return self._fitted(edit)
        text = self._text(edit)
        if not text.old:
            return self._insertion(edit, text)
        try:
            return self._replacement(edit, text)
        except Exhausted:
            raise Refused(
                ProblemCode.TOO_LARGE,
                f"too many places of {self._path} nearly fit; the search was stopped",
                "quote more, and exactly",
            ) from None

    def imports(self, edits: Sequence[AddImport]) -> Region:
        """Return the one region that adds all imports. Raises Refused."""
        for edit in edits:
            self._require_encodable(edit.statement)
        fit = imported(self.file, self._path, edits)
        return self._region_of(edits[0], fit)

    def _fitted(self, edit: ReplaceText | Insert | ReplaceSymbol | InsertAfterSymbol) -> Region:
        new = edit.new if isinstance(edit, ReplaceText) else edit.text
        old = edit.old if isinstance(edit, ReplaceText) else ""
        self._require_encodable(old + new)
        self._refuse_placeholder(old, split_lines(new))
        if isinstance(edit, Insert):
            fit = insertion(self.file, self._path, edit)
        elif isinstance(edit, ReplaceText):
            found = verbatim(self.file, self._path, edit)
            if found is None and edit.verbatim:
                raise self._not_found(self._text(_as_lines(edit)))
            if found is None:
                return self.region(_as_lines(edit))
            fit = found
            self._refuse_repetition(_Text(old=fit.old, new=fit.new, at_top=False, drops_bom=False), fit.place)
        elif isinstance(edit, ReplaceSymbol):
            fit = replaced_symbol(self.file, self._path, edit)
        else:
            fit = inserted_after_symbol(self.file, self._path, edit)
        return self._region_of(edit, fit)

    def _region_of(self, edit: TextEdit, fit: Fit) -> Region:
        self._require_allowed(fit.old, fit.level, fit.place)
        region = self._region(edit, [(fit.place, fit.splice_level, fit.old, fit.new)])
        self._matched(fit.level, fit.place, 1)
        return region

    def _text(self, edit: Replace) -> _Text:
        self._require_encodable(edit.old + edit.new)
        old, new = edit.old, edit.new
        # The mark is no part of the text that people see and quote; only an edit that quotes it may change
        # it.
        at_top = self.file.bom and old.startswith(BOM) and self._begins_with(old[1:])
        drops = at_top and not new.startswith(BOM)
        if at_top:
            old, new = old[1:], new.removeprefix(BOM)
        lines = split_lines(new)
        self._refuse_placeholder(edit.old, lines)
        return _Text(old=split_lines(old), new=lines, at_top=at_top, drops_bom=drops)

    def _begins_with(self, text: str) -> bool:
        sought = split_lines(text)
        return [without_trailing_space(content) for content, _ in sought] == [
            without_trailing_space(content) for content, _ in self.file.lines[: len(sought)]
        ]

    def _require_encodable(self, text: str) -> None:
        if not self.file.utf8 and not text.isascii():
            raise Refused(
                ProblemCode.ENCODING,
                f"{self._path} is not UTF-8, and the edit is not plain ASCII",
                "edit only lines that are plain ASCII, or convert the file first",
            )

    def _refuse_placeholder(self, old: str, new: Sequence[Line]) -> None:
        known = chain(old.split("\n"), (content for content, _ in self.file.lines))
        found = new_placeholder((content for content, _ in new), known)
        if found is not None:
            raise Refused(
                ProblemCode.ELISION,
                f"the replacement writes the placeholder '{escaped(found)}' into {self._path}",
                "write out the lines it stands for, or edit only the lines that change",
            )

    def _insertion(self, edit: Replace, text: _Text) -> Region:
        lines = self.file.lines
        if not lines:
            at = 0
            self.keeps_bom = self.keeps_bom and not text.drops_bom
        elif text.at_top:
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
        match = Match(path=self._edits.path, level=MatchLevel.EXACT, line=at + 1, count=1)
        self._edits.matches.append(match)
        place = Place(start=at, end=at)
        return self._region(edit, [(place, MatchLevel.EXACT, text.old, text.new)])

    def _replacement(self, edit: Replace, text: _Text) -> Region:
        hint = 1 if text.at_top else edit.line_hint
        scoped = bool(edit.anchors) or edit.at_end
        found = (
            self._found_in_scope(edit, text)
            if scoped
            else self._haystack.find(text.old, hint=hint, levels=_LADDER)
        )
        if found is None and scoped:
            raise self._not_found(text)
        if found is None:
            return self._elided(edit, text)
        self._require_allowed(text.old, found.level, found.places[0])
        if found.chosen is None:
            raise self._ambiguous(text, found)
        if text.at_top and found.chosen.start != 0:
            raise Refused(
                ProblemCode.NOT_FOUND, f"a byte order mark is sought inside {self._path}", "leave it out"
            )
        if self.file.bom and not edit.old.startswith(BOM) and found.chosen.start == 0 and text.new:
            # The file keeps its mark; one that the replacement brings must not become a second.
            text.new[0] = (text.new[0][0].removeprefix(BOM), text.new[0][1])
        # A numbered hunk is exempt: its context on both sides says that the lines are wanted twice.
        if not edit.numbered:
            self._refuse_repetition(text, found.chosen)
        region = self._region(edit, [(found.chosen, found.level, text.old, text.new)])
        self.keeps_bom = self.keeps_bom and not text.drops_bom
        self._matched(found.level, found.chosen, len(found.places))
        return region

    def _found_in_scope(self, edit: Replace, text: _Text) -> Found | None:
        """Return the places below the anchors, from the narrowest scope that has any."""
        for start, end in scopes(self.file, self._path, edit.anchors):
            first = max(start, end - len(text.old)) if edit.at_end else start
            part = Haystack(
                replace(
                    self.file, lines=self.file.lines[first : len(self.file.lines) if edit.at_end else end]
                )
            )
            found = part.find(text.old, hint=None, levels=_LADDER)
            if found is not None:
                places = tuple(each.moved(first) for each in found.places)
                chosen = None if found.chosen is None else found.chosen.moved(first)
                return replace(found, places=places, chosen=chosen)
        return None

    def _elided(self, edit: Replace, text: _Text) -> Region:
        pieces = ellipsis.pieces(self._haystack, text.old, text.new)
        chosen = [(piece, piece.found.chosen) for piece in pieces if piece.found.chosen is not None]
        if not chosen:
            raise self._not_found(text)
        self._require_allowed(text.old, MatchLevel.ELLIPSIS, chosen[0][1])
        region = self._region(
            edit, [(place, piece.found.level, piece.old, piece.new) for piece, place in chosen]
        )
        self._matched(MatchLevel.ELLIPSIS, chosen[0][1], 1)
        return region

    def _matched(self, level: MatchLevel, place: Place, count: int) -> None:
        self._edits.matches.append(
            Match(path=self._edits.path, level=level, line=place.start + 1, count=count)
        )

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

    def _require_allowed(self, sought: Sequence[Line], level: MatchLevel, place: Place) -> None:
        if level > self._edits.max_level:
            raise Refused(
                ProblemCode.LEVEL_CAPPED,
                f"the lines fit {self._path} only by a {level.name} match (line {place.start + 1});"
                f" at most {self._edits.max_level.name} is allowed",
                "quote the lines exactly",
                nearest=self._nearest(sought),
            )

    def _ambiguous(self, text: _Text, found: Found) -> Refused:
        numbers = [str(place.start + 1) for place in found.places[:MANY]]
        more = " and more" if len(found.places) >= MANY else ""
        return Refused(
            ProblemCode.AMBIGUOUS,
            f"{quoted_lines(text.old)} stands at {len(numbers)}{more} places in {self._path}:"
            f" lines {', '.join(numbers)}{more}",
            "quote more lines around it, until only one place fits",
            nearest=tuple(
                (place.start + 1, escaped(self.file.lines[place.start][0])) for place in found.places[:5]
            ),
        )

    def _refuse_repetition(self, text: _Text, place: Place) -> None:
        """Refuse a pure insertion next to an anchor where the inserted lines stand already."""
        if len(text.new) <= len(text.old) or not _is_substantive(text):
            return
        new = [content.strip() for content, _ in text.new]
        for start in {place.start, place.end - len(new)} - set(range(-len(new), 0)):
            if [content.strip() for content, _ in self.file.lines[start : start + len(new)]] == new:
                raise self._applied(start)

    def _applied(self, start: int) -> Refused:
        return Refused(
            ProblemCode.ALREADY_APPLIED,
            f"the replacement already stands in {self._path} at line {start + 1}",
            "leave this edit out; if the lines are wanted twice, quote the lines that follow too",
            applied=True,
        )

    def _not_found(self, text: _Text) -> Refused:
        if _are_akin(text.old, text.new):
            there = self._haystack.find(text.new, hint=None, levels=_STRICT)
            if there is not None and there.chosen is not None:
                return self._applied(there.chosen.start)
        hint = "quote the lines as they stand in the file"
        bare = without_viewer_numbers(text.old)
        if bare is not None:
            hint = (
                "you may be pasting line numbers: leave out the numbers that a viewer puts before the lines"
            )
        message = f"{quoted_lines(text.old)} does not stand in {self._path}"
        return Refused(ProblemCode.NOT_FOUND, message, hint, nearest=self._nearest(bare or text.old))

    def _nearest(self, sought: Sequence[Line]) -> Nearest:
        self._explained += 1
        return self._explainer.nearest(sought) if self._explained <= _EXPLAINED else ()


def _as_lines(edit: ReplaceText) -> Replace:
    """Return the edit of whole lines that text which occurs nowhere verbatim may have meant."""
    old, new = (side if not side or side.endswith("\n") else f"{side}\n" for side in (edit.old, edit.new))
    return Replace(path=edit.path, old=old, new=new, to=edit.to, origin=edit.origin)


def _are_akin(old: Sequence[Line], new: Sequence[Line]) -> bool:
    """Return whether `new` reads as a version of `old`, so that finding it tells something about this edit.

    Without this a replacement such as `pass` would count as applied wherever it stands.
    """
    olds = {content.strip() for content, _ in old} - {""}
    if any(content.strip() in olds for content, _ in new):
        return True
    before, after = ("".join(content for content, _ in side[:10])[:300] for side in (old, new))
    return SequenceMatcher(None, before, after).ratio() >= 0.5


def _is_substantive(text: _Text) -> bool:
    """Return whether old is kept whole and more than brackets and blank lines is added around it."""
    old = [content.strip() for content, _ in text.old]
    new = [content.strip() for content, _ in text.new]
    if new[: len(old)] == old:
        added = new[len(old) :]
    elif new[-len(old) :] == old:
        added = new[: -len(old)]
    else:
        return False
    return any(sum(character.isalnum() for character in line) >= 4 for line in added)
