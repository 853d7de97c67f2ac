"""What a rewriting brings to light is found out, and with it what is to be left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dev_agent.recipes.model import CheckerFailed, Complaint, Rewritten
from dev_agent.recipes.uncovered import Deed, Placed, Suspicion, left_alone, placed, uncovered
from tests.recipes.support import MODERN, work
from tests.recipes.test_strict_types import Mypy, fixed

Way = Callable[[Path, str], tuple[str, Rewritten, Mypy]]
ANNOTATE = "add type annotations"
# All could be annotated, and mypy says more then: of `__init__` at once, of `put` because of it.
BOX = """class Box:
    def __init__(self):
        self.kept = None
        self.open = set()

    def put(self):
        self.kept = 1

    def show(self):
        print(self.kept)


def plain():
    print()
"""
AFTER = (
    BOX.replace("put(self):", "put(self) -> None:")
    .replace("show(self):", "show(self) -> None:")
    .replace("plain():", "plain() -> None:")
)
# The culprit is `__init__` again; what is complained of lies only in `put`.
LATER, LATER_AFTER = (one.replace("        self.open = set()\n", "") for one in (BOX, AFTER))


def at(symbol: str, text: str = "", message: str = "wrong", path: str = "a.py", code: str = "misc") -> Placed:
    return Placed(Complaint(path=path, line=1, column=0, code=code, message=message), symbol, text)


def annotated(folder: Path, text: str) -> tuple[str, Rewritten, Mypy]:
    files = {"pyproject.toml": MODERN, "app.py": text}
    mypy = Mypy(folder, files)
    result = work(ANNOTATE, files, checker=mypy)
    assert isinstance(result, Rewritten)
    return (result.files.get("app.py") or text.encode()).decode(), result, mypy


@pytest.mark.parametrize("way", [fixed, annotated], ids=["fix", "annotate"])
@pytest.mark.parametrize(
    ("text", "expected", "named"), [(BOX, AFTER, "Box.__init__"), (LATER, LATER_AFTER, "Box.put")]
)
def test_what_uncovers_something_is_left_out_and_all_the_rest_is_done(
    tmp_path: Path, way: Way, text: str, expected: str, named: str
) -> None:
    after, result, mypy = way(tmp_path, text)

    assert after == expected
    before, now = (mypy(Rewritten(files=files)) for files in ({}, {"app.py": after.encode()}))
    assert (len(before), len(now)) == (4, 1)
    (note,) = [one for one in result.notes if "left alone" in one]
    assert note.startswith(
        f"1 place left alone, where a fix lets mypy see what it does not see now (in {named} in"
    )


@pytest.mark.parametrize("way", [fixed, annotated], ids=["fix", "annotate"])
def test_where_nothing_can_be_done_without_uncovering_something_nothing_is_changed(
    tmp_path: Path, way: Way
) -> None:
    text = "class Box:\n    def __init__(self):\n        self.open = set()\n"

    after, result, _ = way(tmp_path, text)

    assert (after, dict(result.files)) == (text, {})
    assert [note.split(",")[0] for note in result.notes if "alone" in note] == ["1 place left alone"]


def test_what_is_known_without_mypy_is_written_where_mypy_fails() -> None:
    def broken(_made: Rewritten) -> tuple[Complaint, ...]:
        raise CheckerFailed("mypy says nothing")

    result = work(ANNOTATE, {"pyproject.toml": MODERN, "app.py": LATER}, checker=broken)

    assert isinstance(result, Rewritten)
    assert (
        result.files["app.py"]
        == LATER.replace("__init__(self):", "__init__(self) -> None:")
        .replace("put(self):", "put(self) -> None:")
        .replace("show(self):", "show(self) -> None:")
        .replace("plain():", "plain() -> None:")
        .encode()
    )


def test_mypy_is_asked_a_bounded_number_of_times() -> None:
    asked = []

    def never_content(made: Rewritten) -> tuple[Complaint, ...]:
        asked.append(made)
        return (at("", message=f"number {len(asked)}", path="app.py").complaint,)

    functions = "".join(f"def f{number}():\n    print()\n" for number in range(40))
    work(ANNOTATE, {"pyproject.toml": MODERN, "app.py": functions}, checker=never_content)

    assert len(asked) <= 17


def test_new_is_what_there_is_more_of_wherever_its_line_went() -> None:
    old = [at("f", message='Name "x" already defined on line 3'), at("g"), at("h", code="no-untyped-def")]
    now = [
        at("f", message='Name "x" already defined on line 9'),
        at("g"),
        at("g"),
        at("h", code="no-untyped-def", message="half of it is missing"),
        at("f"),
        at("g", path="b.py"),
    ]

    assert uncovered(old, now) == (now[2], now[4], now[5])
    assert uncovered(old, old) == ()


def test_a_complaint_is_placed_in_the_innermost_definition() -> None:
    source = b"class A:\n    @once\n    def f(self):\n        def g():\n            x = 1\n"
    lines = [Complaint(path="a.py", line=line, column=0, code="", message="") for line in (0, 1, 2, 5, 99)]

    found = placed(lines, lambda _path: source)

    assert [each.symbol for each in found] == ["", "A", "A.f", "A.f.g", ""]
    assert [each.text.strip() for each in found] == ["", "class A:", "@once", "x = 1", ""]


def test_suspicion_widens_from_the_place_to_everything_and_drops_what_was_no_cause() -> None:
    done = {
        own := Deed("a.py", "Box.put"),
        maker := Deed("a.py", "Box.__init__"),
        sister := Deed("a.py", "Box.show"),
        called := Deed("b.py", "other"),
        beside := Deed("a.py", "beside"),
        far := Deed("c.py", "far"),
    }
    suspicion = Suspicion(done)
    new = [at("Box.put", "self.x = other(1)")]

    told = [suspicion.left_alone(new) for _ in range(7)]

    family = {own, maker, sister}
    assert told == [{own}, {maker}, family, {called}, {*family, beside}, done, done]
    assert far in told[-1]


def test_a_circle_with_nothing_more_in_it_is_not_tried_again() -> None:
    """Each try is a question to mypy."""
    done = {only := Deed("a.py", "Box.__init__"), far := Deed("b.py", "far")}
    suspicion = Suspicion(done)

    told = [suspicion.left_alone([at("Box.__init__")]) for _ in range(2)]

    assert told == [{only}, {only, far}]


def test_what_was_settled_stays_while_another_complaint_is_looked_into() -> None:
    done = {one := Deed("a.py", "f"), other := Deed("b.py", "g")}
    suspicion = Suspicion(done)

    assert suspicion.left_alone([at("f")]) == {one}
    assert suspicion.left_alone([at("g", path="b.py")]) == {one, other}
    assert [each.symbol for each in suspicion.reasons()] == ["f", "g"]
    assert left_alone(frozenset(), suspicion.reasons()) == ()
