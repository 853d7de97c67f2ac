"""Types are written as the oldest Python of the project allows, and mean what they meant."""

from __future__ import annotations

import pytest

from tests.recipes.support import project, rewritten, text_after
from tests.testing.pythons import since

TASK = "modernise typing"
FUTURE = "from __future__ import annotations\n"


def after(text: str, python: str = "3.11") -> str:
    return text_after(TASK, text, python=python)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("from typing import List\nx: List[int] = []\n", "x: list[int] = []\n"),
        ("import typing as t\nx: t.Dict[str, t.Any] = {}\n",
         "import typing as t\nx: dict[str, t.Any] = {}\n"),
        ("from typing import Optional\ndef f(a: Optional[int]) -> Optional[str]: ...\n",
         "def f(a: int | None) -> str | None: ...\n"),
        ("from typing import Union\nx: Union[int, str, None]\n", "x: int | str | None\n"),
        ("from typing import Union\nx: Union[int]\n", "x: int\n"),
        ("from typing import Optional, Union\nx: Optional[Union[int, None]]\n", "x: int | None\n"),
        ("from typing import Optional, List, Dict\nx: Optional[Dict[str, List[Optional[int]]]]\n",
         "x: dict[str, list[int | None]] | None\n"),
        ("from typing import Optional\nx: 'Optional[int]'\n", "x: 'int | None'\n"),
        ("from typing import Callable, Any\nx: Callable[..., Any]\n",
         "from typing import Any\nfrom collections.abc import Callable\nx: Callable[..., Any]\n"),
        ("from typing import Union\nx: Union[\n    int,  # a number\n    str,\n]\n",
         "x: (\n    int |  # a number\n    str\n)\n"),
        ("from typing import Optional\nX = Optional[int]\n", "X = int | None\n"),
        ("import re\nfrom typing import Pattern\nx: Pattern[str]\n", "import re\nx: re.Pattern[str]\n"),
        ("from typing import Deque\nx: Deque[int]\n", "from collections import deque\nx: deque[int]\n"),
        ("from typing import Text\nx: Text\n", "x: str\n"),
        ("from typing import cast, List\nx = cast(List[int], y)\n",
         "from typing import cast\nx = cast(list[int], y)\n"),
    ],
)  # fmt: skip
def test_types_are_written_as_today(before: str, expected: str) -> None:
    assert _lines(after(before)) == _lines(expected)


@pytest.mark.parametrize(
    "text",
    [
        "from typing import Optional\nx: Optional['A']\n",
        "from typing import Union\nX = Union[int, 'A']\n",
        "from typing import Optional\nimport threading\nx: Optional[threading.Lock] = None\n",
        "from typing import Optional\nx: Optional[callable] = None\n",
        "from typing import Optional\ndef make(): ...\nx: Optional[make] = None\n",
        "from typing import Optional\nx: Optional[None] = None\n",
        "from typing import List\nclass A:\n    def list(self) -> List[int]: ...\n",
        "from typing import List\ntype = 1\nlist = 2\nx: List[int]\n",
        "from typing import Iterable\nx: Iterable[int]\nclass A(Iterable[int]): ...\n",
        "from typing import List\nclass A(List[int]): ...\n",
        "from typing import Literal\nx: Literal['Optional[int]']\n",
        "from typing import Optional\nOptional = 3\nx: Optional[int]\n",
        "def f():\n    from typing import List\n    x: List[int] = []\n",
        "from other import Optional\nx: Optional[int]\n",
        "from typing import Callable  # noqa\nx: Callable[..., int]\n",
    ],
)
def test_what_would_mean_something_else_stays(text: str) -> None:
    assert after(text) == text


def test_before_python_3_10_evaluated_unions_stay_and_generics_change() -> None:
    text = "from typing import List, Optional\nx: Optional[List[int]]\n"
    assert after(text, "3.9") == "from typing import Optional\nx: Optional[list[int]]\n"
    assert after(text, "3.8") == text


def test_what_is_never_evaluated_changes_on_every_python() -> None:
    text = FUTURE + "from typing import List, Optional\nx: Optional[List[int]]\nY = Optional[int]\n"
    assert (
        after(text, "3.8") == FUTURE + "from typing import Optional\nx: list[int] | None\nY = Optional[int]\n"
    )


def test_old_pythons_keep_annotations_that_somebody_reads_at_run_time() -> None:
    text = FUTURE + "from typing import Optional\nx: Optional[int]\n"
    files = {"pyproject.toml": '[project]\nrequires-python = ">=3.8"\n', "a.py": text}
    assert not rewritten(TASK, files).empty
    assert rewritten(TASK, {**files, "b.py": "import pydantic\n"}).empty


def test_a_name_another_file_takes_from_here_stays_imported() -> None:
    text = "from typing import Optional, List\nx: Optional[List[int]]\n"
    result = rewritten(TASK, {"types.py": text, "b.py": "from types import Optional\nprint(Optional)\n"})
    assert result.files["types.py"] == b"from typing import Optional\nx: list[int] | None\n"


def test_each_place_left_alone_is_named_with_its_reason() -> None:
    result = rewritten(TASK, {"a.py": "from typing import Optional\n\nx: Optional['A']\n"})
    assert [(place.line, "in quotes" in place.text) for place in result.places] == [(3, True)]


_TYPES = "import typing\nfrom typing import Optional\nx: typing.List[int]\ny: Optional[int]\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tests/test_a.py", "import typing as t\ndef test_a():\n    assert f().type is t.List[int]\n"),
        ("tool.py", "from typing import List, get_origin\ndef f(x):\n    return get_origin(x) == List\n"),
        ("tool.py", "def f():\n    import typing\n    return {typing.List[int]: 1}\n"),
        ("tool.py", "import typing\ndef f(x):\n    match x:\n        case typing.List: return 1\n"),
    ],
)
def test_a_generic_that_types_are_compared_with_is_respelled_nowhere(name: str, text: str) -> None:
    files = {"pyproject.toml": project("3.11"), "app.py": _TYPES, name: text}
    result = rewritten(TASK, files)
    assert result.files == {"app.py": b"import typing\nx: typing.List[int]\ny: int | None\n"}
    assert f"compared with List at run time, in {name}" in result.places[0].text


def test_unions_stay_where_the_project_asks_for_the_origin_of_either() -> None:
    asks = "import typing\nprint(typing.get_origin(x) is typing.Union)\n"
    files = {"pyproject.toml": project("3.11"), "app.py": _TYPES, "tool.py": asks}
    assert rewritten(TASK, files).files == {
        "app.py": _TYPES.replace("typing.List", "list", 1).replace("import typing\n", "").encode()
    }
    knows = "import types\n" + asks.replace("typing.Union)", "typing.Union or x is types.UnionType)")
    assert b"int | None" in (rewritten(TASK, {**files, "tool.py": knows}).files["app.py"] or b"")


def test_a_comparison_that_knows_the_builtin_too_is_no_obstacle() -> None:
    asks = "import typing\nprint(typing.get_origin(x) in (list, typing.List))\n"
    files = {"pyproject.toml": project("3.11"), "app.py": _TYPES, "tool.py": asks}
    assert rewritten(TASK, files).files == {"app.py": b"x: list[int]\ny: int | None\n"}


def test_a_test_file_keeps_the_generics_it_hands_around_as_values() -> None:
    text = "from typing import Dict, List\ndef test_a(x: Dict[str, int]):\n    y: List[int]\n    same(List[int])\n"
    files = {"pyproject.toml": project("3.11"), "app.py": "from typing import List\nx: List[int]\n"}
    result = rewritten(TASK, {**files, "tests/test_a.py": text})
    assert result.files["app.py"] == b"x: list[int]\n"
    assert result.files["tests/test_a.py"] == text.replace("Dict, ", "").replace("Dict", "dict").encode()


@pytest.mark.parametrize(
    "text",
    [
        "from typing import *\nx: List[int] = [1]\nprint(x)\n",
        (
            "from typing import Dict, List, Optional, Tuple, Union\n"
            "def f(a: Optional[int] = None, *b: Union[int, str], **c: Dict[str, List[int]]) -> Tuple[int, ...]:\n"
            "    '''Doc.'''\n    return (a or 0, *map(int, b), len(c))\n"
            "print(f(1, '2', 3), f(x=1), sorted(f.__annotations__))\n"
        ),
        (
            "from typing import Callable, Iterator, Mapping\nimport typing\n"
            "def f(g: Callable[[int], int], m: Mapping[str, int]) -> Iterator[int]:\n"
            "    yield from (g(v) for v in m.values())\n"
            "print(list(f(lambda n: n + 1, {'a': 1})), isinstance({}, Mapping))\n"
        ),
    ],
)
def test_the_program_says_the_same_afterwards(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(text, "before", "exec"), {})  # noqa: S102 -- the program above
    before = capsys.readouterr().out
    exec(compile(after(text), "after", "exec"), {})  # noqa: S102 -- the program above
    assert capsys.readouterr().out == before


def _lines(text: str) -> list[str]:
    """Where a new import goes among the others is no matter here."""
    return sorted(text.splitlines())


@since(3, 12)
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (
            "from typing import Optional, List\ntype X[T] = Optional[List[T]]\n",
            "type X[T] = list[T] | None\n",
        ),
        (
            "from typing import Optional\ndef f[T: (Optional[int], str)](x: T) -> 'Optional[T]': ...\n",
            "def f[T: (int | None, str)](x: T) -> 'T | None': ...\n",
        ),
        ("from typing import List\nclass C[T: 'List[int]']: ...\n", "class C[T: 'list[int]']: ...\n"),
    ],
)
def test_type_statements_and_bounds_are_types(before: str, expected: str) -> None:
    assert after(before, "3.12") == expected
