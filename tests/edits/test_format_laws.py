"""Laws of the formats: whatever is sent, only unique places are edited, and nothing is half understood."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dev_agent.edits.changes import ChangeSet
from dev_agent.edits.errors import EditError
from dev_agent.edits.parse import parse
from dev_agent.edits.resolve import resolve
from dev_agent.edits.trees import DictTree
from tests.edits.strategies import Entry, change_set, changed
from tests.edits.test_laws import clashes, damaged, outcome

pytestmark = pytest.mark.law
Trees = tuple[dict[str, Entry], dict[str, Entry]]
LAW = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = ["a", "b", " a", "", "ab", "@@", "```", "*** End Patch", "def f():", "    return 1"]
few_lines = st.lists(st.sampled_from(FEW), max_size=8)

SOURCE = """import os


class A:
    def f(self):
        return 1

    def g(self):
        return 2


def f():
    pass
"""
ENVELOPE = """Prose
*** Begin Patch
*** Update File: m.py
@@ class A:
@@ def g(self):
-        return 2
+        return 3
*** Add File: n.txt
+x
*** Update File: a.txt
*** Move to: b.txt
 a
-b
+c
*** End of File
*** End Patch
"""
DOCUMENT = """```json
{"edits": [{"op": "replace_symbol", "path": "m.py", "symbol": "A.f",
            "text": "def f(self):\\n    return 4\\n"},
  {"op": "add_import", "path": "m.py", "import": "import sys"},
  {"op": "insert_after_symbol", "path": "m.py", "symbol": "f", "text": "def h():\\n    pass\\n"},
  {"op": "replace", "path": "a.txt", "old": "a", "new": "z", "line": 1}]}
```
"""
TOOL = """{"command": "str_replace", "path": "a.txt", "old_str": "b", "new_str": "B"}
{"type": "tool_use", "name": "str_replace_editor",
 "input": {"command": "insert", "path": "m.py",
 "insert_line": 1, "insert_text": "import re"}}
"""
WHOLE = """a.txt
```
a
new
```

and `m.py`:

### m.py

````python
import os


def f():
    pass
````
"""
PROPOSALS = [ENVELOPE, DOCUMENT, TOOL, WHOLE]


@given(st.lists(st.sampled_from(PROPOSALS), min_size=1, max_size=3), st.integers(0, 2**32))
@settings(LAW, max_examples=600)
def test_a_damaged_proposal_is_a_change_set_or_an_edit_error(proposals: list[str], seed: int) -> None:
    tree = DictTree({"m.py": SOURCE.encode(), "a.txt": b"a\nb\n"})
    outcome(damaged("\n".join(proposals).encode(), seed), tree)


@pytest.mark.parametrize("proposal", PROPOSALS)
def test_a_proposal_cut_anywhere_is_never_half_applied(proposal: str) -> None:
    """What a cut proposal changes is what the whole one changes, in whole edits: no edit is cut short itself."""
    tree = DictTree({"m.py": SOURCE.encode(), "a.txt": b"a\nb\n"})
    whole = parse(proposal.encode()).edits
    assert whole
    for end in range(len(proposal)):
        try:
            edits = parse(proposal[:end].encode()).edits
        except EditError:
            continue
        assert edits == whole[: len(edits)]
        outcome(proposal[:end].encode(), tree)


@given(changed())
@LAW
def test_a_change_set_written_as_operations_resolves_to_itself(trees: Trees) -> None:
    """What `create`, `write`, `delete` and `set_mode` say is what happens, for every text and name."""
    before, after = trees
    changes = change_set(before, after)
    texts = [entry[1] for tree in trees for entry in tree.values()]
    if (
        changes.empty
        or clashes([*before, *after])
        or any(b"\r" in text or b"\xef\xbb\xbf" in text for text in texts)
    ):
        return
    operations: list[dict[str, str]] = []
    for each in changes.changes:
        if any("\udc80" <= character <= "\udcff" for character in each.path):
            return
        if each.after is None:
            operations.append({"op": "delete", "path": each.path, "expected": (each.before or b"").decode()})
        elif each.before is None:
            operations.append(
                {"op": "create", "path": each.path, "text": each.after.decode(), "mode": str(each.after_mode)}
            )
        elif each.before == each.after:
            operations.append({"op": "set_mode", "path": each.path, "mode": str(each.after_mode)})
        elif each.before_mode == each.after_mode:
            operations.append({"op": "write", "path": each.path, "text": each.after.decode()})
        else:
            return
    try:
        made = resolve(parse(json.dumps({"edits": operations}).encode()).edits, DictTree(before))
    except EditError as error:
        # A whole text is searched for placeholders; a name must be lawful.
        assert any(said in str(error) for said in ("placeholder", "bidi", "invisible", "control"))  # noqa: PT017
        return
    assert made.changes == changes.changes


@given(few_lines, st.data())
@LAW
def test_a_chunk_changes_only_a_unique_place(base: list[str], data: st.DataObject) -> None:
    """Without an anchor, a chunk that resolves at all has edited the only place its lines stood at."""
    if not base:
        return
    start = data.draw(st.integers(0, len(base) - 1))
    end = data.draw(st.integers(start + 1, len(base)))
    old = base[start:end]
    rows = "".join(f"-{line}\n" for line in old)
    text = f"*** Begin Patch\n*** Update File: f\n@@\n{rows}+NEW 12345\n*** End Patch\n"
    made = outcome(text.encode(), DictTree({"f": "".join(f"{line}\n" for line in base).encode()}))
    places = [at for at in range(len(base)) if base[at : at + len(old)] == old]
    if isinstance(made, ChangeSet):
        assert len(places) == 1
        expected = "".join(f"{line}\n" for line in [*base[:start], "NEW 12345", *base[end:]])
        assert made.changes[0].after == expected.encode()
    else:
        assert len(places) > 1


def run_one_after_another(text: str, operations: list[dict[str, str | int]]) -> str | None:
    """What the tool itself would do, None if it would refuse."""
    for each in operations:
        if each["command"] == "insert":
            lines = text.split("\n")
            at = int(each["insert_line"])
            if at > len(lines):
                return None
            text = "\n".join([*lines[:at], str(each["insert_text"]), *lines[at:]])
        else:
            old = str(each["old_str"])
            if sum(text.startswith(old, at) for at in range(len(text))) != 1:
                return None
            text = text.replace(old, str(each["new_str"]))
    return text


piece = st.text("ab\n ", min_size=1, max_size=4)
tool_operation = st.one_of(
    st.builds(
        lambda old, new: {"command": "str_replace", "path": "f", "old_str": old, "new_str": new}, piece, piece
    ),
    st.builds(
        lambda at, text: {"command": "insert", "path": "f", "insert_line": at, "insert_text": text},
        st.integers(0, 6),
        st.sampled_from(["x", "y", "x\ny"]),
    ),
)


@given(
    st.permutations(["a", "b a", " bb", "aab", ""]).map(lambda lines: "".join(f"{line}\n" for line in lines)),
    st.lists(tool_operation, min_size=1, max_size=4),
)
@settings(LAW, max_examples=600)
@example(
    "a\n bb\nb a\naab\n\n",
    [
        {"command": "str_replace", "path": "f", "old_str": "\nb", "new_str": "a"},
        {"command": "str_replace", "path": "f", "old_str": "a ", "new_str": "a"},
    ],
)
def test_on_one_base_is_what_one_after_another_would_give(
    base: str, operations: list[dict[str, str | int]]
) -> None:
    """If both the tool and we accept operations, the file comes out the same."""
    made = outcome("\n".join(map(json.dumps, operations)).encode(), DictTree({"f": base.encode()}))
    expected = run_one_after_another(base, operations)
    if not isinstance(made, ChangeSet) or expected is None:
        return
    got = made.changes[0].after if made.changes else base.encode()
    assert got == expected.encode()


names = st.lists(st.sampled_from(["f", "g", "h"]), min_size=1, max_size=3)
program = st.lists(st.tuples(st.sampled_from(["A", "B", ""]), names), min_size=1, max_size=4)


def written(classes: list[tuple[str, list[str]]]) -> str:
    parts: list[str] = []
    for name, methods in classes:
        margin = "    " if name else ""
        parts += [f"class {name}:\n"] if name else []
        parts += [
            f"{margin}def {each}(x): # {at}\n{margin}    return x\n\n" for at, each in enumerate(methods)
        ]
    return "".join(parts)


@given(program, st.sampled_from(["f", "A.f", "B.g", "A", "h"]))
@LAW
def test_a_symbol_edit_changes_the_only_definition_of_that_name(
    classes: list[tuple[str, list[str]]], symbol: str
) -> None:
    """A replacement resolves if and only if the qualified name is defined once, and changes its lines only."""
    source = written(classes)
    last = symbol.rpartition(".")[2]
    defined = sum(
        (symbol == (f"{name}.{each}" if name else each)) for name, methods in classes for each in methods
    ) + sum(name == symbol for name, _ in classes)
    text = f"class {last}:\n    unique = 1\n" if last == "A" else f"def {last}(unique):\n    return unique\n"
    document = {"edits": [{"op": "replace_symbol", "path": "m.py", "symbol": symbol, "text": text}]}
    made = outcome(json.dumps(document).encode(), DictTree({"m.py": source.encode()}))
    assert isinstance(made, ChangeSet) == (defined == 1)
    if isinstance(made, ChangeSet):
        after = (made.changes[0].after or b"").decode()
        kept = [
            line for line in after.split("\n") if "unique" not in line and line.strip() != f"class {last}:"
        ]
        assert all(line in source.split("\n") for line in kept)
        assert after.count("unique") == (1 if last == "A" else 2)
