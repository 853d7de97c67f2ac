"""Fit edits of Python definitions: find a function, class or method by its qualified name.

`definitions.py` says where they begin and end; what goes there is lines, so every other byte of the file stays.

Rules kept here:
- Several definitions of one name (overloads, a property's setter) are refused unless a line number names one of them.
- The text is exactly one definition, of the same name if it replaces one. A replacement without decorators of
  a decorated definition is refused: they are more often forgotten than meant to go.
- Text indented differently from its place is shifted, and that counts as an INDENT match. Lines of a string
  are not shifted unless it is a docstring: that would change its value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Final

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.definitions import Definition, PythonSource
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.fit import Fit, inserted
from dev_agent.edits.matching import Place, Shift
from dev_agent.edits.model import InsertAfterSymbol, ReplaceSymbol
from dev_agent.edits.refused import Refused
from dev_agent.edits.text import FileText, Line, escaped, indentation, split_lines
from dev_agent.values import dataclass

_EXPLAINED: Final = 20
"""After so many unknown symbols of one file those like them are no longer looked up."""
_COMPARED: Final = 5_000
"""So many of a file's names are compared letter by letter with an unknown one."""
_WHOLE: Final = "send one whole 'def' or 'class', decorators included"


class Symbols:
    """The definitions of one file, looked up when the first edit asks. `path` is for messages."""

    def __init__(self, file: FileText, path: str) -> None:
        self._file, self._path = file, path
        self._explained = 0

    def replaced(self, edit: ReplaceSymbol) -> Fit:
        """Return the fit of a symbol's replacement. Raises Refused."""
        file, found = self._file, self._find(edit)
        text = _Text.read(edit)
        if text.name != found.name.rpartition(".")[2]:
            raise Refused(
                ProblemCode.NOT_A_DEFINITION,
                f"the text for '{escaped(edit.symbol)}' defines '{escaped(text.name)}'",
                "send the definition under its own name; rename it with edits of lines",
            )
        if found.decorated and not text.decorated:
            raise Refused(
                ProblemCode.NOT_A_DEFINITION,
                f"'{escaped(edit.symbol)}' in {self._path} is decorated, and its replacement is not",
                "repeat the decorators; remove one with an edit of lines",
            )
        new, level = text.at(indentation(file.lines[found.line][0]))
        # Whether the file ends in a newline is not for a definition's text to say.
        new = [*new[:-1], (new[-1][0], "\n" if file.lines[found.end - 1][1] else "")]
        place = Place(start=found.start, end=found.end)
        return Fit(place=place, old=list(file.lines[found.start : found.end]), new=new, level=level)

    def inserted_after(self, edit: InsertAfterSymbol) -> Fit:
        """Return the fit of a definition put after another, set apart by blank lines. Raises Refused."""
        file, found = self._file, self._find(edit)
        margin = indentation(file.lines[found.line][0])
        new, level = _Text.read(edit).at(margin)
        self._refuse_repeated(found.end, new)
        blank: list[Line] = [("", "\n")] * (1 if margin else 2)
        followed = found.end < len(file.lines) and file.lines[found.end][0].strip() != ""
        return inserted(file, found.end, [*blank, *new, *(blank if followed else [])], level)

    def _refuse_repeated(self, end: int, new: Sequence[Line]) -> None:
        lines = self._file.lines
        start = next((at for at in range(end, len(lines)) if lines[at][0].strip()), len(lines))
        if [line.rstrip() for line, _ in lines[start : start + len(new)]] == [
            line.rstrip() for line, _ in new
        ]:
            raise Refused(
                ProblemCode.ALREADY_APPLIED,
                f"the definition already stands in {self._path} at line {start + 1}",
                "leave this edit out",
                applied=True,
            )

    def _find(self, edit: ReplaceSymbol | InsertAfterSymbol) -> Definition:
        known = self._known
        if isinstance(known, Refused):
            raise known.with_traceback(None)
        sought = edit.symbol.replace(".<locals>.", ".")
        found = known.get(sought, [])
        if len(found) > 1 and edit.line_hint is not None:
            found = [each for each in found if each.start < edit.line_hint <= each.line + 1] or found
        if len(found) == 1:
            return self._plain(found[0])
        raise self._several(found) if found else self._unknown(sought, known)

    def _plain(self, found: Definition) -> Definition:
        """Return the definition unless a form feed stands before it, which indents for Python and not for an eye."""
        heads = (self._file.lines[at][0] for at in (found.start, found.line))
        if any("\x0c" in head[: len(head) - len(head.lstrip())] for head in heads):
            raise Refused(
                ProblemCode.NOT_A_DEFINITION,
                f"'{escaped(found.name)}' stands behind a form feed on its line {found.line + 1} of {self._path}",
                "edit it by lines",
            )
        return found

    @cached_property
    def _known(self) -> dict[str, list[Definition]] | Refused:
        """The definitions by name, or why they cannot be known."""
        lines = self._file.lines
        # A lone CR ends a line for Python and not for git: line numbers would mean different lines.
        if not self._file.utf8 or any("\r" in content for content, _ in lines):
            return Refused(
                ProblemCode.ENCODING,
                f"{self._path} is not UTF-8 with ordinary line ends; symbols in it are not looked up",
                "edit it by lines",
            )
        try:
            found = PythonSource("".join(content + "\n" for content, _ in lines)).definitions()
        except ValueError as error:
            message = f"{self._path} cannot be read as Python: {error}"
            return Refused(ProblemCode.UNKNOWN_SYMBOL, message, "edit it by lines")
        known: defaultdict[str, list[Definition]] = defaultdict(list)
        for each in found:
            known[each.name].append(each)
        return dict(known)

    def _several(self, found: Sequence[Definition]) -> Refused:
        lines = ", ".join(str(each.line + 1) for each in found[:20])
        return Refused(
            ProblemCode.AMBIGUOUS,
            f"'{escaped(found[0].name)}' is defined {len(found)} times in {self._path}: lines {lines}",
            'name the line of one of them ("line"), or edit lines',
            nearest=tuple((each.line + 1, escaped(each.name)) for each in found[:5]),
        )

    def _unknown(self, sought: str, known: Mapping[str, Sequence[Definition]]) -> Refused:
        self._explained += 1
        alike = _alike(sought, list(known)) if self._explained <= _EXPLAINED else set()
        nearest = sorted((each.line + 1, escaped(name)) for name in alike for each in known[name])[:5]
        return Refused(
            ProblemCode.UNKNOWN_SYMBOL,
            f"{self._path} defines no '{escaped(sought)}'",
            "name a function, class or method with the classes around it, as in 'Cart.total'",
            nearest=tuple(nearest),
        )


def _alike(sought: str, known: Sequence[str]) -> set[str]:
    last = sought.rpartition(".")[2]
    same = {name for name in known if name.rpartition(".")[2] == last}
    return same | set(get_close_matches(sought, known[:_COMPARED], 5, 0.6))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A definition as it was sent: its lines, which of them (0-based) lie inside strings, what it defines."""

    lines: list[Line]
    strings: frozenset[int]
    name: str
    decorated: bool

    @classmethod
    def read(cls, edit: ReplaceSymbol | InsertAfterSymbol) -> _Text:
        lines = split_lines(edit.text)
        while lines and not lines[-1][0].strip():
            lines.pop()
        while lines and not lines[0][0].strip():
            lines.pop(0)
        margin = indentation(lines[0][0]) if lines else ""
        head = "if True:\n" if margin else ""
        source = head + "".join(content + "\n" for content, _ in lines)
        try:
            read = PythonSource(source)
        except ValueError as error:
            raise Refused(
                ProblemCode.NOT_A_DEFINITION,
                f"the text for '{escaped(edit.symbol)}' cannot be read as Python: {error}",
                _WHOLE,
            ) from None
        found = read.definitions()
        if not found or not read.is_one(below=bool(margin)):
            message = f"the text for '{escaped(edit.symbol)}' is not one definition"
            raise Refused(ProblemCode.NOT_A_DEFINITION, message, _WHOLE)
        first = next(each for each in found if "." not in each.name)
        offset = 1 if head else 0
        return cls(
            lines=lines,
            strings=frozenset(line - offset for line in read.string_lines()),
            name=first.name,
            decorated=first.decorated,
        )

    def at(self, margin: str) -> tuple[list[Line], MatchLevel]:
        """Return the lines with the indentation `margin`, and how lenient that was. Raises Refused."""
        given = indentation(self.lines[0][0])
        if given == margin:
            return self.lines, MatchLevel.EXACT
        shifted = [
            (content if at in self.strings else self._shifted(content, given, margin), end)
            for at, (content, end) in enumerate(self.lines)
        ]
        return shifted, MatchLevel.INDENT

    def _shifted(self, content: str, given: str, margin: str) -> str:
        bare = Shift(sign=-1, by=given).applied(content) if given else content
        if bare is None:
            raise Refused(
                ProblemCode.NOT_A_DEFINITION,
                f"the line '{escaped(content)}' is indented less than the definition it is part of",
                "send the definition with the file's own indentation",
            )
        return margin + bare if bare.strip() else bare
