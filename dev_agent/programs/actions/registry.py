"""The actions of the shipped programs by name, each imported when it is asked for.

A run uses the actions of its own program: `apply` needs nothing of what asks a model, and does not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.actions.modeled import Modeled

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext
    from dev_agent.runtime.actions import AnySpec

_MODULES = {
    "begin": "begin",
    "patch": "patch",
    "stage": "stage",
    "invert": "invert",
    "merge": "merge",
    "hooks": "hooks",
    "check_policy": "check_policy",
    "types": "judge",
    "tests": "judge",
    "checks": "judge",
    "repair": "repair",
    "land": "land",
    "rebase": "rebase",
    "remerge": "merge",
    "look_again": "push",
    "push": "push",
    "brief": "brief",
    "plan": "plan",
    "retrieve": "retrieve",
    "widen": "widen",
    "write": "write",
    "tryout": "tryout",
    "reproduce": "reproduce",
    "scope": "scope",
    "reconsider": "reconsider",
}


class _Actions(Mapping[str, Declared | Modeled]):
    """The actions; each is the constant of its module that has its name."""

    def __getitem__(self, name: str) -> Declared | Modeled:
        module = import_module(f"{__package__}.{_MODULES[name]}")
        action = getattr(module, name.upper())
        if not isinstance(action, Declared | Modeled) or action.name != name:
            raise AssertionError(f"BUG: {module.__name__} declares no action {name}")
        return action

    def __contains__(self, name: object) -> bool:
        return name in _MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


ACTIONS: Mapping[str, Declared | Modeled] = _Actions()


class _Specs(Mapping[str, "AnySpec"]):
    """What some actions are to the engine, made when asked for."""

    def __init__(
        self, actions: Mapping[str, Declared | Modeled], spec: Callable[[Declared | Modeled], AnySpec]
    ) -> None:
        self._actions = actions
        self._spec = spec

    def __getitem__(self, name: str) -> AnySpec:
        return self._spec(self._actions[name])

    def __contains__(self, name: object) -> bool:
        return name in self._actions

    def __iter__(self) -> Iterator[str]:
        return iter(self._actions)

    def __len__(self) -> int:
        return len(self._actions)


def declared() -> Mapping[str, AnySpec]:
    """All actions as declared, for proving a program."""
    return _Specs(ACTIONS, lambda action: action.unbound())


def bound(context: ApplyContext) -> Mapping[str, AnySpec]:
    """All actions as the engine runs them in `context`."""
    return _Specs(ACTIONS, lambda action: action.bound(context))
