"""What must be true of the resulting tree as a whole: its names, its links, its Python."""

from __future__ import annotations

from collections.abc import Mapping

from dev_agent.edits import paths, pysource
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.making import Made
from dev_agent.edits.plan import Plan
from dev_agent.edits.report import Report, Subject
from dev_agent.edits.text import escaped
from dev_agent.edits.trees import DIRECTORY, SYMLINK, BaseTree
from dev_agent.python_text import NEWER_SYNTAX, READ_AS
from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The base tree with a plan's removals and the files made for it."""

    tree: BaseTree
    plan: Plan
    made: Mapping[str, Made]

    def check(self, report: Report) -> None:
        """Report everything that is wrong with this tree and was not before."""
        self._check_names(report)
        self._check_links(report)
        for path in self.made:
            self._check_python(path, report)

    def _subject(self, path: str) -> Subject:
        return Subject(path=path, line=self.plan.outputs[path].line)

    def _check_names(self, report: Report) -> None:
        # Only new paths: where base paths clash among themselves, that is not this proposal's doing.
        new = [path for path in self.made if self.tree.mode(path) in {None, DIRECTORY}]
        if not new:
            return
        kept = (path for path in self.tree.paths() if path not in self.plan.removed)
        names = paths.Names([*kept, *self.made])
        for path in new:
            fault = names.fault(path)
            if fault is not None:
                report.refuse(self._subject(path), *fault)

    def _is_link(self, path: str) -> bool:
        if path in self.made:
            return self.made[path].mode == SYMLINK
        return path not in self.plan.removed and self.tree.mode(path) == SYMLINK

    def _check_links(self, report: Report) -> None:
        for path, file in self.made.items():
            if file.mode == SYMLINK:
                target = file.content.decode("utf-8", "surrogateescape")
                fault = paths.symlink_fault(path, target, self._is_link)
                if fault is not None:
                    report.refuse(self._subject(path), *fault)

    def _check_python(self, path: str, report: Report) -> None:
        file = self.made[path]
        if file.mode == SYMLINK or file.content == file.origin or not pysource.is_python(path, file.content):
            return
        shown = f"'{escaped(path)}'"
        declared = pysource.cookie(file.content)
        if declared is not None and (file.origin is None or pysource.cookie(file.origin) != declared):
            message = f"{shown} would declare the source encoding '{escaped(declared)}'"
            report.refuse(
                self._subject(path), ProblemCode.CODING_COOKIE, message, "write UTF-8, without a coding line"
            )
            return
        fault = pysource.syntax_fault(file.content)
        if fault is None:
            return
        if file.origin is not None and pysource.syntax_fault(file.origin) is not None:
            report.notes.append(f"{shown} does not parse as {READ_AS}; it did not before either")
            return
        row, column, what = fault
        message = f"{shown} would not parse as {READ_AS}: line {row}, column {column}: {escaped(what)}"
        report.refuse(
            self._subject(path),
            ProblemCode.SYNTAX,
            message,
            f"correct the edit; {NEWER_SYNTAX}",
        )
