"""Bring operations that were meant to run one after another onto one immutable base, or refuse them.

Rules kept here:
- A line number counts the lines of the file as the operations before left it. Where earlier insertions tell
  how many lines came above, it is counted back; where an earlier edit hides that, it is refused.
- Text that an earlier operation writes is not sought by a later one: on the base it is not there, and if it
  is, it would not have been unique. Text that two of them make only together is not there verbatim either, so a
  later operation gets no leniency in being found.

Only `ReplaceText` and `Insert` are such operations; every other edit speaks about the base already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dev_agent.edits.errors import ParseError, TooLarge
from dev_agent.edits.model import Create, Edit, Insert, ReplaceText, TextEdit, Write
from dev_agent.edits.text import escaped

_STEPS: Final = 60_000_000
"""So many looks at earlier operations are taken: enough for ten thousand operations on one file."""
_LONG: Final = 1_000
"""Looking through so many more characters is one more step."""


def on_one_base(edits: Sequence[Edit], *, steps: int = _STEPS) -> tuple[Edit, ...]:
    """Return the edits with every line number that of the base.

    Raises ParseError if one cannot be told, and TooLarge if that would take more than `steps`.
    """
    earlier: defaultdict[str, _Earlier] = defaultdict(_Earlier)
    made: list[Edit] = []
    for edit in edits:
        before = earlier[edit.path]
        steps -= before.steps(edit)
        if steps < 0:
            raise TooLarge(
                f"there are too many text editor operations on '{escaped(edit.path)}' to bring them onto one base",
                "send a diff instead",
            )
        if isinstance(edit, ReplaceText):
            made.append(replace(edit, verbatim=before.any))
            before.refuse_dependent(edit)
        elif isinstance(edit, Insert) and edit.after is not None:
            made.append(replace(edit, after=before.base_line(edit, edit.after)))
        else:
            made.append(edit)
        before.add(edit)
    return tuple(made)


class _Earlier:
    """What came before in one file: the texts that were written, and what moved lines.

    Of the movers an insertion stands with the line it follows and its number of lines, every other with None.
    """

    def __init__(self) -> None:
        self.any = False
        self._written: list[tuple[str, Edit]] = []
        self._moved: list[tuple[Edit, tuple[int, int] | None]] = []
        self._length = 0

    def add(self, edit: Edit) -> None:
        if not isinstance(edit, TextEdit | Create | Write):
            return
        self.any = True
        if isinstance(edit, ReplaceText | Insert):
            text = edit.new if isinstance(edit, ReplaceText) else edit.text
            self._written.append((text, edit))
            self._length += len(text)
        if isinstance(edit, Insert) and edit.after is not None:
            self._moved.append((edit, (edit.after, edit.text.count("\n"))))
        elif not isinstance(edit, ReplaceText) or edit.old.count("\n") != edit.new.count("\n"):
            self._moved.append((edit, None))

    def steps(self, edit: Edit) -> int:
        """Return what `refuse_dependent` or `base_line` will cost."""
        if isinstance(edit, ReplaceText):
            return len(self._written) + self._length // _LONG
        return len(self._moved) if isinstance(edit, Insert) and edit.after is not None else 0

    def refuse_dependent(self, edit: ReplaceText) -> None:
        old = edit.old
        for written, prior in self._written:
            if old in written:
                raise _dependent(edit, prior, "the text it seeks is written by that one")

    def base_line(self, edit: Insert, line: int) -> int:
        for prior, inserted in reversed(self._moved):
            if inserted is None:
                raise _dependent(edit, prior, "that one may have moved the line its number means")
            after, count = inserted
            if after < line < after + count:
                raise _dependent(edit, prior, "its line number points into the lines inserted there")
            if line >= after + count:
                line -= count
        return line


def _dependent(edit: ReplaceText | Insert, prior: Edit, why: str) -> ParseError:
    return ParseError(
        f"this edit of '{escaped(edit.path)}' depends on the one at line {prior.origin.line}: {why}",
        "every edit must speak about the file as it is now; merge the two into one",
        line=edit.origin.line,
    )
