"""Name what a diff tool says about a file without saying it as a unified diff.

Rules kept here:
- Such a line stands for a change that cannot be read here. Taken for prose it would be dropped, and half of a
  diff would land as if it were all of it; so it is refused by name, with the way to get a diff that says it.
- Only lines that a tool writes, from column one on, count: a sentence is not refused.
- A line costs time in proportion to its length: no pattern has two open ends that could try each other's text.

Formats: GNU diffutils' manual ("Detailed Description of Normal Format", "... Context Format", "Comparing
Directories"), `svn diff` and `hg diff` as they print, git's diff-format and diff-config documentation
(`diff.submodule=log`, "Unmerged path", colour).
"""

from __future__ import annotations

import re
from typing import Final

from dev_agent.edits.proposal import Page
from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What a line says that cannot be applied, and what to do about it."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sign:
    """A line and, if it takes two to be sure, the line after it."""

    line: re.Pattern[str]
    after: re.Pattern[str] | None
    meaning: LeftOut

    def stands(self, page: Page, at: int) -> bool:
        if not self.line.match(page.lines[at]):
            return False
        if self.after is None:
            return True
        return at + 1 < len(page.lines) and self.after.match(page.lines[at + 1]) is not None


def _sign(line: str, message: str, hint: str, *, after: str | None = None) -> _Sign:
    return _Sign(
        line=re.compile(line),
        after=None if after is None else re.compile(after),
        meaning=LeftOut(message=message, hint=hint),
    )


_SIGNS: Final = (
    _sign(
        r"Binary files .+ differ\r?$",
        "a binary change cannot be applied",
        "send text edits only; leave binary files out",
    ),
    _sign(
        r"\d+(?:,\d+)?[acd]\d+(?:,\d+)?\r?$",
        "a diff without context (diff's normal format) cannot be applied",
        "make it with diff -u, or git diff",
        after="[<>] ",
    ),
    _sign(
        r"\*{15}(?: |\r?$)",
        "a context diff cannot be applied",
        "make it with diff -u, or git diff",
        after=r"\*\*\* \d+(?:,\d+)? \*\*\*\*",
    ),
    _sign(
        r"(?:rename|copy) from \S",
        "a file is renamed or copied here without a 'diff --git' line above it",
        "send the diff as git made it, header lines included",
        after=r"(?:rename|copy) to \S",
    ),
    _sign(
        r"File \S+ is an? [a-z ]+ while file \S+ is an? ",
        "a file becomes another kind of file, which diff does not write down",
        "make the diff with git diff --no-index",
    ),
    _sign(
        r"Submodule .+ [0-9a-f]{7,64}\.\.\.?[0-9a-f]{7,64}(?=[: ]|\r?$)",
        "the change of a submodule cannot be applied",
        "leave the submodule out",
    ),
    _sign(
        r"Property changes on: \S",
        "a property of Subversion is changed here, which git does not have",
        "leave it out; a file is made executable by a git diff or by the operation set_mode",
        after=r"_{60,80}\r?$",
    ),
    _sign(
        r"Cannot display: file marked as a binary type",
        "a binary change cannot be applied",
        "send text edits only; leave binary files out",
    ),
    _sign(
        r"Binary file .+ has changed\r?$",
        "a binary change cannot be applied",
        "send text edits only; leave binary files out",
    ),
    _sign(
        r"\* Unmerged path \S",
        "a file with an unresolved conflict has no diff",
        "resolve it, or leave it out",
    ),
    _sign(
        r"\x1b\[[0-9;]{0,20}mdiff --git ",
        "the diff is coloured by escape sequences",
        "make it without colour: git diff --no-color",
    ),
)
_ONLY_IN: Final = re.compile(r"Only in [^:]+: \S")
# The command that diff repeats above each pair of files when it walks two folders.
_WALKED: Final = re.compile(r"diff (?:-\S{1,40} ){0,9}(?:-[A-Za-z]{0,9}r|--recursive )")
_ONE_SIDED: Final = LeftOut(
    message="a file that stands in one of two folders only has no diff",
    hint="make the diff with -N (diff -ruN), so that new and deleted files are in it",
)
# Subversion's line above every file, which is all it says of an empty one and, if told so, of a deleted one.
_INDEX: Final = re.compile(r"Index: \S")
_RULE: Final = re.compile(r"={67}$")
_BARE: Final = LeftOut(
    message="a file is named here without a diff: Subversion adds or deletes it",
    hint="make the diff with svn diff --git, or send the file by an edit of its own",
)


def left_out_at(page: Page, at: int) -> LeftOut | None:
    """Return what line `at` (0-based), which belongs to no edit, leaves out of a diff; None if nothing."""
    if _ONLY_IN.match(page.lines[at]):
        return _ONE_SIDED if page.has_line(_WALKED) else None
    if _INDEX.match(page.lines[at]) and _is_bare_index(page, at):
        return _BARE
    return next((sign.meaning for sign in _SIGNS if sign.stands(page, at)), None)


def _is_bare_index(page: Page, at: int) -> bool:
    """Return whether Subversion's `Index:` line `at` has its rule below it, and no diff below that."""
    below = [line.rstrip("\r") for line in page.lines[at + 1 : at + 3]]
    if not below or not _RULE.match(below[0]):
        return False
    return len(below) < 2 or not below[1].startswith(("--- ", "diff --git ", "Cannot display: "))
