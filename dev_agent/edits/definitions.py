"""Where the definitions of a Python source begin and end, and which of its lines lie inside strings.

LibCST says so; lines are 0-based. It is imported when the first source is read, because importing it is slow.

A definition is its decorators, its header and its body, with comments that are indented like its body. A comment above
it is not part of it. A name is qualified by the classes and functions around it: "Cart.total", "outer.inner".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.edits.text import escaped, indentation
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import libcst


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One definition: lines [start, end), 0-based, decorators included; `line` that of its `def` or `class`."""

    name: str
    line: int
    start: int
    end: int
    decorated: bool


def definitions(source: str) -> list[Definition]:
    """Return all definitions of a Python source in the order of their lines.

    Raises ValueError if LibCST cannot read it.
    """
    return [_definition(node, name, source, positions) for node, name, positions in _nodes(source)]


def is_one(source: str, *, below: bool) -> bool:
    """Return whether a source that can be read is one definition and comments, `below` an `if` that is all there is."""
    import libcst  # noqa: PLC0415 -- slow; only symbol edits need it

    body: Sequence[object] = libcst.parse_module(source).body
    if below:
        block = body[0] if len(body) == 1 else None
        body = block.body.body if isinstance(block, libcst.If) and block.orelse is None else ()
    return len(body) == 1 and isinstance(body[0], libcst.FunctionDef | libcst.ClassDef)


def string_lines(source: str) -> set[int]:
    """Return the lines, 0-based, that begin inside a string which is no docstring."""
    import libcst  # noqa: PLC0415 -- slow; only symbol edits need it

    module, positions = _positions(source)
    kinds = (libcst.SimpleString, libcst.FormattedString, libcst.TemplatedString)
    inside: set[int] = set()
    stack: list[libcst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        if isinstance(node, libcst.Expr) and isinstance(node.value, libcst.SimpleString):
            continue
        if isinstance(node, kinds):
            first, last = positions[node]
            inside.update(range(first + 1, last + 1))
        stack += node.children
    return inside


def _nodes(source: str) -> Iterator[tuple[libcst.FunctionDef | libcst.ClassDef, str, _Positions]]:
    import libcst  # noqa: PLC0415 -- slow; only symbol edits need it

    module, positions = _positions(source)
    stack: list[tuple[libcst.CSTNode, str]] = [(module, "")]
    while stack:
        node, prefix = stack.pop()
        if isinstance(node, libcst.FunctionDef | libcst.ClassDef):
            yield node, prefix + node.name.value, positions
            prefix += node.name.value + "."
        stack += ((child, prefix) for child in reversed(node.children))


@dataclass(frozen=True, slots=True)
class _Positions:
    """Where nodes are, as [first, last] lines, 0-based."""

    of: dict[int, tuple[int, int]]

    def __getitem__(self, node: libcst.CSTNode) -> tuple[int, int]:
        return self.of[id(node)]


def _positions(source: str) -> tuple[libcst.Module, _Positions]:
    import libcst  # noqa: PLC0415 -- slow; only symbol edits need it
    from libcst.metadata import MetadataWrapper, PositionProvider  # noqa: PLC0415 -- slow; only symbol edits need it

    try:
        wrapper = MetadataWrapper(libcst.parse_module(source), unsafe_skip_copy=True)
        found = wrapper.resolve(PositionProvider)
    except libcst.ParserSyntaxError as error:
        raise ValueError(f"line {error.raw_line}: {escaped(error.message)}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return wrapper.module, _Positions(
        {id(node): (place.start.line - 1, place.end.line - 1) for node, place in found.items()}
    )


def _definition(
    node: libcst.FunctionDef | libcst.ClassDef, name: str, source: str, positions: _Positions
) -> Definition:
    line, last = positions[node]
    start = min([line, *(positions[decorator][0] for decorator in node.decorators)])
    return Definition(
        name=name, line=line, start=start, end=_end(source, line, last + 1), decorated=bool(node.decorators)
    )


def _end(source: str, line: int, end: int) -> int:
    """Return the end of a definition with the comments after it that are indented like its body."""
    lines = source.split("\n")
    margin = len(indentation(lines[line]))
    at = end
    while at < len(lines) and (not lines[at].strip() or lines[at].lstrip(" \t").startswith("#")):
        if lines[at].strip():
            if len(indentation(lines[at])) <= margin:
                break
            end = at + 1
        at += 1
    return end
