"""Where definitions begin and end: what it takes to show one of them and nothing else.

Python by `ast`, decorators included; of other languages, and of Python that does not parse, a definition reaches to the
next line of the outline that is not nested in it. Names are qualified by what they are nested in: `Bill.total`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dev_agent.context.entry import SIGNATURE_WORDS
from dev_agent.context.outline import outline_of
from dev_agent.context.plain import lines_of
from dev_agent.python_text import parsed, type_statement
from dev_agent.values import dataclass

_MOST = 3_000
_DEEPEST = 6
_NAME = re.compile(r"[^\W\d]\w{0,80}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A definition: its qualified name, and its first and last line, counted from 1."""

    name: str
    first: int
    last: int

    @property
    def length(self) -> int:
        """How many lines it has."""
        return self.last - self.first + 1

    def is_called(self, name: str) -> bool:
        """Whether a qualified name, or the end of one, means this."""
        return self.name == name or self.name.endswith(f".{name}")


def blocks_of(path: str, text: str) -> tuple[Block, ...]:
    """The definitions of a file in the order of their first lines, outer ones first; at most 3,000."""
    found = _python(text) if path.endswith((".py", ".pyi", ".pyw")) else None
    return found if found is not None else _plain(path, text)


def _python(text: str) -> tuple[Block, ...] | None:
    try:
        tree = parsed(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tuple(block for block, _ in zip(_blocks(tree.body, "", 0), range(_MOST), strict=False))


def _bound(node: ast.stmt) -> ast.Name | None:
    """The one name that an assignment or a `type` statement gives a value."""
    if (stated := type_statement(node)) is not None:
        return stated[0]
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(target, ast.Name) else None


def _blocks(body: list[ast.stmt], within: str, depth: int) -> Iterator[Block]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            yield Block(name=f"{within}{node.name}", first=first, last=node.end_lineno or node.lineno)
            if isinstance(node, ast.ClassDef) and depth < _DEEPEST:
                yield from _blocks(node.body, f"{within}{node.name}.", depth + 1)
        elif (target := _bound(node)) is not None:
            yield Block(name=f"{within}{target.id}", first=node.lineno, last=node.end_lineno or node.lineno)
        elif isinstance(node, ast.If | ast.Try) and depth < _DEEPEST:
            inner = [*node.body, *node.orelse]
            handlers = node.handlers if isinstance(node, ast.Try) else []
            yield from _blocks(
                [*inner, *(one for handler in handlers for one in handler.body)], within, depth + 1
            )


def _plain(path: str, text: str) -> tuple[Block, ...]:
    symbols = outline_of(path, text).symbols
    end = len(lines_of(text))
    found = []
    over: list[tuple[int, str]] = []
    for at, symbol in enumerate(symbols):
        name = next((one for one in _NAME.findall(symbol.text) if one.lower() not in SIGNATURE_WORDS), "")
        while over and over[-1][0] >= symbol.depth:
            over.pop()
        following = (one.line - 1 for one in symbols[at + 1 :] if one.depth <= symbol.depth)
        last = max(symbol.line, next(following, end))
        if name:
            qualified = ".".join([*(outer for _, outer in over), name])
            found.append(Block(name=qualified, first=symbol.line, last=last))
            over.append((symbol.depth, name))
    return tuple(found)
