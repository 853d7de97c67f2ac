"""The shape of a policy file as data: tables, keys, what each may hold, and the careful default of every key.

`read` checks a parsed TOML document against it and returns values for all keys, or every fault at once, each
with the path of its field, what to do, and, for an unknown name, the known one nearest to it. What the values
mean is said in `policy`.
"""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from dev_agent.policy import globs
from dev_agent.policy.catalogue import CATALOGUE
from dev_agent.policy.errors import Fault, GlobError
from dev_agent.policy.verdict import Verdict
from dev_agent.values import dataclass

Value = str | int | tuple[str, ...]
Values = Mapping[str, Mapping[str, Value]]
Sets = Mapping[str, tuple[str, ...]]
_Check = Callable[[object], "str | None"]
_LARGEST = 2**53 - 1
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SET_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ELSEWHERE = frozenset({"name", "version", "rules"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key of a policy file. `check` returns what is wrong with a value, in words; None if nothing is."""

    default: Value
    expects: str
    check: _Check


def _choice(default: str, *others: str) -> Key:
    words = (default, *others)
    expects = " or ".join(f'"{word}"' for word in words)
    return Key(
        default=default,
        expects=f"write {expects}",
        check=lambda value: None if value in words else "is not one of its words",
    )


def _number(default: int, *, largest: int = _LARGEST) -> Key:
    def check(value: object) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest
        return None if fits else "is not a whole number in range"

    return Key(default=default, expects=f"write a whole number from 0 to {largest}", check=check)


def _globs(*default: str) -> Key:
    def check(value: object) -> str | None:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            return "is not a list of path patterns"
        for one in value:
            try:
                globs.check(one)
            except GlobError as error:
                return f"holds a bad pattern: {error.message} ({error.hint})"
        return None

    return Key(default=default, expects='write a list such as ["src/**", "*.md"]', check=check)


def _verdict(default: Verdict) -> Key:
    return _choice(default.value, *(one.value for one in Verdict if one is not default))


_PATHS = ("tests", "gate_configuration", "ci", "hooks", "own", "dependencies")
SCHEMA: Mapping[str, Mapping[str, Key]] = MappingProxyType({
    "scope": {
        "write": _globs("**"),
        "deny": _globs(),
        "protected": _globs("**/CODEOWNERS", "COPYING*", "LICENSE*", "SECURITY.md"),
    },
    "paths": {name: _globs() for name in _PATHS},
    "limits": {
        "files": _number(200),
        "lines": _number(5_000),
        "bytes": _number(2_000_000),
        "deletions": _number(20),
    },
    "on": {name: _verdict(fact.careful) for name, fact in CATALOGUE.items()},
    "gates": {
        "types": _choice("delta", "strict", "off"),
        "tests": _choice("delta", "strict", "off"),
        "flaky": _choice("allow", "deny"),
        "no_tests": _choice("allow", "deny"),
        "no_types": _choice("allow", "deny"),
        "changed_tests": _choice("allow", "ask", "deny"),
    },
    "edits": {"max_match_level": _number(3, largest=4)},
    "hooks": {"run": _choice("run", "skip")},
    "sandbox": {"confinement": _choice("optional", "required", "namespaces")},
    "denied": {"then": _choice("repair", "reject")},
    "plan": {"outside": _choice("repair", "deny", "allow")},
    "reproduce": {"bugs": _choice("off", "try", "require")},
})  # fmt: skip


def read(document: Mapping[str, object]) -> tuple[Values, Sets, tuple[Fault, ...]]:
    """Values for every key, defaults filled in; the policy's own path sets; and all faults. `[[rules]]` is read
    by `rule_reading`."""
    values = {table: {name: key.default for name, key in keys.items()} for table, keys in SCHEMA.items()}
    faults = [*_header(document)]
    sets: dict[str, tuple[str, ...]] = {}
    for table, content in document.items():
        if table in _ELSEWHERE:
            continue
        if table not in SCHEMA:
            faults.append(_unknown(table, table, ["name", "version", "rules", *SCHEMA]))
        elif not isinstance(content, Mapping):
            faults.append(
                Fault(field=table, problem="is not a table", remedy=f"write [{table}] and its keys below")
            )
        else:
            faults += _read_table(table, content, values[table], sets)
    return values, sets, tuple(faults)


def _header(document: Mapping[str, object]) -> Iterator[Fault]:
    name, version = document.get("name"), document.get("version")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problem = "is missing" if name is None else "is not a name"
        yield Fault(field="name", problem=problem, remedy="write 1 to 64 of a-z, 0-9, '-' and '_'")
    if version != 1 or isinstance(version, bool):
        problem = "is missing" if version is None else "is not one this release reads"
        yield Fault(field="version", problem=problem, remedy="write version = 1")


def unused(name: str) -> Fault:
    """A path set no rule asks about: most likely one of the built-in names, misspelt."""
    near = difflib.get_close_matches(name, _PATHS, n=1, cutoff=0.6)
    meant = (
        f'did you mean "{near[0]}"? Else'
        if near
        else "built-in are " + ", ".join(_PATHS) + "; for one of your own"
    )
    remedy = f"{meant} use touches_{name} or only_{name} in a rule"
    return Fault(field=f"paths.{name}", problem="is a path set no rule uses", remedy=remedy)


def _read_table(
    table: str, content: Mapping[str, object], values: dict[str, Value], sets: dict[str, tuple[str, ...]]
) -> Iterator[Fault]:
    keys = SCHEMA[table]
    for name, value in content.items():
        field = f"{table}.{name}"
        if table == "paths" and name not in keys:
            yield from _read_set(field, name, value, sets)
            continue
        if name not in keys:
            yield _unknown(field, name, list(keys))
            continue
        problem = keys[name].check(value)
        if problem is not None:
            yield Fault(field=field, problem=problem, remedy=keys[name].expects)
        elif isinstance(value, list):
            values[name] = tuple(sorted(set(value)))
        elif isinstance(value, str | int):
            values[name] = value


def _read_set(field: str, name: str, value: object, sets: dict[str, tuple[str, ...]]) -> Iterator[Fault]:
    problem = _globs().check(value)
    if not _SET_NAME.fullmatch(name) or keyword.iskeyword(name):
        remedy = "write 1 to 32 of a-z, 0-9 and '_', a letter first"
        yield Fault(field=field, problem="is no name for a path set", remedy=remedy)
    elif problem is not None:
        yield Fault(field=field, problem=problem, remedy=_globs().expects)
    elif isinstance(value, list) and value:
        sets[name] = tuple(sorted(set(value)))
    else:
        yield Fault(field=field, problem="is an empty path set", remedy=_globs().expects)


def _unknown(field: str, name: str, known: list[str]) -> Fault:
    near = difflib.get_close_matches(name[:100], known, n=1, cutoff=0.6)
    remedy = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(known)}"
    return Fault(field=field, problem="is unknown", remedy=remedy)
