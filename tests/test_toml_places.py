"""Lines of fields: right in documents of every layout, and never a crash."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.toml_places import line_of, lines_of

TEXT = '''\
name = "x"  # [not.a.table]
version = 1
[on] # on = 1
tests_removed = "deny"
"any_added" = "ask"
  spaced . key = """
[fake]
fake = 1 \\"""
""" # end
[scope]
write = [
  "a", # ]
  'b]',
]
deny = []

[[rules]]
name = "a"
given.files = 1
[[rules.test]]
fires = true
[[rules.test]]
given = { a = "]", b = [1,
  2] }
[[rules]]
name = "b"
[[rules.test]]
fires = \'\'\'
[[rules]]
\'\'\'
last = 1'''


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("name", 1),
        ("version", 2),
        ("on", 3),
        ("on.tests_removed", 4),
        ("on.any_added", 5),
        ("on.spaced.key", 6),
        ("scope", 10),
        ("scope.write", 11),
        ("scope.write[1]", 11),
        ("scope.deny", 15),
        ("rules[0]", 17),
        ("rules[0].name", 18),
        ("rules[0].given.files", 19),
        ("rules[0].test[0]", 20),
        ("rules[0].test[0].fires", 21),
        ("rules[0].test[1].given", 23),
        ("rules[0].test[1].given.b", 23),
        ("rules[0].because", 17),
        ("rules[1]", 25),
        ("rules[1].test[0].fires", 28),
        ("rules[1].test[0].last", 31),
        ("rules[2].name", None),
        ("fake", None),
        ("", None),
    ],
)
def test_every_field_has_its_line(field: str, line: int | None) -> None:
    assert tomllib.loads(TEXT)
    assert line_of(lines_of(TEXT), field) == line


KEYS = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
VALUES = st.one_of(
    st.integers(0, 9).map(str),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8).map(
        lambda text: json.dumps(text, ensure_ascii=False)
    ),
    st.just("'#[{'"),
    st.just("[\n  1, # ]\n  2,\n]"),
    st.just('"""\na = 1\n[b]\n"""'),
    st.just("{ x = ']', y = [1] }"),
)


@given(tables=st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=4))
def test_lines_are_right_for_every_document(tables: dict[str, dict[str, str]]) -> None:
    """The line lines_of gives for a key is the one it was written on."""
    written: dict[str, int] = {}
    out: list[str] = []
    for table, keys in tables.items():
        out.append(f"[{table}]")
        written[table] = "\n".join(out).count("\n") + 1
        for key, value in keys.items():
            out.append(f"{key} = {value}")
            written[f"{table}.{key}"] = "\n".join(out).count("\n") + 1 - value.count("\n")
            out.append("# [comment] 'x")
    text = "\n".join(out)
    assert tomllib.loads(text).keys() == tables.keys()
    assert lines_of(text) == written


def test_a_comment_far_to_the_right_is_stepped_over_at_once() -> None:
    """So much white space that only work in proportion to it ends."""
    assert lines_of(f"a = 1\n{' ' * 50_000}# b\nc = 2\n") == {"a": 1, "c": 3}
