"""Make the files of a plan from the base tree: created, written, carried, edited. One path at a time.

Rules kept here:
- Text is never written to a symlink, a submodule or a binary file.
- Whole writes keep line ends and byte order mark; modes change only when an edit says so.
- A file that is not UTF-8 takes plain ASCII only: every other byte of the edit would be in a foreign
  encoding.

What must be true between paths is checked in `outcome.py`, when all files are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from dev_agent.edits import paths
from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.elision import new_placeholder
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.model import Copy, Create, Limits, Move, Replace, Write
from dev_agent.edits.placing import FileEdits
from dev_agent.edits.plan import Output, Plan
from dev_agent.edits.report import Report, Subject
from dev_agent.edits.text import BOM, FileText, Line, escaped, split_lines, to_bytes
from dev_agent.edits.trees import DIRECTORY, EXECUTABLE, GITLINK, REGULAR, SYMLINK, BaseTree
from dev_agent.values import dataclass

_KEPT: Final = 0.6
_SMALL: Final = 5
"""A recognised whole file keeps six lines of ten of the base file; one of up to five lines is exempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file of the resulting tree. `origin` is the base content it was made from, None if it is new."""

    mode: str
    content: bytes
    origin: bytes | None = None


class Maker:
    """Makes the files of one plan, reporting what cannot be made."""

    def __init__(
        self, tree: BaseTree, plan: Plan, report: Report, *, limits: Limits, max_level: MatchLevel
    ) -> None:
        self._tree = tree
        self._plan = plan
        self._report = report
        self._limits = limits
        self._max_level = max_level

    def make(self, output: Output) -> Made | None:
        """Return the file for `output`, None if a problem was reported."""
        lead = output.lead
        if isinstance(lead, Create):
            return self._create(lead)
        if isinstance(lead, Write):
            return self._write(lead)
        if isinstance(lead, Move | Copy):
            return self._carry(output, lead)
        if self._tree.mode(output.path) is None:
            return self._create_by_edit(output)
        return self._derive(output)

    def existing(self, subject: Subject) -> str | None:
        """Return the mode of a file or symlink of the base; report and return None if it is anything else."""
        mode = self._tree.mode(subject.path)
        shown = f"'{escaped(subject.path)}'"
        if mode is None:
            similar = self._similar(subject.path)
            self._report.refuse(subject, ProblemCode.MISSING_FILE, f"there is no file {shown}", similar)
        elif mode == DIRECTORY:
            self._report.refuse(
                subject, ProblemCode.IS_A_DIRECTORY, f"{shown} is a directory", "name the files in it"
            )
        elif mode == GITLINK:
            self._report.refuse(
                subject, ProblemCode.SUBMODULE, f"{shown} is a submodule", "submodules cannot be edited"
            )
        else:
            return mode
        return None

    @cached_property
    def _by_basename(self) -> dict[str, list[str]]:
        index: defaultdict[str, list[str]] = defaultdict(list)
        for path in self._tree.paths():
            index[path.rpartition("/")[2].casefold()].append(path)
        return index

    def _similar(self, path: str) -> str:
        found = self._by_basename.get(path.rpartition("/")[2].casefold(), [])[:3]
        if not found:
            return "name an existing file"
        return "did you mean " + " or ".join(f"'{escaped(each)}'" for each in found) + "?"

    # New files.

    def _create(self, edit: Create) -> Made | None:
        subject = Subject(path=edit.path, line=edit.origin.line)
        shown = f"'{escaped(edit.path)}'"
        if edit.mode == GITLINK:
            message = f"{shown} would be a submodule"
            self._report.refuse(subject, ProblemCode.SUBMODULE, message, "submodules cannot be added")
            return None
        if edit.mode not in {REGULAR, EXECUTABLE, SYMLINK}:
            message = f"'{escaped(edit.mode)}' is no mode for the new file {shown}"
            self._report.refuse(subject, ProblemCode.MODE, message, "use 100644 or 100755")
            return None
        return self._new(subject, edit.text.encode(), edit.mode)

    def _new(self, subject: Subject, content: bytes, mode: str = REGULAR) -> Made | None:
        if not self._is_free(subject, content) or not self._fits(subject, content):
            return None
        return Made(mode=mode, content=content)

    def _is_free(self, subject: Subject, content: bytes | None = None) -> bool:
        """Return whether a file may be made: the base has none at the path, or the proposal removes it."""
        path = subject.path
        fault = paths.blocking_parent(path, self._tree, self._plan.removed)
        mode = self._tree.mode(path)
        if fault is None and mode is None:
            fault = paths.portability_fault(path)
        if fault is not None:
            self._report.refuse(subject, *fault)
            return False
        # Whether a directory keeps files is seen when all names are known, in outcome.py.
        if mode is None or mode == DIRECTORY or path in self._plan.removed:
            return True
        same = content is not None and mode != GITLINK and self._tree.read(path) == content
        message = f"'{escaped(path)}' exists already" + (" with this very content" if same else "")
        hint = "leave it out" if same else "edit the existing file, or choose another name"
        self._report.refuse(subject, ProblemCode.EXISTS, message, hint, applied=same)
        return False

    def _create_by_edit(self, output: Output) -> Made | None:
        """Make the file of an edit that seeks nothing in an absent file; refuse every other edit of one."""
        first = output.edits[0] if output.edits else None
        if not isinstance(first, Replace) or len(output.edits) > 1 or output.mode:
            self._refuse_absent(output)
            return None
        if first.old or first.numbered:
            self._refuse_absent(output)
            return None
        if not first.origin.name_certain:
            self._refuse_absent(output)
            return None
        return self._new(Subject(path=output.path, line=output.line), first.new.encode())

    def _refuse_absent(self, output: Output) -> None:
        doubtful = next((edit for edit in output.edits if not edit.origin.name_certain), None)
        if doubtful is not None:
            self._report.refuse(
                Subject(path=output.path, line=doubtful.origin.name_line or doubtful.origin.line),
                ProblemCode.NOT_A_FILE_NAME,
                f"'{escaped(output.path)}' names no file",
                "put the file's path alone on the line above; a new file needs a suffix or a '/' (./NAME)",
            )
            return
        # Reported once for each edit, because every one of them has to be sent again.
        for each in output.edits:
            self.existing(Subject(path=output.path, line=each.origin.line))
        if output.mode is not None:
            self.existing(Subject(path=output.path, line=output.mode.origin.line))

    def _fits(self, subject: Subject, content: bytes) -> bool:
        limits = self._limits
        fits = len(content) <= limits.file_bytes and content.count(b"\n") < limits.file_lines
        if not fits:
            size = f"{limits.file_bytes} bytes or {limits.file_lines} lines"
            message = f"'{escaped(subject.path)}' is larger than {size}"
            self._report.refuse(subject, ProblemCode.TOO_LARGE, message, "leave it out")
        return fits

    # Files made from base files.

    def _write(self, edit: Write) -> Made | None:
        subject = Subject(path=edit.path, line=edit.origin.line)
        if self._tree.mode(edit.path) is None:
            complete = edit.declared or self._is_complete(subject, split_lines(edit.text), ())
            return self._new(subject, edit.text.encode()) if complete else None
        base = self._editable(subject)
        if base is None:
            return None
        mode, before = base
        file = FileText.from_bytes(before)
        lines = split_lines(edit.text)
        shown = f"'{escaped(edit.path)}'"
        if not self._is_complete(subject, lines, file.lines):
            return None
        if not edit.declared and len(file.lines) > _SMALL and len(lines) < _KEPT * len(file.lines):
            message = f"{shown} has {len(file.lines)} lines, and its new text has {len(lines)}"
            hint = 'send all lines; to drop so many, say so: {"op": "write"} in JSON, or a diff'
            self._report.refuse(subject, ProblemCode.SHRUNK, message, hint)
            return None
        if not file.utf8 and not edit.text.isascii():
            message = f"{shown} is not UTF-8, and the new text is not plain ASCII"
            self._report.refuse(subject, ProblemCode.ENCODING, message, "convert the file first")
            return None
        ended = [(line, file.line_end if end else "") for line, end in lines]
        content = to_bytes(ended, bom=file.bom and not edit.text.startswith(BOM))
        return Made(mode=mode, content=content, origin=before) if self._fits(subject, content) else None

    def _is_complete(self, subject: Subject, lines: Sequence[Line], known: Sequence[Line]) -> bool:
        """Return whether a whole text stands for itself; report the placeholder in it otherwise."""
        placeholder = new_placeholder((line for line, _ in lines), (line for line, _ in known))
        if placeholder is not None:
            shown = f"'{escaped(subject.path)}'"
            message = f"the new text of {shown} holds the placeholder '{escaped(placeholder)}'"
            self._report.refuse(subject, ProblemCode.ELISION, message, "write out the whole file")
        return placeholder is None

    def _editable(self, subject: Subject) -> tuple[str, bytes] | None:
        """Return mode and bytes of a base file whose text may be edited; report and return None otherwise."""
        mode = self.existing(subject)
        if mode is None:
            return None
        shown = f"'{escaped(subject.path)}'"
        if mode == SYMLINK:
            message = f"{shown} is a symlink; text is not written through it"
            hint = "edit the file it points to, or delete the link and create a file"
            self._report.refuse(subject, ProblemCode.SYMLINK, message, hint)
            return None
        content = self._tree.read(subject.path)
        if b"\0" in content:
            hint = "binary files cannot be edited as text"
            self._report.refuse(subject, ProblemCode.BINARY, f"{shown} is a binary file", hint)
            return None
        return (mode, content) if self._fits(subject, content) else None

    def _carry(self, output: Output, lead: Move | Copy) -> Made | None:
        source = Subject(path=lead.path, line=lead.origin.line)
        # That the source of a move exists is checked where removals are.
        mode = self.existing(source) if isinstance(lead, Copy) else self._tree.mode(lead.path)
        target = Subject(path=lead.to, line=lead.origin.line)
        if mode is None or mode in {DIRECTORY, GITLINK} or not self._is_free(target):
            return None
        if output.edits or output.mode:
            return self._derive(output)
        content = self._tree.read(lead.path)
        return Made(mode=mode, content=content, origin=content)

    def _derive(self, output: Output) -> Made | None:
        """Return the base file at `output.source` with its edits and its new mode."""
        subject = Subject(path=output.source, line=output.line)
        base = self._editable(subject) if output.edits else self._modal(subject)
        if base is None:
            return None
        mode, before = base
        if output.mode is not None:
            mode = output.mode.mode
            if mode not in {REGULAR, EXECUTABLE}:
                message = f"'{escaped(mode)}' is no mode for the file '{escaped(output.path)}'"
                self._report.refuse(subject, ProblemCode.MODE, message, "use 100644 or 100755")
                return None
        content = self._edited(output, before)
        return None if content is None else Made(mode=mode, content=content, origin=before)

    def _modal(self, subject: Subject) -> tuple[str, bytes] | None:
        """Return mode and bytes of a base file, binary or not, whose mode may be set."""
        mode = self.existing(subject)
        if mode == SYMLINK:
            message = f"'{escaped(subject.path)}' is a symlink, which has no mode to set"
            self._report.refuse(subject, ProblemCode.MODE, message, "leave it out")
            return None
        return None if mode is None else (mode, self._tree.read(subject.path))

    def _edited(self, output: Output, before: bytes) -> bytes | None:
        if not output.edits:
            return before
        edits = FileEdits(output.path, before, self._max_level)
        edits.place(output.edits)
        self._report.problems += edits.problems
        self._report.matches += edits.matches
        fits = not edits.problems and self._fits(Subject(path=output.path, line=output.line), edits.content)
        return edits.content if fits else None
