"""`dataclass` as the standard library has it, made in a tenth of the time.

Every command imports some three hundred small frozen classes, and the standard decorator compiles six functions for
each of them, one by one: half of what a command spent before it began. Here the standard decorator only collects the
fields. Comparing, hashing, printing and refusing to be changed need no code of a class's own, and `__init__` is
compiled when the first instance is made: most classes of a run never have one.

Rules kept here:
- a type checker sees the standard decorator, and `fields`, `replace`, `asdict`, `copy` and `pickle` see a class of it;
- what a class says itself is left alone (`__repr__`, `__hash__` …), as by the standard one;
- what is not sure to come out the same is handed to the standard decorator whole: a base that is a dataclass, other
  options than the four below, `InitVar`.

Imports nothing of ours and does nothing when imported.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, fields, is_dataclass
from dataclasses import dataclass as _standard
from functools import partial
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from dataclasses import Field
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - so that it counts as exported
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> Any:
        """The standard decorator, for `frozen`, `kw_only`, `slots` and `eq` in less time."""
        if cls is None:
            return partial(dataclass, **options)
        if not options.keys() <= _OPTIONS or any(map(is_dataclass, cls.__mro__[1:])) or _has_init_only(cls):
            return _standard(cls, **options)
        return _made(cls, **options)


_OPTIONS = frozenset({"frozen", "kw_only", "slots", "eq"})
_ABSENT = object()


def _has_init_only(cls: type) -> bool:
    return any("InitVar" in str(one) for one in cls.__annotations__.values())


def _made(
    cls: type, *, frozen: bool = False, kw_only: bool = False, slots: bool = False, eq: bool = True
) -> Any:
    said = frozenset(cls.__dict__)
    hashes_itself = cls.__dict__.get("__hash__") is not None
    if not cls.__doc__:
        cls.__doc__ = cls.__name__  # else the standard decorator works a signature out
    made: Any = _standard(init=False, repr=False, eq=False, kw_only=kw_only, slots=slots)(cls)
    own = fields(made)
    methods: dict[str, object] = {
        "__init__": _first_init(made, own, frozen=frozen),
        "__repr__": _repr_of([one.name for one in own if one.repr]),
    }
    if eq:
        methods["__eq__"] = _eq_of([one.name for one in own if one.compare])
    if frozen:
        methods |= _frozen_methods(made, frozenset(one.name for one in own), slots=slots, said=said)
    for name in methods.keys() - said:
        setattr(made, name, methods[name])
    if eq and not hashes_itself:
        hashed = [one.name for one in own if (one.compare if one.hash is None else one.hash)]
        made.__hash__ = _hash_of(hashed) if frozen else None
    told = made.__dataclass_params__
    told.init, told.repr, told.eq, told.frozen = True, True, eq, frozen
    return made


def _first_init(cls: Any, own: Sequence[Field[Any]], *, frozen: bool) -> Callable[..., None]:
    """An `__init__` that puts the real one into its place. Two threads at once put the same one there."""

    def __init__(self: object, *args: object, **named: object) -> None:  # noqa: N807 - what it is
        real = _compiled_init(cls, own, frozen=frozen)
        cls.__init__ = real
        real(self, *args, **named)

    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    return __init__


def _compiled_init(cls: Any, own: Sequence[Field[Any]], *, frozen: bool) -> Callable[..., None]:
    """What the standard decorator would have compiled. Only names of fields, which are identifiers, become code."""
    scope: dict[str, Any] = {"_set_": object.__setattr__, "_absent_": _ABSENT}
    positional, named, body = ["self"], list[str](), list[str]()
    for field in own:
        value = argument = field.name
        if field.default is not MISSING:
            scope[f"_default_{field.name}"] = field.default
            argument += f"=_default_{field.name}"
        elif field.default_factory is not MISSING:
            scope[f"_make_{field.name}"] = field.default_factory
            argument += "=_absent_"
            value = f"_make_{field.name}() if {field.name} is _absent_ else {field.name}"
        if field.init:
            (named if field.kw_only else positional).append(argument)
        elif field.default is not MISSING:
            value = f"_default_{field.name}"
        elif field.default_factory is not MISSING:
            value = f"_make_{field.name}()"
        else:
            continue
        body.append(f"_set_(self, {field.name!r}, {value})" if frozen else f"self.{field.name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    arguments = ", ".join([*positional, *(["*", *named] if named else [])])
    exec(f"def __init__({arguments}):\n " + "\n ".join(body or ["pass"]), scope)  # noqa: S102 - see above
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {**{one.name: one.type for one in own if one.init}, "return": None}
    return made


def _values_of(names: Sequence[str]) -> Callable[[object], tuple[object, ...]]:
    """A function from an instance to the values of some of its fields."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _: ()
    one = attrgetter(names[0])
    return lambda instance: (one(instance),)


def _repr_of(names: Sequence[str]) -> Callable[[object], str]:
    @recursive_repr()
    def __repr__(self: object) -> str:  # noqa: N807 - what it is
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({said})"

    return __repr__


def _eq_of(names: Sequence[str]) -> Callable[[object, object], bool]:
    values = _values_of(names)

    def __eq__(self: object, other: object) -> bool:  # noqa: N807 - what it is
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hash_of(names: Sequence[str]) -> Callable[[object], int]:
    values = _values_of(names)

    def __hash__(self: object) -> int:  # noqa: N807 - what it is
        return hash(values(self))

    return __hash__


def _frozen_methods(
    cls: Any, names: frozenset[str], *, slots: bool, said: frozenset[str]
) -> dict[str, object]:
    """What lets nothing of an instance be set or deleted, and has pickle and copy work in spite of that."""
    if refused := said & {"__setattr__", "__delattr__"}:
        raise TypeError(f"Cannot overwrite attribute {min(refused)} in class {cls.__name__}")

    def __setattr__(self: object, name: str, value: object) -> None:  # noqa: N807 - what it is
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: object, name: str) -> None:  # noqa: N807 - what it is
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    pickled = {"__getstate__": _state, "__setstate__": _restore} if slots else {}
    return {"__setattr__": __setattr__, "__delattr__": __delattr__, **pickled}


def _state(self: Any) -> list[object]:
    return [getattr(self, one.name) for one in fields(self)]


def _restore(self: Any, state: list[object]) -> None:
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
