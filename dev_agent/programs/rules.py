"""Which policy a run obeys, and where its text comes from.

By the caller's word (`--policy`: a shipped name or a file), else by the base commit's settings (`policy = …` in
its own configuration: a shipped name or a path in the base tree), else the shipped `default`. Never from the
change that is judged.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.policy.policy import Policy, load_policy
from dev_agent.policy.shipped import shipped, shipped_names
from dev_agent.programs.conditions import CONDITIONS
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.gates.subject import Trees

_DEFAULT = "default"
_LARGEST = 256_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """A policy with its text and its source: `shipped`, `base` (the base commit) or `caller` (a file they named).

    `name` is what it was found by: a shipped name, or a path (in the base tree, for `base`).
    """

    policy: Policy
    text: str
    source: str
    name: str

    @property
    def own_paths(self) -> tuple[str, ...]:
        """Paths of the repository that say how it is judged: touching them is a fact of its own."""
        return (self.name,) if self.source == "base" else ()


def read_rules(named: str | None, configured: str, trees: Trees, base_tree: str) -> Rules:
    """The policy of a run. Raises PolicyError for a faulty one, UsageFault for one that is not there."""
    if named is not None:
        return named_rules(named)
    if not configured or configured in shipped_names():
        return _shipped(configured or _DEFAULT)
    data = trees.read(base_tree, configured)
    if data is None:
        raise UsageFault(
            f"the configuration names the policy {configured!r}, which the base commit does not have",
            hint=f"commit that file, or name one of: {', '.join(shipped_names())}",
        )
    return again(_decoded(data, configured), source="base", name=configured)


def again(text: str, *, source: str, name: str) -> Rules:
    """The rules in a text that was read before. Raises PolicyError."""
    policy = load_policy(text, source=name, conditions=CONDITIONS)
    return Rules(policy=policy, text=text, source=source, name=name)


def named_rules(named: str) -> Rules:
    """The policy a caller names: shipped, or in a file. Raises PolicyError, UsageFault."""
    if named in shipped_names():
        return _shipped(named)
    path = Path(named)
    if not path.is_file():
        raise UsageFault(
            f"there is no policy {named!r}: no file of that name, and none that comes with dev-agent",
            hint=f"name a file, or one of: {', '.join(shipped_names())}",
        )
    with path.open("rb") as file:
        return again(_decoded(file.read(_LARGEST + 1), named), source="caller", name=named)


def _shipped(name: str) -> Rules:
    return again(shipped(name), source="shipped", name=name)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageFault(f"the policy {name} is not UTF-8 text", hint="save it as UTF-8") from error
