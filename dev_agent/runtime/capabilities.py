"""Capability references: a fact may name a secret, and never hold it.

`{"$capability": "NAME"}` is a value like any other, in facts, traces and prompts: it says which capability is
meant and opens nothing. `resolve` gives the secret behind it, from the host, to an action that runs and whose
declaration names that capability. From then on the secret is known here, and is scrubbed from all this run
records: as it is, in hexadecimal, base64 and URL quoting. Other encodings an action may think of are not.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import quote

from dev_agent.runtime.canonical import Json
from dev_agent.runtime.errors import CapabilityDenied
from dev_agent.runtime.naming import is_name
from dev_agent.runtime.written import Written
from dev_agent.values import dataclass

KEY = "$capability"
SHORTEST = 6
"""A shorter secret cannot be told from ordinary text, so it could not be scrubbed."""

Resolver: TypeAlias = "Callable[[str], str]"


@dataclass(frozen=True, slots=True)
class CapabilityRef:
    """A reference to a capability by its name."""

    name: str

    def to_json(self) -> dict[str, Json]:
        """Return the value that stands for it in facts."""
        return {KEY: self.name}

    @classmethod
    def of(cls, value: object) -> CapabilityRef:
        """Read a reference from a fact's value. Raises CapabilityDenied for anything else."""
        if not is_reference(value):
            raise CapabilityDenied("", "this value is no reference to a capability")
        return cls(value[KEY])  # type: ignore[index]


def is_reference(value: object) -> bool:
    """Return whether a value is a reference to a capability: an object of this one key, naming one."""
    return (
        isinstance(value, Mapping)
        and len(value) == 1
        and isinstance(value.get(KEY), str)
        and is_name(value[KEY])
    )


class Capabilities:
    """What one run may resolve, and what it has resolved."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver
        self._marks: dict[str, str] = {}

    def resolve(self, ref: CapabilityRef | Json, declared: frozenset[str]) -> str:
        """Return the secret behind a reference. Raises CapabilityDenied; what the resolver raises, too."""
        name = (ref if isinstance(ref, CapabilityRef) else CapabilityRef.of(ref)).name
        if name not in declared:
            raise CapabilityDenied(name, f"this action does not declare the capability {name!r}")
        if self._resolver is None:
            raise CapabilityDenied(name, f"the host gives no capabilities, so not {name!r}")
        secret = self._resolver(name)
        if len(secret) < SHORTEST:
            raise CapabilityDenied(name, f"what stands behind {name!r} is shorter than {SHORTEST} characters")
        self._remember(name, secret)
        return secret

    def scrubbed(self, value: Any) -> Any:
        """Return a value without any secret resolved so far; of blobs, too."""
        return self._scrubbed(value) if self._marks else value

    def _remember(self, name: str, secret: str) -> None:
        raw = secret.encode("utf-8", "surrogatepass")
        forms = {secret, raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(),
                 quote(secret, safe="", errors="replace"), repr(secret)[1:-1]}  # fmt: skip
        known = {**self._marks, **dict.fromkeys(forms, f"[redacted: capability {name}]")}
        # The longest first: a form may hold another.
        self._marks = dict(sorted(known.items(), key=lambda item: -len(item[0])))

    def _scrubbed(self, value: Any) -> Any:
        if isinstance(value, str):
            for form, mark in self._marks.items():
                value = value.replace(form, mark)
            return value
        if isinstance(value, bytes):
            for form, mark in self._marks.items():
                value = value.replace(form.encode("utf-8", "surrogatepass"), mark.encode())
            return value
        if isinstance(value, Mapping):
            made = {self._scrubbed(key): self._scrubbed(item) for key, item in value.items()}
            return MappingProxyType(made) if isinstance(value, MappingProxyType) else made
        if type(value) is Written:
            return self._scrubbed(value.frozen)
        if isinstance(value, list | tuple):
            return type(value)([self._scrubbed(item) for item in value])
        return value
