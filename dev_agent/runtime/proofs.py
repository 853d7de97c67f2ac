"""Which programs were proved already, and over which declarations of actions: proving them again proves nothing new.

A host that runs one program many times makes an engine for each run, and a proof takes longer than a short run. Kept
is only that a proof *held*, for this very object and for declarations equal to those it was made over: a changed
program is another object (programs are frozen), and what an action declares is compared by value, because its facts
and prompts lie in mappings their owner may still change. Programs whose states are not behind a read-only view are
not kept.

Nothing is kept alive by being known here, and no more than a few are known.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from dev_agent.runtime.actions import AnySpec, ModelActionSpec
from dev_agent.runtime.program import Program

MOST = 16

_Declared: TypeAlias = "dict[str, tuple[object, ...]]"


class Proofs:
    """The proofs that held. May be used from any thread: at worst something is proved once more."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[weakref.ref[Program], _Declared]] = {}

    def holds(self, program: Program, actions: Mapping[str, AnySpec]) -> bool:
        """Return whether this program was proved over `actions`, those it is bound to, when they declared the same."""
        known = self._held.get(id(program))
        return known is not None and known[0]() is program and known[1] == _declared(actions)

    def remember(self, program: Program, actions: Mapping[str, AnySpec]) -> None:
        """Note that the proof of this program over these actions held just now."""
        if type(program.states) is not MappingProxyType:
            return
        while len(self._held) >= MOST:
            self._held.pop(next(iter(self._held)), None)
        self._held[id(program)] = (weakref.ref(program), _declared(actions))


def _declared(actions: Mapping[str, AnySpec]) -> _Declared:
    """Everything a proof looks at in an action, copied; not what it does."""
    return {
        name: (
            type(spec),
            spec.name,
            spec.outcomes,
            dict(spec.facts),
            dict(spec.prompts) if isinstance(spec, ModelActionSpec) else None,
        )
        for name, spec in actions.items()
    }
