"""What a model has, as data: window, longest answer, levels of effort, thinking (`models.toml`).

A model nobody listed has nothing of it as far as we know: no effort and no thinking is sent to it, and no size is
checked before sending. A name may carry what a platform or a date adds to it (`us.anthropic.…-v1:0`, `…-20251001`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from dev_agent.values import dataclass

_PLATFORM = re.compile(r"\A(?:[a-z]{2,6}\.)?anthropic\.|(?:-v[0-9]+)?(?::[0-9]+)?\Z")
_DATE = re.compile(r"[-@](?:20[0-9]{6}|20[0-9]{2}-[0-9]{2}-[0-9]{2})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What is known of a model; None and () where nothing is."""

    known: bool = False
    window: int | None = None
    max_output: int | None = None
    effort: tuple[str, ...] = ()
    thinking: tuple[str, ...] = ()


def abilities_of(service: str, model: str) -> Abilities:
    """What the model of this name has at a service (`anthropic`, `openai`)."""
    models: Mapping[str, Any] = _table().get(service, {})
    found = next((models[name] for name in spellings(model) if name in models), None)
    if found is None:
        return Abilities()
    return Abilities(
        known=True,
        window=found.get("window"),
        max_output=found.get("max_output"),
        effort=tuple(found.get("effort", ())),
        thinking=tuple(found.get("thinking", ())),
    )


def default_model(service: str) -> str:
    """The model that is taken when nobody names one, "" if a service has none."""
    return str(_table()["default"].get(service, ""))


def known_models(service: str) -> tuple[str, ...]:
    """The names of the models that are listed for a service."""
    return tuple(_table().get(service, ()))


def spellings(model: str) -> tuple[str, ...]:
    """The names under which a model may be listed: as it is, then without what a platform or a date adds."""
    bare = _PLATFORM.sub("", model)
    return tuple(dict.fromkeys((model, bare, _DATE.sub("", bare))))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("models.toml").read_text("utf-8"))
