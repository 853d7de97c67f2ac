"""What a model asks for, and what it gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.context.excerpts import excerpts_of
from dev_agent.context.reading import Reader, Reason, Refused
from dev_agent.context.wanted import MOST_FILES, Wanted, Wishes, wanted_from
from dev_agent.policy.secret_patterns import redact_lines
from tests.context.conftest import SHOP
from tests.context.library import MemoryLibrary, blocks_in, reader_of

SECRET = "hunter2-of-the-shop"
KEY = "ghp_" + "a1B2c3D4e5F6" * 3
FILES: dict[str, bytes | tuple[str, bytes]] = {
    **SHOP,
    ".env": f"class Vault:\n    def total(self): return '{SECRET}'\n".encode(),
    "certs/server.pem": SECRET.encode(),
    "link.py": ("120000", b".env"),
    "src/shop/forge.py": f'TOKEN = "{KEY}"\n\ndef send(): ...\n'.encode(),
}


def answered(wanted: Wanted, reader: Reader, budget: int = 4000) -> tuple[str, tuple[Refused, ...]]:
    wishes = Wishes(reader)
    wishes.add(wanted)
    picked = excerpts_of(list(wishes), reader, budget)
    return "".join(one.text for one in picked.excerpts), (*wishes.refused, *picked.refused)


words = st.sampled_from(
    [".env", "link.py", "certs/server.pem", "Vault", "Vault.total", "total", "hunter2", SECRET, SECRET[:8],
     "src/shop/bill.py", "../.env", "src/..", "Bill.total", "return", KEY[:9], "", "x" * 400, "\0", "a\nb", "\ud800"]
)  # fmt: skip
asked = st.lists(st.one_of(words, st.text(max_size=12)), max_size=6).map(tuple)


@pytest.mark.law
@given(asked, asked, asked, st.integers(0, 1500))
def test_no_request_gets_what_is_withheld_or_more_than_the_budget(
    files: tuple[str, ...], symbols: tuple[str, ...], searches: tuple[str, ...], budget: int
) -> None:
    """Law: whatever is asked for in whatever way, no withheld byte, no credential and no token too many comes back."""
    library = MemoryLibrary(files=FILES)
    reader = Reader(library, redact_lines)
    wanted = Wanted(files=files, symbols=symbols, searches=searches)
    wishes = Wishes(reader)
    wishes.add(wanted)
    picked = excerpts_of(list(wishes), reader, budget)
    text = "".join(one.text for one in picked.excerpts)
    assert SECRET not in text
    assert KEY not in text
    assert picked.tokens <= budget
    assert not {".env", "certs/server.pem", "link.py"}.intersection(library.opened)
    blocks_in(text)
    for one in (*wishes.refused, *picked.refused):
        assert one.what.isprintable()
        assert one.detail.isprintable()
        assert len(one.what) <= 201


@pytest.mark.parametrize(
    "name",
    ["Bill.total", "total", "shop.bill.Bill.total", "src.shop.bill.Bill.total", "Bill::total", "total()",
     "src/shop/bill.py::Bill.total"],
)  # fmt: skip
def test_a_symbol_is_found_by_any_end_of_its_qualified_name(name: str) -> None:
    text, no = answered(Wanted(symbols=(name,)), reader_of(SHOP))
    assert "def total(self, net: int) -> int:" in text
    assert no == ()


@pytest.mark.parametrize(
    "name",
    [
        "Nobody",
        "Bill.nothing",
        "other.Bill.total",
        "; drop",
        "..",
        "Vault",
        ".env::Vault",
        "src/../.env::Vault.total",
    ],
)
def test_a_symbol_that_is_not_there_is_refused(name: str) -> None:
    text, no = answered(Wanted(symbols=(name,)), reader_of(FILES))
    assert text == ""
    assert [one.reason for one in no] == [Reason.NOT_FOUND]


def test_a_search_shows_the_lines_around_its_hits() -> None:
    text, no = answered(Wanted(searches=("round_half_even(net)",)), reader_of(SHOP))
    assert "    9|         return round_half_even(net)\n" in text
    assert no == ()


def test_a_search_is_literal() -> None:
    _, no = answered(Wanted(searches=("round.*even",)), reader_of(SHOP))
    assert [one.reason for one in no] == [Reason.NOT_FOUND]


@pytest.mark.parametrize("text", [SECRET, SECRET[:9], KEY[:12], 'TOKEN = "ghp'])
def test_a_search_does_not_say_whether_a_secret_was_guessed(text: str) -> None:
    """The same answer as for what is nowhere: a model cannot ask for a credential letter by letter."""
    shown, no = answered(Wanted(searches=(text,)), reader_of(FILES))
    _, nowhere = answered(Wanted(searches=("is in no file at all",)), reader_of(FILES))
    assert shown == ""
    assert [(one.reason, one.detail) for one in no] == [(one.reason, one.detail) for one in nowhere]


@pytest.mark.parametrize("text", ["ab", "   ", "a\nb", "a\0bc", "\ud800bc", "x" * 301])
def test_a_search_that_cannot_be_meant_is_refused(text: str) -> None:
    _, no = answered(Wanted(searches=(text,)), reader_of(SHOP))
    assert [one.reason for one in no] == [Reason.TOO_VAGUE]


def test_five_thousand_files_cost_what_twenty_cost() -> None:
    library = MemoryLibrary(files=SHOP)
    _, no = answered(Wanted(files=tuple(f"f{n}.py" for n in range(5000))), Reader(library, redact_lines))
    assert len(no) == MOST_FILES + 1
    assert no[-1].reason is Reason.TOO_MANY or no[MOST_FILES].reason is Reason.TOO_MANY
    assert "4980 more files" in {one.what for one in no}


def test_a_file_asked_for_twice_and_by_its_symbol_is_shown_once_and_whole() -> None:
    wanted = Wanted(files=("src/shop/bill.py", "./src/shop/bill.py"), symbols=("Bill",))
    text, _ = answered(wanted, reader_of(SHOP))
    ((title, _),) = blocks_in(text)
    assert "whole" in title


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"files": "a.py"}, "files: expected a list"),
        ({"symbols": [1]}, "symbols[0]: expected a text"),
        ({"searches": {"a": 1}}, "searches: expected a list"),
    ],
)
def test_a_request_of_the_wrong_form_names_the_field(data: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        wanted_from(data)


def test_a_request_is_read_from_json() -> None:
    assert wanted_from({"files": ["a"], "searches": ["b"]}) == Wanted(files=("a",), searches=("b",))
    assert wanted_from({}).empty
