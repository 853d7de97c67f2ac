"""Work grows as the proposal and the file do, not as their product.

Every proposal here is far below the limits on its size. Counted is what Python calls, which is the same on every
machine; where a pattern or a comparison would do the work inside one call, the input is so large that only work in
proportion to it ends.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from dev_agent.edits.definitions import PythonSource
from dev_agent.edits.errors import EditError, ParseError, ProblemCode, TooLarge, Unresolved
from dev_agent.edits.filenames import name_in_info
from dev_agent.edits.matching import Exhausted, Haystack
from dev_agent.edits.model import Insert, ReplaceSymbol, ReplaceText
from dev_agent.edits.parse import parse
from dev_agent.edits.proposal import fence_at
from dev_agent.edits.resolve import resolve
from dev_agent.edits.scope import Anchors
from dev_agent.edits.sequence import on_one_base
from dev_agent.edits.symbols import Symbols
from dev_agent.edits.text import FileText, split_lines
from dev_agent.edits.trees import DictTree
from dev_agent.edits.verbatim import Verbatim
from tests.edits.support import problem

Sent = tuple[str, str]
"""(the text of f.txt, a proposal)."""


def work(sent: Sent) -> int:
    """How many functions are called to parse and resolve it."""
    count = 0

    def counted(_frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        resolve(parse(sent[1].encode()).edits, DictTree({"f.txt": sent[0].encode()}))
    except EditError:
        pass
    finally:
        sys.setprofile(before)
    return count


def lines(count: int) -> str:
    return "".join(f"line {at} is here\n" for at in range(count))


def envelope(chunks: list[str]) -> str:
    return "*** Begin Patch\n*** Update File: f.txt\n" + "".join(chunks) + "*** End Patch\n"


def anchored(count: int) -> Sent:
    base = "".join(f"def f{at}():\n    a = {at}\n" for at in range(count))
    return base, envelope([f"@@ def f{at}()\n-    a = {at}\n+    a = -{at}\n" for at in range(count)])


def anchored_above_brackets(count: int) -> Sent:
    base = "".join(f")a{at}\n" for at in range(count))
    return base, envelope([f"@@ )a{at}\n-)a{at}\n+)b{at}\n" for at in range(count)])


def verbatim(count: int) -> Sent:
    edits = [
        {"command": "str_replace", "path": "f.txt", "old_str": f"ne {at} is", "new_str": "x"}
        for at in range(count)
    ]
    return lines(count), "\n".join(map(json.dumps, edits))


def numbered_in_equal_lines(count: int) -> Sent:
    hunks = "".join(f"@@ -{2 * at + 1} +{2 * at + 1} @@\n-x\n+{at}\n" for at in range(count))
    return "x\n" * (2 * count), "--- a/f.txt\n+++ b/f.txt\n" + hunks


def known_placeholders(count: int) -> Sent:
    blocks = [
        f"f.txt\n<<<<<<< SEARCH\nline {at} is here\n=======\n# ... existing code ...\n>>>>>>> REPLACE\n"
        for at in range(count)
    ]
    return lines(count) + "# ... existing code ...\n", "".join(blocks)


@pytest.mark.parametrize(
    "made",
    [
        anchored,
        anchored_above_brackets,
        verbatim,
        numbered_in_equal_lines,
        known_placeholders,
    ],
)
def test_twice_the_edits_of_a_file_twice_as_long_are_twice_the_work(made: Callable[[int], Sent]) -> None:
    assert work(made(800)) < 2.5 * work(made(400))


def test_edits_that_all_clash_are_told_in_proportion_to_their_number() -> None:
    """Every pair of them clashes; a problem a pair would be sixteen million."""
    hunk = "@@ -2 +2 @@\n-b\n+z\n\\ No newline at end of file\n"
    proposal = "--- a/f.txt\n+++ b/f.txt\n" + hunk * 4000 + envelope(["@@\n+q\n*** End of File\n"] * 4000)
    with pytest.raises(Unresolved) as refused:
        resolve(parse(proposal.encode()).edits, DictTree({"f.txt": b"a\nb\n"}))
    assert {each.code for each in refused.value.problems} == {ProblemCode.OVERLAP}
    assert len(refused.value.problems) < 16_000


LONG = 1_000_000


def test_a_fence_with_a_long_run_of_spaces_is_read_once() -> None:
    fence = fence_at("```x" + " " * LONG + "y  \r")
    assert fence is not None
    assert fence.info == "x" + " " * LONG + "y"
    assert name_in_info(fence.info) is None


@pytest.mark.parametrize(
    "proposal",
    [
        envelope(["+a\n"]).replace("f.txt", "x" + " " * LONG + "y"),
        "--- x" + " " * LONG + "y\n+++ z\n@@ -1 +1 @@\n-a\n+b\n",
        "--- /dev/null\n+++ b/" + "d/" * LONG + "x\n@@ -0,0 +1 @@\n+a\n",
        '{"edits": [], ' + ",".join(f'"k{at}": 1' for at in range(LONG // 5)) + ', "k3": 1}',
    ],
)
def test_a_name_or_a_key_a_million_characters_away_is_refused_in_time(proposal: str) -> None:
    with pytest.raises(EditError):
        resolve(parse(proposal.encode()).edits, DictTree({"f.txt": b"a\n"}))


def test_a_path_that_no_system_opens_is_refused_by_its_length() -> None:
    proposal = "--- /dev/null\n+++ b/" + "d/" * 2000 + "x\n@@ -0,0 +1 @@\n+a\n"
    assert "4000 bytes" in problem({}, proposal, ProblemCode.NOT_PORTABLE).message


def test_a_key_that_stands_twice_is_still_named() -> None:
    with pytest.raises(ParseError, match="the key 'b' stands twice"):
        parse(b'{"edits": [], "a": 1, "b": 1, "c": 1, "b": 1, "c": 1}')


def test_operations_that_follow_each_other_have_a_budget() -> None:
    replaced = [ReplaceText(path="f", old=f"old {at}", new=f"new {at}") for at in range(30)]
    inserted = [Insert(path="f", text=f"{at}\n", after=2 * at) for at in range(30)]
    for edits in (replaced, inserted):
        assert len(on_one_base(edits)) == 30
        with pytest.raises(TooLarge, match="too many text editor operations"):
            on_one_base(edits, steps=400)
    long = [ReplaceText(path="f", old="a", new="b" * 100_000), ReplaceText(path="f", old="c", new="d")]
    with pytest.raises(TooLarge):
        on_one_base(long, steps=50)


def test_lines_appended_to_one_file_have_no_order_to_find_out() -> None:
    edits = [Insert(path="f", text=f"{at}\n", after=None) for at in range(30)]
    assert len(on_one_base(edits, steps=0)) == 30


def test_seeking_text_in_a_long_file_has_a_budget() -> None:
    seeker = Verbatim(FileText.from_bytes(b"a\nb\n"), "'f'", budget=9)
    assert seeker.fit(ReplaceText(path="f", old="b", new="c")) is not None
    assert seeker.fit(ReplaceText(path="f", old="z", new="c")) is None
    with pytest.raises(Exhausted):
        seeker.fit(ReplaceText(path="f", old="b", new="c"))


def test_a_file_of_equal_lines_is_not_walked_for_ever() -> None:
    haystack = Haystack(FileText.from_bytes(b"a\nb\n" * 10_000), budget=10)
    missing = split_lines("a\na\n")
    with pytest.raises(Exhausted):
        [haystack.find(missing, hint=None, levels=list(range(2))) for _ in range(3)]  # type: ignore[arg-type]


def test_a_source_is_read_once_for_all_its_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = PythonSource.__init__

    def counted(self: PythonSource, source: str) -> None:
        read.append(source)
        real(self, source)

    monkeypatch.setattr(PythonSource, "__init__", counted)
    base = "".join(f"def f{at}():\n    return {at}\n\n\n" for at in range(20))
    symbols = Symbols(FileText.from_bytes(base.encode()), "'f.py'")
    for at in range(20):
        text = f"def f{at}():\n    return -{at}\n"
        assert symbols.replaced(ReplaceSymbol(path="f.py", symbol=f"f{at}", text=text)).place.start == 4 * at
    assert read.count(base) == 1


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        ("class A:", (0, 5)),
        ("def f(", (1, 4)),
        ("else", (6, 8)),
        ("end", (8, 9)),
    ],
)
def test_a_block_ends_above_the_next_line_that_is_no_deeper(anchor: str, expected: tuple[int, int]) -> None:
    base = b"class A:\n    def f(\n        x\n    ):\n    y = 1\nif z:\nelse:\n  1\nend\n"
    assert Anchors(FileText.from_bytes(base), "'f'").scopes([anchor])[0] == expected
