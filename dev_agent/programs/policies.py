"""Questions about a policy itself, without a run: is it sound, do its examples hold, what does an expression say?

The policy is the caller's (a shipped name, a file), else the one the repository's last commit names, as for a run.
Nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dev_agent.errors import UsageFault
from dev_agent.gates.config import read_config
from dev_agent.policy.analysis import Remark, remarks_on
from dev_agent.policy.examples import ExampleResult, run_examples
from dev_agent.programs.rules import Rules, named_rules, read_rules
from dev_agent.repository.discovery import read_head, tree_of
from dev_agent.repository.trees import RepositoryTrees
from dev_agent.runtime.conditions import parse
from dev_agent.runtime.facts import has_type
from dev_agent.runtime.states import FactType
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.policy.policy import Policy
    from dev_agent.repository.discovery import Repository

_DEFAULT = "default"
_SIMPLE = (FactType.BOOL, FactType.INT, FactType.STR, FactType.LIST)


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """A sound policy and what is proved about its rules."""

    policy: Policy
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """The truth of an expression, and the facts it may have looked at."""

    holds: bool
    facts: Mapping[str, Any]


def rules_for(named: str | None, repository: Repository | None) -> Rules:
    """The policy meant: by name or file, else the repository's own, else `default`. Raises PolicyError, UsageFault."""
    if named is not None or repository is None:
        return named_rules(named or _DEFAULT)
    with closing(RepositoryTrees(repository)) as trees:
        tree = tree_of(repository, read_head(repository).commit)
        return read_rules(None, read_config(trees, tree).policy, trees, tree)


def examine(rules: Rules) -> Examination:
    """What can be proved about a policy that was loaded, and so has no faults."""
    return Examination(policy=rules.policy, remarks=remarks_on(rules.policy))


def try_examples(rules: Rules) -> tuple[ExampleResult, ...]:
    """The in-file tests, run."""
    return run_examples(rules.policy)


def evaluate(expression: str, facts: str, *, source: str) -> Evaluation:
    """The truth of an expression over the facts in a JSON text; their values say their types.

    An object in an object is a dotted name. Raises ConditionError for an expression that is refused, UsageFault for
    a text that is no facts; `source` names it.
    """
    values = _facts(facts, source)
    condition = parse(expression, {name: _type_of(value) for name, value in values.items()})
    return Evaluation(
        holds=condition.evaluate(values), facts={name: values[name] for name in condition.names}
    )


def _facts(text: str, source: str) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise UsageFault(f"the facts {source} are not JSON: {error}", hint="mend the file") from None
    if not isinstance(document, dict):
        raise UsageFault(
            f"the facts {source} are not an object",
            hint='write {"name": value}, objects nest as dotted names',
        )
    found: dict[str, Any] = {}
    for name, value in _dotted(document):
        if name in found:
            raise UsageFault(f"the facts {source} say {name!r} twice", hint="keep one")
        found[name] = value
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise ValueError(f"{doubled!r} is there twice")
    return dict(pairs)


def _dotted(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    stack = [("", document)]
    while stack:
        prefix, table = stack.pop()
        for name, value in table.items():
            if isinstance(value, dict):
                stack.append((f"{prefix}{name}.", value))
            else:
                yield prefix + name, value


def _type_of(value: object) -> FactType:
    """The type of a value; JSON for one that no condition can use, refused where it is used."""
    return next((kind for kind in _SIMPLE if has_type(value, kind)), FactType.JSON)
