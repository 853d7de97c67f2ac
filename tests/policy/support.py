"""Builders for change sets as policy tests write them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from dev_agent.policy.facts import Facts, compute_facts
from dev_agent.policy.policy import Policy
from dev_agent.policy.policy import load_policy as load_bound
from dev_agent.policy.settings import FactSettings
from dev_agent.programs.conditions import CONDITIONS


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    path: str
    before: bytes | None
    after: bytes | None
    before_mode: str | None = None
    after_mode: str | None = None


def _bytes(text: str | bytes | None) -> bytes | None:
    return textwrap.dedent(text).encode() if isinstance(text, str) else text


def added(path: str, text: str | bytes, mode: str = "100644") -> Changed:
    return Changed(path=path, before=None, after=_bytes(text), after_mode=mode)


def deleted(path: str, text: str | bytes, mode: str = "100644") -> Changed:
    return Changed(path=path, before=_bytes(text), after=None, before_mode=mode)


def edited(path: str, before: str | bytes, after: str | bytes, mode: str = "100644") -> Changed:
    return Changed(path=path, before=_bytes(before), after=_bytes(after), before_mode=mode, after_mode=mode)


def facts_of(*changes: Changed, settings: FactSettings = FactSettings()) -> Facts:  # noqa: B008
    return compute_facts(changes, settings=settings)


def seen(*changes: Changed, settings: FactSettings = FactSettings()) -> set[str]:  # noqa: B008
    """The names of the facts seen, counts apart."""
    return set(facts_of(*changes, settings=settings).places)


def texts(facts: Facts, name: str) -> list[str]:
    return [place.text for place in facts.places.get(name, ())]


def load_policy(text: str, *, source: str = "team.toml") -> Policy:
    """A policy with the engine the program binds it to."""
    return load_bound(text, source=source, conditions=CONDITIONS)
