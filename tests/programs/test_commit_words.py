"""The typed parts of a commit message: the plan's word counts as far as the diff bears it out."""

from __future__ import annotations

import pytest

from dev_agent.edits.changes import Change
from dev_agent.programs.commit_words import Kind, details_of, heading_of, kind_of


def change(path: str, before: str | None = "x = 1\n", after: str | None = "x = 2\n") -> Change:
    return Change(
        path=path,
        before_mode=None if before is None else "100644",
        before=None if before is None else before.encode(),
        after_mode=None if after is None else "100644",
        after=None if after is None else after.encode(),
    )


@pytest.mark.parametrize(
    ("paths", "scope"),
    [
        (["src/shop/cart.py"], "cart"),
        (["src/shop/cart.py", "tests/test_cart.py", "README.md"], "cart"),
        (["src/shop/cart.py", "src/shop/names.py"], "shop"),
        (["src/shop/a/x.py", "src/shop/b/y.py"], "shop"),
        (["shop/cart.py", "bank/loan.py"], ""),
        (["src/shop/__init__.py"], "shop"),
        (["README.md"], ""),
        (["src/Ünï code/x\ny.py"], "x-y"),
        ([], ""),
    ],
)
def test_the_scope_is_the_one_place_the_sources_lie_in(paths: list[str], scope: str) -> None:
    assert heading_of({}, [change(path) for path in paths]).scope == scope


@pytest.mark.parametrize(
    ("claimed", "changes", "kind"),
    [
        ("fix", [change("src/a.py")], Kind.FIX),
        ("fix", [change("tests/test_a.py")], Kind.TEST),
        ("fix", [change(".github/workflows/x.yml")], Kind.CI),
        ("feat", [change("README.md"), change("docs/x.rst")], Kind.DOCS),
        ("", [change("src/a.py")], Kind.CHORE),
        ("nonsense", [change("src/a.py")], Kind.CHORE),
        ("docs", [change("src/a.py")], Kind.CHORE),
        ("ci", [change("src/a.py"), change(".github/x.yml")], Kind.CHORE),
        ("style", [change("src/a.py", "x = 1\n", "x  =  1\n")], Kind.STYLE),
        ("docs", [change("src/a.py", "x = 1\n", "# one\nx = 1\n"), change("README.md")], Kind.DOCS),
        ("style", [change("web/app.js")], Kind.CHORE),
        ("fix", [], Kind.FIX),
    ],
)
def test_the_diff_outranks_what_the_plan_calls_it(claimed: str, changes: list[Change], kind: Kind) -> None:
    assert kind_of(claimed, changes) is kind


def test_the_details_count_lines_and_name_files() -> None:
    many = [change(f"src/{letter}.py") for letter in "abcdefgh"]

    assert details_of([change("a.py", "1\n2\n", "1\n3\n4\n")]) == ("2 lines added, 1 removed in a.py",)
    assert details_of([change("a.bin", "\0", "\0\n\n")]) == ("0 lines added, 0 removed in a.bin",)
    assert details_of(many)[0].endswith("src/f.py and 2 more")
    assert details_of([]) == ()
