"""What an expression may be made of, and of which types: the whitelist behind `conditions`.

Works bottom up over Python's syntax tree: every node is either known here and of a type its parent accepts,
or a ConditionError at its place. What comes out computes the value from plain facts and calls nothing else.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from dev_agent.runtime.canonical import MAX_INTEGER
from dev_agent.runtime.errors import ConditionError
from dev_agent.runtime.facts import Lookup, value_of
from dev_agent.runtime.naming import nearest
from dev_agent.runtime.states import FactType
from dev_agent.values import dataclass

MAX_DEPTH = 20


class _Type(StrEnum):
    BOOL = "bool"
    INT = "int"
    STR = "str"
    LIST = "list"
    INTS = "list of int"


_DECLARED = {
    FactType.BOOL: _Type.BOOL,
    FactType.INT: _Type.INT,
    FactType.STR: _Type.STR,
    FactType.LIST: _Type.LIST,
}
_EQUALITY: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ORDER: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_MEMBERSHIP: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.In: lambda item, holder: item in holder,
    ast.NotIn: lambda item, holder: item not in holder,
}
_OPERATORS = {**_EQUALITY, **_ORDER, **_MEMBERSHIP}


@dataclass(frozen=True, slots=True)
class Node:
    """A checked expression: its type, how to compute it, and whether it is made of constants only."""

    type: _Type
    compute: Callable[[Lookup], Any]
    constant: bool = False


class Checker:
    """Checks one expression, bottom up, and builds what evaluates it."""

    def __init__(self, source: str, declared: Mapping[str, FactType]) -> None:
        self._source = source
        self._declared = declared
        self.names: dict[str, None] = {}
        self.literals: dict[int | str, None] = {}

    def check(self, node: ast.expr, depth: int) -> Node:
        """Return the checked node. Raises ConditionError."""
        if depth > MAX_DEPTH:
            raise self._error(node, f"nested deeper than {MAX_DEPTH}", "use several cases")
        match node:
            case ast.BoolOp():
                return self._connective(node, depth)
            case ast.UnaryOp(op=ast.Not()):
                inner = self.require_bool(self.check(node.operand, depth + 1), node.operand)
                return Node(_Type.BOOL, lambda facts: not inner.compute(facts))
            case ast.Compare():
                return self._comparison(node, depth)
            case ast.Attribute() | ast.Name():
                return self._fact(node)
            case _:
                return self._constant(node)

    def require_bool(self, node: Node, at: ast.expr | None) -> Node:
        """Return `node` if it decides something. Raises ConditionError at `at` (None: at the start)."""
        if node.type is not _Type.BOOL:
            raise self._error(at, f"{node.type} is not a condition", "compare it with something")
        if node.constant:
            raise self._error(at, "a constant decides nothing", "name a fact, or drop this part")
        return node

    def _connective(self, node: ast.BoolOp, depth: int) -> Node:
        parts = [self.require_bool(self.check(part, depth + 1), part) for part in node.values]
        decide = all if isinstance(node.op, ast.And) else any
        return Node(_Type.BOOL, lambda facts: decide(part.compute(facts) for part in parts))

    def _comparison(self, node: ast.Compare, depth: int) -> Node:
        places = [node.left, *node.comparators]
        operands = [self.check(place, depth + 1) for place in places]
        for index, sign in enumerate(node.ops):
            self._check_pair(sign, operands[index], operands[index + 1], places[index + 1])
        signs = [_OPERATORS[type(sign)] for sign in node.ops]
        return Node(_Type.BOOL, lambda facts: _chain(signs, operands, facts))

    def _check_pair(self, sign: ast.cmpop, left: Node, right: Node, at: ast.expr) -> None:
        if type(sign) not in _OPERATORS:
            raise self._error(at, "'is' compares objects, not values", "write == or !=")
        if left.constant and right.constant:
            raise self._error(at, "compares two constants", "facts are written without quotes")
        if not _comparable(sign, left.type, right.type):
            raise self._error(
                at,
                f"{left.type} and {right.type} cannot be compared this way",
                _remedy(sign, left.type, right.type),
            )

    def _fact(self, node: ast.expr) -> Node:
        name = self._dotted(node)
        # Python folds look-alike letters into plain ones; a reader of the program would not.
        spelled = ast.get_source_segment(self._source.strip(" "), node) or ""
        kind = self._declared.get(name) if spelled.isascii() else None
        if kind is None:
            hint = "True and False are written with a capital" if name in ("true", "false") else ""
            raise self._error(node, f"unknown fact {name!r}", hint or nearest(name, self._declared))
        if kind in (FactType.JSON, FactType.PAYLOAD):
            raise self._error(
                node, f"{name} is declared {kind}", "only bool, int, str and list can be used in conditions"
            )
        self.names[name] = None
        return Node(_DECLARED[kind], lambda facts: value_of(facts, name, kind))

    def _dotted(self, node: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            raise self._error(node, "only facts have dots", "write state.fact")
        return ".".join([node.id, *reversed(parts)])

    def _constant(self, node: ast.expr) -> Node:
        match node:
            case ast.Constant(value=bool(value)):
                return Node(_Type.BOOL, lambda _facts: value, constant=True)
            case ast.Constant(value=str(text)):
                return self._text(node, text)
            case ast.Constant(value=int(number)) if number <= MAX_INTEGER:
                return self._integer(number)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))) if type(number) is int:
                return self._integer(-number)
            case ast.List(elts=items) if items:
                return self._list(node, items)
            case _:
                raise self._error(
                    node, f"{_construct(node)} is not allowed here", "use facts, text, integers and lists"
                )

    def _integer(self, number: int) -> Node:
        self.literals[number] = None
        return Node(_Type.INT, lambda _facts: number, constant=True)

    def _text(self, node: ast.expr, text: str) -> Node:
        if text in self._declared:
            raise self._error(node, f"{text!r} in quotes is text, not the fact", "remove the quotes")
        self.literals[text] = None
        return Node(_Type.STR, lambda _facts: text, constant=True)

    def _list(self, node: ast.expr, items: list[ast.expr]) -> Node:
        nodes = [self._constant(item) for item in items]
        kinds = {item.type for item in nodes}
        if kinds not in ({_Type.STR}, {_Type.INT}):
            raise self._error(node, "a list holds only text, or only integers", "compare one by one")
        values = tuple(item.compute({}) for item in nodes)
        return Node(_Type.LIST if kinds == {_Type.STR} else _Type.INTS, lambda _facts: values, constant=True)

    def _error(self, node: ast.expr | None, message: str, hint: str) -> ConditionError:
        indent = len(self._source) - len(self._source.lstrip(" "))
        # ast counts UTF-8 bytes, a reader counts characters.
        before = self._source.strip(" ").encode()[: node.col_offset if node else 0]
        return ConditionError(message, source=self._source, column=indent + len(before.decode()), hint=hint)


def _comparable(sign: ast.cmpop, left: _Type, right: _Type) -> bool:
    if type(sign) in _EQUALITY:
        return left is right
    if type(sign) in _ORDER:
        return left is right is _Type.INT
    return (left, right) in {(_Type.STR, _Type.STR), (_Type.STR, _Type.LIST), (_Type.INT, _Type.INTS)}


def _remedy(sign: ast.cmpop, left: _Type, right: _Type) -> str:
    if {left, right} == {_Type.BOOL, _Type.INT}:
        return "true and false are no numbers: write the fact alone, or after 'not'"
    if type(sign) in _ORDER:
        return "only integers have an order here"
    if type(sign) in _MEMBERSHIP:
        return "text in a list, text in text, or an integer in a list of integers"
    return f"compare it with a value of type {right}"


def _construct(node: ast.expr) -> str:
    names = {
        ast.Call: "a call",
        ast.BinOp: "arithmetic",
        ast.Subscript: "a subscript",
        ast.Constant: "this constant",
    }
    return names.get(type(node), type(node).__name__)


def _chain(signs: list[Callable[[Any, Any], bool]], operands: list[Node], facts: Lookup) -> bool:
    left = operands[0].compute(facts)
    for sign, operand in zip(signs, operands[1:], strict=True):
        right = operand.compute(facts)
        if not sign(left, right):
            return False
        left = right
    return True
