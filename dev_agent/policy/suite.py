"""The tests a file holds, and how much each of them asserts: what a runner would collect, read from the syntax tree.

Collected are functions `test*` and methods `test*` of classes that are named `Test*` or have a base. A name bound
twice means the later binding, as in Python; a name deleted or rebound to something else is no test any more.

`Strength` is a handful of counts that can only fall when a test demands less: reachable assertions that could fail,
exact comparisons among them, expected exceptions and how narrow they are, messages matched, cases of a parametrised
list. Values are not judged: `== 3` and `== 4` are equally strong, and an edited value is "changed", not "weakened".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dev_agent.policy.python_source import PythonSource, dotted, last_name, top_statements, walk

SKIPS = frozenset({
    "skip", "skipif", "xfail", "skipIf", "skipUnless", "expectedFailure", "skipTest", "importorskip", "SkipTest", "Skipped",
})  # fmt: skip
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
    "assertEqual", "assertEquals", "assertIs", "assertListEqual", "assertDictEqual", "assertSetEqual", "assertTupleEqual",
    "assertSequenceEqual", "assertMultiLineEqual", "assertCountEqual", "assert_called_once_with", "assert_called_with",
    "assert_has_calls", "assert_array_equal", "assert_frame_equal", "assert_series_equal", "assert_equal",
})  # fmt: skip
_TOLERANCES = frozenset({"rel", "abs", "rtol", "atol", "rel_tol", "abs_tol", "delta"})
_BROAD = frozenset({"Exception", "BaseException"})
_NESTING = 12

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True, slots=True)
class TestCase:
    """One test. `conditional`: it stands under an `if` or `try` of its module; `skips`: markers that bear on it."""

    __test__ = False

    name: str
    node: _Function
    conditional: bool
    skips: int

    @property
    def bare_name(self) -> str:
        """The function's own name, without its class."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Strength:
    """What a test demands, as counts; see the module."""

    assertions: int
    exact: int
    raises: int
    broad_raises: int
    matched: int
    cases: int
    tolerances: tuple[float, ...]


def tests_in(source: PythonSource | None) -> dict[str, TestCase]:
    """The tests of a file by qualified name (`TestCart.test_total`)."""
    return _collect(source.top, prefix="", inherited=0, conditional=False) if source else {}


def skips_outside_tests(source: PythonSource | None) -> int:
    """Skip markers of a module that belong to no single test: module marks, fixtures, helpers, aliases."""
    if source is None:
        return 0
    return _skip_count(source.top) - sum(_skip_count([one.node]) for one in tests_in(source).values())


def strength_of(test: _Function) -> Strength:
    """How much a test demands."""
    counted = _Counter()
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


def _collect(
    body: Sequence[ast.stmt], *, prefix: str, inherited: int, conditional: bool
) -> dict[str, TestCase]:
    direct = {id(one) for one in body}
    tests: dict[str, TestCase] = {}
    for statement in top_statements(body):
        under = conditional or id(statement) not in direct
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            _forget(tests, prefix + statement.name)
            if statement.name.startswith("test"):
                tests[prefix + statement.name] = TestCase(
                    name=prefix + statement.name,
                    node=statement,
                    conditional=under,
                    skips=inherited + _skip_count([statement]),
                )
        elif isinstance(statement, ast.ClassDef):
            _forget(tests, prefix + statement.name)
            if statement.name.startswith("Test") or statement.bases:
                outside = inherited + _skip_count(_class_marks(statement))
                tests |= _collect(
                    statement.body, prefix=f"{prefix}{statement.name}.", inherited=outside, conditional=under
                )
        else:
            for name in _unbound_by(statement):
                _forget(tests, prefix + name)
    return tests


def _forget(tests: dict[str, TestCase], name: str) -> None:
    for known in [known for known in tests if known == name or known.startswith(f"{name}.")]:
        del tests[known]


def _unbound_by(statement: ast.stmt) -> Iterator[str]:
    targets = statement.targets if isinstance(statement, ast.Assign | ast.Delete) else []
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def _class_marks(node: ast.ClassDef) -> list[ast.AST]:
    """What of a class bears on every test in it: its decorators, its `pytestmark`, its `__test__`."""
    return [*node.decorator_list, *(one for one in node.body if isinstance(one, ast.Assign))]


def _skip_count(nodes: Sequence[ast.AST]) -> int:
    return sum(1 for node in walk(nodes) if _is_skip(node))


def _is_skip(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in SKIPS and (
            isinstance(node.value, ast.Attribute)
            or dotted(node.value) in {"pytest", "unittest", "self", "mark"}
        )
    if isinstance(node, ast.Name):
        return node.id in SKIPS
    if isinstance(node, ast.Assign):
        return (
            isinstance(node.value, ast.Constant)
            and node.value.value is False
            and any(isinstance(one, ast.Name) and one.id == "__test__" for one in node.targets)
        )
    return False


def _cases(decorator: ast.expr) -> int:
    if not isinstance(decorator, ast.Call) or last_name(decorator) != "parametrize":
        return 0
    values = [*decorator.args[1:2], *(one.value for one in decorator.keywords if one.arg == "argvalues")]
    return sum(len(one.elts) for one in values if isinstance(one, ast.List | ast.Tuple | ast.Set))


class _Counter:
    """Counts what can fail in a test, statement by statement, leaving out what is never reached or never felt."""

    def __init__(self) -> None:
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
            last_name(one.context_expr) == "suppress" for one in node.items
        ):
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
        for node in walk([test]):
            if isinstance(node, ast.Compare):
                # `== x` and `is x` admit one value; `!=`, `in`, `<` and truthiness admit many.
                self.exact += sum(1 for op in node.ops if isinstance(op, ast.Eq | ast.Is))

    def call(self, node: ast.Call) -> None:
        name = last_name(node.func)
        if name in _RAISES:
            self.raises += 1
            self.assertions += 1
            self.broad_raises += any(last_name(one) in _BROAD for one in _first_and_inside(node))
            self.matched += name.endswith("Regex") or any(one.arg == "match" for one in node.keywords)
        elif _HELPER.match(name) or name == "fail":
            if not (name.startswith("assert") and len(node.args) == 1 and _always_true(node.args[0])):
                self.assertions += 1
                self.exact += name in _EXACT_CALLS
        self.tolerances += [
            float(one.value.value)
            for one in node.keywords
            if one.arg in _TOLERANCES
            and isinstance(one.value, ast.Constant)
            and isinstance(one.value.value, int | float)
        ]


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
