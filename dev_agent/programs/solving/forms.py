"""The forms of a model's two answers. The schema goes out with the question, and every answer is checked against it.

`question` is echoed: an answer that echoes another one is an answer to something else. Where a field does not matter
the model leaves it empty: every field is required, because some services take no other schema.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from dev_agent.programs.solving.plan import (
    LONGEST_LINE,
    LONGEST_PATH,
    LONGEST_TEXT,
    MOST_FILES,
    MOST_NAMES,
    MOST_QUESTIONS,
    Change,
    Risk,
)
from dev_agent.proposers.model import Form

if TYPE_CHECKING:
    from dev_agent.runtime.canonical import Json

PLAN, EDITS, MORE, DECLINED = "plan", "edits", "needs_context", "declined"
OPERATIONS = ("replace", "create", "write", "delete", "move")
MOST_EDITS = 400
LONGEST_CONTENT = 2_000_000


def question_for(task: str) -> str:
    """The word that an answer about this task has to echo: the same in all of a run, another for another task."""
    return f"q-{hashlib.sha256(task.encode('utf-8', 'replace')).hexdigest()[:8]}"


def plan_form(question: str) -> Form:
    """The form of an answer in the state `plan`."""
    return Form(
        name="plan",
        description="What to change, and in which files; or what else has to be seen first.",
        schema=_object(
            {
                **_head(question, PLAN),
                "kind": _one_of(*Change),
                "summary": _text(LONGEST_TEXT),
                "files_to_read": _texts(MOST_FILES, LONGEST_PATH),
                "files_to_edit": _texts(MOST_FILES, LONGEST_PATH),
                "tests_to_add": _texts(MOST_FILES, LONGEST_PATH),
                "tests_to_run": _texts(MOST_NAMES, LONGEST_LINE),
                "risk": _one_of(*Risk),
                "questions": _texts(MOST_QUESTIONS, LONGEST_LINE),
                "symbols": _texts(MOST_NAMES, LONGEST_LINE),
                "searches": _texts(MOST_NAMES, LONGEST_LINE),
                "reason": _text(LONGEST_TEXT),
            }
        ),
    )


def patch_form(question: str) -> Form:
    """The form of an answer in the state `patch`."""
    edit = _object(
        {
            "op": _one_of(*OPERATIONS),
            "path": _text(LONGEST_PATH),
            "old": _text(LONGEST_CONTENT),
            "new": _text(LONGEST_CONTENT),
            "to": _text(LONGEST_PATH),
        }
    )
    return Form(
        name="patch",
        description="The edits that carry out the plan; or what else has to be seen first.",
        schema=_object(
            {
                **_head(question, EDITS),
                "edits": {"type": "array", "items": edit, "maxItems": MOST_EDITS},
                "patch": _text(LONGEST_CONTENT),
                "files": _texts(MOST_FILES, LONGEST_PATH),
                "symbols": _texts(MOST_NAMES, LONGEST_LINE),
                "searches": _texts(MOST_NAMES, LONGEST_LINE),
                "reason": _text(LONGEST_TEXT),
            }
        ),
    )


def _head(question: str, answer: str) -> dict[str, Json]:
    return {"question": {"const": question}, "answer": _one_of(answer, MORE, DECLINED)}


def _object(properties: Mapping[str, Json]) -> Mapping[str, Json]:
    return MappingProxyType(
        {
            "type": "object",
            "properties": dict(properties),
            "required": list(properties),
            "additionalProperties": False,
        }
    )


def _text(longest: int) -> dict[str, Json]:
    return {"type": "string", "maxLength": longest}


def _texts(most: int, longest: int) -> dict[str, Json]:
    return {"type": "array", "items": _text(longest), "maxItems": most}


def _one_of(*words: str) -> dict[str, Json]:
    return {"type": "string", "enum": [str(word) for word in words]}
