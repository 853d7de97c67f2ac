"""A policy: a team's opinion about change sets, as TOML that is checked whole before it is used.

    name = "default"
    version = 1                     the version of this format
    [scope]                         path patterns (see `globs`)
    write, deny, protected          may be changed; may never be; somebody must agree
    [paths]                         further paths that count as ..., added to the built-in ones
    tests, gate_configuration, ci, hooks, own, dependencies
    <any other name>                a path set of the policy's own, for its rules: touches_<name>, only_<name>
    [limits]
    files, lines, bytes, deletions
    [on]                            one key per row of `catalogue`
    <fact> = "allow" | "ask" | "deny"
    [gates]
    types, tests = "delta" | "strict" | "off"    against the baseline; absolutely; not at all
    flaky = "allow" | "deny"                     a test that passes only sometimes
    no_tests, no_types = "allow" | "deny"        a project that has none
    changed_tests = "allow" | "ask" | "deny"     a base test fails, the change's own version of it passes
    [edits]
    max_match_level = 0 ... 4       exact, white space, indentation, Unicode, "..." pairs
    [hooks]
    run = "run" | "skip"            the project's own commit hooks
    [sandbox]
    confinement = "namespaces" | "required" | "optional"    of tier 1; of any tier; the user's own word, and nothing
                                                            else, may turn it off
    [denied]
    then = "repair" | "reject"      after a denial: another attempt, or the end
    [plan]
    outside = "repair" | "deny" | "allow"        a model changed files its plan does not name
    [reproduce]
    bugs = "off" | "try" | "require"    of a model that mends something: a test that fails on the base and passes on
                                        the change is not asked for; asked for; a condition of landing
    [[rules]]                       the team's own rules over facts; see `team_rules` and `vocabulary`
    name, when, then, because

Every key but `name` and `version` may be left out; what then holds is in `schema` and is careful. An unknown
key is an error: a misspelt rule that silently does nothing is worse than none. A loaded policy cannot be
changed.

The digest covers what the policy means (all values, defaults filled in, the name and the version, its own path
sets and its rules) and nothing of how it is written: comments, order of keys, of patterns and of rules, layout and
in-file tests do not matter. Two policies with one digest decide alike under one release. A policy without rules
has the digest it had before there were rules, and one that leaves a later table at its defaults the digest it had
before there was that table: a run that waits can be taken up by a later release.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, cast

from dev_agent.policy import schema
from dev_agent.policy.conditions import Conditions
from dev_agent.policy.errors import Fault, PolicyError
from dev_agent.policy.rule_reading import RuleReader
from dev_agent.policy.settings import FactSettings
from dev_agent.policy.team_rules import TeamRule
from dev_agent.policy.verdict import Verdict
from dev_agent.toml_places import line_of, lines_of
from dev_agent.values import dataclass

Mode = Literal["delta", "strict", "off"]
YesNo = Literal["allow", "deny"]

VERSION = 1
_LARGEST = 256_000
_LATER: schema.Values = {"plan": {"outside": "repair"}, "reproduce": {"bugs": "off"}}
"""Tables that came after policies had digests; one that says what was so before changes none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatePolicy:
    """How the gates judge; the meaning of each word is in the module's text."""

    types: Mode
    tests: Mode
    flaky: YesNo
    no_tests: YesNo
    no_types: YesNo
    changed_tests: Literal["allow", "ask", "deny"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The largest change set within limits; lines are those added plus those removed, bytes those written."""

    max_files: int
    max_lines: int
    max_bytes: int
    max_deletions: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A checked policy. `settings` is what `compute_facts` needs of it; `on` maps facts to verdicts.

    `meaning` is what the digest is over: canonical JSON, to say what differs where digests do.
    """

    name: str
    digest: str
    meaning: str
    settings: FactSettings
    limits: Limits
    on: Mapping[str, Verdict]
    gates: GatePolicy
    max_match_level: int
    hooks: Literal["run", "skip"]
    sandbox: Literal["namespaces", "required", "optional"]
    on_denied: Literal["repair", "reject"]
    outside_plan: Literal["repair", "deny", "allow"] = "repair"
    reproduce: Literal["off", "try", "require"] = "off"
    rules: tuple[TeamRule, ...] = ()

    def settings_with(self, *, own: tuple[str, ...]) -> FactSettings:
        """The settings, counting also the paths the policy and the program were loaded from as our own."""
        return replace(self.settings, own=(*self.settings.own, *own))


def load_policy(text: str, *, source: str, conditions: Conditions) -> Policy:
    """The policy a text says. `source` names the text in messages, `conditions` compiles its rules.

    Raises PolicyError with every fault of the text; nothing of a faulty policy is used.
    """
    document = _parse(text, source)
    values, sets, found = schema.read(document)
    reader = RuleReader(sets, conditions)
    rules = reader.read(document.get("rules", []))
    # A rule that could not be read may be the one that uses a set: first things first.
    idle = [] if reader.faults else [schema.unused(name) for name in sets if not _is_used(name, rules)]
    faults = [*found, *reader.faults, *idle]
    if faults:
        raise _refusal(source, text, faults)
    return _build(str(document["name"]), values, sets, rules)


def _is_used(name: str, rules: Sequence[TeamRule]) -> bool:
    words = {f"touches_{name}", f"only_{name}"}
    return any(not words.isdisjoint(rule.condition.names) for rule in rules)


def _refusal(source: str, text: str, faults: Sequence[Fault]) -> PolicyError:
    """All faults in the order of the text, each with its line."""
    lines = lines_of(text)
    placed = [replace(fault, line=line_of(lines, fault.field)) for fault in faults]
    placed.sort(key=lambda fault: fault.line or 0)
    listed = "\n".join(f"  {source}{f':{fault.line}' if fault.line else ''}: {fault}" for fault in placed)
    count = "1 fault" if len(placed) == 1 else f"{len(placed)} faults"
    return PolicyError(
        f"the policy {source} has {count}:\n{listed}", "mend the fields named above", tuple(placed)
    )


def _parse(text: str, source: str) -> Mapping[str, object]:
    if len(text) > _LARGEST:
        raise PolicyError(
            f"the policy {source} is larger than {_LARGEST} characters",
            "a policy is a page of rules: shorten it",
        )
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problem = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is nested too deeply"
        fault = Fault(field="", problem=f"not valid TOML: {problem}", remedy="mend the syntax there")
        raise PolicyError(
            f"the policy {source} is not valid TOML: {problem}", "mend the syntax there", (fault,)
        ) from None


def _build(name: str, values: schema.Values, sets: schema.Sets, rules: tuple[TeamRule, ...]) -> Policy:
    meaning = _meaning(name, values, sets, rules)
    return Policy(
        name=name,
        digest=hashlib.sha256(meaning.encode("ascii")).hexdigest(),
        meaning=meaning,
        settings=replace(_settings(values), sets=MappingProxyType(dict(sets))),
        limits=_limits(values),
        on=MappingProxyType({fact: Verdict(str(word)) for fact, word in values["on"].items()}),
        gates=_gates(values["gates"]),
        max_match_level=int(cast("int", values["edits"]["max_match_level"])),
        hooks=cast("Literal['run', 'skip']", values["hooks"]["run"]),
        sandbox=cast("Literal['namespaces', 'required', 'optional']", values["sandbox"]["confinement"]),
        on_denied=cast("Literal['repair', 'reject']", values["denied"]["then"]),
        outside_plan=cast("Literal['repair', 'deny', 'allow']", values["plan"]["outside"]),
        reproduce=cast("Literal['off', 'try', 'require']", values["reproduce"]["bugs"]),
        rules=rules,
    )


# The casts say what the schema has checked already: each of these words is one of its type's.
def _gates(words: Mapping[str, schema.Value]) -> GatePolicy:
    return GatePolicy(
        types=cast("Mode", words["types"]),
        tests=cast("Mode", words["tests"]),
        flaky=cast("YesNo", words["flaky"]),
        no_tests=cast("YesNo", words["no_tests"]),
        no_types=cast("YesNo", words["no_types"]),
        changed_tests=cast("Literal['allow', 'ask', 'deny']", words["changed_tests"]),
    )


def _limits(values: schema.Values) -> Limits:
    numbers = cast("Mapping[str, int]", values["limits"])
    return Limits(
        max_files=numbers["files"],
        max_lines=numbers["lines"],
        max_bytes=numbers["bytes"],
        max_deletions=numbers["deletions"],
    )


def _settings(values: schema.Values) -> FactSettings:
    """The built-in lists and what the policy adds to them."""
    ground = FactSettings()
    scope = cast("Mapping[str, tuple[str, ...]]", values["scope"])
    more = cast("Mapping[str, tuple[str, ...]]", values["paths"])
    return FactSettings(
        write=scope["write"],
        deny=scope["deny"],
        protected=scope["protected"],
        tests=(*ground.tests, *more["tests"]),
        collected=(*ground.collected, *more["tests"]),
        gates=(*ground.gates, *more["gate_configuration"]),
        ci=(*ground.ci, *more["ci"]),
        hooks=(*ground.hooks, *more["hooks"]),
        own=(*ground.own, *more["own"]),
        dependencies=(*ground.dependencies, *more["dependencies"]),
    )


def _meaning(name: str, values: schema.Values, sets: schema.Sets, rules: Sequence[TeamRule]) -> str:
    content: dict[str, object] = {"name": name, "version": VERSION}
    content |= {
        table: dict(keys) for table, keys in values.items() if table not in _LATER or keys != _LATER[table]
    }
    if sets:
        content["sets"] = dict(sets)
    if rules:
        content["rules"] = sorted(rule.content() for rule in rules)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
