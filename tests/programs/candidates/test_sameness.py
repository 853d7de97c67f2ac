"""Which changes mean the same, and how much of a module's face they touch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.programs.candidates.normal import fingerprint, normal_form, same_code
from dev_agent.programs.candidates.surface import public_change
from tests.programs.test_commit_words import change
from tests.testing.pythons import since

BASE = 'def total(prices):\n    """Add."""\n    return sum(prices)\n'
FIXED = 'def total(prices):\n    """Add."""\n    return sum(prices) + 1\n'


def means(*after: tuple[str, str | None]) -> str:
    return fingerprint([change(path, BASE, text) for path, text in after])


@pytest.mark.parametrize(
    "same",
    [
        "def total(prices):\n    return sum(prices)+1\n",
        "# better\ndef total(prices):\n    '''Adds all.'''\n    return (sum(prices) + 1)  # more\n",
        FIXED.replace("\n", "\r\n"),
    ],
)
def test_layout_comments_and_docstrings_make_no_other_candidate(same: str) -> None:
    assert means(("a.py", same)) == means(("a.py", FIXED))


@pytest.mark.parametrize(
    "other",
    [
        FIXED.replace("prices", "costs"),
        FIXED.replace("+ 1", "+ 2"),
        FIXED.replace("+ 1", "+ 1  # type: ignore[no-any-return]"),
        FIXED.replace("+ 1", "+ 1  # pragma: no cover"),
        FIXED.replace("Add.", "Add.\n\n    >>> total([1])\n    2\n"),
        FIXED + "def broken(:\n",
    ],
)
def test_another_name_value_instruction_or_example_makes_another(other: str) -> None:
    assert means(("a.py", other)) != means(("a.py", FIXED))


def test_a_file_that_is_only_laid_out_anew_is_no_part_of_the_meaning() -> None:
    idle = "# only words\n" + BASE

    assert means(("a.py", FIXED), ("b.py", idle)) == means(("a.py", FIXED))
    assert means(("b.py", idle)) != means(("b.py", "# other words\n" + BASE))
    assert same_code([change("b.py", BASE, idle)])
    assert not same_code([change("a.py", BASE, FIXED)])


def test_where_something_happens_counts_and_in_which_order_it_is_told_does_not() -> None:
    assert means(("a.py", FIXED)) != means(("b.py", FIXED))
    assert means(("a.py", FIXED), ("b.py", FIXED)) == means(("b.py", FIXED), ("a.py", FIXED))
    assert means(("a.py", None)) != means(("a.py", ""))


@pytest.mark.parametrize("data", [b"\0", b"\xff\xfe", b"def (", b"(" * 5_000, b"x = 1\n" * 400_000])
def test_what_cannot_be_read_is_its_bytes(data: bytes) -> None:
    assert normal_form("a.py", data) == data


@given(text=st.text(max_size=60))
def test_any_text_has_a_fingerprint(text: str) -> None:
    """Law: the fingerprint is a function of the change, and total."""
    one = change("a.py", BASE, text.encode("utf-8", "replace").decode())
    assert fingerprint([one]) == fingerprint([one])


FACE = """\
LIMIT: int = 1
class Cart:
    def total(self, a: int) -> int: ...
    def _inner(self): ...
def helper(): ...
"""


@pytest.mark.parametrize(
    ("after", "count"),
    [
        (FACE.replace("= 1", "= 2").replace("...", "return 1"), 0),
        (FACE.replace("_inner(self)", "_inner(self, b)"), 0),
        (FACE.replace("a: int)", "a: int, b: int = 0)"), 1),
        (FACE.replace("int = 1", "float = 1"), 1),
        (FACE.replace("class Cart", "class Cart(dict)"), 1),
        (FACE.replace("def helper", "async def helper"), 1),
        (FACE.replace("helper", "other"), 2),
        (FACE + "a, b = 1, 2\n", 2),
        ("def (", 3 + 1),
    ],
)
def test_public_names_are_counted_by_what_callers_see(after: str, count: int) -> None:
    assert public_change([change("shop/cart.py", FACE, after)]) == count


@since(3, 12)
def test_type_parameters_and_type_statements_are_seen_by_callers() -> None:
    before = "def f[T](x: T) -> T: ...\nclass C[T]: ...\ntype X = int\n"
    after = "def f[T: int](x: T) -> T: ...\nclass C[K]: ...\ntype X = str\n"
    assert public_change([change("shop/cart.py", before, after)]) == 3


def test_private_modules_and_other_files_have_no_face() -> None:
    assert public_change([change("shop/_cart.py", FACE, ""), change("x.md", FACE, "")]) == 0
    assert public_change([change("shop/__init__.py", FACE, "")]) == 4
