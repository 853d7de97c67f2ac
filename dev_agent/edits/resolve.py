"""Resolve edits against one immutable base tree: all of them, or none and every reason why.

Rules kept here:
- Every edit is matched against the base, never against another edit's result; their order does not matter.
- Nothing is returned unless everything fits (law L7). All problems are reported at once.
- Bytes that no edit changes stay: line ends, byte order mark, final newline, mode, encoding.
- A Python file that parsed before parses after, and no edit brings a source encoding other than UTF-8.

Names are ruled by `paths.py`, contradictions by `plan.py`, files by `making.py`, places by `placing.py`, the
whole by `outcome.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dev_agent.edits import paths
from dev_agent.edits.changes import Change, ChangeSet, MatchLevel
from dev_agent.edits.errors import ProblemCode, Unresolved
from dev_agent.edits.making import Made, Maker
from dev_agent.edits.model import (
    AddImport,
    Copy,
    Create,
    Delete,
    Edit,
    Insert,
    InsertAfterSymbol,
    Limits,
    Move,
    Replace,
    ReplaceSymbol,
    ReplaceText,
    SetMode,
    TextEdit,
    Write,
)
from dev_agent.edits.outcome import Outcome
from dev_agent.edits.plan import Plan, plan
from dev_agent.edits.report import Report, Subject
from dev_agent.edits.text import FileText, escaped, without_trailing_space
from dev_agent.edits.trees import DIRECTORY, BaseTree

_DEFAULT: Final = Limits()


def resolve(
    edits: Sequence[Edit],
    tree: BaseTree,
    *,
    limits: Limits = _DEFAULT,
    max_level: MatchLevel = MatchLevel.ELLIPSIS,
) -> ChangeSet:
    """Return what `edits` do to `tree`, which is only read.

    Raises Unresolved with all problems, sorted by their line in the proposal.
    """
    report = Report()
    planned = plan([edit for edit in edits if _is_sound(edit, tree, report)])
    report.problems += planned.problems
    maker = Maker(tree, planned, report, limits=limits, max_level=max_level)
    for removal in planned.removed.values():
        _check_removal(removal, tree, maker, report)
    made = {path: file for path, each in planned.outputs.items() if (file := maker.make(each)) is not None}
    Outcome(tree=tree, plan=planned, made=made).check(report)
    if report.problems:
        raise Unresolved(
            tuple(sorted(report.problems, key=lambda each: (each.line_in_proposal, each.path, each.message)))
        )
    return ChangeSet(
        changes=tuple(_changes(tree, planned, made)),
        matches=tuple(sorted(report.matches, key=lambda match: (match.path, match.line))),
        notes=tuple(report.notes),
    )


def _is_sound(edit: Edit, tree: BaseTree, report: Report) -> bool:
    """Return whether an edit is looked at further: names and text are lawful, and it says something."""
    lawful = [_is_lawful(path, edit, tree, report) for path in _names(edit)]
    lawful += [_is_text(text, edit, report) for text in _texts(edit)]
    if not all(lawful):
        return False
    if isinstance(edit, Replace | ReplaceText) and edit.old == edit.new:
        report.notes.append(
            f"proposal line {edit.origin.line}: the edit of '{escaped(edit.path)}' changes nothing; skipped"
        )
        return False
    return True


def _is_lawful(path: str, edit: Edit, tree: BaseTree, report: Report) -> bool:
    fault = paths.path_fault(path, in_base=tree.mode(path) is not None)
    if fault is not None:
        report.refuse(Subject(path=path, line=edit.origin.name_line or edit.origin.line), *fault)
    return fault is None


def _is_text(text: str, edit: Edit, report: Report) -> bool:
    subject = Subject(path=edit.path, line=edit.origin.line)
    if "\0" in text:
        message = f"the text for '{escaped(edit.path)}' holds NUL"
        report.refuse(subject, ProblemCode.NUL, message, "send text without NUL")
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        message = f"the text for '{escaped(edit.path)}' is not valid Unicode"
        report.refuse(subject, ProblemCode.ENCODING, message, "send UTF-8")
        return False
    return True


def _names(edit: Edit) -> list[str]:
    to = edit.to if isinstance(edit, Move | Copy | TextEdit | SetMode) else None
    return [edit.path] if to is None else [edit.path, to]


def _texts(edit: Edit) -> list[str]:
    if isinstance(edit, Replace | ReplaceText):
        return [edit.old, edit.new]
    if isinstance(edit, ReplaceSymbol | InsertAfterSymbol):
        return [edit.symbol, edit.text]
    if isinstance(edit, AddImport):
        return [edit.statement]
    return [edit.text] if isinstance(edit, Create | Write | Insert) else []


def _check_removal(edit: Delete | Move, tree: BaseTree, maker: Maker, report: Report) -> None:
    subject = Subject(path=edit.path, line=edit.origin.line)
    if maker.existing(subject) is None or not isinstance(edit, Delete) or edit.expected is None:
        return
    if _loosely(tree.read(edit.path)) != _loosely(edit.expected):
        message = f"'{escaped(edit.path)}' does not hold what the deletion says it holds"
        report.refuse(subject, ProblemCode.STALE, message, "make the deletion from the current file")


def _loosely(content: bytes) -> list[str]:
    """Return a file's lines without what a deletion need not repeat: line ends, trailing space, BOM."""
    lines = [without_trailing_space(line) for line, _ in FileText.from_bytes(content).lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _changes(tree: BaseTree, planned: Plan, made: Mapping[str, Made]) -> Iterator[Change]:
    for path in [*made, *(path for path in planned.removed if path not in made)]:
        mode = tree.mode(path)
        before_mode = None if mode == DIRECTORY else mode
        after = made.get(path)
        yield Change(
            path=path,
            before_mode=before_mode,
            before=None if before_mode is None else tree.read(path),
            after_mode=None if after is None else after.mode,
            after=None if after is None else after.content,
        )
