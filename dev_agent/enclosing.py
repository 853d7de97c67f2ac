"""Which definition of a Python source a line lies in. Pure; imports nothing of ours but the parser."""

from __future__ import annotations

import ast

from dev_agent.python_text import parsed

Spans = list[tuple[int, int, str]]
"""(first line, last line, dotted name) of every class and function, decorators included; lines count from 1."""


def definitions(source: bytes) -> Spans:
    """The classes and functions of a source; empty for what does not parse."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return definitions_in(tree)


def definitions_in(tree: ast.AST) -> Spans:
    """The classes and functions of a source that was parsed."""
    spans: Spans = []
    pending: list[tuple[ast.AST, str]] = [(tree, "")]
    while pending:
        node, prefix = pending.pop()
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{prefix}.{child.name}" if prefix else child.name
                first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
                spans.append((first, child.end_lineno or child.lineno, name))
            pending.append((child, name))
    return spans


def enclosing(spans: Spans, line: int) -> str:
    """The dotted name of the innermost definition around a line, "" at module level."""
    around = [span for span in spans if span[0] <= line <= span[1]]
    return max(around, key=lambda span: (span[0], -span[1]), default=(0, 0, ""))[2]
