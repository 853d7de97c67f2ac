"""Sentences that quote what a change, a test or a tool said: kept beside the trace, never in its lines.

A line of the trace cannot be erased, so data keeps what identifies (ids, paths, lines, codes, counts) and says
`texts: true`; the sentences are the event's payload `texts`, erasable like any other. `quoted` takes them out when
an action records, `restored` puts them back for a report; where the payload is gone they read "(erased)".

Traces of before this was so hold their sentences themselves, and are read as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dev_agent.runtime.canonical import thaw

if TYPE_CHECKING:
    from dev_agent.programs.story import Story

TEXTS = "texts"
"""The role of the payload, and the key of the data that says there is one."""
ERASED = "(erased)"
_SENTENCES = ("explanation", "hint")
_KEPT_OF_FAILURE = ("id", "path", "line", "code")
_OF_FAILURE = ("message", "detail")
_OF_VERDICT = ("notes", "hint")
_GATES = ("types", "tests", "checks")
_STATES = ("stage", "patch", "plan", "brief")


def quoted(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Data without its `explanation` and `hint`, and the payload that holds them."""
    kept = {key: value for key, value in data.items() if key not in _SENTENCES}
    said = {key: data[key] for key in _SENTENCES if key in data}
    return {**kept, TEXTS: True}, {TEXTS: _packed(said)}


def sentences(payload: bytes) -> str:
    """What `quoted` took out, as one text: the explanation, and the hint if there is one."""
    said = json.loads(payload)
    return "\n".join(str(said[key]) for key in _SENTENCES if said.get(key))


def quoted_verdicts(verdicts: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Verdicts without what they quote, and the payload that holds it; none if they quote nothing."""
    kept, said = [], []
    for verdict in verdicts:
        failures = verdict["new_failures"]
        bare = [{key: value for key, value in one.items() if key not in _OF_FAILURE} for one in failures]
        kept.append(
            {**{key: verdict[key] for key in verdict if key not in _OF_VERDICT}, "new_failures": bare}
        )
        told = [{key: one[key] for key in _OF_FAILURE} for one in failures]
        said.append({**{key: verdict[key] for key in _OF_VERDICT}, "new_failures": told})
    if not any(one["notes"] or one["hint"] or one["new_failures"] for one in said):
        return kept, {}
    return kept, {TEXTS: _packed(said)}


def restored(facts: Mapping[str, Any], story: Story, read: Callable[[str], bytes | None]) -> dict[str, Any]:
    """The facts with their sentences; `read` gives the payload behind a commitment, None if it is gone."""
    made: dict[str, Any] = dict(facts)
    for state in _STATES:
        if made.get(state, {}).get(TEXTS):
            said = _read(read, story.blobs.get(f"{state}.{TEXTS}", ""))
            known = said if isinstance(said, dict) else {"explanation": ERASED}
            made[state] = {"explanation": "", "hint": "", **made[state], **known}
    check = made.get("check")
    if isinstance(check, Mapping):
        made["check"] = {name: _branch(name, one, story, read) for name, one in check.items()}
    return made


def _branch(name: str, branch: Any, story: Story, read: Callable[[str], bytes | None]) -> Any:
    if name not in _GATES or not isinstance(branch, Mapping) or "verdicts" not in branch:
        return branch
    said = _read(read, story.blobs.get(f"check.{name}.{TEXTS}", "")) if branch.get(TEXTS) else []
    known = said if isinstance(said, list) else None
    verdicts = [
        _verdict(
            verdict, known[index] if known is not None and index < len(known) else None, gone=known is None
        )
        for index, verdict in enumerate(branch["verdicts"])
    ]
    return {**branch, "verdicts": verdicts}


def _verdict(verdict: Mapping[str, Any], said: Mapping[str, Any] | None, *, gone: bool) -> dict[str, Any]:
    made: dict[str, Any] = thaw(verdict)  # type: ignore[assignment]  # an object, as it was recorded
    told = said["new_failures"] if said else []
    nothing = {"message": ERASED if gone else "", "detail": ""}
    made["new_failures"] = [
        {**{key: one[key] for key in _KEPT_OF_FAILURE if key in one}, **nothing, **one, **_at(told, index)}
        for index, one in enumerate(made["new_failures"])
    ]
    return {
        "notes": [ERASED] if gone else [],
        "hint": "",
        **made,
        **({key: said[key] for key in _OF_VERDICT} if said else {}),
    }


def _at(told: Sequence[Mapping[str, Any]], index: int) -> Mapping[str, Any]:
    return told[index] if index < len(told) else {}


def _packed(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _read(read: Callable[[str], bytes | None], commitment: str) -> Any:
    payload = read(commitment)
    try:
        return None if payload is None else json.loads(payload)
    except ValueError:
        return None
