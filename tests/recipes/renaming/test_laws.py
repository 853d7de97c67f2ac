"""Laws: a rename changes no behaviour, undoes itself to the byte, and touches nothing that does not spell the name."""

# ruff: noqa: E501 - programs in a table, a line each

from __future__ import annotations

import builtins
from types import ModuleType
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dev_agent.edits.trees import DictTree
from dev_agent.recipes.model import Bench, Rewritten
from dev_agent.recipes.rename import Rename

pytestmark = pytest.mark.law

names = st.sampled_from(["run", "other", "x"])
atoms = st.sampled_from(
    [
        "{n}",
        "[{n} for {m} in (1, 2)]",
        "(lambda {m}: ({n}, {m}))(3)",
        "f'{{{n}}} {n} {{{m}!r:>5}}'",
        "str({n})",
        "({m} := {n})",
        "K.{n}",
        "K().{n}",
        "K(run=4).{m}",
    ]
)
lines = st.sampled_from(
    [
        "{n} = {m}",
        "print('{n}', {e})",
        "{n} = {e}",
        "global {n}",
        "del {n}",
        "for {n} in (1, 2): print({e})",
        "if {e}: {n} = 5",
        "def {n}({m}=1): return {e}",
        "print({n}())",
        "try: print({e})\nexcept NameError as {n}: pass",
        "match 7:\n    case {n}: print({n})",
        "import types as {n}",
        "class {n}:\n    {m} = {e}",
    ]
)
HEAD = "import dataclasses\n@dataclasses.dataclass\nclass K:\n    run: object = 1\n    other: object = 2\n    x: object = 3\nrun = 10\nother = 20\nx = 30\n"
USE = [
    "from m import {n}",
    "from m import {n} as {m}",
    "import m; print(m.{n})",
    "from m import *",
    "from m import K; print(K().{n}, {n})",
]


@st.composite
def line(draw: st.DrawFn) -> str:
    n, m, o = draw(names), draw(names), draw(names)
    return draw(lines).format(n=n, m=m, e=draw(atoms).format(n=o, m=draw(names)))


@st.composite
def body(draw: st.DrawFn) -> str:
    parts = draw(st.lists(line(), max_size=4))
    for function in draw(st.lists(st.lists(line(), min_size=1, max_size=4), max_size=2)):
        inner = "\n".join(function).replace("\n", "\n    ")
        parts.append(f"def f():\n    {inner}\ntry: f()\nexcept (NameError, TypeError): print('failed')")
    return "\n".join(parts) + "\n"


@st.composite
def projects(draw: st.DrawFn) -> dict[str, bytes]:
    use = draw(st.sampled_from(USE)).format(n=draw(names), m=draw(names))
    files = {"m.py": HEAD + draw(body()), "use.py": f"{use}\n{draw(body())}"}
    for text in files.values():
        try:
            compile(text, "m", "exec")
        except SyntaxError:
            assume(condition=False)
    return {path: text.encode() for path, text in files.items()}


def behaviour(files: dict[str, bytes], new: str, old: str) -> list[str]:
    """What the program prints, name for name, and the kind of error that ends it."""
    printed: list[str] = []
    module = ModuleType("m")

    def load(name: str, *rest: Any) -> object:
        return module if name == "m" else builtins.__import__(name, *rest)

    def show(*values: object) -> None:
        shown = " ".join(
            value if isinstance(value, str) else type(value).__name__ if callable(value) else str(value)
            for value in values
        )
        printed.append(shown.replace(new, old))

    own = dict(vars(builtins)) | {"__import__": load, "print": show}
    try:
        module.__dict__["__builtins__"] = own
        exec(files["m.py"], module.__dict__)  # noqa: S102 - the program under test
        exec(files["use.py"], {"__builtins__": own, "__name__": "use"})  # noqa: S102 - the program under test
    except Exception as error:  # noqa: BLE001 - any end of a generated program is its behaviour
        printed.append(type(error).__name__)
    return printed


def rename(files: dict[str, bytes], old: str, new: str) -> dict[str, bytes] | None:
    found = Rename(old=old, new=new).work(Bench(tree=DictTree(files), covers=lambda _path: True))
    if not isinstance(found, Rewritten):
        return None
    return files | {path: content for path, content in found.files.items() if content is not None}


@settings(max_examples=150, deadline=None)
@given(files=projects(), old=st.sampled_from(["m.run", "m.K.run"]))
def test_behaviour_stays_and_the_way_back_is_exact(files: dict[str, bytes], old: str) -> None:
    """rename(p) behaves as p does; rename back gives p; a file without the name is the same file."""
    result = rename(files, old, "launch")
    if result is None:
        return
    assert behaviour(result, "launch", "run") == behaviour(files, "launch", "run")
    for path, content in files.items():
        assert b"run" in content or result[path] == content
    back = rename(result, old.replace("run", "launch"), "run")
    assert back is None or back == files
