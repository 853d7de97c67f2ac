"""The form of an answer: the subset of JSON Schema we use, what of it is sent, and the check of what came back.

Keywords: `type` (a name or a list of names), `properties`, `required`, `additionalProperties` (only false), `items`,
`enum`, `const`, `anyOf`, `minItems`, `maxItems`, `minLength`, `maxLength`, `minimum`, `maximum`, `description`.
Types: object, array, string, integer, boolean, null; no number, because a float has no one spelling and so can stand in
no trace. A keyword that is not among them is our bug and raises: a rule nobody checks must not look like one.

Services promise to keep to a schema; some do, some ignore it, and none knows our bounds (they refuse a schema that has
any). So the bounds are said in words, and everything is checked here. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dev_agent.proposers.model import Form
from dev_agent.runtime.canonical import Json, thaw
from dev_agent.values import dataclass

_BOUNDS = {
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
}
_SENT = frozenset(
    {
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "description",
    }
)
_IS: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
_SIZED: Mapping[str, tuple[type, Callable[[Any], int]]] = {
    "Items": (list, len),
    "Length": (str, len),
    "imum": (int, int),
}
_MOST_FAULTS = 8
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong at `path`. `elsewhere`: it answers something else than what was asked (a `const` differs)."""

    path: str
    said: str
    elsewhere: bool = False

    def __str__(self) -> str:
        return f"{self.path or 'the answer'}: {self.said}"


def faults_of(value: object, form: Form) -> tuple[Fault, ...]:
    """What is wrong with parsed JSON, at most a handful. Raises ValueError for a schema outside of the subset."""
    faults: list[Fault] = []
    for fault in _faults(value, _plain(form.schema), ""):
        faults.append(fault)
        if len(faults) == _MOST_FAULTS:
            break
    return tuple(faults)


def sent_schema(form: Form) -> dict[str, Any]:
    """The schema as services accept it: titled with the form's name, bounds only in words."""
    return {"title": form.name, **_sent(_plain(form.schema))}


def is_strict(schema: object) -> bool:
    """True if every object of the schema requires all it has, as OpenAI's strict mode wants it."""
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return all(map(is_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and set(properties) != set(schema.get("required", ())):
        return False
    return all(map(is_strict, schema.values()))


def _plain(schema: Mapping[str, Json]) -> dict[str, Any]:
    plain: Any = thaw(schema)
    return dict(plain)


def _require_known(schema: Mapping[str, Any]) -> None:
    unknown = set(schema) - _SENT - set(_BOUNDS)
    names = schema.get("type", [])
    types = {names} if isinstance(names, str) else set(names)
    if unknown or types - set(_IS) or schema.get("additionalProperties", False) is not False:
        raise ValueError(f"BUG: a form uses what is not checked: {sorted(unknown) or sorted(types)}")


def _sent(schema: dict[str, Any]) -> dict[str, Any]:
    _require_known(schema)
    made = {key: value for key, value in schema.items() if key in _SENT}
    bounds = ", ".join(words.format(schema[key]) for key, words in _BOUNDS.items() if key in schema)
    if bounds:
        told = made.get("description", "")
        made["description"] = f"{told} ({bounds})" if told else bounds
    if "properties" in made:
        made["properties"] = {name: _sent(one) for name, one in made["properties"].items()}
        made["additionalProperties"] = False
    if "items" in made:
        made["items"] = _sent(made["items"])
    if "anyOf" in made:
        made["anyOf"] = [_sent(one) for one in made["anyOf"]]
    return made


def _faults(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Fault]:
    _require_known(schema)
    wanted = schema.get("type", [])
    names = [wanted] if isinstance(wanted, str) else wanted
    if names and not any(_IS[name](value) for name in names):
        yield Fault(path=path, said=f"must be {' or '.join(names)}, not {_kind(value)}")
        return
    if "const" in schema and not _same(value, schema["const"]):
        said = f"must be {_shown(schema['const'])}, not {_shown(value)}"
        yield Fault(path=path, said=said, elsewhere=True)
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        listed = ", ".join(map(_shown, schema["enum"]))
        yield Fault(path=path, said=f"must be one of {listed}, not {_shown(value)}")
    if "anyOf" in schema:
        yield from _faults_of_choices(value, schema["anyOf"], path)
    yield from _bound_faults(value, schema, path)
    if isinstance(value, dict):
        yield from _object_faults(value, schema, path)
    if isinstance(value, list) and "items" in schema:
        for position, item in enumerate(value):
            yield from _faults(item, schema["items"], f"{path}[{position}]")


def _object_faults(value: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[Fault]:
    properties = schema.get("properties", {})
    prefix = f"{path}." if path else ""
    for name in schema.get("required", ()):
        if name not in value:
            yield Fault(path=f"{prefix}{name}", said="is missing")
    for name, item in value.items():
        if name not in properties:
            yield Fault(path=path, said=f"has no place for {_shown(name)}")
        else:
            yield from _faults(item, properties[name], f"{prefix}{name}")


def _faults_of_choices(value: Any, choices: Sequence[Mapping[str, Any]], path: str) -> Iterator[Fault]:
    """None if one of the choices fits, else the faults of the one that comes nearest: the fewest of them."""
    tried = [list(_faults(value, one, path)) for one in choices]
    if all(tried):
        yield from min(tried, key=len)


def _bound_faults(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Fault]:
    for key, words in _BOUNDS.items():
        if key not in schema:
            continue
        kind, size = _SIZED[key[3:]]
        if not isinstance(value, kind) or isinstance(value, bool):
            continue
        measured = size(value)
        if measured < schema[key] if key.startswith("min") else measured > schema[key]:
            yield Fault(path=path, said=f"must be {words.format(schema[key])}, not {measured}")


def _same(one: Any, other: Any) -> bool:
    # In Python, True equals 1.
    return type(one) is type(other) and one == other


def _kind(value: Any) -> str:
    return next((name for name, fits in _IS.items() if fits(value)), "number")


def _shown(value: Any) -> str:
    shown = ascii(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
