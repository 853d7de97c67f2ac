"""A class made by `dev_agent.values.dataclass` is told from the standard library's by nothing but the time it took."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError, InitVar, field
from typing import Any, ClassVar

import pytest

from dev_agent import values

_Decorator = Callable[..., Any]
_OURS: _Decorator = vars(values)["dataclass"]  # as it runs: a type checker is told it is the standard one
_STANDARD: _Decorator = dataclasses.dataclass
_SHAPES = [
    {},
    {"frozen": True},
    {"slots": True},
    {"eq": False, "slots": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "kw_only": True, "slots": True},
    {"frozen": True, "eq": False},
]


def _point(decorator: _Decorator, **options: bool) -> Any:
    class Point:
        kind: ClassVar[str] = "place"
        x: int
        label: str = field(repr=False)
        y: int = 0
        tags: list[str] = field(default_factory=list, hash=False)
        seen: int = field(default=7, compare=False)
        twice: int = field(init=False, default=1)
        made: list[int] = field(init=False, default_factory=list, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "twice", self.x * 2)

    return decorator(**options)(Point)


@pytest.mark.parametrize("options", _SHAPES, ids=str)
def test_instances_are_made_shown_and_compared_alike(options: dict[str, bool]) -> None:
    ours, standard = _point(_OURS, **options), _point(_STANDARD, **options)
    for cls in (ours, standard):
        cls.__qualname__ = "Point"
    arguments: list[dict[str, Any]] = [
        {"x": 1, "label": "a"},
        {"x": 1, "label": "a", "y": 2, "tags": ["t"], "seen": 3},
        {"x": 1, "label": "b", "seen": 4},
    ]
    mine, theirs = [[cls(**one) for one in arguments] for cls in (ours, standard)]

    assert [repr(one) for one in mine] == [repr(one) for one in theirs]
    assert [[a == b for b in mine] for a in mine] == [[a == b for b in theirs] for a in theirs]
    assert [dataclasses.asdict(one) for one in mine] == [dataclasses.asdict(one) for one in theirs]
    assert ours.__match_args__ == standard.__match_args__
    assert ours.__dataclass_params__.frozen == standard.__dataclass_params__.frozen
    assert (ours.__hash__ is None) == (standard.__hash__ is None)
    assert mine[0] != theirs[0]
    assert ours(x=1, label="a").tags is not ours(x=1, label="a").tags


def test_what_is_equal_hashes_alike() -> None:
    cls = _point(_OURS, frozen=True, slots=True)
    assert hash(cls(1, "a", seen=1)) == hash(cls(1, "a", seen=2))
    assert len({cls(1, "a"), cls(1, "a"), cls(2, "a")}) == 2


@pytest.mark.parametrize("options", _SHAPES, ids=str)
@pytest.mark.parametrize(
    "arguments", [((), {}), ((1,), {"lable": "a"}), ((1, "a", 2, [], 3, 4), {}), ((1,), {"x": 2})], ids=str
)
def test_wrong_arguments_are_refused_in_the_same_words(
    options: dict[str, bool], arguments: tuple[tuple[Any, ...], dict[str, Any]]
) -> None:
    said = []
    for decorator in (_OURS, _STANDARD):
        with pytest.raises(TypeError) as refused:
            _point(decorator, **options)(*arguments[0], **arguments[1])
        said.append(str(refused.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("slots", [True, False])
def test_nothing_of_a_frozen_instance_can_be_set_or_deleted(slots: bool) -> None:
    one = _point(_OURS, frozen=True, slots=slots)(1, "a")
    before = repr(one)
    for name in ("x", "unheard_of"):
        with pytest.raises(FrozenInstanceError, match=name):
            setattr(one, name, 2)
        with pytest.raises(FrozenInstanceError, match=name):
            delattr(one, name)
    assert repr(one) == before


_Kept = _OURS(frozen=True, slots=True, kw_only=True)(
    type("_Kept", (), {"__annotations__": {"a": "int", "b": "str"}, "b": "", "__module__": __name__})
)


def test_frozen_slotted_instances_are_pickled_copied_and_replaced() -> None:
    one = _Kept(a=1, b="x")
    again = [pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one), dataclasses.replace(one)]  # noqa: S301
    assert again == [one] * 4
    assert dataclasses.replace(one, a=2) == _Kept(a=2, b="x")


def test_what_a_class_says_itself_is_left_alone() -> None:
    class Own:
        a: int

        def __repr__(self) -> str:
            return "mine"

        def __hash__(self) -> int:
            return 5

    made: Any = _OURS(frozen=True)(Own)
    assert (repr(made(1)), hash(made(1)), made(1) == made(1)) == ("mine", 5, True)


def test_a_frozen_class_with_a_setter_of_its_own_is_refused_as_by_the_standard_one() -> None:
    said = []
    for decorator in (_OURS, _STANDARD):

        class Setting:
            a: int

            def __setattr__(self, name: str, value: object) -> None:
                raise AssertionError("never called")

        with pytest.raises(TypeError) as refused:
            decorator(frozen=True)(Setting)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_a_subclass_has_the_fields_of_its_base_and_is_as_frozen() -> None:
    base = _point(_OURS, frozen=True)
    derived = _OURS(frozen=True)(type("Derived", (base,), {"__annotations__": {"more": "int"}, "more": 3}))
    assert [one.name for one in dataclasses.fields(derived)][-1] == "more"
    with pytest.raises(FrozenInstanceError):
        derived(1, "a").more = 4
    with pytest.raises(TypeError, match="non-frozen dataclass from a frozen one"):
        _OURS(type("Loose", (base,), {"__annotations__": {"more": "int"}, "more": 3}))


def test_values_for_construction_only_and_ordering_come_from_the_standard_decorator() -> None:
    class Ordered:
        a: int
        factor: InitVar[int] = 2  # type: ignore[assignment]  # the decorator is not seen to be one

        def __post_init__(self, factor: int) -> None:
            self.a *= factor

    made: Any = _OURS(order=True)(Ordered)
    assert made(1).a == 2
    assert _OURS(Ordered)(1, factor=3).a == 3
    assert made(1) < made(2)


def test_two_threads_that_make_the_first_instance_at_once_both_get_one() -> None:
    for _ in range(20):
        cls, found, start = _point(_OURS, frozen=True, slots=True), list[Any](), threading.Barrier(2)

        def make(cls: Any = cls, found: list[Any] = found, start: threading.Barrier = start) -> None:
            start.wait()
            found.append(cls(1, "a"))

        threads = [threading.Thread(target=make) for _ in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert found == [cls(1, "a")] * 2
