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

from dev_agent.edits.errors import ParseError
from dev_agent.edits.model import Create, Edit, Insert, ReplaceText, TextEdit, Write
from dev_agent.edits.text import escaped


def on_one_base(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return the edits with every line number that of the base. Raises ParseError if one cannot be told."""
    earlier: defaultdict[str, list[Edit]] = defaultdict(list)
    made: list[Edit] = []
    for edit in edits:
        before = earlier[edit.path]
        if isinstance(edit, ReplaceText):
            _refuse_dependent(edit, before)
            made.append(replace(edit, verbatim=bool(before)))
        elif isinstance(edit, Insert) and edit.after is not None:
            made.append(replace(edit, after=_base_line(edit, edit.after, before)))
        else:
            made.append(edit)
        if isinstance(edit, TextEdit | Create | Write):
            before.append(edit)
    return tuple(made)


def _refuse_dependent(edit: ReplaceText, before: Sequence[Edit]) -> None:
    for prior in before:
        written = (
            prior.new if isinstance(prior, ReplaceText) else prior.text if isinstance(prior, Insert) else ""
        )
        if edit.old in written:
            raise _dependent(edit, prior, "the text it seeks is written by that one")


def _base_line(edit: Insert, line: int, before: Sequence[Edit]) -> int:
    for prior in reversed(before):
        if isinstance(prior, Insert) and prior.after is not None:
            count = prior.text.count("\n")
            if prior.after < line < prior.after + count:
                raise _dependent(edit, prior, "its line number points into the lines inserted there")
            if line >= prior.after + count:
                line -= count
        elif not isinstance(prior, ReplaceText) or prior.old.count("\n") != prior.new.count("\n"):
            raise _dependent(edit, prior, "that one may have moved the line its number means")
    return line


def _dependent(edit: ReplaceText | Insert, prior: Edit, why: str) -> ParseError:
    return ParseError(
        f"this edit of '{escaped(edit.path)}' depends on the one at line {prior.origin.line}: {why}",
        "every edit must speak about the file as it is now; merge the two into one",
        line=edit.origin.line,
    )
