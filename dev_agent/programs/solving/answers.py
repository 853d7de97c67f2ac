"""What a model's checked answers come to: a proposal in our own edit operations, a request to see more, a refusal.

Pure. An answer has the form that was asked for, or comes from somebody who did not check: both are read here with the
same care, and whatever is wrong is said in words the model can act upon.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dev_agent.edits.text import escaped
from dev_agent.programs.solving.forms import MOST_EDITS, OPERATIONS
from dev_agent.programs.solving.plan import LONGEST_LINE, LONGEST_PATH, LONGEST_TEXT, MOST_FILES, MOST_NAMES
from dev_agent.values import dataclass

_WANTS = {
    "files": (MOST_FILES, LONGEST_PATH),
    "symbols": (MOST_NAMES, LONGEST_LINE),
    "searches": (MOST_NAMES, LONGEST_LINE),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a model asks to be shown. Nothing is granted by asking."""

    files: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    reason: str = ""

    def to_text(self) -> str:
        """One JSON document; `request_from_text` is its inverse."""
        lists = {name: list(getattr(self, name)) for name in _WANTS}
        return json.dumps({**lists, "reason": self.reason}, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Faulty:
    """An answer that cannot be used; `sentence` says why, for the model."""

    sentence: str


def proposal_from(content: Mapping[str, Any]) -> bytes | Faulty:
    """The proposed edits as bytes some format of `edits` reads: our JSON operations, or the text that came instead."""
    edits, patch = content.get("edits", ()), content.get("patch", "")
    if not isinstance(edits, list | tuple) or not isinstance(patch, str):
        return Faulty(sentence="`edits` must be a list and `patch` text")
    if edits and patch.strip():
        return Faulty(
            sentence="both `edits` and `patch` are given: give one of them and leave the other empty"
        )
    if patch.strip():
        return patch.encode("utf-8", "replace")
    if not edits:
        return Faulty(sentence="there are no edits: give operations in `edits`, or a text in `patch`")
    if len(edits) > MOST_EDITS:
        return Faulty(sentence=f"there are {len(edits)} edits, {MOST_EDITS} are allowed")
    made = [_operation(one) for one in edits]
    faults = [f"edits[{at}]: {one}" for at, one in enumerate(made) if isinstance(one, str)]
    if faults:
        return Faulty(sentence="; ".join(faults[:8]))
    return json.dumps({"edits": made}, indent=0).encode("ascii")


def request_from(content: Mapping[str, Any], files: str = "files") -> Request | Faulty:
    """What is asked for, bounded; `files` is the field that names files in this form."""
    found: dict[str, tuple[str, ...]] = {}
    for name, (most, longest) in _WANTS.items():
        value = content.get(files if name == "files" else name, ())
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            return Faulty(sentence=f"`{name}` must be a list of text")
        clean = tuple(dict.fromkeys(one.strip() for one in value if one.strip()))
        if len(clean) > most:
            return Faulty(
                sentence=f"`{name}` has {len(clean)} entries, {most} are allowed: ask for what you need most"
            )
        if any(len(one) > longest for one in clean):
            return Faulty(sentence=f"`{name}` has an entry of more than {longest} characters")
        found[name] = clean
    if not any(found.values()):
        return Faulty(
            sentence="more is to be shown, and nothing is named in the fields for files, symbols and searches"
        )
    return Request(**found, reason=reason_of(content))


def request_from_text(text: str) -> Request:
    """The request `to_text` made. Raises ValueError for anything else."""
    found = request_from(json.loads(text))
    if isinstance(found, Request):
        return found
    raise ValueError(found.sentence)


def reason_of(content: Mapping[str, Any]) -> str:
    """Why, in the model's words; bounded, "" if it gave none."""
    reason = content.get("reason", "")
    return reason.strip()[:LONGEST_TEXT] if isinstance(reason, str) else ""


def _operation(edit: object) -> dict[str, str] | str:
    """One operation as `edits.jsonedits` has them, or what is wrong with it."""
    if not isinstance(edit, Mapping) or not all(isinstance(one, str) for one in edit.values()):
        return "must be an object of text fields"
    op, path = edit.get("op", ""), edit.get("path", "").strip()
    if op not in OPERATIONS:
        return f"op '{escaped(op)}' is none of {', '.join(OPERATIONS)}"
    if not path:
        return "path is empty"
    match op:
        case "replace":
            return {"op": op, "path": path, "old": edit.get("old", ""), "new": edit.get("new", "")}
        case "move":
            return {"op": op, "path": path, "to": edit.get("to", "").strip()}
        case "delete":
            return {"op": op, "path": path}
        case _:
            return {"op": op, "path": path, "text": edit.get("new", "")}
