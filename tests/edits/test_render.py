"""The canonical diff of a change set."""

from __future__ import annotations

import pytest

from dev_agent.edits.changes import Change, ChangeSet
from dev_agent.edits.errors import ParseError
from dev_agent.edits.parse import parse
from dev_agent.edits.render import render
from dev_agent.edits.resolve import resolve
from dev_agent.edits.trees import DictTree
from tests.edits.strategies import Entry, change_set


def rendered(before: dict[str, Entry], after: dict[str, Entry]) -> str:
    return render(change_set(before, after)).decode()


def numbered(*replaced: int) -> bytes:
    return b"".join(b"X\n" if n in replaced else b"%d\n" % n for n in range(1, 31))


def test_a_whole_diff() -> None:
    before = {"f": ("100644", numbered()), "gone": ("100755", b"bye"), "mode": ("100644", b"same\n")}
    after = {
        "f": ("100644", numbered(3, 9, 20)),
        "new file": ("100644", b"hi\n"),
        "mode": ("100755", b"same\n"),
    }
    assert rendered(before, after) == (
        "diff --git a/f b/f\n--- a/f\n+++ b/f\n"
        "@@ -1,12 +1,12 @@\n 1\n 2\n-3\n+X\n 4\n 5\n 6\n 7\n 8\n-9\n+X\n 10\n 11\n 12\n"
        "@@ -17,7 +17,7 @@\n 17\n 18\n 19\n-20\n+X\n 21\n 22\n 23\n"
        "diff --git a/gone b/gone\ndeleted file mode 100755\n--- a/gone\n+++ /dev/null\n"
        "@@ -1 +0,0 @@\n-bye\n\\ No newline at end of file\n"
        "diff --git a/mode b/mode\nold mode 100644\nnew mode 100755\n"
        "diff --git a/new file b/new file\nnew file mode 100644\n--- /dev/null\n+++ b/new file\t\n@@ -0,0 +1 @@\n+hi\n"
    )


def test_edits_far_apart_in_a_long_file_are_hunks_of_their_own() -> None:
    lines = [b"line %d\n" % n for n in range(3000)]
    lines[1::2] = [b"    return None\n"] * 1500  # nothing to cut at by itself
    now = [*lines[:10], b"new\n", *lines[10:1500], *lines[1502:2900], b"other\n", *lines[2901:]]

    text = rendered({"f": ("100644", b"".join(lines))}, {"f": ("100644", b"".join(now))})
    assert [line for line in text.splitlines() if line[:1] in "+-"][2:] == [
        "+new",
        "-line 1500",
        "-    return None",
        "-line 2900",
        "+other",
    ]


def test_odd_names_are_quoted_as_git_quotes_them() -> None:
    text = rendered({}, {'ä"\n': ("100644", b"x\n")})
    assert 'diff --git "a/\\303\\244\\"\\n" "b/\\303\\244\\"\\n"\n' in text
    assert '+++ "b/\\303\\244\\"\\n"\n' in text


def test_an_empty_change_set_renders_to_nothing() -> None:
    assert render(ChangeSet(changes=())) == b""


@pytest.mark.parametrize("content", [b"\xff", b"a\0b"])
def test_what_is_no_text_is_said_to_differ_and_not_parsed_back(content: bytes) -> None:
    text = rendered({"f": ("100644", b"a\n")}, {"f": ("100644", content)})
    assert text == "diff --git a/f b/f\nBinary files a/f and b/f differ\n"
    with pytest.raises(ParseError, match="binary"):
        parse(text.encode())
    assert "Binary files /dev/null and b/f differ" in rendered({}, {"f": ("100644", content)})
    assert "Binary files a/f and /dev/null differ" in rendered({"f": ("100644", content)}, {})


def test_a_mode_change_of_a_binary_file_is_rendered_whole() -> None:
    text = rendered({"f": ("100644", b"\0")}, {"f": ("100755", b"\0")})
    assert text == "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("100644", b"x\n"), ("120000", b"g")),
        (("120000", b"g"), ("100755", b"x\n")),
        (("120000", b"g"), ("120000", b"h")),
    ],
)
def test_a_change_of_kind_or_target_is_a_deletion_and_a_creation(before: Entry, after: Entry) -> None:
    changes = change_set({"f": before}, {"f": after})
    text = render(changes)
    assert text.count(b"diff --git") == 2
    assert resolve(parse(text).edits, DictTree({"f": before})).changes == changes.changes


def test_a_large_rewrite_is_rendered_without_aligning_it() -> None:
    before, after = (b"".join(b"%d %s\n" % (n, word) for n in range(5000)) for word in (b"old", b"new"))
    change = Change(path="f", before_mode="100644", before=before, after_mode="100644", after=after)
    text = render(ChangeSet(changes=(change,)))
    assert resolve(parse(text).edits, DictTree({"f": before})).changes == (change,)
