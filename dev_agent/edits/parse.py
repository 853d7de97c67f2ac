"""Recognise the format of a proposal and parse it into edits.

Rules kept here:
- A proposal is UTF-8 text without NUL, within `Limits.patch_bytes`; anything else is refused before it is
  searched.
- The format is found by its markers, wherever they stand in prose and fences; a proposal has exactly one
  format. Text in a second format is refused rather than skipped: half of an answer must not look like all of
  it.
- Nothing recognised is an error that says what would have been.

Whether the edits fit a tree is `resolve.py`'s business; no file is consulted here.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Final

from dev_agent.edits.errors import NotText, ParseError, TooLarge, UnknownFormat
from dev_agent.edits.model import Limits
from dev_agent.edits.proposal import Format, Parsed, Proposal
from dev_agent.edits.searchreplace import SearchReplace
from dev_agent.edits.text import BOM, escaped
from dev_agent.edits.unified import UnifiedDiff

FORMATS: Final[dict[str, Format]] = {
    "unified diff": UnifiedDiff(),
    "search/replace": SearchReplace(),
}

_DEFAULT: Final = Limits()
_FOREIGN: Final = {
    "*** Begin Patch": "an apply_patch (V4A) envelope",
    "<<<<<<< HEAD": "a merge conflict",
}


def parse(text: bytes, *, limits: Limits = _DEFAULT) -> Proposal:
    """Parse a proposal into edits.

    Raises TooLarge, NotText, UnknownFormat or ParseError, all of them `EditError`s.
    """
    lines = _lines(text, limits)
    starts = {name: start for name, each in FORMATS.items() if (start := each.find(lines, 0)) is not None}
    if not starts:
        _explain_near_misses(lines)
        raise _unknown(lines)
    name = min(starts, key=lambda each: starts[each])
    parsed = FORMATS[name].parse(lines)
    _refuse_second_format(lines, name, parsed)
    if len(parsed.edits) > limits.edits:
        raise TooLarge(
            f"the proposal holds {len(parsed.edits)} edits; the limit is {limits.edits}", "split it"
        )
    return Proposal(edits=parsed.edits, format=name, notes=parsed.notes)


def _lines(text: bytes, limits: Limits) -> list[str]:
    if len(text) > limits.patch_bytes:
        raise TooLarge(
            f"the proposal has {len(text)} bytes; the limit is {limits.patch_bytes}",
            "split it into smaller proposals",
        )
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise NotText(
            "the proposal is not UTF-8 but UTF-16", "encode it as UTF-8: iconv -f UTF-16 -t UTF-8", line=1
        )
    if b"\0" in text:
        line = text.count(b"\n", 0, text.index(b"\0")) + 1
        raise NotText("the proposal holds a NUL byte", "send text; binary files cannot be edited", line=line)
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise NotText(
            f"the proposal is not UTF-8 ({error.reason})", "encode it as UTF-8", line=line
        ) from None
    lines = decoded.removeprefix(BOM).split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _refuse_second_format(lines: Sequence[str], name: str, parsed: Parsed) -> None:
    rest = list(lines)
    for start, end in parsed.used:
        rest[start:end] = [""] * (end - start)
    for other, form in FORMATS.items():
        start_of_other = form.find(rest, 0)
        if start_of_other is not None and other != name:
            raise ParseError(
                f"this begins a {other} edit, but the proposal began with {name}",
                "use one format for the whole proposal; nothing was applied",
                line=start_of_other + 1,
            )


def _explain_near_misses(lines: Sequence[str]) -> None:
    for form in FORMATS.values():
        form.parse(lines)


def _unknown(lines: Sequence[str]) -> UnknownFormat:
    foreign = next((what for line in lines for mark, what in _FOREIGN.items() if line.startswith(mark)), None)
    found = (
        f"this looks like {foreign}, which is not understood" if foreign else "no known edit format was found"
    )
    shown = [escaped(line) for line in lines if line.strip()][:3]
    beginning = "; the text begins: " + " | ".join(shown) if shown else "; the text is empty"
    understood = ", ".join(FORMATS)
    return UnknownFormat(found + beginning, f"formats understood: {understood}")
