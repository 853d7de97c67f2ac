"""What is known about the value of an expression without running it: little, and that for certain.

Certain are literals, operators with one possible result, and calls of builtins that nothing in the file rebinds. A
parameter annotated with a builtin type counts too, if its function never binds it again: a type checker holds that.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.annotated import parameters
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.called import Called

SCALARS: Final = frozenset({"bool", "int", "float", "str", "bytes"})
_CALLS: Final = {
    "len": "int", "id": "int", "hash": "int", "ord": "int",
    "repr": "str", "ascii": "str", "chr": "str", "hex": "str", "oct": "str", "bin": "str",
    "isinstance": "bool", "issubclass": "bool", "callable": "bool", "hasattr": "bool", "all": "bool", "any": "bool",
    "bool": "bool",
}  # fmt: skip
_STR_METHODS: Final = frozenset(
    {"join", "format", "strip", "lstrip", "rstrip", "lower", "upper", "replace", "title"}
)
_NAMED: Final = (
    ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef,
)  # fmt: skip
_ARITHMETIC: Final = (ast.Add, ast.Sub, ast.Mult)


@dataclass(frozen=True, slots=True)
class Knowing:
    """What is known in one function. `names`: names whose values' types are known there."""

    called: Called
    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, node: ast.expr) -> str:  # noqa: PLR0911 -- a table of cases, one line each
        """The name of the builtin type of a value: "str", "int", …, "None"; "" if it is not known."""
        match node:
            case ast.Constant(value=None):
                return "None"
            case ast.Constant():
                kind = type(node.value).__name__
                return kind if kind in SCALARS else ""
            case ast.JoinedStr():
                return "str"
            case ast.Name(id=name):
                return self.names.get(name, "")
            case ast.UnaryOp(op=ast.Not()):
                return "bool"
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                kind = self.of(operand)
                return kind if kind in {"int", "float"} else ""
            case ast.Compare(ops=ops):
                sure = (ast.Is, ast.IsNot, ast.In, ast.NotIn)
                return "bool" if len(ops) == 1 and isinstance(ops[0], sure) else ""
            case ast.BoolOp(values=values):
                return self._same(values)
            case ast.IfExp(body=body, orelse=orelse):
                return self._same([body, orelse])
            case ast.BinOp():
                return self._operation(node)
            case ast.Call(func=func):
                return self._call(func)
        return ""

    def _same(self, nodes: list[ast.expr]) -> str:
        kinds = {self.of(node) for node in nodes}
        return kinds.pop() if len(kinds) == 1 else ""

    def _operation(self, node: ast.BinOp) -> str:
        left, right = self.of(node.left), self.of(node.right)
        if left == "str" and isinstance(node.op, ast.Mod):
            return "str"
        if left == right == "str" and isinstance(node.op, ast.Add):
            return "str"
        numbers = {left, right} <= {"int", "float"}
        if numbers and isinstance(node.op, _ARITHMETIC):
            return "float" if "float" in {left, right} else "int"
        return "float" if numbers and isinstance(node.op, ast.Div) else ""

    def _call(self, func: ast.expr) -> str:
        if isinstance(func, ast.Name) and self.called.builtin(func.id):
            return _CALLS.get(func.id, "")
        if isinstance(func, ast.Attribute) and func.attr in _STR_METHODS:
            return "str" if self.of(func.value) == "str" else ""
        return ""


def in_function(called: Called, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Knowing:
    """What is known in a function: its annotated parameters that nothing binds again."""
    bound: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
            bound.add(each.id)
        elif isinstance(each, ast.arg) and each not in parameters(node):
            bound.add(each.arg)
        elif isinstance(each, _NAMED):
            bound.add(each.name or "")
        elif isinstance(each, ast.alias):
            bound.add((each.asname or each.name).partition(".")[0])
    plain = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    names = {
        each.arg: each.annotation.id
        for each in plain
        if isinstance(each.annotation, ast.Name) and each.annotation.id in SCALARS and each.arg not in bound
        and called.builtin(each.annotation.id)
    }  # fmt: skip
    return Knowing(called, names)
