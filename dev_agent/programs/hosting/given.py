"""Values a person types for declared facts: `name=text` on a command line, or one JSON object in a file.

Text becomes what the program declares: `true`/`false` for bool, digits for int, the text itself for str, JSON for
list and json. What does not fit is an error that names the fact; nothing is guessed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from dev_agent.errors import UsageFault
from dev_agent.runtime.states import FactType
from dev_agent.values import dataclass

_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What was typed: `values` are JSON already, `words` are text still."""

    words: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    def typed(self, declared: Mapping[str, FactType]) -> dict[str, Any]:
        """All of it as JSON values; undeclared names stay, for the runtime to refuse. Raises UsageFault."""
        made = {
            name: _typed(name, text, declared.get(name, FactType.STR)) for name, text in self.words.items()
        }
        return {**self.values, **made}


def given(words: Sequence[str], file: Path | None = None) -> Given:
    """Read `name=text` words and a JSON file. Raises UsageFault for anything else."""
    pairs: dict[str, str] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name or name in pairs:
            why = "is given twice" if name in pairs else "is not NAME=VALUE"
            raise UsageFault(f"{word!r} {why}", hint="write for example: amount=250")
        pairs[name] = text
    return Given(words=pairs, values=_read(file) if file else {})


def _read(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageFault(
            f"{file} cannot be read as JSON: {error}", hint="give a file with one JSON object"
        ) from error
    if not isinstance(value, dict):
        raise UsageFault(f"{file} holds no JSON object", hint='write {"name": value, …}')
    return value


def _typed(name: str, text: str, kind: FactType) -> Any:
    if kind is FactType.STR:
        return text
    if kind is FactType.BOOL and text in _TRUTH:
        return _TRUTH[text]
    if kind is FactType.INT and text.removeprefix("-").isdecimal() and text.isascii():
        return int(text)
    if kind in (FactType.LIST, FactType.JSON):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    shape = {FactType.BOOL: "true or false", FactType.INT: "an integer"}.get(kind, "JSON")
    raise UsageFault(f"{name}={text} is not {shape}", hint=f"the program declares {name} as {kind.value}")
