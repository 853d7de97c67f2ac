"""A model's plan, as a value: what it means to do, which files it needs to see and which it may change.

A plan is a claim that binds its maker: what is staged later is held against `scope` (see `actions.scope`).
Everything in it is untrusted text. It is read all or nothing, within bounds, and every fault is said at once, in words
the model can act upon; nothing in it is ever used as a pattern, and a path in it opens nothing by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from dev_agent.context.kinds import Kind, kind_of
from dev_agent.edits.paths import path_fault, portability_fault
from dev_agent.edits.text import escaped
from dev_agent.values import dataclass

MOST_FILES, MOST_NAMES, MOST_QUESTIONS = 40, 60, 10
LONGEST_PATH, LONGEST_LINE, LONGEST_TEXT = 400, 400, 4_000
_SAID = 8
"""So many faults are told one by one."""


class Change(StrEnum):
    """What kind of change a plan is for: the words of a conventional commit."""

    FIX = "fix"
    FEAT = "feat"
    REFACTOR = "refactor"
    PERF = "perf"
    DOCS = "docs"
    TEST = "test"
    BUILD = "build"
    CI = "ci"
    CHORE = "chore"
    STYLE = "style"


class Risk(StrEnum):
    """How far the change can reach, in the model's own opinion."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a model means to do. Paths are relative to the repository's top; all text is the model's."""

    kind: Change
    summary: str
    files_to_read: tuple[str, ...] = ()
    files_to_edit: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    tests_to_add: tuple[str, ...] = ()
    tests_to_run: tuple[str, ...] = ()
    risk: Risk = Risk.MEDIUM
    questions: tuple[str, ...] = ()

    @property
    def scope(self) -> frozenset[str]:
        """The files that may differ from the base, and no others."""
        return frozenset((*self.files_to_edit, *self.tests_to_add))

    def to_text(self) -> str:
        """The plan as one JSON document for people and models to read; `plan_from_text` is its inverse."""
        content = {
            "kind": self.kind.value,
            "summary": self.summary,
            **{name: list(getattr(self, name)) for name in _LISTS},
            "risk": self.risk.value,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRefused:
    """An answer that is no plan; `faults` are sentences for the model."""

    faults: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """All faults on one line, bounded."""
        more = len(self.faults) - _SAID
        listed = "; ".join(self.faults[:_SAID])
        return f"the plan cannot be used: {listed}{f'; and {more} more' if more > 0 else ''}"


_LISTS: Mapping[str, tuple[int, int]] = {
    "files_to_read": (MOST_FILES, LONGEST_PATH),
    "files_to_edit": (MOST_FILES, LONGEST_PATH),
    "symbols": (MOST_NAMES, LONGEST_LINE),
    "tests_to_add": (MOST_FILES, LONGEST_PATH),
    "tests_to_run": (MOST_NAMES, LONGEST_LINE),
    "questions": (MOST_QUESTIONS, LONGEST_LINE),
}
"""Each list, with how many entries it may have and how long each may be."""

_TO_WRITE = ("files_to_edit", "tests_to_add")


def plan_from(content: Mapping[str, Any]) -> Plan | PlanRefused:
    """The plan an answer of the form `plan` holds. Raises nothing, whatever the values are."""
    faults = list(_faults(content))
    if faults:
        return PlanRefused(faults=tuple(faults))
    lists = {name: _listed(content, name) for name in _LISTS}
    return Plan(
        kind=Change(content["kind"]),
        summary=content["summary"].strip(),
        risk=Risk(content["risk"]),
        **lists,
    )


def plan_from_text(text: str) -> Plan:
    """The plan `to_text` made. Raises ValueError for anything else."""
    found = plan_from(json.loads(text))
    if isinstance(found, Plan):
        return found
    raise ValueError(found.sentence)


def _faults(content: Mapping[str, Any]) -> Iterator[str]:
    for name, words in (("kind", Change), ("risk", Risk)):
        if content.get(name) not in tuple(words):
            yield f"{name} must be one of {', '.join(words)}"
    summary = content.get("summary")
    if not isinstance(summary, str) or not summary.strip():
        yield "summary must say in a sentence or two what is to be done"
    elif len(summary) > LONGEST_TEXT:
        yield f"summary has {len(summary)} characters, {LONGEST_TEXT} are allowed"
    for name, (most, longest) in _LISTS.items():
        yield from _list_faults(name, content.get(name, ()), most, longest)
    if not any(content.get(name) for name in _TO_WRITE):
        yield "files_to_edit and tests_to_add are both empty: a plan changes at least one file"


def _list_faults(name: str, value: object, most: int, longest: int) -> Iterator[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        yield f"{name} must be a list of text"
        return
    if len(value) > most:
        yield f"{name} has {len(value)} entries, {most} are allowed: name only what the task needs"
        return
    for one in value:
        if len(one) > longest:
            yield f"{name} has an entry of {len(one)} characters, {longest} are allowed"
        elif name in _TO_WRITE and (why := _unwritable(_normal(one))):
            yield f"{name}: {why}"


def _unwritable(path: str) -> str:
    """Why a plan cannot name this file as one to change, "" if it can."""
    if kind_of(path) is Kind.WITHHELD:
        return f"'{escaped(path)}' may hold secrets and is out of reach"
    fault = path_fault(path, in_base=False) or portability_fault(path)
    return fault[1] if fault else ""


def _listed(content: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The entries, each once, in order; empty ones mean nothing."""
    clean = (
        _normal(one) if name in (*_TO_WRITE, "files_to_read") else one.strip()
        for one in content.get(name, ())
    )
    return tuple(dict.fromkeys(one for one in clean if one))


def _normal(path: str) -> str:
    return path.strip().removeprefix("./")
