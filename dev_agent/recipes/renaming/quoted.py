"""Expressions in quotes: annotations, arguments of `cast`, TypeVar and generic classes, `# type:` comments.

They are read as the expressions they are, in the scope they stand in.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.dynamic import is_enum
from dev_agent.recipes.renaming.likely import as_a_module
from dev_agent.recipes.renaming.shapes import own_name
from dev_agent.recipes.renaming.uses import Verdict
from dev_agent.recipes.renaming.values import Class, Foreign

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.literals import Literals
    from dev_agent.recipes.renaming.scopes import Scope
    from dev_agent.recipes.renaming.seeker import Seeker

# The space before is not given back: behind less of it, no `ignore` would ever be seen.
_TYPE_COMMENT = re.compile(r"#\s*type:\s*+(?!ignore\b)(.*)", re.DOTALL)
_TYPED = {"cast": (0,), "TypeVar": None, "NewType": (1,), "ForwardRef": (0,)}
_GENERIC = frozenset(
    {"typing", "collections", "builtins", "types", "contextlib", "typing_extensions", "re", "os"}
)


class Quoted:
    """Judges strings that a type checker reads as code."""

    def __init__(self, inference: Inference, seeker: Seeker, literals: Literals) -> None:
        self._inference, self._seeker, self._literals = inference, seeker, literals

    def subscript(self, node: ast.Subscript, scope: Scope) -> None:
        """Judge the strings between the brackets of a generic class."""
        label = own_name(node.value)
        if label in {"Literal", "Annotated"}:
            parts = (
                node.slice.elts[1:]
                if isinstance(node.slice, ast.Tuple) and label == "Annotated"
                else [node.slice]
            )
            self._literals.data.update(id(one) for part in parts for one in ast.walk(part))
        strings = [
            one
            for one in ast.walk(node.slice)
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        values = [one for one in strings if id(one) not in self._literals.data]
        if any(self._literals.word.search(str(one.value)) for one in values) and self._is_generic(
            node.value, scope
        ):
            for one in values:
                self.expression(one, scope)

    def _is_generic(self, node: ast.expr, scope: Scope) -> bool:
        for value in self._inference.evaluate(node, scope):
            if isinstance(value, Foreign):
                home, _, last = value.dotted.partition(".")
                return home in _GENERIC and last != "Literal" and not last.endswith(".environ")
            if isinstance(value, Class):
                return not is_enum(self._inference, value.scope)
        return False

    def call(self, node: ast.Call, scope: Scope) -> None:
        """Judge the arguments of `cast`, TypeVar and their like."""
        last = own_name(node.func)
        if last not in _TYPED:
            return
        wanted = _TYPED[last]
        arguments = (
            node.args[1:] if wanted is None else [node.args[one] for one in wanted if one < len(node.args)]
        )
        arguments = arguments + [one.value for one in node.keywords if one.arg in {"bound", "typ"}]
        for argument in arguments:
            for one in ast.walk(argument):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    self.expression(one, scope)

    def expression(self, node: ast.Constant, scope: Scope) -> bool:
        """Rename in a quoted annotation; False if it is no expression."""
        if id(node) in self._literals.done:
            return True
        spans = self._spans(str(node.value), scope)
        if spans is None:
            return False
        self._literals.done.add(id(node))
        for start in spans:
            self._literals.replace(node, start)
        return True

    def _spans(self, text: str, scope: Scope) -> list[int] | None:
        lead = len(text) - len(text.lstrip())
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        if not text.isascii() or "\n" in text:
            return [] if not self._literals.word.search(text) else None
        spans = []
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Name)
                and node.id == self._literals.old
                and self._seeker.in_scope(scope) is Verdict.OURS
            ):
                spans.append(lead + node.col_offset)
            elif isinstance(node, ast.Attribute) and node.attr == self._literals.old:
                self._inference.keep(tree)
                if self._seeker.attribute(node, scope) is Verdict.OURS:
                    spans.append(lead + (node.end_col_offset or 0) - len(self._literals.old))
        return spans

    def comments(self, module: Scope) -> None:
        """Rename in `# type:` comments; other comments with the name are noted, of a module's what can mean it."""
        likely = as_a_module(self._literals.old) if self._seeker.target.modules else None
        for offset, text in self._literals.found.source.comments(self._literals.old):
            found = _TYPE_COMMENT.fullmatch(text)
            spans = self._spans(found[1].partition("#")[0], module) if found else None
            for start in spans or []:
                begin = offset + found.start(1) + start if found else 0
                self._literals.found.edits.append(
                    (begin, begin + len(self._literals.old), self._literals.new)
                )
            if not spans and (likely is None or likely.search(text.encode("utf-8", "surrogateescape"))):
                self._literals.found.noted.append(self._literals.found.source.line_at(offset))
