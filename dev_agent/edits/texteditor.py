"""The operations of Anthropic's text editor tool (`text_editor_20250728`, and its forerunners) as JSON.

    {"command": "str_replace", "path": "src/a.py", "old_str": "x = 1", "new_str": "x = 2"}

Understood: one operation, a list of them, one on each line, `tool_use` blocks, and a message with such blocks.
Source of the fields: Anthropic's text editor tool page; `new_str` for an insertion comes from openhands-aci.

Rules kept here:
- `str_replace` is verbatim and unique, `create` makes a file that is not there, `insert` puts whole lines after
  a line. `view` shows and changes nothing: it is left out with a note. `undo_edit` is refused.
- The tool's paths are absolute on a machine that is not here. They are refused, not guessed at.
- The tool runs its operations one after another; `sequence.py` brings them onto one base, or refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dev_agent.edits.errors import ParseError
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
from dev_agent.edits.model import Create, Edit, Insert, Origin, ReplaceText
from dev_agent.edits.proposal import Here, Page, Part
from dev_agent.edits.text import escaped

_COMMANDS: Final = ("create", "str_replace", "insert", "view", "undo_edit")
_TOOLS: Final = frozenset({"str_replace_based_edit_tool", "str_replace_editor"})
_ATTEMPT: Final = re.compile(
    r'"command"\s*:\s*"(?:create|str_replace|insert|view|undo_edit)"|"type"\s*:\s*"tool_use"'
)
_HOW: Final = (
    'send {"command": "create", "str_replace" or "insert", "path": …} with the fields of that command'
)
_RELATIVE: Final = "is an absolute path; name the file relative to the repository's top"


class TextEditor:
    """The format, for `parse.FORMATS`."""

    def begins(self, here: Here) -> bool:
        """See `Format.begins`."""
        try:
            document = document_at(here.page, here.at)
        except Malformed:
            return False
        return document is not None and _is_ours(document.value)

    def read(self, here: Here) -> Part:
        """See `Format.read`: one document."""
        document = document_at(here.page, here.at)
        if document is None:
            raise AssertionError("BUG: read where nothing begins")
        reader = _Reader(Faults())
        for value, where, line in _operations(here.page, document, here.at + 1):
            reader.read(value, where, line)
        reader.faults.check(_HOW)
        return Part(end=document.after, edits=tuple(reader.edits), notes=tuple(reader.notes))

    def refuse_near_miss(self, here: Here) -> None:
        """See `Format.refuse_near_miss`."""
        page, at = here.page, here.at
        if page.lines[at].lstrip(" \t")[:1] not in {"{", "["}:
            return
        try:
            document_at(page, at)
        except Malformed as error:
            if _ATTEMPT.search(beginning(page, at)):
                raise ParseError(
                    f"the JSON document that begins at line {at + 1} cannot be read: {error}",
                    "send one whole JSON document; was it cut off?",
                    line=error.line + 1,
                ) from None


def _is_ours(value: Json) -> bool:
    if isinstance(value, list):
        return any(_is_ours(each) for each in value if isinstance(each, dict))
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("content"), list) and "role" in value:
        return _is_ours(value["content"])
    return value.get("type") == "tool_use" or value.get("command") in _COMMANDS


def _operations(page: Page, document: Document, line: int) -> Iterator[tuple[Json, str, int]]:
    """Yield each operation or block with the path of its field and its 1-based line."""
    value, key = document.value, None
    if isinstance(value, dict) and "role" in value:
        value, key = value.get("content"), "content"
    if not isinstance(value, list):
        yield value, "", line
        return
    lines = element_lines(page, document, key, value)
    for at, each in enumerate(value):
        yield each, f"{key or ''}[{at}]", lines[at]


class _Reader:
    """Reads operations, collecting edits, notes and faults."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.edits: list[Edit] = []
        self.notes: list[str] = []

    def read(self, value: Json, where: str, line: int) -> None:
        if not isinstance(value, dict):
            self.faults.add(line, where, "must be an object")
            return
        if value.get("type") == "text" or value.get("type") == "thinking":
            return
        if value.get("type") != "tool_use":
            self._operation(value, where, line)
            return
        inner = value.get("input")
        name = value.get("name", "")
        if name not in _TOOLS:
            self.faults.add(line, f"{where}.name".lstrip("."), f"'{escaped(str(name))}' is no editing tool")
        elif not isinstance(inner, dict):
            self.faults.add(line, f"{where}.input".lstrip("."), "must be an object")
        else:
            self._operation(inner, f"{where}.input".lstrip("."), line)

    def _operation(self, value: dict[str, Json], where: str, line: int) -> None:
        fields = Fields(value=value, where=where, line=line, faults=self.faults)
        command = fields.text("command")
        path = fields.text("path", empty=False)
        if command == "view":
            self.notes.append(f"proposal line {line}: 'view' changes nothing; left out")
            return
        if path.startswith("/") or re.match(r"[A-Za-z]:[\\/]", path):
            fields.fault("path", f"'{escaped(path)}' {_RELATIVE}")
        edit = self._edit(command, fields, path.removeprefix("./"), Origin(line=line))
        if edit is not None:
            fields.finish()
            self.edits.append(edit)

    def _edit(self, command: str, fields: Fields, path: str, origin: Origin) -> Edit | None:
        if command == "create":
            return Create(path=path, text=fields.text("file_text"), origin=origin)
        if command == "str_replace":
            old = fields.text("old_str", empty=False)
            return ReplaceText(path=path, old=old, new=fields.text("new_str", default=""), origin=origin)
        if command == "insert":
            return _insertion(fields, path, origin)
        if command:
            remedy = "; send the edit that undoes it" if command == "undo_edit" else ""
            fields.fault("command", f"'{escaped(command)}' is not an edit that can be made{remedy}")
        return None


def _insertion(fields: Fields, path: str, origin: Origin) -> Insert:
    after = fields.number("insert_line", least=0, required=True)
    if fields.has("new_str") and fields.has("insert_text"):
        fields.fault("insert_text", "stands beside 'new_str'; send one of the two")
    text = fields.text("new_str" if fields.has("new_str") else "insert_text")
    fields.skip("new_str", "insert_text")
    whole = text if text.endswith("\n") else text + "\n"
    return Insert(path=path, text=whole, after=after or 0, origin=origin)
