"""Recognise the format of a proposal and parse it into edits.

Rules kept here:
- A proposal is UTF-8 text without NUL, within `Limits.patch_bytes`; anything else is refused before it is
  searched.
- Formats are found by their markers, wherever they stand in prose and fences. One proposal may hold several:
  the text is walked once from the top, and what one format has read is content to all others.
- A line that can only be a failed attempt to begin an edit is an error rather than skipped: half of an answer
  must not look like all of it.
- Nothing recognised is an error that says what would have been.

Whether the edits fit a tree is `resolve.py`'s business; no file is consulted here.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import Final

from dev_agent.edits.applypatch import ApplyPatch
from dev_agent.edits.errors import NotText, ParseError, TooLarge, UnknownFormat
from dev_agent.edits.jsonedits import JsonEdits
from dev_agent.edits.model import Limits
from dev_agent.edits.proposal import Fence, Format, Here, Page, Part, Proposal, closes, fence_at
from dev_agent.edits.searchreplace import SearchReplace
from dev_agent.edits.sequence import on_one_base
from dev_agent.edits.text import BOM, escaped
from dev_agent.edits.texteditor import TextEditor
from dev_agent.edits.unified import UnifiedDiff
from dev_agent.edits.wholefile import WholeFile

_MARKED: Final[dict[str, Format]] = {
    "unified diff": UnifiedDiff(),
    "search/replace": SearchReplace(),
    "apply_patch": ApplyPatch(),
    "edit operations": JsonEdits(),
    "text editor": TextEditor(),
}
_WHOLE: Final = "whole file"
FORMATS: Final[dict[str, Format]] = {**_MARKED, _WHOLE: WholeFile(tuple(_MARKED.values()))}

_DEFAULT: Final = Limits()
_FOREIGN: Final = {
    "<<<<<<< HEAD": "a merge conflict",
}


def parse(text: bytes, *, limits: Limits = _DEFAULT) -> Proposal:
    """Parse a proposal into edits.

    Raises TooLarge, NotText, UnknownFormat or ParseError, all of them `EditError`s.
    """
    page = Page(_lines(text, limits))
    parts = list(_parts(page))
    if not parts:
        raise _unknown(page.lines)
    edits = on_one_base([edit for _, part in parts for edit in part.edits])
    if not edits:
        raise ParseError("the proposal changes nothing", "send at least one edit")
    if len(edits) > limits.edits:
        raise TooLarge(f"the proposal holds {len(edits)} edits; the limit is {limits.edits}", "split it")
    return Proposal(
        edits=edits,
        format=" + ".join(dict.fromkeys(name for name, _ in parts)),
        notes=tuple(note for _, part in parts for note in part.notes),
    )


def _parts(page: Page) -> Iterator[tuple[str, Part]]:
    """Walk the page once; yield each stretch of edits with the name of its format."""
    fence: Fence | None = None
    before: Part | None = None
    whole = False
    opened = at = 0
    while at < len(page.lines):
        here = Here(page=page, at=at, fence=fence, before=before)
        name = _format_at(here)
        if name is not None:
            before = FORMATS[name].read(here)
            yield name, before
            whole = whole or name == _WHOLE
            at = before.end
            continue
        line = page.lines[at]
        if closes(line, fence):
            fence = None
        elif fence is None:
            fence, opened = fence_at(line), at
        at += 1
    if whole and fence is not None:
        raise ParseError(
            "a fence that is never closed begins here; a whole file before it may have ended too early",
            "put files in fences longer than any inside them, and close every fence",
            line=opened + 1,
        )


def _format_at(here: Here) -> str | None:
    """Return the format an edit of which begins here, None if none does. Raises ParseError at a near miss."""
    if not here.page.lines[here.at]:
        return None
    for name, form in FORMATS.items():
        if form.begins(here):
            return name
    for form in FORMATS.values():
        form.refuse_near_miss(here)
    return None


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


def _unknown(lines: Sequence[str]) -> UnknownFormat:
    foreign = next((what for line in lines for mark, what in _FOREIGN.items() if line.startswith(mark)), None)
    found = (
        f"this looks like {foreign}, which is not understood" if foreign else "no known edit format was found"
    )
    shown = [escaped(line) for line in lines if line.strip()][:3]
    beginning = "; the text begins: " + " | ".join(shown) if shown else "; the text is empty"
    understood = ", ".join(FORMATS)
    return UnknownFormat(found + beginning, f"formats understood: {understood}")
