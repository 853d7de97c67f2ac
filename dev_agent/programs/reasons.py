"""Why a run went where it went, as a stable code and a plain sentence, read from its recorded facts. Pure.

What a test or a tool said is in the sentence only if the facts hold it (see `texts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dev_agent.values import dataclass

_GATES = ("types", "tests", "checks")
_LONGEST = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """A code for programs, a sentence for people, and what to do about it (may be empty)."""

    code: str
    sentence: str
    hint: str = ""


def why(facts: Mapping[str, Any]) -> Reason:
    """Why the change cannot go on, from the latest state that says so."""
    gates = gate_reason(facts)
    policy = facts.get("check_policy", {})
    stage = facts.get("stage", {})
    scope = facts.get("scope", {})
    hooks = facts.get("hooks", {})
    if stage.get("reason"):
        return _of(stage)
    if scope.get("reason"):
        return _of(scope)
    if hooks.get("reason"):
        return _of(hooks)
    if policy.get("reason"):
        return _of(policy)
    reproduce = facts.get("reproduce", {})
    if gates is None and reproduce.get("reason"):
        return _of(reproduce)
    return gates or Reason(code="unknown", sentence="the run gives no reason")


def gate_reason(facts: Mapping[str, Any]) -> Reason | None:
    """What the gates found wrong, None if nothing."""
    bad = [(name, one) for name in _GATES if (one := facts.get("check", {}).get(name)) and _is_bad(one)]
    if not bad:
        return None
    errors = [name for name, one in bad if one.get("result") != "failed"]
    code = f"{errors[0]}_error" if errors else f"{bad[0][0]}_failed"
    hints = [
        str(verdict["hint"]) for _, one in bad for verdict in one.get("verdicts", ()) if verdict.get("hint")
    ]
    return Reason(
        code=code, sentence="; ".join(_said(name, one) for name, one in bad), hint=hints[0] if hints else ""
    )


def _is_bad(branch: Mapping[str, Any]) -> bool:
    return branch.get("result") not in ("passed", "skipped")


def _said(name: str, branch: Mapping[str, Any]) -> str:
    if "result" not in branch:
        return f"{name} could not be judged: {branch.get('message', 'it gave no verdict')}"
    count = branch["new_failures"]
    if branch["result"] == "failed" and count:
        noun = {"types": "new type error", "tests": "new test failure"}.get(name, "new failure")
        return f"{count} {noun}{'' if count == 1 else 's'}"
    verb = "failed" if branch["result"] == "failed" else "could not be judged"
    # Where there is a hint it follows the sentence, and says more than what is noted about the environment.
    hinted = any(verdict.get("hint") for verdict in branch["verdicts"])
    notes = [] if hinted else [note for verdict in branch["verdicts"] for note in verdict.get("notes", ())]
    said = _first_line(notes[-1]) if notes else ""
    return f"{name} {verb} ({branch['reason']}{': ' + said if said else ''})"


def _first_line(note: str) -> str:
    """A note may hold a whole traceback; the sentence needs its beginning."""
    line = note.strip().partition("\n")[0]
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"


def _of(facts: Mapping[str, Any]) -> Reason:
    return Reason(code=facts["reason"], sentence=facts.get("explanation", ""), hint=facts.get("hint", ""))
