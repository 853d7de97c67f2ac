"""Reads `[[rules]]`: every rule checked whole, its condition compiled, every fault told with its field.

A rule with a fault is no rule, and a policy with one is no policy; the rules that are sound are still read, so
that one report names all that is to mend.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from dev_agent.policy.conditions import Condition, Conditions, WordKind
from dev_agent.policy.errors import ConditionRefused, Fault
from dev_agent.policy.team_rules import Example, Given, TeamRule
from dev_agent.policy.verdict import Verdict
from dev_agent.policy.vocabulary import Word, kinds, vocabulary

MOST_RULES = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LONGEST_REASON = 400
_LARGEST = 2**53 - 1
_RULE_KEYS = ("name", "when", "then", "because", "test")
_TEST_KEYS = ("given", "fires", "verdict")
_WORDS = tuple(verdict.value for verdict in Verdict)


class RuleReader:
    """Reads the rules of one policy; `faults` grows while it reads."""

    def __init__(self, sets: Iterable[str], conditions: Conditions) -> None:
        self.faults: list[Fault] = []
        self._words = vocabulary(sets)
        self._kinds = kinds(self._words)
        self._conditions = conditions
        self._seen: dict[str, str] = {}

    def read(self, content: object) -> tuple[TeamRule, ...]:
        """The rules without a fault, in the file's order."""
        if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
            self._fault("rules", "is not a list of tables", "write [[rules]] above each rule")
            return ()
        if len(content) > MOST_RULES:
            self._fault("rules", f"has {len(content)} rules", f"write at most {MOST_RULES}")
            return ()
        read = [self._rule(f"rules[{number}]", one) for number, one in enumerate(content)]
        return tuple(rule for rule in read if rule is not None)

    def _rule(self, field: str, content: Mapping[str, object]) -> TeamRule | None:
        before = len(self.faults)
        self._known_keys(field, content, _RULE_KEYS)
        name = self._name(field, content.get("name"))
        condition = self._condition(f"{field}.when", content.get("when"))
        then = self._verdict(f"{field}.then", content.get("then"))
        because = self._reason(f"{field}.because", content.get("because"))
        examples = self._examples(f"{field}.test", content.get("test", []))
        if condition is None or then is None or len(self.faults) > before:
            return None
        when = str(content["when"]).strip()
        return TeamRule(
            name=name, when=when, condition=condition, then=then, because=because, examples=examples
        )

    def _name(self, field: str, name: object) -> str:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            problem = "is missing" if name is None else "is not a name"
            self._fault(f"{field}.name", problem, "write 1 to 64 of a-z, 0-9 and '_', a letter first")
            return ""
        if name in self._seen:
            self._fault(f"{field}.name", f"names {self._seen[name]} already", "give each rule its own name")
        self._seen.setdefault(name, field)
        return name

    def _condition(self, field: str, source: object) -> Condition | None:
        if not isinstance(source, str) or not source.strip():
            problem = "is missing" if source is None else "is not a condition"
            self._fault(field, problem, 'write a text such as "lines_added > 400 and not touches_tests"')
            return None
        try:
            return self._conditions.compile(source.strip(), self._kinds)
        except ConditionRefused as refused:
            shown = refused.message.replace("\n", "\n  ")
            self._fault(field, shown, refused.hint)
            return None

    def _verdict(self, field: str, word: object) -> Verdict | None:
        if word not in _WORDS:
            self._fault(field, _absent_or("is not one of its words", word), _one_of(_WORDS))
            return None
        return Verdict(word)

    def _reason(self, field: str, text: object) -> str:
        if not isinstance(text, str) or not text.strip() or "\n" in text or len(text) > _LONGEST_REASON:
            remedy = f"write one line of at most {_LONGEST_REASON} characters: people read it as the reason"
            self._fault(field, _absent_or("is not a reason", text), remedy)
            return ""
        return text.strip()

    def _examples(self, field: str, content: object) -> tuple[Example, ...]:
        if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
            self._fault(field, "is not a list of tables", "write [[rules.test]] above each test")
            return ()
        read = [self._example(f"{field}[{number}]", one) for number, one in enumerate(content)]
        return tuple(one for one in read if one is not None)

    def _example(self, field: str, content: Mapping[str, object]) -> Example | None:
        before = len(self.faults)
        self._known_keys(field, content, _TEST_KEYS)
        fires = content.get("fires")
        if not isinstance(fires, bool):
            self._fault(f"{field}.fires", _absent_or("is not true or false", fires), "write true or false")
        verdict = self._verdict(f"{field}.verdict", content["verdict"]) if "verdict" in content else None
        given = self._given(f"{field}.given", content.get("given"))
        if len(self.faults) > before:
            return None
        return Example(given=given, fires=bool(fires), verdict=verdict)

    def _given(self, field: str, content: object) -> Given:
        if not isinstance(content, dict):
            self._fault(field, _absent_or("is not a table", content), "write given = { lines_added = 500 }")
            return {}
        given: dict[str, bool | int | tuple[str, ...]] = {}
        for name, value in _flat(content):
            word = self._words.get(name)
            if word is None:
                self._fault(f"{field}.{name}", "is no fact", _nearest(name, list(self._words)))
            elif not _fits(value, word):
                self._fault(f"{field}.{name}", f"is not of type {word.kind}", _EXPECTED[word.kind])
            else:
                given[name] = tuple(value) if isinstance(value, list) else cast("bool | int", value)
        return given

    def _known_keys(self, field: str, content: Mapping[str, object], known: tuple[str, ...]) -> None:
        for key in content:
            if key not in known:
                self._fault(f"{field}.{key}", "is unknown", _nearest(key, list(known)))

    def _fault(self, field: str, problem: str, remedy: str) -> None:
        self.faults.append(Fault(field=field, problem=problem, remedy=remedy))


_EXPECTED = {
    WordKind.BOOL: "write true or false",
    WordKind.INT: f"write a whole number from 0 to {_LARGEST}",
    WordKind.LIST: 'write a list of paths such as ["src/a.py"]',
}


def _flat(content: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """`paths.added = […]` reads as a table in TOML and is one word here."""
    for name, value in content.items():
        if name == "paths" and isinstance(value, dict):
            yield from ((f"paths.{inner}", one) for inner, one in value.items())
        else:
            yield name, value


def _fits(value: object, word: Word) -> bool:
    if word.kind is WordKind.BOOL:
        return isinstance(value, bool)
    if word.kind is WordKind.INT:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _absent_or(problem: str, value: object) -> str:
    return "is missing" if value is None else problem


def _one_of(words: Iterable[str]) -> str:
    return "write " + " or ".join(f'"{word}"' for word in words)


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name[:100], known, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known here: {', '.join(known)}" if len(known) <= 12 else "docs/policy.md lists the facts"
