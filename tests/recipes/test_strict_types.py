"""The complaints of a real mypy --strict become fewer, never more, and what is left is told."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mypy import api

from dev_agent.recipes.model import Complaint, Declined, Rewritten
from tests.recipes.support import MODERN, project, work

TASK = "fix the strict mypy errors"


@dataclass
class Mypy:
    """A checker that writes the files to a folder and runs mypy there; `asked` counts."""

    folder: Path
    files: Mapping[str, str]
    python: str = "3.11"
    asked: int = 0
    counts: list[int] = field(default_factory=list)

    def __call__(self, rewriting: Rewritten) -> tuple[Complaint, ...]:
        self.asked += 1
        names = [name for name in self.files if name.endswith(".py")]
        for name in names:
            content = rewriting.files.get(name)
            (self.folder / name).write_bytes(self.files[name].encode() if content is None else content)
            # mypy believes its cache where size and second are the same.
            os.utime(self.folder / name, (self.asked, self.asked))
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            said, _, _ = api.run(
                [
                    "--strict",
                    "--output=json",
                    f"--cache-dir={self.folder.parent / 'mypy'}",
                    "--config-file=",
                    f"--python-version={self.python}",
                    *names,
                ]
            )
        finally:
            os.chdir(here)
        found = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        complaints = tuple(
            Complaint(
                path=each["file"],
                line=each["line"],
                column=each["column"],
                code=each["code"],
                message=each["message"],
            )
            for each in found
            if each["severity"] == "error"
        )
        self.counts.append(len(complaints))
        return complaints


def fixed(folder: Path, text: str, python: str = "3.11") -> tuple[str, Rewritten, Mypy]:
    files = {"pyproject.toml": project(python), "app.py": text}
    mypy = Mypy(folder, files, python if python == "3.11" else "3.10")
    result = work(TASK, files, checker=mypy)
    assert isinstance(result, Rewritten), result
    content = result.files.get("app.py")
    return text if content is None else content.decode(), result, mypy


def test_the_commonest_complaints_go_together(tmp_path: Path) -> None:
    text = (
        "import re\n"
        "from collections.abc import Callable\n"
        "from typing import cast\n"
        "\n"
        "\n"
        "class Box:\n"
        "    def __init__(self, items: list, size: int = None):\n"
        "        self.items = items\n"
        "        self.size = size\n"
        "\n"
        "    def show(self, how: Callable = None, table: dict = None):\n"
        "        print(how, table)\n"
        "\n"
        "\n"
        "def find(pattern: re.Pattern, pair: tuple, kind: type, text: str) -> 'list':\n"
        "    number = 1  # type: ignore[attr-defined]\n"
        "    word = cast(str, text)\n"
        "    return [pattern, pair, kind, number, word + cast(str, text)]\n"
    )
    after, result, mypy = fixed(tmp_path, text)
    assert after == (
        "import re\n"
        "from collections.abc import Callable\n"
        "from typing import Any\n"
        "\n"
        "\n"
        "class Box:\n"
        "    def __init__(self, items: list[Any], size: int | None = None):\n"
        "        self.items = items\n"
        "        self.size = size\n"
        "\n"
        "    def show(self, how: Callable[..., Any] | None = None, table: dict[Any, Any] | None = None) -> None:\n"
        "        print(how, table)\n"
        "\n"
        "\n"
        "def find(pattern: re.Pattern[Any], pair: tuple[Any, ...], kind: type, text: str) -> 'list[Any]':\n"
        "    number = 1\n"
        "    word = text\n"
        "    return [pattern, pair, kind, number, word + text]\n"
    )
    assert mypy.counts[-1] == 0
    assert result.notes[0] == f"mypy --strict: {mypy.counts[0]} complaints before, 0 after"


def test_old_pythons_get_syntax_they_can_evaluate(tmp_path: Path) -> None:
    after, _, mypy = fixed(tmp_path, "def f(x: int = None, y: list = None) -> None: ...\n", python="3.8")
    assert after == (
        "from typing import Any, List, Optional\n\n"
        "def f(x: Optional[int] = None, y: Optional[List[Any]] = None) -> None: ...\n"
    )
    assert mypy.counts[-1] == 0


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("x = 1  # type: ignore\n", "x = 1\n"),
        ("x = 1  # type: ignore[assignment]  # why\n", "x = 1  # why\n"),
        (
            "x: int = 'a'  # type: ignore[assignment, attr-defined]\n",
            "x: int = 'a'  # type: ignore[assignment]\n",
        ),
        ("x: int = 'a'  # type: ignore[assignment]\n", "x: int = 'a'  # type: ignore[assignment]\n"),
        ("x = 1  # keep # type: ignore\n", "x = 1  # keep # type: ignore\n"),
    ],
)
def test_exactly_the_codes_that_ignore_nothing_go(tmp_path: Path, before: str, expected: str) -> None:
    assert fixed(tmp_path, before)[0] == expected


def test_what_is_left_is_counted_by_code_and_named_by_place(tmp_path: Path) -> None:
    _, result, mypy = fixed(tmp_path, "def f():\n    print()\n\n\nx: int = 'a'\n")
    assert mypy.counts == [2, 1]
    assert result.notes == ("mypy --strict: 2 complaints before, 1 after", "left: 1 assignment")
    assert [(place.path, place.line) for place in result.places] == [("app.py", 5)]


def test_a_step_that_adds_complaints_is_taken_back_and_the_rest_is_kept(tmp_path: Path) -> None:
    # `-> None` would be one complaint less here and two more at the uses.
    text = "def f(x: int):\n    print(x)\n\n\na = f(1)\nb = f(2)\nc: list = []\n"
    after, result, mypy = fixed(tmp_path, text)
    assert after == "from typing import Any\n" + "\n" + text.replace("list", "list[Any]")
    assert max(mypy.counts) > mypy.counts[0], "the step that was taken back was tried"
    assert result.notes[0] == "mypy --strict: 2 complaints before, 1 after"


def test_files_outside_the_path_are_not_touched(tmp_path: Path) -> None:
    files = {"pyproject.toml": MODERN, "a.py": "def f():\n    print()\n", "b.py": "def g():\n    print()\n"}
    result = work(TASK, files, checker=Mypy(tmp_path, files), covers=lambda path: path == "b.py")
    assert isinstance(result, Rewritten)
    assert set(result.files) == {"b.py"}


def test_it_asks_no_more_than_a_bounded_number_of_times(tmp_path: Path) -> None:
    class Never(Mypy):
        """Complains of every function, and whenever it is asked again of something new in the next one."""

        def __call__(self, rewriting: Rewritten) -> tuple[Complaint, ...]:
            self.asked += 1
            untyped = [
                Complaint(path="a.py", line=line, column=0, code="no-untyped-def", message="missing")
                for line in range(1, 200, 2)
            ]
            new = Complaint(path="a.py", line=2 * self.asked, column=0, code="misc", message="new")
            return (*untyped, new) if rewriting.files else tuple(untyped)

    files = {"a.py": "".join(f"def f{number}():\n    print()\n" for number in range(100))}
    checker = Never(tmp_path, files)
    work(TASK, files, checker=checker)
    assert checker.asked == 24


def test_a_clean_project_is_left_as_it_is(tmp_path: Path) -> None:
    after, result, mypy = fixed(tmp_path, "x = 1\n")
    assert (after, result.empty, mypy.asked) == ("x = 1\n", True, 1)


def test_without_a_type_checker_it_declines() -> None:
    result = work(TASK, {"a.py": "def f():\n    print()\n"})
    assert isinstance(result, Declined)
    assert result.code == "no_type_checker"
