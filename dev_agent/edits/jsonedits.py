"""Our own edit operations as JSON.

    {"edits": [
      {"op": "replace", "path": "src/a.py", "old": "x = 1\\n", "new": "x = 2\\n", "line": 3},
      {"op": "create", "path": "b.txt", "text": "hello\\n"}
    ]}

Rules kept here:
- The schema is strict: an unknown operation or field is a fault, and all faults are reported at once.
- `old` and `new` are whole lines; a line end that is missing at their end is added.
- Operations speak about the base. What edits a file that the same document moves is carried along.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from dev_agent.edits.errors import ParseError
from dev_agent.edits.imports import read_import
from dev_agent.edits.jsondoc import (
    Document,
    Faults,
    Fields,
    Json,
    Malformed,
    beginning,
    document_at,
    element_lines,
)
from dev_agent.edits.model import (
    AddImport,
    Copy,
    Create,
    Delete,
    Edit,
    InsertAfterSymbol,
    Move,
    Origin,
    Replace,
    ReplaceSymbol,
    SetMode,
    TextEdit,
    Write,
)
from dev_agent.edits.proposal import Here, Page, Part
from dev_agent.edits.trees import EXECUTABLE, REGULAR

_OURS: Final = re.compile(r'[ \t]*(?:\[\s*)?\{\s*"(?:edits"\s*:\s*\[|op"\s*:\s*")')
_HOW: Final = 'send {"edits": [{"op": …, "path": …}]}; docs/formats.md lists the operations and their fields'


def _lines(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _mode(fields: Fields, *, default: str | None = None) -> str:
    mode = fields.text("mode", default=default)
    if mode not in {REGULAR, EXECUTABLE} and isinstance(fields.value.get("mode"), str):
        fields.fault("mode", f"must be '{REGULAR}' or '{EXECUTABLE}'")
    return mode


def _create(fields: Fields, path: str, origin: Origin) -> Edit:
    return Create(path=path, text=fields.text("text"), mode=_mode(fields, default=REGULAR), origin=origin)


def _write(fields: Fields, path: str, origin: Origin) -> Edit:
    return Write(path=path, text=fields.text("text"), origin=origin)


def _replace(fields: Fields, path: str, origin: Origin) -> Edit:
    old = fields.text("old", empty=False)
    new = fields.text("new")
    line = fields.number("line", least=1, required=False)
    return Replace(path=path, old=_lines(old), new=_lines(new), line_hint=line, origin=origin)


def _delete(fields: Fields, path: str, origin: Origin) -> Edit:
    expected = fields.text("expected", default="") if fields.has("expected") else None
    fields.skip("expected")
    raw = None if expected is None else expected.encode("utf-8", "surrogatepass")
    return Delete(path=path, expected=raw, origin=origin)


def _move(fields: Fields, path: str, origin: Origin) -> Edit:
    return Move(path=path, to=fields.text("to", empty=False), origin=origin)


def _copy(fields: Fields, path: str, origin: Origin) -> Edit:
    return Copy(path=path, to=fields.text("to", empty=False), origin=origin)


def _set_mode(fields: Fields, path: str, origin: Origin) -> Edit:
    return SetMode(path=path, mode=_mode(fields), origin=origin)


def _replace_symbol(fields: Fields, path: str, origin: Origin) -> Edit:
    symbol, text = fields.text("symbol", empty=False), fields.text("text", empty=False)
    line = fields.number("line", least=1, required=False)
    return ReplaceSymbol(path=path, symbol=symbol, text=text, line_hint=line, origin=origin)


def _insert_after_symbol(fields: Fields, path: str, origin: Origin) -> Edit:
    symbol, text = fields.text("symbol", empty=False), fields.text("text", empty=False)
    line = fields.number("line", least=1, required=False)
    return InsertAfterSymbol(path=path, symbol=symbol, text=text, line_hint=line, origin=origin)


def _add_import(fields: Fields, path: str, origin: Origin) -> Edit:
    statement = fields.text("import", empty=False)
    if statement:
        try:
            read_import(statement)
        except ValueError as error:
            fields.fault("import", str(error))
    return AddImport(path=path, statement=statement, origin=origin)


OPERATIONS: Final[dict[str, Callable[[Fields, str, Origin], Edit]]] = {
    "create": _create,
    "write": _write,
    "replace": _replace,
    "delete": _delete,
    "move": _move,
    "copy": _copy,
    "set_mode": _set_mode,
    "replace_symbol": _replace_symbol,
    "insert_after_symbol": _insert_after_symbol,
    "add_import": _add_import,
}


class JsonEdits:
    """The format, for `parse.FORMATS`."""

    def begins(self, here: Here) -> bool:
        """See `Format.begins`."""
        try:
            document = document_at(here.page, here.at)
        except Malformed:
            return False
        return document is not None and isinstance(document.value, dict) and "edits" in document.value

    def read(self, here: Here) -> Part:
        """See `Format.read`: one document."""
        document = document_at(here.page, here.at)
        if document is None:
            raise AssertionError("BUG: read where nothing begins")
        faults = Faults()
        edits = _edits(here.page, document, here.at + 1, faults)
        faults.check(_HOW)
        return Part(end=document.after, edits=tuple(_carried(edits)))

    def refuse_near_miss(self, here: Here) -> None:
        """See `Format.refuse_near_miss`."""
        page, at = here.page, here.at
        if page.lines[at].lstrip(" \t")[:1] not in {"{", "["} or not _OURS.match(beginning(page, at)):
            return
        try:
            document_at(page, at)
        except Malformed as error:
            raise ParseError(
                f"the JSON document that begins at line {at + 1} cannot be read: {error}",
                "send one whole JSON document; was it cut off?",
                line=error.line + 1,
            ) from None
        raise ParseError('these operations are not in {"edits": [...]}', _HOW, line=at + 1)


def _edits(page: Page, document: Document, line: int, faults: Faults) -> list[Edit]:
    value = document.value if isinstance(document.value, dict) else {}
    listed = value.get("edits")
    for key in value:
        if key != "edits":
            faults.add(line, key, "is unknown; the document holds 'edits' only")
    if not isinstance(listed, list) or not listed:
        faults.add(line, "edits", "must be a list of at least one operation")
        return []
    lines = element_lines(page, document, "edits", listed)
    made = [_edit(each, f"edits[{at}]", lines[at], faults) for at, each in enumerate(listed)]
    return [edit for edit in made if edit is not None]


def _edit(value: Json, where: str, line: int, faults: Faults) -> Edit | None:
    if not isinstance(value, dict):
        faults.add(line, where, "must be an object")
        return None
    fields = Fields(value=value, where=where, line=line, faults=faults)
    name = fields.text("op")
    path = fields.text("path", empty=False)
    make = OPERATIONS.get(name)
    if make is None:
        if name:
            fields.fault("op", f"must be one of {', '.join(OPERATIONS)}")
        return None
    edit = make(fields, path.removeprefix("./"), Origin(line=line))
    fields.finish()
    return edit


def _carried(edits: Sequence[Edit]) -> list[Edit]:
    """Let what edits a moved file follow it."""
    moved = {edit.path: edit.to for edit in edits if isinstance(edit, Move)}
    return [
        replace(edit, to=moved[edit.path])
        if isinstance(edit, TextEdit | SetMode) and edit.path in moved
        else edit
        for edit in edits
    ]
