"""Which Python files of a project hold a word: what a rename has to answer for, looked at from outside."""

from __future__ import annotations

import re
from pathlib import Path


def python_files_with(word: str, project: Path) -> tuple[str, ...]:
    """The files, sorted, with `word` as a whole word in code, in a string, anywhere; hidden folders are left out."""
    whole = re.compile(rf"\b{re.escape(word)}\b")
    found = (path for path in sorted(project.rglob("*.py")) if whole.search(path.read_text(encoding="utf-8")))
    names = (path.relative_to(project).as_posix() for path in found)
    return tuple(name for name in names if not name.startswith("."))
