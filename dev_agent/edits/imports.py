"""Add imports to a Python file with LibCST, which knows docstrings, `__future__` and existing imports.

What is imported already is left as it is: the edit asks for a state, not for a line. All imports of a file
are added at once, because two of them may end in one line. LibCST is imported when the first such edit comes.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dev_agent.edits.alignment import opcodes
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.fit import Fit, inserted
from dev_agent.edits.matching import Place
from dev_agent.edits.model import AddImport
from dev_agent.edits.refused import Refused
from dev_agent.edits.text import FileText, Line, escaped, split_lines
from dev_agent.python_text import parsed
from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One name of an import statement: `from {'.' * level}{module} import {name} as {alias}`."""

    module: str
    name: str | None
    alias: str | None
    level: int


def read_import(statement: str) -> list[Imported]:
    """Return what an import statement imports. Raises ValueError if it is none, or imports `*`."""
    try:
        body = parsed(statement.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        body = []
    if len(body) != 1 or not isinstance(body[0], ast.Import | ast.ImportFrom):
        raise ValueError("is not one import statement")
    made = body[0]
    if any(each.name == "*" for each in made.names):
        raise ValueError("imports *; name what is needed")
    if isinstance(made, ast.Import):
        return [Imported(module=each.name, name=None, alias=each.asname, level=0) for each in made.names]
    return [
        Imported(module=made.module or "", name=each.name, alias=each.asname, level=made.level)
        for each in made.names
    ]


def imported(file: FileText, path: str, edits: Sequence[AddImport]) -> Fit:
    """Return the fit of all added imports of a file. `path` is for messages. Raises Refused."""
    if not file.utf8 or any("\r" in content for content, _ in file.lines):
        raise Refused(
            ProblemCode.ENCODING,
            f"{path} is not UTF-8 with ordinary line ends; imports are not added to it",
            "edit it by lines",
        )
    try:
        wanted = [each for edit in edits for each in read_import(edit.statement)]
        new = _with_imports("".join(content + "\n" for content, _ in file.lines), wanted)
    except ValueError as error:
        message = f"no import can be added to {path}: {error}"
        raise Refused(ProblemCode.NOT_A_DEFINITION, message, "send one import statement an edit") from None
    return _changed(file, split_lines(new))


def _with_imports(source: str, wanted: Sequence[Imported]) -> str:
    import libcst  # noqa: PLC0415 -- slow; only symbol edits need it
    from libcst.codemod import CodemodContext  # noqa: PLC0415 -- slow; only symbol edits need it
    from libcst.codemod.visitors import AddImportsVisitor  # noqa: PLC0415 -- slow; only symbol edits need it

    context = CodemodContext()
    for each in wanted:
        AddImportsVisitor.add_needed_import(context, each.module, each.name, each.alias, each.level)
    try:
        return AddImportsVisitor(context).transform_module(libcst.parse_module(source)).code
    except libcst.ParserSyntaxError as error:
        raise ValueError(f"line {error.raw_line}: {escaped(error.message)}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _changed(file: FileText, new: list[Line]) -> Fit:
    """Return the fit that covers no more than the lines that change."""
    old = [content for content, _ in file.lines]
    codes = [code for code in opcodes(old, [content for content, _ in new]) if not code[0]]
    if not codes:
        return Fit(place=Place(start=0, end=0), old=[], new=[])
    _, start, _, new_start, _ = codes[0]
    _, _, end, _, new_end = codes[-1]
    lines = new[new_start:new_end]
    if start == end:
        return inserted(file, start, [(content, "\n") for content, _ in lines])
    return Fit(place=Place(start=start, end=end), old=list(file.lines[start:end]), new=lines)
