"""Resolve edits against one immutable base tree: all of them, or none and every reason why.

Rules kept here:
- Every edit is matched against the base, never against another edit's result; their order does not matter.
- Nothing is returned unless everything fits (law L7). All problems are reported at once.
- Bytes that no edit changes stay: line ends, byte order mark, final newline, mode, encoding.
- Text is never written to a symlink, a submodule or a binary file; a symlink is replaced by deleting and creating.
- A Python file that parsed before parses after, and no edit brings a source encoding other than UTF-8.

The names are ruled by `paths.py`, contradictions by `plan.py`, places by `placing.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from dev_agent.edits import paths, pysource
from dev_agent.edits.elision import new_placeholder
from dev_agent.edits.errors import Problem, ProblemCode, Unresolved
from dev_agent.edits.model import (
    DIRECTORY,
    EXECUTABLE,
    GITLINK,
    REGULAR,
    SYMLINK,
    BaseTree,
    Change,
    ChangeSet,
    Copy,
    Create,
    Delete,
    Edit,
    Limits,
    Match,
    MatchLevel,
    Move,
    Replace,
    SetMode,
    Write,
)
from dev_agent.edits.placing import FileEdits
from dev_agent.edits.plan import Output, Plan, plan
from dev_agent.edits.text import FileText, escaped, split_lines, to_bytes, without_trailing_space


def resolve(
    edits: Sequence[Edit],
    tree: BaseTree,
    *,
    limits: Limits = Limits(),  # noqa: B008 -- a frozen value
    max_level: MatchLevel = MatchLevel.ELLIPSIS,
) -> ChangeSet:
    """Return what `edits` do to `tree`. Raises Unresolved with all problems; the tree is only read."""
    return _Resolution(tree, limits, max_level).run(edits)


@dataclass(frozen=True, slots=True)
class _Made:
    """A file of the resulting tree. `origin` is the base content it was made from, None if it is new."""

    mode: str
    content: bytes
    origin: bytes | None


class _Resolution:
    def __init__(self, tree: BaseTree, limits: Limits, max_level: MatchLevel) -> None:
        self._tree = tree
        self._limits = limits
        self._max_level = max_level
        self._problems: list[Problem] = []
        self._notes: list[str] = []
        self._matches: list[Match] = []
        self._made: dict[str, _Made] = {}

    def run(self, edits: Sequence[Edit]) -> ChangeSet:
        sound = [edit for edit in edits if self._is_sound(edit)]
        plan_ = plan(sound)
        self._problems += plan_.problems
        for removal in plan_.removed.values():
            self._check_removal(removal)
        for output in plan_.outputs.values():
            made = self._make(output, plan_)
            if made is not None:
                self._made[output.path] = made
        self._check_names(plan_)
        self._check_links(plan_)
        for path, file in self._made.items():
            self._check_python(path, file, plan_.outputs[path].line)
        if self._problems:
            raise Unresolved(
                tuple(sorted(self._problems, key=lambda problem: (problem.line_in_proposal, problem.path)))
            )
        matches = tuple(sorted(self._matches, key=lambda match: (match.path, match.line)))
        return ChangeSet(changes=self._changes(plan_), matches=matches, notes=tuple(self._notes))

    def _refuse(
        self, path: str, line: int, code: ProblemCode, message: str, hint: str = "", *, applied: bool = False
    ) -> None:
        self._problems.append(
            Problem(
                path=path,
                line_in_proposal=line,
                code=code,
                message=message,
                hint=hint,
                already_applied=applied,
            )
        )

    # Edits on their own: what can be said without the tree.

    def _is_sound(self, edit: Edit) -> bool:
        """Return whether an edit is to be looked at further: its names and text are lawful, and it says something."""
        lawful = [self._is_lawful_path(path, edit) for path in _names(edit)]
        if not all(lawful) or not all([self._is_text(text, edit) for text in _texts(edit)]):
            return False
        if isinstance(edit, Replace) and edit.old == edit.new:
            self._notes.append(
                f"proposal line {edit.origin.line}: the edit of '{escaped(edit.path)}' changes nothing; skipped"
            )
            return False
        return True

    def _is_lawful_path(self, path: str, edit: Edit) -> bool:
        fault = paths.path_fault(path)
        if fault:
            self._refuse(path, edit.origin.name_line or edit.origin.line, *fault)
        return fault is None

    def _is_text(self, text: str, edit: Edit) -> bool:
        if "\0" in text:
            self._refuse(
                edit.path,
                edit.origin.line,
                ProblemCode.NUL,
                f"the text for '{escaped(edit.path)}' holds NUL",
                "send text",
            )
            return False
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            self._refuse(
                edit.path,
                edit.origin.line,
                ProblemCode.ENCODING,
                f"the text for '{escaped(edit.path)}' is not valid Unicode",
                "send UTF-8",
            )
            return False
        return True

    # Removals.

    def _check_removal(self, edit: Delete | Move) -> None:
        mode = self._existing(edit.path, edit.origin.line)
        if mode is None or not isinstance(edit, Delete) or edit.expected is None:
            return
        if _loosely(self._tree.read(edit.path)) != _loosely(edit.expected):
            self._refuse(
                edit.path,
                edit.origin.line,
                ProblemCode.STALE,
                f"'{escaped(edit.path)}' does not hold what the deletion says it holds",
                "make the deletion from the current file",
            )

    def _existing(self, path: str, line: int) -> str | None:
        """Return the mode of a file or symlink of the base; report and return None if it is anything else."""
        mode = self._tree.mode(path)
        if mode is None:
            self._refuse(
                path,
                line,
                ProblemCode.MISSING_FILE,
                f"there is no file '{escaped(path)}'",
                self._similar(path),
            )
        elif mode == DIRECTORY:
            self._refuse(
                path,
                line,
                ProblemCode.IS_A_DIRECTORY,
                f"'{escaped(path)}' is a directory",
                "name the files in it",
            )
        elif mode == GITLINK:
            self._refuse(
                path,
                line,
                ProblemCode.SUBMODULE,
                f"'{escaped(path)}' is a submodule",
                "submodules cannot be edited",
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

    # Outputs.

    def _make(self, output: Output, plan_: Plan) -> _Made | None:
        lead = output.lead
        if isinstance(lead, Create):
            return self._create(lead, plan_)
        if isinstance(lead, Write):
            return self._write(lead, plan_)
        if isinstance(lead, Move | Copy):
            return self._carry(output, lead, plan_)
        if self._tree.mode(output.path) is None:
            return self._create_by_edit(output, plan_)
        return self._derive(output)

    def _create(self, edit: Create, plan_: Plan) -> _Made | None:
        if edit.mode == GITLINK:
            self._refuse(
                edit.path,
                edit.origin.line,
                ProblemCode.SUBMODULE,
                f"'{escaped(edit.path)}' would be a submodule",
                "submodules cannot be added",
            )
            return None
        if edit.mode not in {REGULAR, EXECUTABLE, SYMLINK}:
            self._refuse(
                edit.path,
                edit.origin.line,
                ProblemCode.MODE,
                f"'{escaped(edit.mode)}' is no mode for a new file",
                "use 100644 or 100755",
            )
            return None
        content = edit.text.encode()
        if not self._is_free(edit.path, edit.origin.line, plan_, content) or not self._fits(
            edit.path, edit.origin.line, content
        ):
            return None
        return _Made(edit.mode, content, None)

    def _is_free(self, path: str, line: int, plan_: Plan, content: bytes | None = None) -> bool:
        """Return whether a file may be made at `path`, which the base must not have, or the proposal must remove."""
        fault = paths.blocking_parent(path, self._tree, plan_.removed)
        mode = self._tree.mode(path)
        if fault is None and mode is None:
            fault = paths.portability_fault(path)
        if fault is not None:
            self._refuse(path, line, *fault)
            return False
        if mode is None or mode == DIRECTORY or path in plan_.removed:
            # What a directory keeps is seen when all names are known, in _check_names.
            return True
        same = content is not None and mode != GITLINK and self._tree.read(path) == content
        self._refuse(
            path,
            line,
            ProblemCode.EXISTS,
            f"'{escaped(path)}' exists already" + (" with this very content" if same else ""),
            "leave it out" if same else "edit the existing file, or choose another name",
            applied=same,
        )
        return False

    def _fits(self, path: str, line: int, content: bytes) -> bool:
        fits = len(content) <= self._limits.file_bytes and content.count(b"\n") < self._limits.file_lines
        if not fits:
            self._refuse(
                path,
                line,
                ProblemCode.TOO_LARGE,
                f"'{escaped(path)}' is larger than the limit of {self._limits.file_bytes} bytes or {self._limits.file_lines} lines",
                "leave it out",
            )
        return fits

    def _write(self, edit: Write, plan_: Plan) -> _Made | None:
        path, line = edit.path, edit.origin.line
        if self._tree.mode(path) is None:
            content = edit.text.encode()
            free = self._is_free(path, line, plan_) and self._fits(path, line, content)
            return _Made(REGULAR, content, None) if free else None
        base = self._editable(path, line)
        if base is None:
            return None
        mode, before = base
        file = FileText.from_bytes(before)
        lines = split_lines(edit.text)
        placeholder = new_placeholder(
            (content for content, _ in lines), (content for content, _ in file.lines)
        )
        if placeholder is not None:
            self._refuse(
                path,
                line,
                ProblemCode.ELISION,
                f"the new text of '{escaped(path)}' holds the placeholder '{escaped(placeholder)}'",
                "write out the whole file",
            )
            return None
        if not file.utf8 and not edit.text.isascii():
            self._refuse(
                path,
                line,
                ProblemCode.ENCODING,
                f"'{escaped(path)}' is not UTF-8, and the new text is not plain ASCII",
                "convert the file first",
            )
            return None
        ended = [(content, file.line_end if end else "") for content, end in lines]
        content = to_bytes(ended, bom=file.bom and not edit.text.startswith("\ufeff"))
        return _Made(mode, content, before) if self._fits(path, line, content) else None

    def _editable(self, path: str, line: int) -> tuple[str, bytes] | None:
        """Return mode and bytes of a base file whose text may be edited; report and return None otherwise."""
        mode = self._existing(path, line)
        if mode is None:
            return None
        if mode == SYMLINK:
            self._refuse(
                path,
                line,
                ProblemCode.SYMLINK,
                f"'{escaped(path)}' is a symlink; text is not written through it",
                "edit the file it points to, or delete the link and create a file",
            )
            return None
        content = self._tree.read(path)
        if b"\0" in content:
            self._refuse(
                path,
                line,
                ProblemCode.BINARY,
                f"'{escaped(path)}' is a binary file",
                "binary files cannot be edited as text",
            )
            return None
        return (mode, content) if self._fits(path, line, content) else None

    def _carry(self, output: Output, lead: Move | Copy, plan_: Plan) -> _Made | None:
        mode = (
            self._existing(lead.path, lead.origin.line)
            if isinstance(lead, Copy)
            else self._tree.mode(lead.path)
        )
        if mode in {None, DIRECTORY, GITLINK} or not self._is_free(lead.to, lead.origin.line, plan_):
            return None
        if output.replaces or output.mode:
            return self._derive(output)
        content = self._tree.read(lead.path)
        return _Made(str(mode), content, content)

    def _derive(self, output: Output) -> _Made | None:
        """Return the base file at `output.source` with its edits and its new mode."""
        base = self._editable(output.source, output.line) if output.replaces else self._modal(output)
        if base is None:
            return None
        mode, before = base
        if output.mode is not None:
            if output.mode.mode not in {REGULAR, EXECUTABLE}:
                self._refuse(
                    output.path,
                    output.mode.origin.line,
                    ProblemCode.MODE,
                    f"'{escaped(output.mode.mode)}' is no mode for '{escaped(output.path)}'",
                    "use 100644 or 100755",
                )
                return None
            mode = output.mode.mode
        content = self._edited(output, before)
        return None if content is None else _Made(mode, content, before)

    def _modal(self, output: Output) -> tuple[str, bytes] | None:
        """Return mode and bytes of a base file, binary or not, whose mode may be set."""
        mode = self._existing(output.source, output.line)
        if mode == SYMLINK:
            self._refuse(
                output.path,
                output.line,
                ProblemCode.MODE,
                f"'{escaped(output.path)}' is a symlink, which has no mode to set",
                "leave it out",
            )
            return None
        return None if mode is None else (mode, self._tree.read(output.source))

    def _edited(self, output: Output, before: bytes) -> bytes | None:
        if not output.replaces:
            return before
        edits = FileEdits(output.path, before, self._max_level)
        edits.place(output.replaces)
        self._problems += edits.problems
        self._matches += edits.matches
        if edits.problems or not self._fits(output.path, output.line, edits.content):
            return None
        return edits.content

    def _create_by_edit(self, output: Output, plan_: Plan) -> _Made | None:
        """Make the file of an edit that seeks nothing in an absent file; every other edit of an absent file is refused."""
        first = output.replaces[0] if output.replaces else None
        if first is None or first.old or len(output.replaces) > 1 or output.mode or first.numbered:
            self._refuse_absent(output)
            return None
        if not first.origin.name_certain:
            self._refuse_absent(output)
            return None
        content = first.new.encode()
        if not self._is_free(output.path, output.line, plan_) or not self._fits(
            output.path, output.line, content
        ):
            return None
        return _Made(REGULAR, content, None)

    def _refuse_absent(self, output: Output) -> None:
        doubtful = [edit for edit in output.replaces if not edit.origin.name_certain]
        for edit in doubtful[:1]:
            self._refuse(
                output.path,
                edit.origin.name_line or edit.origin.line,
                ProblemCode.NOT_A_FILE_NAME,
                f"'{escaped(output.path)}' names no file",
                "put the file's path alone on the line above the block; to make a file without suffix at the top, write ./NAME",
            )
        if not doubtful:
            # Reported once for each edit: every one of them has to be sent again.
            for each in output.replaces or [output.mode]:
                if each is not None:
                    self._existing(output.path, each.origin.line)

    # The resulting tree.

    def _check_names(self, plan_: Plan) -> None:
        """Check new paths against all others. Base paths may clash among themselves: that is not this proposal's doing."""
        new = [path for path in self._made if self._tree.mode(path) in {None, DIRECTORY}]
        if not new:
            return
        kept = [path for path in self._tree.paths() if path not in plan_.removed]
        names = paths.Names([*kept, *self._made])
        for path in new:
            fault = names.fault(path)
            if fault is not None:
                self._refuse(path, plan_.outputs[path].line, *fault)

    def _check_links(self, plan_: Plan) -> None:
        def is_link(path: str) -> bool:
            if path in self._made:
                return self._made[path].mode == SYMLINK
            return path not in plan_.removed and self._tree.mode(path) == SYMLINK

        for path, file in self._made.items():
            if file.mode == SYMLINK:
                target = file.content.decode("utf-8", "surrogateescape")
                fault = paths.symlink_fault(path, target, is_link)
                if fault is not None:
                    self._refuse(path, plan_.outputs[path].line, *fault)

    def _check_python(self, path: str, file: _Made, line: int) -> None:
        if file.mode == SYMLINK or file.content == file.origin or not pysource.is_python(path, file.content):
            return
        declared = pysource.cookie(file.content)
        if declared is not None and (file.origin is None or pysource.cookie(file.origin) != declared):
            self._refuse(
                path,
                line,
                ProblemCode.CODING_COOKIE,
                f"'{escaped(path)}' would declare the source encoding '{escaped(declared)}'",
                "write UTF-8, without a coding line",
            )
            return
        fault = pysource.syntax_fault(file.content)
        if fault is None:
            return
        if file.origin is not None and pysource.syntax_fault(file.origin) is not None:
            self._notes.append(f"'{escaped(path)}' does not parse as Python; it did not before either")
            return
        row, column, message = fault
        self._refuse(
            path,
            line,
            ProblemCode.SYNTAX,
            f"'{escaped(path)}' would not parse as Python: line {row}, column {column}: {escaped(message)}",
            "correct the edit",
        )

    def _changes(self, plan_: Plan) -> tuple[Change, ...]:
        touched = [*self._made, *(path for path in plan_.removed if path not in self._made)]
        return tuple(self._change(path) for path in touched)

    def _change(self, path: str) -> Change:
        mode = self._tree.mode(path)
        mode = None if mode == DIRECTORY else mode
        after = self._made.get(path)
        return Change(
            path=path,
            before_mode=mode,
            before=None if mode is None else self._tree.read(path),
            after_mode=None if after is None else after.mode,
            after=None if after is None else after.content,
        )


def _names(edit: Edit) -> list[str]:
    to = edit.to if isinstance(edit, Move | Copy | Replace | SetMode) else None
    return [edit.path] if to is None else [edit.path, to]


def _texts(edit: Edit) -> list[str]:
    if isinstance(edit, Replace):
        return [edit.old, edit.new]
    return [edit.text] if isinstance(edit, Create | Write) else []


def _loosely(content: bytes) -> list[str]:
    """Return the lines of a file without what a deletion need not repeat: line ends, trailing space, byte order mark."""
    lines = [without_trailing_space(line) for line, _ in FileText.from_bytes(content).lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines
