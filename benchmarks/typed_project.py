"""A typed project of fair size, made for measuring: strict-clean, with a test for every module."""

from __future__ import annotations

from pathlib import Path

_SETTINGS = """[project]
name = "ledger"
version = "1"
requires-python = ">=3.11"
[tool.mypy]
strict = true
files = ["src"]
mypy_path = "src"
[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src"]
"""
_MODULE = '''"""Part {number} of the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
{imports}

@dataclass(frozen=True)
class Entry{number}:
    """One entry."""

    name: str
    amount: int
    tags: tuple[str, ...] = ()

    def doubled(self) -> Entry{number}:
        """Twice as much."""
        return Entry{number}(self.name, self.amount * 2, self.tags)


def total_{number}(entries: Iterable[Entry{number}]) -> int:
    """What the entries amount to."""
    return sum(entry.amount for entry in entries)


def by_tag_{number}(entries: Iterable[Entry{number}]) -> dict[str, list[Entry{number}]]:
    """The entries of each tag."""
    found: dict[str, list[Entry{number}]] = {{}}
    for entry in entries:
        for tag in entry.tags:
            found.setdefault(tag, []).append(entry)
    return found
{more}'''
_TEST = """from ledger.part_{number} import Entry{number}, by_tag_{number}, total_{number}


def test_total_{number}() -> None:
    assert total_{number}([Entry{number}("a", count) for count in range(200)]) == 19_900


def test_doubled_{number}() -> None:
    assert Entry{number}("a", {value}).doubled().amount == {value} * 2


def test_by_tag_{number}() -> None:
    entries = [Entry{number}(str(count), count, ("x", str(count % 7))) for count in range(500)]
    assert len(by_tag_{number}(entries)["x"]) == 500
"""


def make_typed_project(root: Path, *, modules: int) -> Path:
    """Write the project below `root` and return it. Every tenth module is imported by the nine after it."""
    package = root / "src" / "ledger"
    package.mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "pyproject.toml").write_text(_SETTINGS)
    (root / ".gitignore").write_text(".mypy_cache/\n.pytest_cache/\n__pycache__/\n.ruff_cache/\n")
    (package / "__init__.py").write_text('"""A ledger."""\n')
    for number in range(modules):
        name = f"{number:03}"
        (package / f"part_{name}.py").write_text(_module(number))
        (root / "tests" / f"test_part_{name}.py").write_text(_TEST.format(number=name, value=number))
    return root


def _module(number: int) -> str:
    base = f"{number - number % 10:03}"
    name = f"{number:03}"
    if base == name:
        return _MODULE.format(number=name, imports="", more="")
    more = (
        f"\n\ndef both_{name}(mine: Entry{name}, other: Entry{base}) -> int:\n"
        f'    """Together."""\n    return mine.amount + total_{base}([other])\n'
    )
    return _MODULE.format(
        number=name, imports=f"\nfrom ledger.part_{base} import Entry{base}, total_{base}\n", more=more
    )
