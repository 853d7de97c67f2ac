"""Annotations are added where the code itself makes them certain, and nowhere else."""

from __future__ import annotations

import pytest

from tests.recipes.support import rewritten, text_after

TASK = "add type annotations"


def after(text: str, python: str = "3.11") -> str:
    return text_after(TASK, text, python=python)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("def f(x):\n    print(x)\n", "def f(x) -> None:\n    print(x)\n"),
        ("def f(x): print(x)\n", "def f(x) -> None: print(x)\n"),
        ("async def f():\n    return\n", "async def f() -> None:\n    return\n"),
        ("def f(\n    a,  # (\n    b=')',\n):\n    print()\n",
         "def f(\n    a,  # (\n    b=')',\n) -> None:\n    print()\n"),
        ("def f(x=(1, [2])) :\n    del x\n", "def f(x=(1, [2])) -> None :\n    del x\n"),
        ("def f(x):\n    return x is None\n", "def f(x) -> bool:\n    return x is None\n"),
        ("def f():\n    return f'{1}' + 'a'\n", "def f() -> str:\n    return f'{1}' + 'a'\n"),
        ("def f(x):\n    return len(x)\n", "def f(x) -> int:\n    return len(x)\n"),
        ("def f(x):\n    if x:\n        return 'a'\n",
         "def f(x) -> str | None:\n    if x:\n        return 'a'\n"),
        ("class A:\n    def __init__(self):\n        pass\n",
         "class A:\n    def __init__(self) -> None:\n        pass\n"),
        ("class A:\n    def __repr__(self):\n        return self.x\n",
         "class A:\n    def __repr__(self) -> str:\n        return self.x\n"),
        ("class A:\n    @property\n    def x(self):\n        return 1\n",
         "class A:\n    @property\n    def x(self) -> int:\n        return 1\n"),
        ("def outer():\n    def inner():\n        return 1\n    return inner\n",
         "def outer():\n    def inner() -> int:\n        return 1\n    return inner\n"),
    ],
)  # fmt: skip
def test_what_is_certain_is_written(before: str, expected: str) -> None:
    assert after(before) == expected


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    yield 1\n",
        "def f(): ...\n",
        "def f():\n    raise NotImplementedError\n",
        "def f():\n    raise ValueError('never returns')\n",
        "def f():\n    while True:\n        g()\n",
        "def f(x):\n    return x\n",
        "def f(x):\n    return x == 1\n",
        "def f(x):\n    if x:\n        return 1\n    return 'a'\n",
        "def f(x):\n    with x:\n        return 1\n",
        "def f(x):\n    # type: (int) -> None\n    print(x)\n",
        "def f():\n    len = g\n    return len(1)\n",
        "def f(n: int):\n    n = g()\n    return n\n",
        "class str: ...\ndef f():\n    return 'a'\n",
        "from typing import overload\n@overload\ndef f(): ...\n",
        "from abc import abstractmethod\nclass A:\n    @abstractmethod\n    def f(self):\n        print()\n",
        "@app.get('/')\ndef f():\n    return 'a'\n",
        "lambda: None\n",
    ],
)
def test_what_is_not_certain_stays(text: str) -> None:
    assert after(text) == text


@pytest.mark.parametrize("other", ["return 5", "yield", "return self.x"])
def test_a_method_that_a_subclass_in_another_file_gives_a_value_stays(other: str) -> None:
    files = {
        "a.py": "class Base:\n    def go(self):\n        print()\n\n    def stop(self):\n        print()\n",
        "b.py": f"from a import Base\nclass Mid(Base): ...\nclass Sub(Mid):\n    def go(self):\n        {other}\n",
    }
    after_all = rewritten(TASK, files).files
    assert after_all == {
        "a.py": b"class Base:\n    def go(self):\n        print()\n\n    def stop(self) -> None:\n        print()\n"
    }


def test_the_parameters_of_exit_are_known() -> None:
    text = "class A:\n    def __exit__(self, kind, value, traceback):\n        self.close()\n"
    assert after(text) == (
        "from types import TracebackType\n\nclass A:\n    def __exit__(self, kind: type[BaseException] | None, "
        "value: BaseException | None, traceback: TracebackType | None) -> None:\n        self.close()\n"
    )


def test_before_python_3_10_optional_is_spelled_out_and_imported() -> None:
    text = "import os\n\ndef f(x):\n    if x:\n        return os.name and 'a'\n    if not x:\n        return 'b'\n"
    plain = "def f(x):\n    if x:\n        return 'b'\n"
    assert after(plain, "3.9") == (
        "from typing import Optional\n\ndef f(x) -> Optional[str]:\n    if x:\n        return 'b'\n"
    )
    assert after(text, "3.9") == text


def test_parameters_are_typed_after_their_defaults_only_if_asked() -> None:
    text = "def f(a, b=1, *, c='x', d=None, e=0.5, g: int=3):\n    return a\n"
    assert after(text) == text
    assert text_after("add type annotations from defaults", text) == (
        "def f(a, b: int = 1, *, c: str = 'x', d=None, e: float = 0.5, g: int=3):\n    return a\n"
    )
