"""The package on which stock tools broke three of three renames: each thing they missed, right here."""

# ruff: noqa: E501 - programs in a table, a line each

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dev_agent.recipes.model import Rewritten
from tests.recipes.renaming.support import after, answer, as_bytes, mypy, refused, renamed, write

CORE = '''"""Engines: run_all and Engine.start are described here."""

from __future__ import annotations

__all__ = ["Engine", "LIMIT", "run_all"]
LIMIT = 3


class Engine:
    """An Engine can start."""

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self) -> str:
        return f"{self.name} started"

    def restart(self) -> str:
        return self.start()


def run_all(engines: list[Engine]) -> list[str]:
    return [engine.start() for engine in engines[:LIMIT]]


def first(engines: "list[Engine]") -> "Engine":
    return engines[0]
'''
INIT = 'from pkg.core import LIMIT, Engine, run_all\n\n__all__ = ["LIMIT", "Engine", "run_all"]\n'
USE = """from __future__ import annotations

import pkg.core as c
from pkg import Engine as E
from pkg import run_all
from pkg.core import run_all as go


def main() -> list[str]:
    e = E("one")
    made: "c.Engine" = c.Engine("two")
    print(e.start(), made.start(), c.LIMIT)
    return run_all([e]) + go([made]) + c.run_all([e, made])


if __name__ == "__main__":
    print(main())
"""
FILES = {"pkg/__init__.py": INIT, "pkg/core.py": CORE, "pkg/use.py": USE}
DYNAMIC = FILES | {
    "pkg/late.py": 'import pkg.core\nfrom pkg import Engine\n\nprint(getattr(pkg.core, "run_all"))\nprint(getattr(Engine("x"), "start"))\n'
}


def run(files: dict[str, bytes], folder: Path) -> str:
    write(files, folder)
    command = [sys.executable, "-B", "-W", "error", "-m", "pkg.use"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_function_definition_reexport_imports_aliases_and_all() -> None:
    changed = renamed(FILES, "rename function run_all to run_every")
    assert changed["pkg/__init__.py"] == INIT.replace("run_all", "run_every")
    assert changed["pkg/use.py"] == USE.replace("run_all", "run_every")
    assert changed["pkg/core.py"] == CORE.replace('"run_all"]', '"run_every"]').replace(
        "def run_all", "def run_every"
    )


def test_method_on_self_on_elements_and_on_objects_made_in_another_module() -> None:
    changed = renamed(FILES, "rename Engine.start to launch")
    assert set(changed) == {"pkg/core.py", "pkg/use.py"}
    assert changed["pkg/use.py"] == USE.replace(".start()", ".launch()")
    expected = CORE.replace("def start", "def launch").replace(".start()", ".launch()")
    assert changed["pkg/core.py"] == expected


def test_class_with_string_annotations_all_and_alias_import() -> None:
    changed = renamed(FILES, "rename class pkg.core.Engine to Motor")
    assert changed["pkg/__init__.py"] == INIT.replace("Engine", "Motor")
    assert changed["pkg/use.py"] == USE.replace("Engine", "Motor")
    documented = CORE.replace("Engine", "Motor").replace(
        "run_all and Motor.start", "run_all and Engine.start"
    )
    assert changed["pkg/core.py"] == documented.replace("An Motor can", "An Engine can").replace(
        "Motors:", "Engines:"
    )


def test_constant() -> None:
    changed = renamed(FILES, "rename pkg.core.LIMIT to CEILING")
    assert changed == {path: text.replace("LIMIT", "CEILING") for path, text in FILES.items()}


def test_module() -> None:
    changed = renamed(FILES, "rename module pkg.core to pkg.kernel")
    assert changed == {
        "pkg/__init__.py": INIT.replace("pkg.core", "pkg.kernel"),
        "pkg/use.py": USE.replace("pkg.core", "pkg.kernel"),
    }


@pytest.mark.parametrize(
    ("task", "line"),
    [("rename run_all to run_every", 4), ("rename Engine.start to launch", 5)],
    ids=["function", "method"],
)
def test_getattr_is_refused_and_named(task: str, line: int) -> None:
    found = refused(DYNAMIC, task)
    assert found.code == "dynamic_use"
    assert [(one.path, one.line) for one in found.places] == [("pkg/late.py", line)]
    assert "getattr" in found.places[0].text


@pytest.mark.parametrize(
    "task",
    [
        "rename function run_all to run_every",
        "rename method Engine.start to launch",
        "rename class Engine to Motor",
        "rename LIMIT to CEILING",
        "rename module core to kernel",
        "rename Engine.name to label",
        "rename main to entry",
        "rename package pkg to package",
    ],
)
def test_program_prints_the_same_and_types_still_hold(task: str, tmp_path: Path) -> None:
    before = as_bytes(FILES)
    found = answer(FILES, task)
    assert isinstance(found, Rewritten)
    result = after(before, found)
    if "package pkg" in task:
        moved = {
            path.replace("package/", "pkg/"): text.replace(b"package", b"pkg")
            for path, text in result.items()
        }
        assert moved == before
        return
    assert run(result, tmp_path / "after") == run(before, tmp_path / "before")
    assert mypy(result, tmp_path)(Rewritten(files={})) == ()
