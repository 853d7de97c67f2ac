"""Blotting secrets out of values: nested data, tuples, bytes and the keys of objects included.

What is taken out leaves a mark that says what it was (`[redacted: api key]`), never how long or which. Marks
are left alone, so redacting twice gives what redacting once gives. Numbers, bools and null have no format;
under a secret name numbers go too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from types import MappingProxyType

from dev_agent.runtime.canonical import Json
from dev_agent.runtime.capabilities import is_reference
from dev_agent.runtime.detectors import (
    Finding,
    hides_numbers,
    is_secret_name,
    known_secrets,
    may_hold_secret,
    random_runs,
)
from dev_agent.values import dataclass

_MARK = "[redacted: "
_BY_NAME = "secret name"


def mark(kind: str) -> str:
    """Return the mark that stands for a secret of this kind."""
    return f"{_MARK}{kind}]"


def is_plainly_clean(value: Json) -> bool:
    """Return a fast yes: True means that a redactor without `randomness` would change nothing.

    Every event is asked this, and nearly all are clean.
    """
    kind = type(value)
    if kind is str:
        return not may_hold_secret(value)  # type: ignore[arg-type]
    if kind is tuple or kind is list:
        return all(map(is_plainly_clean, value))  # type: ignore[arg-type]
    if kind is MappingProxyType or kind is dict:
        for key, item in value.items():  # type: ignore[union-attr]
            if is_secret_name(key) or may_hold_secret(key):
                return False
            if type(item) is not int and not is_plainly_clean(item):
                return False
        return True
    return value is None or kind is int or kind is bool


@dataclass(slots=True, kw_only=True)
class Redactor:
    """Redacts values and counts what it took out, by kind. `randomness` also takes what only looks random."""

    randomness: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many marks were made so far."""
        return sum(self.counts.values())

    def text(self, text: str) -> str:
        """Return the text with marks for secrets."""
        text = self._blotted(text, known_secrets(text))
        return self._blotted(text, random_runs(text)) if self.randomness else text

    def value(self, value: Json, keep: frozenset[str] = frozenset()) -> Json:
        """Return the value with marks for secrets; `keep` names keys at the top whose numbers stay numbers.

        A value in which nothing is secret is returned as it is, not copied.
        """
        kind = type(value)
        if kind is str:
            return self.text(value)  # type: ignore[arg-type]
        if kind is list or kind is tuple:
            items = [self.value(one) for one in value]  # type: ignore[union-attr]
            changed = any(new is not old for new, old in zip(items, value, strict=True))  # type: ignore[arg-type]
            return (tuple(items) if kind is tuple else items) if changed else value
        if isinstance(value, bytes):
            text = value.decode("utf-8", "surrogateescape")
            clean = self.text(text)
            return value if clean == text else clean.encode("utf-8", "surrogateescape")
        if isinstance(value, Mapping) and not is_reference(value):
            return self._object(value, keep)
        return value

    def _object(self, value: Mapping[str, Json], keep: frozenset[str]) -> Json:
        made: dict[str, Json] = {}
        changed = False
        for key, item in value.items():
            name = self.text(key)
            new = self._under(key, item, keep=key in keep)
            changed = changed or new is not item or name is not key
            made[name] = new
        if not changed:
            return value
        return MappingProxyType(made) if isinstance(value, MappingProxyType) else made

    def _under(self, key: str, item: Json, *, keep: bool) -> Json:
        if not is_secret_name(key):
            return self.value(item)
        if item is None or isinstance(item, bool) or item in ("", (), [], {}) or is_reference(item):
            return item
        if isinstance(item, int) and (keep or not hides_numbers(key)):
            return item
        return self._hidden(item)

    def _hidden(self, item: Json) -> Json:
        if isinstance(item, list | tuple):
            # Still a list of text, as it may have been declared; how long it was is no secret.
            hidden = [self._hidden(one) for one in item]
            return tuple(hidden) if isinstance(item, tuple) else hidden
        if isinstance(item, str) and item.startswith(_MARK) and item.endswith("]"):
            return item
        return self._counted(_BY_NAME)

    def _blotted(self, text: str, findings: Iterable[Finding]) -> str:
        out, at = [], 0
        for found in findings:
            if text.startswith(_MARK, found.start):
                continue
            out += [text[at : found.start], self._counted(found.kind)]
            at = found.end
        return "".join([*out, text[at:]]) if out else text

    def _counted(self, kind: str) -> str:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return mark(kind)
