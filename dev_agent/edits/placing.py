"""Put the text edits of one file in their places in the base text, or say why each has none.

Where each goes is found by `placer.py`. What is refused there: a place that is not unique, a match more lenient than
allowed, an insertion without a place, an edit that is there already, a placeholder in place of code. What is refused
here: edits that disturb each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from dev_agent.edits.changes import Match, MatchLevel
from dev_agent.edits.errors import Problem, ProblemCode
from dev_agent.edits.model import AddImport, TextEdit
from dev_agent.edits.placer import Placer
from dev_agent.edits.refused import Refused
from dev_agent.edits.splice import Region, overlap, run_together, spliced
from dev_agent.edits.text import escaped, to_bytes
from dev_agent.values import dataclass


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
    content: bytes = b""

    def place(self, edits: Sequence[TextEdit]) -> None:
        """Place all edits; collect every problem."""
        placer = Placer(self.path, self.base, self.max_level)
        regions: list[Region] = []
        imports = [edit for edit in edits if isinstance(edit, AddImport)]
        for edit in edits:
            try:
                # Imports may share a line, so that all of a file are one region, made with the first.
                if not isinstance(edit, AddImport):
                    regions.append(placer.region(edit))
                elif edit is imports[0]:
                    regions.append(placer.imports(imports))
            except Refused as refused:
                self.problems.append(_problem(self.path, edit, refused))
        self.matches += placer.matches
        for first, second in [*overlap(regions), *run_together(placer.file, regions)]:
            self.problems.append(_overlapping(self.path, first, second))
        if not self.problems:
            made = [splice for region in regions for splice in region.splices]
            self.content = to_bytes(spliced(placer.file, made), bom=placer.keeps_bom)


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
