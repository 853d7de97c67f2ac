"""The family of errors of this package, and the problems a resolution can have.

    EditError                 everything this package refuses with
      ParseError              the proposal is in a known format and malformed
        UnknownFormat         no known format was found in the proposal
        NotText               the proposal is not UTF-8 text, or holds NUL
        TooLarge              the proposal is over its limit; it was not read further
      Unresolved              the edits were understood, and do not fit the base tree

`Unresolved` carries every problem at once, because a proposer that learns one fault per round burns its
budget. All messages are safe to print: text that came from outside passes through `text.escaped` before it
gets here.
"""

from __future__ import annotations

from enum import StrEnum

from dev_agent.values import dataclass


class EditError(Exception):
    """A proposal was refused. `.message` says what failed, `.hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ParseError(EditError):
    """The proposal is malformed.

    `.line` is the 1-based line in the proposal, 0 if no single line is at fault.
    """

    def __init__(self, message: str, hint: str = "", *, line: int = 0) -> None:
        super().__init__(f"proposal line {line}: {message}" if line else message, hint)
        self.line = line


class UnknownFormat(ParseError):
    """No known edit format was found."""


class NotText(ParseError):
    """The proposal is not UTF-8 text or holds a NUL byte."""


class TooLarge(ParseError):
    """The proposal is larger than `Limits` allows."""


class ProblemCode(StrEnum):
    """Why one edit does not fit the base tree."""

    FORBIDDEN_PATH = "forbidden-path"
    NOT_PORTABLE = "not-portable"
    CASE_CLASH = "case-clash"
    BELOW_A_FILE = "below-a-file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"
    MODE = "mode"
    MISSING_FILE = "missing-file"
    NOT_A_FILE_NAME = "not-a-file-name"
    EXISTS = "exists"
    IS_A_DIRECTORY = "is-a-directory"
    EMPTY_SEARCH = "empty-search"
    NO_PLACE = "no-place"
    NOT_FOUND = "not-found"
    AMBIGUOUS = "ambiguous"
    LEVEL_CAPPED = "level-capped"
    ALREADY_APPLIED = "already-applied"
    OVERLAP = "overlap"
    CONFLICT = "conflict"
    ELISION = "elision"
    SHRUNK = "shrunk"
    UNKNOWN_SYMBOL = "unknown-symbol"
    NOT_A_DEFINITION = "not-a-definition"
    NUL = "nul"
    BINARY = "binary"
    ENCODING = "encoding"
    CODING_COOKIE = "coding-cookie"
    SYNTAX = "syntax"
    STALE = "stale"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One edit that does not fit, with what its author needs to correct it.

    `nearest` are real lines of the base file, (1-based number, escaped text), closest to what was sought.
    `already_applied` is true if the replacement stands at one place in the base, so that resending is
    pointless.
    """

    path: str
    line_in_proposal: int
    code: ProblemCode
    message: str
    hint: str = ""
    nearest: tuple[tuple[int, str], ...] = ()
    already_applied: bool = False

    def __str__(self) -> str:
        text = (
            f"proposal line {self.line_in_proposal}: {self.message}"
            if self.line_in_proposal
            else self.message
        )
        lines = [text, *(f"    {number:>6}  {content}" for number, content in self.nearest)]
        return "\n".join([*lines, f"  {self.hint}"] if self.hint else lines)


class Unresolved(EditError):
    """The edits do not fit the base tree. Nothing was resolved; `.problems` holds every reason."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = len(problems)
        head = f"{count} edit{'' if count == 1 else 's'} could not be resolved; nothing was changed"
        super().__init__(
            "\n".join([head, *map(str, problems)]), "correct every listed edit and send the proposal again"
        )
        self.problems = problems
