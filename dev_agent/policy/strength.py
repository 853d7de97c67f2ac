"""How much a test demands, as a handful of counts that fall when it demands less.

Counted are reachable assertions that could fail, exact comparisons among them, expected exceptions and how
narrow they are, messages matched, cases of a parametrised list, and tolerances. An assertion behind a
`return`, under `if False`, in a function nobody calls, or inside a `try` that swallows its failure demands
nothing; a comparison behind `or` or `not`, or with `ANY`, is not exact.

Values are not judged: `== 3` and `== 4` are equally strong; an edited value is "changed", not "weakened".
Nor is what a helper named `check_...` does inside; calling it counts once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from dev_agent.policy.python_source import last_name, walk
from dev_agent.values import dataclass

_HELPER = re.compile(r"_?(?:assert|check|verify|expect|ensure|validate)", re.IGNORECASE)
_RAISES = frozenset(
    {
        "raises",
        "warns",
        "assertRaises",
        "assertRaisesRegex",
        "assertWarns",
        "assertWarnsRegex",
        "deprecated_call",
    }
)
_EXACT_CALLS = frozenset({
    "assertEqual", "assertEquals", "assertIs", "assertListEqual", "assertDictEqual", "assertSetEqual",
    "assertTupleEqual", "assertSequenceEqual", "assertMultiLineEqual", "assertCountEqual",
    "assert_called_once_with", "assert_called_with", "assert_has_calls", "assert_array_equal",
    "assert_frame_equal", "assert_series_equal", "assert_equal",
})  # fmt: skip
_TOLERANCES = frozenset({"rel", "abs", "rtol", "atol", "rel_tol", "abs_tol", "delta"})
_BROAD = frozenset({"Exception", "BaseException"})
_NESTING = 12

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True, slots=True)
class Strength:
    """What a test demands; `broad_raises` are those of `raises` that expect any exception at all."""

    assertions: int
    exact: int
    raises: int
    broad_raises: int
    matched: int
    cases: int
    tolerances: tuple[float, ...]


def strength_of(test: _Function) -> Strength:
    """How much a test demands."""
    counted = _Counter({node.id for node in walk(test.body) if isinstance(node, ast.Name)})
    counted.block(test.body, depth=0)
    return Strength(
        assertions=counted.assertions,
        exact=counted.exact,
        raises=counted.raises,
        broad_raises=counted.broad_raises,
        matched=counted.matched,
        cases=sum(_cases(one) for one in test.decorator_list),
        tolerances=tuple(sorted(counted.tolerances)),
    )


def weaknesses(before: _Function, after: _Function) -> list[str]:
    """In which ways the second demands less than the first, in plain words; empty if in none."""
    old, new = strength_of(before), strength_of(after)
    found = []
    if new.assertions < old.assertions:
        found.append(f"{old.assertions} effective assertions became {new.assertions}")
    elif new.exact < old.exact and new.assertions == old.assertions:
        found.append(f"{old.exact} exact comparisons became {new.exact}")
    if new.broad_raises > old.broad_raises and new.raises <= old.raises:
        found.append("an expected exception was broadened")
    if new.matched < old.matched and new.raises >= old.raises:
        found.append("an expected message is matched no more")
    if new.cases < old.cases:
        found.append(f"{old.cases} parametrised cases became {new.cases}")
    if (
        len(old.tolerances) <= len(new.tolerances)
        and max(new.tolerances, default=0) > max(old.tolerances, default=0) > 0
    ):
        found.append("a tolerance was widened")
    return found


def _cases(decorator: ast.expr) -> int:
    if not isinstance(decorator, ast.Call) or last_name(decorator) != "parametrize":
        return 0
    values = [*decorator.args[1:2], *(one.value for one in decorator.keywords if one.arg == "argvalues")]
    return sum(len(one.elts) for one in values if isinstance(one, ast.List | ast.Tuple | ast.Set))


class _Counter:
    """Counts what can fail in a test, leaving out what is never reached or never felt.

    `mentioned` are the names the test uses: a function in it that is not among them is never called.
    """

    def __init__(self, mentioned: set[str]) -> None:
        self.mentioned = mentioned
        self.assertions = self.exact = self.raises = self.broad_raises = self.matched = 0
        self.tolerances: list[float] = []

    def block(self, body: Sequence[ast.stmt], *, depth: int) -> None:
        for statement in body:
            self.statement(statement, depth=depth)
            if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue):
                return  # what follows is never reached

    def statement(self, node: ast.stmt, *, depth: int) -> None:
        if isinstance(node, ast.Assert):
            self.asserted(node.test)
        elif isinstance(node, ast.Try | ast.TryStar) and any(_swallows(one) for one in node.handlers):
            self.block([*node.orelse, *node.finalbody], depth=depth + 1)
            return
        elif isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Constant):
            self.block(node.body if node.test.value else node.orelse, depth=depth + 1)
            return
        elif isinstance(node, ast.With | ast.AsyncWith) and any(
            _hushes(one.context_expr) for one in node.items
        ):
            self.expressions(node)
            return
        elif self._is_idle(node):
            return
        for field in ("body", "handlers", "orelse", "finalbody", "cases"):
            inner = getattr(node, field, None)
            if isinstance(inner, list) and depth < _NESTING:
                for part in inner:
                    nested = part.body if isinstance(part, ast.ExceptHandler | ast.match_case) else None
                    if nested is not None:
                        self.block(nested, depth=depth + 1)
                if inner and isinstance(inner[0], ast.stmt):
                    self.block(inner, depth=depth + 1)
        self.expressions(node)

    def _is_idle(self, node: ast.stmt) -> bool:
        """A loop over nothing, or a function that is never called."""
        if isinstance(node, ast.For):
            return isinstance(node.iter, ast.List | ast.Tuple) and not node.iter.elts
        return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in self.mentioned

    def expressions(self, node: ast.stmt) -> None:
        """The calls of a statement itself, its inner statements apart."""
        own = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr | ast.withitem)]
        for child in walk(own):
            if isinstance(child, ast.Call):
                self.call(child)

    def asserted(self, test: ast.expr) -> None:
        if _always_true(test):
            return
        self.assertions += 1
        for node in walk(_demanded(test)):
            if isinstance(node, ast.Compare) and not _admits_all(node):
                # `== x` and `is x` admit one value; `!=`, `in`, `<` and truthiness admit many.
                self.exact += sum(1 for op in node.ops if isinstance(op, ast.Eq | ast.Is))

    def call(self, node: ast.Call) -> None:
        name = last_name(node.func)
        if name in _RAISES:
            self.raises += 1
            self.assertions += 1
            self.broad_raises += any(last_name(one) in _BROAD for one in _first_and_inside(node))
            self.matched += name.endswith("Regex") or any(one.arg == "match" for one in node.keywords)
        elif (_HELPER.match(name) or name == "fail") and not _is_vain(node):
            self.assertions += 1
            self.exact += name in _EXACT_CALLS
        self.tolerances += [
            float(one.value.value)
            for one in node.keywords
            if one.arg in _TOLERANCES
            and isinstance(one.value, ast.Constant)
            and isinstance(one.value.value, int | float)
        ]


def _hushes(context: ast.expr) -> bool:
    """`with suppress(...)`, and `with raises(...)` of what a failing assertion raises."""
    name = last_name(context)
    if name == "suppress":
        return True
    expected = _first_and_inside(context) if name in _RAISES and isinstance(context, ast.Call) else []
    return any(last_name(one) in _BROAD | {"AssertionError"} for one in expected)


def _demanded(test: ast.expr) -> list[ast.expr]:
    """The parts of an assertion that must hold: of `a and b` both, of `a or b` and `not a` none."""
    if isinstance(test, ast.BoolOp):
        return (
            [part for one in test.values for part in _demanded(one)] if isinstance(test.op, ast.And) else []
        )
    return [] if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else [test]


def _admits_all(compared: ast.Compare) -> bool:
    """`x == ANY`, and `f() == f()`: true whatever is computed."""
    sides = [compared.left, *compared.comparators]
    return any(last_name(one) == "ANY" for one in sides) or len({ast.dump(one) for one in sides}) == 1


def _is_vain(node: ast.Call) -> bool:
    """`assertTrue(True)`."""
    return len(node.args) == 1 and _always_true(node.args[0])


def _first_and_inside(node: ast.Call) -> list[ast.expr]:
    first = node.args[:1]
    return first[0].elts if first and isinstance(first[0], ast.Tuple) else first


def _swallows(handler: ast.ExceptHandler) -> bool:
    """A handler that catches a failing assertion and does not pass it on."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    broad = any(one is None or last_name(one) in _BROAD | {"AssertionError"} for one in caught)
    return broad and not any(
        isinstance(node, ast.Raise | ast.Assert) or (isinstance(node, ast.Call) and last_name(node) == "fail")
        for node in walk(handler.body)
    )


def _always_true(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Tuple):
        return bool(test.elts)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_always_true(one) for one in test.values)
    if isinstance(test, ast.BoolOp):
        return all(_always_true(one) for one in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return isinstance(test.operand, ast.Constant) and not test.operand.value
    if (
        isinstance(test, ast.Compare)
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.Eq | ast.Is | ast.LtE | ast.GtE)
    ):
        return not any(isinstance(one, ast.Call) for one in walk([test])) and ast.dump(test.left) == ast.dump(
            test.comparators[0]
        )
    return False
