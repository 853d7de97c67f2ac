"""Our own operations as JSON: what each does, and a schema that forgives nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.definitions import PythonSource
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.jsonedits import OPERATIONS
from dev_agent.edits.parse import parse
from dev_agent.edits.resolve import resolve
from dev_agent.edits.trees import DictTree
from tests.edits.support import after, applied, parse_error, problem, problems

Op = Mapping[str, object]


def edits(*operations: Op) -> str:
    return json.dumps({"edits": operations}, indent=1) + "\n"


def test_every_plain_operation_in_one_document() -> None:
    base = dict.fromkeys(("r", "d", "m", "w", "s", "c"), b"one\ntwo\n")
    text = edits(
        {"op": "create", "path": "n", "text": "new\n", "mode": "100755"},
        {"op": "replace", "path": "r", "old": "two", "new": "2"},
        {"op": "delete", "path": "d", "expected": "one\ntwo\n"},
        {"op": "move", "path": "m", "to": "moved"},
        {"op": "replace", "path": "m", "old": "one\n", "new": "1\n"},
        {"op": "copy", "path": "c", "to": "copied"},
        {"op": "write", "path": "w", "text": "all\n"},
        {"op": "set_mode", "path": "s", "mode": "100755"},
    )
    changes = applied(base, text)
    assert after(changes) == {
        "n": b"new\n",
        "r": b"one\n2\n",
        "d": None,
        "m": None,
        "moved": b"1\ntwo\n",
        "copied": b"one\ntwo\n",
        "w": b"all\n",
        "s": b"one\ntwo\n",
    }
    assert {each.path for each in changes.changes if each.after_mode == "100755"} == {"n", "s"}


@pytest.mark.parametrize("text", ["```json\n{}```\n", "Here it is:\n{}Bye.\n", "{}"])
def test_it_is_found_in_prose_and_fences(text: str) -> None:
    text = text.replace("{}", edits({"op": "delete", "path": "a"}))
    assert parse(text.encode()).format == "edit operations"
    assert after(applied({"a": b"1\n"}, text)) == {"a": None}


def test_a_line_chooses_between_two_places_only_exactly() -> None:
    operation = {"op": "replace", "path": "a", "old": "x", "new": "y"}
    files = {"a": b"x\n-\nx\n"}
    problem(files, edits(operation), ProblemCode.AMBIGUOUS)
    problem(files, edits({**operation, "line": 2}), ProblemCode.AMBIGUOUS)
    assert after(applied(files, edits({**operation, "line": 3}))) == {"a": b"x\n-\ny\n"}


def test_each_problem_names_the_line_of_its_own_operation() -> None:
    text = edits({"op": "delete", "path": "a"}, {"op": "delete", "path": "b"})
    lines = text.split("\n")
    assert [lines[each.line_in_proposal - 1].strip() for each in problems({}, text)] == ["{", "{"]
    assert [each.line_in_proposal for each in problems({}, text)] == [3, 7]


def test_all_faults_are_said_at_once_with_their_fields() -> None:
    error = parse_error(
        edits(
            {"op": "replace", "path": "a", "odl": "x", "new": 1},
            {"op": "rename", "path": "b"},
            {"op": "set_mode", "path": "c", "mode": "755"},
            {"op": "replace", "path": "d", "old": "", "new": "x", "line": 0},
            {"path": "e"},
            {"op": "add_import", "path": "f.py", "import": "os"},
            {"op": "add_import", "path": "f.py", "import": "from os import *"},
        )
    )
    for said in (
        "edits[0].old: is missing",
        "edits[0].new: must be a string",
        "edits[0].odl: is unknown; did you mean 'old'?",
        "edits[1].op: must be one of create,",
        "edits[2].mode: must be '100644' or '100755'",
        "edits[3].old: must not be empty",
        "edits[3].line: must be an integer of at least 1",
        "edits[4].op: is missing",
        "edits[5].import: is not one import statement",
        "edits[6].import: imports *",
    ):
        assert said in error.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"edits": []}', "edits: must be a list"),
        ('{"edits": {}}', "edits: must be a list"),
        ('{"edits": [1]}', "edits[0]: must be an object"),
        ('{"edits": [{"op": "delete", "path": "a"}], "why": "x"}', "why: is unknown"),
        ('{"edits": [{"op": "delete", "path": "a", "path": "b"}]}', "'path' stands twice"),
        (
            '{"edits": [{"op": "replace", "path": "a", "old": "x", "new": "y", "line": 1.0}]}',
            "not an integer",
        ),
        ('{"edits": [{"op": "delete", "path": "a"}', "cannot be read"),
        ('{"edits": [{"op": "delete", "path": "a"}]} and more', "text follows"),
        ('[{"op": "delete", "path": "a"}]', 'not in {"edits"'),
        ('{"op": "delete", "path": "a"}', 'not in {"edits"'),
    ],
)
def test_what_is_no_document_of_ours_is_refused(text: str, said: str) -> None:
    assert said in parse_error(text + "\n").message


def test_other_json_is_no_edit() -> None:
    assert "no known edit format" in parse_error('{"name": "x", "version": 1}\n').message


@pytest.mark.parametrize("path", ["/a", "../a", ".git/config", "a/../b"])
def test_paths_obey_the_path_law(path: str) -> None:
    problem({}, edits({"op": "create", "path": path, "text": ""}), ProblemCode.FORBIDDEN_PATH)


def test_a_lone_surrogate_is_a_problem_not_a_crash() -> None:
    problem({}, edits({"op": "create", "path": "a", "text": "\ud800"}), ProblemCode.ENCODING)
    problem({"a": b"1\n"}, edits({"op": "delete", "path": "a", "expected": "\ud800"}), ProblemCode.STALE)


def test_a_document_longer_than_one_piece_is_read_whole() -> None:
    text = "".join(f"line {number}\n" for number in range(20_000))
    for width in range(900, 1030):
        document = edits({"op": "create", "path": "a", "text": "é" * width + text})
        made = after(applied({}, document))["a"]
        assert made == ("é" * width + text).encode()


def test_json_that_fails_on_every_line_is_not_looked_at_for_ever() -> None:
    assert "no known edit format" in parse_error('{"x\n' * 5_000).message
    assert "too many JSON fragments" in parse_error('{"op": [\n' * 5_000).message


def test_the_operations_are_these() -> None:
    assert len(OPERATIONS) == 10


SOURCE = b'''"""Shop."""

import os


class Cart:
    @property
    def total(self) -> int:
        """Sum."""
        # why
        return 1
        # foot

    # about count
    def count(self) -> int:
        return os.getpid()


def free() -> None:  # odd   spacing
    pass
'''


def symbol(name: str, text: str, **more: object) -> str:
    return edits({"op": "replace_symbol", "path": "m.py", "symbol": name, "text": text, **more})


def test_a_method_is_replaced_by_its_qualified_name_and_nothing_else_changes() -> None:
    text = "@property\ndef total(self) -> int:\n    return 2\n"
    changes = applied({"m.py": SOURCE}, symbol("Cart.total", text))
    head, tail = SOURCE.split(b"    @property")[0], SOURCE.split(b"        # foot\n")[1]
    assert after(changes) == {
        "m.py": head + b"    @property\n    def total(self) -> int:\n        return 2\n" + tail
    }
    assert changes.matches[0].level == MatchLevel.INDENT


def test_text_in_the_files_own_indentation_is_an_exact_match() -> None:
    changes = applied(
        {"m.py": SOURCE}, symbol("Cart.count", "    def count(self) -> int:\n        return 3\n")
    )
    assert after(changes) == {"m.py": SOURCE.replace(b"os.getpid()", b"3")}
    assert changes.matches[0].level == MatchLevel.EXACT


def test_a_shift_that_policy_forbids_is_refused() -> None:
    text = symbol("Cart.count", "def count(self) -> int:\n    return 3\n")
    problem({"m.py": SOURCE}, text, ProblemCode.LEVEL_CAPPED, max_level=MatchLevel.WHITESPACE)


def test_lines_inside_a_string_are_not_shifted_but_those_of_a_docstring_are() -> None:
    text = 'def count(self) -> str:\n    """A\n    B"""\n    return """x\ny"""\n'
    made = after(applied({"m.py": SOURCE}, symbol("Cart.count", text)))["m.py"]
    assert made is not None
    assert b'        """A\n        B"""\n        return """x\ny"""\n' in made


@pytest.mark.parametrize("prefix", ["", "r", "b", "f", "t"])
def test_lines_that_begin_inside_a_string_of_any_kind_are_known(prefix: str) -> None:
    assert PythonSource(f'x = {prefix}"""a\n  b\n"""\n').string_lines() == {1, 2}


def test_a_function_keeps_crlf_and_a_missing_final_newline() -> None:
    base = b"def f() -> int:\r\n    return 1"
    assert after(applied({"m.py": base}, symbol("f", "def f() -> int:\n    return 2\n"))) == {
        "m.py": b"def f() -> int:\r\n    return 2"
    }


def test_an_unknown_symbol_is_refused_with_the_nearest_names() -> None:
    found = problem({"m.py": SOURCE}, symbol("Cart.totl", "def totl(): ...\n"), ProblemCode.UNKNOWN_SYMBOL)
    assert (8, "Cart.total") in found.nearest
    found = problem({"m.py": SOURCE}, symbol("total", "def total(): ...\n"), ProblemCode.UNKNOWN_SYMBOL)
    assert found.nearest == ((8, "Cart.total"),)


def test_two_definitions_of_one_name_are_refused_unless_a_line_chooses() -> None:
    base = b"if 1:\n    def f() -> int:\n        return 1\nelse:\n    def f() -> int:\n        return 2\n"
    text = "    def f() -> int:\n        return 3\n"
    found = problem({"m.py": base}, symbol("f", text), ProblemCode.AMBIGUOUS)
    assert "lines 2, 5" in found.message
    problem({"m.py": base}, symbol("f", text, line=3), ProblemCode.AMBIGUOUS)
    assert after(applied({"m.py": base}, symbol("f", text, line=5))) == {"m.py": base.replace(b"2", b"3")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@property\ndef other(self): ...\n", "defines 'other'"),
        ("def total(self): ...\n", "is decorated"),
        ("x = 1\n", "not one definition"),
        ("@property\ndef total(self): ...\n\n\nx = 1\n", "not one definition"),
        ("def total(self:\n", "cannot be read"),
        ("        @property\n        def total(self):\n      # low\n            pass\n", "indented less"),
    ],
)
def test_a_text_that_is_not_that_one_definition_is_refused(text: str, said: str) -> None:
    assert said in problem({"m.py": SOURCE}, symbol("Cart.total", text), ProblemCode.NOT_A_DEFINITION).message


def test_a_definition_is_inserted_with_the_blank_lines_of_its_place() -> None:
    operation = {
        "op": "insert_after_symbol",
        "path": "m.py",
        "symbol": "Cart.count",
        "text": "def g(self): ...\n",
    }
    made = after(applied({"m.py": SOURCE}, edits(operation)))["m.py"]
    assert made == SOURCE.replace(b"os.getpid()\n", b"os.getpid()\n\n    def g(self): ...\n")
    operation = {**operation, "symbol": "free"}
    assert after(applied({"m.py": SOURCE}, edits(operation)))["m.py"] == SOURCE + b"\n\ndef g(self): ...\n"


def test_a_definition_that_is_there_already_is_not_inserted_twice() -> None:
    operation = {"op": "insert_after_symbol", "path": "m.py", "symbol": "f", "text": "def g(): ...\n"}
    base = {"m.py": b"def f(): ...\n"}
    once = after(applied(base, edits(operation)))["m.py"]
    assert once == b"def f(): ...\n\n\ndef g(): ...\n"
    assert problem({"m.py": once}, edits(operation), ProblemCode.ALREADY_APPLIED).already_applied


def imports(*statements: str) -> str:
    return edits(*({"op": "add_import", "path": "m.py", "import": each} for each in statements))


def test_imports_are_added_together_and_only_if_absent() -> None:
    made = after(applied({"m.py": SOURCE}, imports("import os", "from a.b import c as d, e", "import sys")))[
        "m.py"
    ]
    assert made is not None
    assert made.startswith(b'"""Shop."""\n\nimport os\n')
    head = made.split(b"class Cart")[0].decode()
    assert sorted(head.split("\n")[2:-1]) == sorted(
        ["import os", "from a.b import c as d, e", "import sys", "", ""]
    )
    assert made.endswith(SOURCE[SOURCE.index(b"class Cart") :])


def test_an_import_that_is_there_changes_nothing() -> None:
    assert applied({"m.py": SOURCE}, imports("import os")).empty


def test_an_import_keeps_crlf() -> None:
    made = after(applied({"m.py": b"import os\r\n\r\nx = 1\r\n"}, imports("import sys")))
    assert made == {"m.py": b"import os\r\nimport sys\r\n\r\nx = 1\r\n"}


def test_an_import_beside_an_edit_of_a_symbol_and_of_lines() -> None:
    text = edits(
        {"op": "add_import", "path": "m.py", "import": "import sys"},
        {
            "op": "replace_symbol",
            "path": "m.py",
            "symbol": "free",
            "text": "def free() -> None:\n    sys.exit()\n",
        },
        {"op": "replace", "path": "m.py", "old": "        return os.getpid()", "new": "        return 7"},
    )
    made = after(applied({"m.py": SOURCE}, text))["m.py"]
    assert made is not None
    assert all(part in made for part in (b"import sys\n", b"    sys.exit()\n", b"return 7\n"))


def test_two_edits_of_one_symbol_overlap() -> None:
    text = edits(
        {"op": "replace_symbol", "path": "m.py", "symbol": "free", "text": "def free() -> None:\n    f()\n"},
        {"op": "replace", "path": "m.py", "old": "    pass", "new": "    g()"},
    )
    problem({"m.py": SOURCE}, text, ProblemCode.OVERLAP)


@pytest.mark.parametrize("base", [b"x = (\n", b"\xff\n", b"a\rb\n"])
def test_a_file_that_is_no_readable_python_takes_no_symbol_edit(base: bytes) -> None:
    assert problems({"m.py": base}, symbol("f", "def f(): ...\n"))
    assert problems({"m.py": base}, imports("import os"))


def test_a_symbol_edit_makes_no_file() -> None:
    problem({}, symbol("f", "def f(): ...\n"), ProblemCode.MISSING_FILE)
    problem({}, imports("import os"), ProblemCode.MISSING_FILE)


def test_a_symbol_edit_follows_a_move() -> None:
    text = edits(
        {"op": "move", "path": "m.py", "to": "n.py"},
        {"op": "replace_symbol", "path": "m.py", "symbol": "f", "text": "def f(): pass\n"},
    )
    assert after(resolve(parse(text.encode()).edits, DictTree({"m.py": b"def f(): ...\n"}))) == {
        "m.py": None,
        "n.py": b"def f(): pass\n",
    }


@pytest.mark.parametrize("last", ["\n", "", "\r\n"])
@pytest.mark.parametrize("sent", ["", "\n", "\n\n"])
def test_a_definition_at_the_end_leaves_the_final_newline_as_it_is(last: str, sent: str) -> None:
    op = {"op": "replace_symbol", "path": "m.py", "symbol": "f", "text": "def f(): return 2" + sent}
    made = after(applied({"m.py": f"x = 1\ndef f(): return 1{last}".encode()}, json.dumps({"edits": [op]})))
    assert made == {"m.py": f"x = 1\ndef f(): return 2{last}".encode()}


@pytest.mark.parametrize(
    "head", ["\x0c    def f(self):", "    @d\n\x0c    def f(self):", "  \x0c    def f(self):"]
)
def test_a_definition_behind_a_form_feed_is_not_moved_out_of_its_block(head: str) -> None:
    base = f"class A:\n    x = 1\n{head}\n        return 1\n".encode()
    op = {"op": "replace_symbol", "path": "m.py", "symbol": "A.f", "text": "@d\ndef f(self):\n    return 2\n"}
    found = problem({"m.py": base}, json.dumps({"edits": [op]}), ProblemCode.NOT_A_DEFINITION)
    assert "form feed" in found.message
