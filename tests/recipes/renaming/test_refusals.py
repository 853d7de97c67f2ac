"""What a rename refuses: before anything is written, with every place named."""

from __future__ import annotations

import pytest

from dev_agent.edits.trees import DictTree
from dev_agent.python_text import NEWER_SYNTAX, READ_AS
from dev_agent.recipes.model import Bench, Declined
from dev_agent.recipes.rename import Rename
from tests.recipes.renaming.support import Files, answer, refused, renamed

ENGINE = "class Engine:\n    def start(self): ...\n    def stop(self): ...\n"


def places(found: Declined) -> list[tuple[str, int]]:
    return [(one.path, one.line) for one in found.places]


def test_two_symbols_of_a_name_are_listed_with_their_places() -> None:
    files = {"a.py": "def run(): ...\n", "b.py": "x = 1\nclass A:\n    def run(self): ...\n"}
    found = refused(files, "rename run to go")
    assert (found.code, places(found)) == ("ambiguous", [("a.py", 1), ("b.py", 3)])
    assert "a.run" in found.message
    assert "b.A.run" in found.message
    assert renamed(files, "rename method run to go") == {"b.py": "x = 1\nclass A:\n    def go(self): ...\n"}
    assert renamed(files, "rename a.run to go") == {"a.py": "def go(): ...\n"}


def test_unknown_symbol_names_the_nearest() -> None:
    found = refused({"m.py": ENGINE}, "rename Engine.strat to go")
    assert (found.code, places(found)) == ("not_found", [("m.py", 2)])
    assert "m.Engine.start" in found.hint


def test_symbol_of_another_class_is_offered() -> None:
    found = refused({"m.py": ENGINE}, "rename Motor.start to go")
    assert found.code == "not_found"
    assert "m.Engine.start" in found.hint


def test_no_python_at_all() -> None:
    assert refused({"notes.txt": "start"}, "rename start to go").code == "not_found"


def test_name_from_outside_is_not_ours() -> None:
    assert refused({"m.py": "from os import path\npath\n"}, "rename m.path to way").code == "not_found"


@pytest.mark.parametrize(
    ("files", "task", "where"),
    [
        ({"m.py": ENGINE}, "rename Engine.start to stop", [("m.py", 3)]),
        ({"m.py": ENGINE + "class Sub(Engine):\n    go = 1\n"}, "rename Engine.start to go", [("m.py", 5)]),
        (
            {"m.py": "class Base:\n    go = 1\nclass A(Base):\n    start = 2\n"},
            "rename A.start to go",
            [("m.py", 2)],
        ),
        (
            {"m.py": ENGINE + "    def f(self):\n        self.go = 1\n"},
            "rename Engine.start to go",
            [("m.py", 5)],
        ),
        ({"m.py": "def a(): ...\nb = 1\n"}, "rename m.a to b", [("m.py", 2)]),
        ({"m.py": "def a(): ...\n", "n.py": "from m import a\nb = 1\n"}, "rename m.a to b", [("n.py", 2)]),
        ({"m.py": "def a(): ...\n", "n.py": "from m import *\nb = 1\n"}, "rename m.a to b", [("n.py", 2)]),
        ({"m.py": "def a(): ...\ndef f(b):\n    return a, b\n"}, "rename m.a to b", [("m.py", 2)]),
        ({"m.py": "def a(): ...\nx = [a for b in 'x']\n"}, "rename m.a to b", [("m.py", 2)]),
        ({"m.py": "def a(): ...\nprint(len('x'))\n"}, "rename m.a to len", [("m.py", 2)]),
        ({"p/__init__.py": "a = 1\n", "p/b.py": ""}, "rename p.a to b", [("p/b.py", 0)]),
        ({"p/__init__.py": "", "p/a.py": "", "p/b/__init__.py": ""}, "rename module p.a to b", [("p/b", 0)]),
        ({"p/__init__.py": "b = 1\n", "p/a.py": ""}, "rename module p.a to b", [("p/__init__.py", 1)]),
        ({"m.py": "class A:\n    __slots__ = ('x', 'y')\n"}, "rename A.x to y", [("m.py", 2)]),
    ],
)
def test_new_name_is_taken(files: Files, task: str, where: list[tuple[str, int]]) -> None:
    found = refused(files, task)
    assert (found.code, places(found)) == ("name_taken", where)


def test_a_class_of_its_own_module_scope_may_share_a_members_name() -> None:
    assert renamed({"m.py": "go = 1\n" + ENGINE}, "rename Engine.start to go")


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("import logging\nclass H(logging.Handler):\n    def emit(self, r): ...\n", "rename H.emit to send"),
        (
            "import logging\nclass H(logging.StreamHandler):\n    def acquire(self): ...\n",
            "rename H.acquire to send",
        ),
        ("class E(Exception):\n    args = ()\n", "rename E.args to parts"),
        ("import threading\nclass T(threading.Thread):\n    def go(self): ...\n", "rename T.go to run"),
        ("import ext\nclass T(ext.Base):\n    def go(self): ...\n", "rename T.go to went"),
    ],
)
def test_base_from_outside_that_defines_it_or_may(text: str, task: str) -> None:
    found = refused({"m.py": text}, task)
    assert found.code == "outside_base"
    assert found.places[0].path == "m.py"


def test_base_from_the_standard_library_that_does_not_define_it() -> None:
    text = "import logging\nclass H(logging.Handler):\n    def {}(self): ...\n"
    assert renamed({"m.py": text.format("mine")}, "rename H.mine to own") == {"m.py": text.format("own")}


def test_python_that_cannot_be_parsed_only_matters_if_it_mentions_the_name() -> None:
    files = {"m.py": ENGINE, "broken.py": "def (:\n"}
    assert renamed(files, "rename Engine.start to go")
    found = refused(files | {"worse.py": "print 'start'\n"}, "rename Engine.start to go")
    assert (found.code, places(found)) == ("unparsable", [("worse.py", 0)])


@pytest.mark.parametrize(
    "text", ["x = " + "(" * 500 + "start" + ")" * 500, "x = start" + " + 1" * 5000, "x = '\0' + start"]
)
def test_absurd_files_are_named_not_crashed_on(text: str) -> None:
    found = refused({"m.py": ENGINE, "deep.py": text}, "rename Engine.start to go")
    assert (found.code, places(found)) == ("unparsable", [("deep.py", 0)])


@pytest.mark.parametrize("quote", ["", "'"])
def test_a_union_of_hundreds_of_classes_is_read_to_its_end(quote: str) -> None:
    union = " | ".join(["Engine", *(["int"] * 250)])
    text = f"from m import Engine\ndef f(x: {quote}{union}{quote}):\n    return x.start\n"
    assert "x.go" in renamed({"m.py": ENGINE, "n.py": text}, "rename Engine.start to go")["n.py"]


def test_use_on_objects_of_an_unknown_class_is_refused_without_a_checker() -> None:
    files = {"m.py": ENGINE, "n.py": "def f(x, y):\n    x.start()\n    y.stop()\n    return y.start\n"}
    found = refused(files, "rename Engine.start to go")
    assert (found.code, places(found)) == ("unseen_use", [("n.py", 2), ("n.py", 4)])


def test_use_that_is_ours_or_a_strangers() -> None:
    text = ENGINE + "class Other:\n    def start(self): ...\ndef f(x: Engine | Other):\n    x.start()\n"
    found = refused({"m.py": text}, "rename Engine.start to go")
    assert (found.code, places(found)) == ("mixed_use", [("m.py", 7)])


def test_a_rename_does_not_move() -> None:
    files = {"p/__init__.py": "", "p/a.py": "def run(): ...\n", "p/b.py": ""}
    found = refused(files, "rename p.a.run to p.b.walk")
    assert found.code == "would_move"
    assert renamed(files, "rename p.a.run to a.walk") == {"p/a.py": "def walk(): ...\n"}


def test_files_out_of_reach() -> None:
    files = {"m.py": "def run(): ...\n", "n.py": "import m\nm.run()\n", "o.py": "run = 1\n"}
    found = answer(files, "rename m.run to walk", covers=lambda path: path == "m.py")
    assert isinstance(found, Declined)
    assert (found.code, places(found)) == ("outside_path", [("n.py", 0)])


@pytest.mark.parametrize("name", ["conftest", "__main__"])
def test_modules_with_a_meaning_stay(name: str) -> None:
    files = {"p/__init__.py": "", f"p/{name}.py": ""}
    found = Rename(old=f"p.{name}", new="other").work(_bench(files))
    assert isinstance(found, Declined)
    assert found.code == "special_module"


def test_name_that_the_encoding_of_a_file_lacks() -> None:
    files: Files = {"m.py": "# coding: latin-1\ndef run(): ... # é\n".encode("latin-1")}
    found = refused(files, "rename m.run to бег")
    assert found.code == "unparsable"
    assert "iso-8859-1" in found.message


def test_a_stop_goes_through() -> None:
    class StopError(Exception):
        pass

    def stop() -> None:
        raise StopError

    bench = Bench(tree=DictTree({"m.py": b"run = 1\n"}), covers=lambda _path: True, pause=stop)
    with pytest.raises(StopError):
        Rename(old="m.run", new="walk").work(bench)


def _bench(files: dict[str, str]) -> Bench:
    return Bench(
        tree=DictTree({path: text.encode() for path, text in files.items()}), covers=lambda _path: True
    )


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("import pytest\n@pytest.fixture\ndef car(): ...\ndef test_it(car): ...\n", "rename m.car to bus"),
        (
            "import ast\nclass V(ast.NodeVisitor):\n    def visit_Name(self, n): ...\n",
            "rename V.visit_Name to see",
        ),
        (
            "from typing import TypedDict\nclass V(TypedDict):\n    a: int\nprint(V(a=1)['a'])\n",
            "rename V.a to b",
        ),
        ("import enum\nclass V(enum.StrEnum):\n    A = enum.auto()\nprint(V.A)\n", "rename V.A to B"),
        ("def __getattr__(name): return 1\nLAZY = {\n'run': 1}\ndef run(): ...\n", "rename m.run to go"),
    ],
    ids=["fixture", "dispatched method", "key", "automatic value", "lazy export"],
)
def test_what_is_found_by_its_name(text: str, task: str) -> None:
    found = refused({"m.py": text}, task)
    assert (found.code, places(found)) == ("dynamic_use", [("m.py", 3)])


def test_a_file_that_does_not_parse_is_named_with_the_python_that_reads_it() -> None:
    found = refused({"a.py": "def run(): ...\n", "b.py": "\nfrom a import run\nrun(\n"}, "rename a.run to go")
    assert (found.code, [one.path for one in found.places]) == ("unparsable", ["b.py"])
    assert READ_AS in found.message
    assert NEWER_SYNTAX in found.hint
