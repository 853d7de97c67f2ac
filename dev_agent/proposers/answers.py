"""From what a model wrote to a checked answer: find the JSON object in the text, and hold it against the form.

Rules: only complete texts come here. A text that is one JSON object is taken as that. Otherwise the objects that stand
in it (in a fence, after a sentence, after a model's thinking aloud) are tried; if two different ones fit, neither is
taken, because nobody said which was meant. Floats beyond the form, NaN, duplicate keys, lone surrogates and numbers no
other program could read do not pass. Pure; bounded, whatever the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dev_agent.proposers.forms import Fault, faults_of
from dev_agent.proposers.model import Form, Trouble
from dev_agent.runtime.canonical import Json, frozen_object
from dev_agent.runtime.errors import NotCanonical
from dev_agent.values import dataclass

_THINKING, _THOUGHT = re.compile(r"<think(?:ing)?>"), re.compile(r"</think(?:ing)?>")
_MOST_TRIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The content, or why there is none."""

    content: Mapping[str, Json] | None = None
    trouble: Trouble | None = None
    detail: str = ""


def read_answer(text: str, form: Form) -> Answer:
    """The answer in a complete text."""
    said = _without_thinking(text).strip()
    if not said:
        return Answer(trouble=Trouble.EMPTY, detail="the model answered nothing")
    found = _objects(said)
    if not found:
        return Answer(trouble=Trouble.NOT_JSON, detail="there is no JSON object in what the model wrote")
    judged = [_judged(one, form) for one in found]
    fitting = [one for one in judged if one.trouble is None]
    if not fitting:
        return judged[0]
    if any(one.content != fitting[0].content for one in fitting):
        return Answer(
            trouble=Trouble.WRONG_FORM, detail="the model wrote several answers that differ; one is wanted"
        )
    return fitting[0]


def _judged(value: dict[str, Any], form: Form) -> Answer:
    faults = faults_of(value, form)
    if faults:
        elsewhere = any(one.elsewhere for one in faults)
        return Answer(
            trouble=Trouble.WRONG_ANSWER if elsewhere else Trouble.WRONG_FORM, detail=_listed(faults)
        )
    try:
        return Answer(content=frozen_object(value))
    except NotCanonical as error:
        return Answer(trouble=Trouble.WRONG_FORM, detail=f"the answer cannot be kept: {error.message}")


def _listed(faults: tuple[Fault, ...]) -> str:
    return "; ".join(map(str, faults))


def _without_thinking(text: str) -> str:
    """What was thought aloud comes first, if at all. Two looks: one pattern would try every opening to the very end."""
    begins = _THINKING.search(text)
    ends = _THOUGHT.search(text, begins.end()) if begins else None
    return text[: begins.start()] + text[ends.end() :] if begins and ends else text


def _objects(text: str) -> list[dict[str, Any]]:
    """The outermost JSON objects of the text, in order: the text itself, if it is one."""
    try:
        whole = _DECODER.decode(text)
        return [whole] if isinstance(whole, dict) else []
    except (ValueError, RecursionError):
        pass
    found: list[dict[str, Any]] = []
    at = text.find("{")
    for _ in range(_MOST_TRIES):
        if at < 0:
            break
        try:
            value, end = _DECODER.raw_decode(text, at)
            found.append(value)
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)
    return found


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same key twice")
    return made


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
