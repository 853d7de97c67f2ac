"""Group edits by the path they make, and find edits that contradict each other. Consults no tree.

Rules kept here:
- One path is made by one edit: created, written, moved to, copied to, or edited in place.
- A path that is deleted or moved away may be made anew by `Create`, `Move` or `Copy`, both steps being
  explicit. It may not be edited in place.
- An edit with `to` belongs to the `Move` or `Copy` with the same two paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import TypeAlias

from dev_agent.edits.errors import Problem, ProblemCode
from dev_agent.edits.model import (
    AddImport,
    Copy,
    Create,
    Delete,
    Edit,
    Insert,
    InsertAfterSymbol,
    Move,
    Replace,
    ReplaceSymbol,
    ReplaceText,
    SetMode,
    TextEdit,
    Write,
)
from dev_agent.edits.text import escaped
from dev_agent.values import dataclass

Lead: TypeAlias = Create | Write | Move | Copy
_WORDS = {
    Create: "a creation",
    Write: "a whole write",
    Move: "a move",
    Copy: "a copy",
    Delete: "a deletion",
    Replace: "an edit",
    ReplaceText: "an edit",
    Insert: "an insertion",
    ReplaceSymbol: "a symbol's replacement",
    InsertAfterSymbol: "an insertion after a symbol",
    AddImport: "an added import",
    SetMode: "a mode change",
}


@dataclass(slots=True, kw_only=True)
class Output:
    """One path the proposal makes. `lead` None: the base file at `path` is edited in place."""

    path: str
    lead: Lead | None = None
    edits: list[TextEdit] = field(default_factory=list)
    mode: SetMode | None = None

    @property
    def source(self) -> str:
        """The base path whose text this is made from."""
        return self.lead.path if isinstance(self.lead, Move | Copy) else self.path

    @property
    def line(self) -> int:
        """The proposal line to name when this path cannot be made."""
        first = self.lead or self.mode or self.edits[0]
        return first.origin.line


@dataclass(slots=True)
class Plan:
    """All outputs and removals of a proposal, with the contradictions found on the way."""

    outputs: dict[str, Output] = field(default_factory=dict)
    removed: dict[str, Delete | Move] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, edits: Sequence[Edit]) -> None:
        """Add edits, whose order does not matter."""
        for edit in edits:
            if isinstance(edit, Create | Write):
                self._lead(edit.path, edit)
            elif isinstance(edit, Move | Copy):
                self._lead(edit.to, edit)
            if isinstance(edit, Move | Delete):
                self._remove(edit)
        for edit in edits:
            if isinstance(edit, TextEdit | SetMode):
                self._attach(edit)
        for path, removal in self.removed.items():
            output = self.outputs.get(path)
            if output is not None and isinstance(output.lead, Write):
                self._conflict(path, removal, output.lead)

    def _conflict(self, path: str, first: Edit, second: Edit) -> None:
        self.problems.append(
            Problem(
                path=path,
                line_in_proposal=second.origin.line,
                code=ProblemCode.CONFLICT,
                message=f"'{escaped(path)}' is the subject of {_WORDS[type(first)]}"
                f" (proposal line {first.origin.line}) "
                f"and of {_WORDS[type(second)]}",
                hint="keep one of the two",
            )
        )

    def _lead(self, path: str, edit: Lead) -> None:
        output = self.outputs.get(path)
        if output is not None and output.lead is not None:
            self._conflict(path, output.lead, edit)
        else:
            self.outputs[path] = Output(path=path, lead=edit)

    def _remove(self, edit: Delete | Move) -> None:
        earlier = self.removed.setdefault(edit.path, edit)
        if earlier is not edit:
            self._conflict(edit.path, earlier, edit)

    def _attach(self, edit: TextEdit | SetMode) -> None:
        path = edit.path if edit.to is None else edit.to
        output = self.outputs.get(path)
        if edit.to is not None:
            if output is None or not isinstance(output.lead, Move | Copy) or output.lead.path != edit.path:
                self._stray(edit)
                return
        elif edit.path in self.removed:
            self._conflict(path, self.removed[edit.path], edit)
            return
        elif output is not None and output.lead is not None:
            self._conflict(path, output.lead, edit)
            return
        output = self.outputs.setdefault(path, Output(path=path))
        if not isinstance(edit, SetMode):
            output.edits.append(edit)
        elif output.mode is None:
            output.mode = edit
        else:
            self._conflict(path, output.mode, edit)

    def _stray(self, edit: TextEdit | SetMode) -> None:
        self.problems.append(
            Problem(
                path=edit.path,
                line_in_proposal=edit.origin.line,
                code=ProblemCode.CONFLICT,
                message=f"an edit follows '{escaped(edit.path)}' to '{escaped(str(edit.to))}',"
                " but nothing moves or copies it there",
                hint="move the file in the same proposal, or edit it where it is",
            )
        )


def plan(edits: Sequence[Edit]) -> Plan:
    """Return the plan for `edits`."""
    made = Plan()
    made.add(edits)
    return made
