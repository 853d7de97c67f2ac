"""Somebody else's Python source as a syntax tree, without a word, and which Python it is read as.

dev-agent reads source with the parser of the Python it runs on. Syntax that came later is a syntax error to it, however
well the project's own Python reads the file; whoever says that a file does not parse says `READ_AS` with it.

Parsing warns of what it finds odd (`"\\d"`, `1 is x`): on stderr from Python 3.12 on, between the JSON lines of a run,
and as a syntax error where the caller's environment makes errors of warnings. Neither is about dev-agent.

Imports nothing of ours and does nothing when imported.
"""

from __future__ import annotations

import ast
import sys
import threading
import warnings
from typing import Final

OWN: Final = (sys.version_info[0], sys.version_info[1])
"""The language this process reads, as (3, 11)."""

READ_AS: Final = f"Python {OWN[0]}.{OWN[1]}"
NEWER_SYNTAX: Final = (
    f"syntax newer than {READ_AS} is read only by a dev-agent installed with the newer Python"
)
"""The remedy where the source may be right, and only newer than this process."""

# The filters are the whole process's: two threads that set and restore them in turns would leave them changed.
_FILTERS: Final = threading.Lock()


def parsed(source: str | bytes) -> ast.Module:
    """The tree of a module. Raises as `ast.parse`: SyntaxError, ValueError, RecursionError or MemoryError."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def type_statement(node: ast.AST) -> tuple[ast.Name, ast.expr] | None:
    """Name and value of `type Name = value` (PEP 695); None for any other node.

    Told by the name of the node's class: Python 3.11 has neither the statement nor the class.
    """
    if type(node).__name__ != "TypeAlias":
        return None
    name, value = (getattr(node, field) for field in ("name", "value"))
    return name, value


def type_parameters(node: ast.AST) -> list[ast.expr]:
    """The type parameters of a function, a class or a `type` statement; none in Python 3.11. No expressions, but
    like those they have a place."""
    return getattr(node, "type_params", [])
