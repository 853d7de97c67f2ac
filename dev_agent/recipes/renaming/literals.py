"""The string literals of one file: which have been judged, and what was decided about each."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.uses import FileUses

_LITERAL = re.compile(r"[rRbBuU]{0,2}('''|\"\"\"|'|\")(.*)\1", re.DOTALL)


class Literals:
    """Where the judges of strings leave what they decide.

    done  ids of the literals that are judged
    data  ids of those that are data wherever they stand, as in `Literal["name"]`
    """

    def __init__(self, old: str, new: str, found: FileUses) -> None:
        self.old, self.new, self.found = old, new, found
        self.word = re.compile(rf"\b{re.escape(old)}\b")
        self.done: set[int] = set()
        self.data: set[int] = set()

    def is_name(self, node: ast.expr) -> TypeGuard[ast.Constant]:
        """Return whether a literal is exactly the old name."""
        return isinstance(node, ast.Constant) and node.value == self.old

    def rename(self, node: ast.Constant) -> None:
        """Replace a literal that is the name."""
        self.replace(node, 0)

    def replace(self, node: ast.Constant, start: int) -> None:
        """Replace the name where it begins in a string's value, which must stand in the file as it is."""
        inner = self._inner(node)
        if inner is None:
            self.found.strange.append(node.lineno)
        else:
            begin = inner + start
            self.found.edits.append((begin, begin + len(self.old), self.new))

    def refuse(self, node: ast.expr, name: ast.expr) -> None:
        """Note a use of the name that cannot be followed."""
        self.done.update(id(one) for one in ast.walk(name))
        self.found.dynamic.append(node.lineno)

    def _inner(self, node: ast.Constant) -> int | None:
        start, end = self.found.source.start(node), self.found.source.end(node)
        literal = _LITERAL.fullmatch(self.found.source.text[start:end])
        return None if literal is None or literal[2] != node.value else start + literal.start(2)
