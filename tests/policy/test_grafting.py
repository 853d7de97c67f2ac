"""A tree made from that of a like text is what parsing gives: node for node, position for position, or none."""

from __future__ import annotations

import ast
import random
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.policy import facts as module
from dev_agent.policy import python_source
from dev_agent.policy.facts import compute_facts
from dev_agent.policy.grafting import grafted

pytestmark = pytest.mark.law

SOURCE = '''"""What a module says first."""
from __future__ import annotations

import os  # a comment


@decorated(
    1
)
class Kind:
    """A class."""

    field: int = 1

    def method(self) -> str:
        return """a text
that goes on at column 0
def not_a_function(): pass
"""


if os.name == "nt":
    x = [
1,
2]
else:
    x = 3; y = 4

def late(a, *, b=(lambda: 1)):
    # indented comment
    match a:
        case [1, _]:
            pass
    return a \\
        + 1
z = 1; w = 2
p = 1; \\
q = 2
async def last(): return await f"{x!r:>{10}}"
try:
    pass
finally:
    pass
'''
# What turns lines around it into something else: openers, closers, what continues a statement, what no line may be.
STRANGE = (
    "else:", "elif 1:", "except E:", "finally:", "    pass", "  x", "\t1", "case 1:", "case = 1", "@deco", "(", ")",
    "[1,", "]", "{", "}", "x = 1 \\", "\\", "# c \\", '"""', "\'\'\'", '"', 'f"{', "# coding: latin-1", "if 1:",
    "def f():",
    "class C:", "try:", "with a:", "x = 1;", ";", "pass", "", " ", "    ", "async", "for a in b:", "lambda:", "x =",
    "é = 1", "\ufeff", "\x0c", "\r", "x = 1\r", "\x00", "match 1:", "print(1", "1 <> 2", "type X = 1",
    "from __future__ import barry_as_FLUFL", "if 1: pass",
)  # fmt: skip
LINES = SOURCE.split("\n")


def tree_of(content: bytes) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.dump(ast.parse(content), include_attributes=True)
        except (SyntaxError, ValueError):
            return None


def graft_of(known: bytes, content: bytes) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = grafted(known, ast.parse(known).body, content)
    return None if made is None else ast.dump(made, include_attributes=True)


@st.composite
def edited(draw: st.DrawFn) -> str:
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines)))
        till = min(len(lines), at + draw(st.sampled_from([0, 1, 1, 2, 5])))
        lines[at:till] = draw(st.lists(st.sampled_from([*STRANGE, *LINES]), max_size=3))
    return "\n".join(lines)


@given(edited())
def test_a_graft_is_what_parsing_gives(text: str) -> None:
    known, content = SOURCE.encode(), text.encode()
    made = graft_of(known, content)
    assert made is None or made == tree_of(content)


@pytest.mark.parametrize("line", STRANGE)
def test_no_line_anywhere_makes_another_tree(line: str) -> None:
    """Put in and put over, at every place: so both with and without other line numbers below."""
    known = SOURCE.encode()
    for at in range(len(LINES)):
        for over in (0, 1):
            content = "\n".join([*LINES[:at], line, *LINES[at + over :]]).encode()
            made = graft_of(known, content)
            assert made is None or made == tree_of(content), (at, over)


@pytest.mark.parametrize("known", [SOURCE, SOURCE.rstrip("\n"), SOURCE + "\n\n# end", SOURCE + "x = \\\n1"])
@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_what_is_cut_off_or_added_at_the_end_makes_no_other_tree(known: str, cut: int) -> None:
    for content in (
        known[: len(known) - cut],
        known + "    more\n",
        known + "else: pass\n",
        known + "\\\n",
        known + "q = 2",
    ):
        made = graft_of(known.encode(), content.encode())
        assert made is None or made == tree_of(content.encode())


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [("    x = 3;", "    x = 5;", 3), ("    x = 3;", "    x = 5\n    x = 6;", 3), ("z = 1", "z = 2", 6)],
)  # fmt: skip
def test_an_ordinary_edit_is_grafted_and_shares_what_stands_above(old: str, new: str, kept: int) -> None:
    known, content = SOURCE.encode(), SOURCE.replace(old, new).encode()
    body = ast.parse(known).body
    made = grafted(known, body, content)
    assert made is not None
    assert all(one is other for one, other in zip(made.body[:kept], body[:kept], strict=True))
    assert ast.dump(made, include_attributes=True) == tree_of(content)


def test_statements_below_an_edit_that_moves_no_line_are_shared() -> None:
    known, content = SOURCE.encode(), SOURCE.replace("    x = 3;", "    x = 5;").encode()
    body = ast.parse(known).body
    made = grafted(known, body, content)
    assert made is not None
    assert made.body[-3:] == body[-3:]


@pytest.mark.parametrize(
    ("known", "content"),
    [
        (b"# coding: latin-1\n\n\nx = 1\ny = 2\nz = 3\n", b"# coding: latin-1\n\n\nx = 1\ny = 2\nz = '\xe9'\n"),
        (b"\n\nx = 1\ny = 2\nz = 3\n", b"\n\nx = 1\ny = 2\nz = '\xff'\n"),
        (b"\n\nx = 1\ny = 2\nz = 3\n", b"\n\nx = 1\ny = 2\rz = 3\n"),
        (b"\n\nx = 1\ny = 2\nz = 3\n", b"\n\nx = 1\ny = 2\nz = 3\n\0"),
        (b"\xef\xbb\xbf\n\nx = 1\ny = 2\nz = 3\n", b"\xef\xbb\xbf\n\nx = 1\ny = 2\nz = 4\n"),
        (b"x = 1\n", b"x = 2\n"),
        (b"", b"x = 2\n"),
    ],
)  # fmt: skip
def test_where_lines_or_letters_could_be_counted_differently_there_is_no_graft(
    known: bytes, content: bytes
) -> None:
    assert graft_of(known, content) is None


class Change(NamedTuple):
    path: str
    before: bytes | None
    after: bytes | None
    before_mode: str | None = "100644"
    after_mode: str | None = "100644"


def test_facts_about_real_files_are_the_same_with_and_without_grafts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every module of the policy and its tests, with lines dropped and doubled at random."""
    chance = random.Random(7)  # noqa: S311 - repeatable is what matters
    folder, changes = Path(module.__file__).parent, []
    for path in sorted([*folder.glob("*.py"), *Path(__file__).parent.glob("test_*.py")])[::2]:
        known = path.read_text().split("\n")
        lines = list(known)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(lines))
            lines[at : at + 1] = [lines[at]] * chance.choice([0, 2])
        changes.append(Change(path.name, "\n".join(known).encode(), "\n".join(lines).encode()))
    tried: list[bool] = []

    def watched(known: bytes, body: list[ast.stmt], content: bytes) -> ast.Module | None:
        made = grafted(known, body, content)
        tried.append(made is not None)
        return made

    monkeypatch.setattr(python_source, "grafted", watched)
    with_grafts = compute_facts(changes)
    monkeypatch.setattr(python_source, "grafted", lambda *_: None)
    assert compute_facts(changes) == with_grafts
    assert sum(tried) > 10  # else nothing was compared
