"""Collects what a resolution finds: problems, matches, notes.

Collecting instead of raising is how all are reported.
"""

from __future__ import annotations

from dataclasses import field

from dev_agent.edits.changes import Match
from dev_agent.edits.errors import Problem, ProblemCode
from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a problem is about: a path and the proposal line that brought it up."""

    path: str
    line: int


@dataclass(slots=True)
class Report:
    """The findings of one resolution."""

    problems: list[Problem] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(
        self, subject: Subject, code: ProblemCode, message: str, hint: str = "", *, applied: bool = False
    ) -> None:
        """Add a problem."""
        self.problems.append(
            Problem(
                path=subject.path,
                line_in_proposal=subject.line,
                code=code,
                message=message,
                hint=hint,
                already_applied=applied,
            )
        )
