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


class PythonSource:
    """A Python source, read once. Raises ValueError if LibCST cannot read it."""

    def __init__(self, source: str) -> None:
        self._lines = source.split("\n")
        self._module, self._positions = _read(source)

    def definitions(self) -> list[Definition]:
        """Return all definitions in the order of their lines."""
        return [self._definition(node, name) for node, name in self._nodes()]

    def is_one(self, *, below: bool) -> bool:
        """Return whether it is one definition and comments, `below` an `if` that is all there is."""
        import libcst  # noqa: PLC0415 -- slow; only symbol edits need it

        body: Sequence[object] = self._module.body
        if below:
            block = body[0] if len(body) == 1 else None
            body = block.body.body if isinstance(block, libcst.If) and block.orelse is None else ()
        return len(body) == 1 and isinstance(body[0], libcst.FunctionDef | libcst.ClassDef)

    def string_lines(self) -> set[int]:
        """Return the lines, 0-based, that begin inside a string which is no docstring."""
        import libcst  # noqa: PLC0415 -- slow; only symbol edits need it

        kinds = (libcst.SimpleString, libcst.FormattedString, libcst.TemplatedString)
        inside: set[int] = set()
        stack: list[libcst.CSTNode] = [self._module]
        while stack:
            node = stack.pop()
            if isinstance(node, libcst.Expr) and isinstance(node.value, libcst.SimpleString):
                continue
            if isinstance(node, kinds):
                first, last = self._positions[id(node)]
                inside.update(range(first + 1, last + 1))
            stack += node.children
        return inside

    def _nodes(self) -> Iterator[tuple[libcst.FunctionDef | libcst.ClassDef, str]]:
        import libcst  # noqa: PLC0415 -- slow; only symbol edits need it

        stack: list[tuple[libcst.CSTNode, str]] = [(self._module, "")]
        while stack:
            node, prefix = stack.pop()
            if isinstance(node, libcst.FunctionDef | libcst.ClassDef):
                yield node, prefix + node.name.value
                prefix += node.name.value + "."
            stack += ((child, prefix) for child in reversed(node.children))

    def _definition(self, node: libcst.FunctionDef | libcst.ClassDef, name: str) -> Definition:
        line, last = self._positions[id(node)]
        start = min([line, *(self._positions[id(decorator)][0] for decorator in node.decorators)])
        end = self._end(line, last + 1)
        return Definition(name=name, line=line, start=start, end=end, decorated=bool(node.decorators))

    def _end(self, line: int, end: int) -> int:
        """Return the end of a definition with the comments after it that are indented like its body."""
        lines = self._lines
        margin = len(indentation(lines[line]))
        at = end
        while at < len(lines) and (not lines[at].strip() or lines[at].lstrip(" \t").startswith("#")):
            if lines[at].strip():
                if len(indentation(lines[at])) <= margin:
                    break
                end = at + 1
            at += 1
        return end


def _read(source: str) -> tuple[libcst.Module, dict[int, tuple[int, int]]]:
    """Return the module, and where its nodes are by their ids, as [first, last] lines, 0-based."""
    import libcst  # noqa: PLC0415 -- slow; only symbol edits need it
    from libcst.metadata import MetadataWrapper, PositionProvider  # noqa: PLC0415 -- slow; only symbol edits need it

    try:
        wrapper = MetadataWrapper(libcst.parse_module(source), unsafe_skip_copy=True)
        found = wrapper.resolve(PositionProvider)
    except libcst.ParserSyntaxError as error:
        raise ValueError(f"line {error.raw_line}: {escaped(error.message)}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    places = {id(node): (place.start.line - 1, place.end.line - 1) for node, place in found.items()}
    return wrapper.module, places
