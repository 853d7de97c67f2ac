"""The words a question is sent in: two texts of the program's and, where a service may not know forms, the form itself.

Everything goes into the user's turn and nothing into the system's: the texts quote a repository, and no text of a
stranger's shall have the rank of an instruction. Pure.
"""

from __future__ import annotations

import json
from typing import Any

from dev_agent.proposers.forms import sent_schema
from dev_agent.proposers.model import Ask, Form


def texts_of(ask: Ask, *, spelled_out: bool) -> tuple[str, str]:
    """The stable and the changing text; with the form in words if it is to be `spelled_out`."""
    changing = _sendable(ask.changing.text)
    if spelled_out:
        changing = f"{changing}\n\n{form_in_words(ask.form)}"
    return _sendable(ask.stable.text), changing


def form_in_words(form: Form) -> str:
    """What a model is told of a form that its service may not enforce."""
    schema: dict[str, Any] = sent_schema(form)
    return (
        f"Answer with exactly one JSON object and nothing else: {form.description}\n"
        f"It has the form `{form.name}`, by this JSON schema:\n{json.dumps(schema, sort_keys=True)}"
    )


def _sendable(text: str) -> str:
    # Bytes that are no UTF-8 stand as lone surrogates; no request can hold those.
    return text.encode("utf-8", "replace").decode()
