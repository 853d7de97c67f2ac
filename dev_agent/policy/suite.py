"""The tests a file holds: what a runner would collect, read from the syntax tree.

Collected are functions `test*` and methods `test*` of classes that are named `Test*` or have a base. A name
bound twice means the later binding, as in Python; a name deleted or rebound to something else is no test any
more. How much a test demands is in `strength`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dev_agent.policy.python_source import (
    PythonSource,
    dotted,
    import_bindings,
    last_name,
    top_statements,
    walk,
)
from dev_agent.values import dataclass

SKIPS = frozenset({
    "skip", "skipif", "xfail", "skipIf", "skipUnless", "expectedFailure", "skipTest", "importorskip",
    "SkipTest", "Skipped",
})  # fmt: skip
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True, slots=True)
class TestCase:
    """One test. `conditional`: it stands under an `if` or `try`; `skips`: markers that bear on it."""

    __test__ = False

    name: str
    node: _Function
    conditional: bool
    skips: int

    @property
    def bare_name(self) -> str:
        """The function's own name, without its class."""
        return self.name.rpartition(".")[2]


def tests_in(source: PythonSource | None) -> dict[str, TestCase]:
    """The tests of a file by qualified name (`TestCart.test_total`)."""
    return _collect(source.top, prefix="", inherited=0, conditional=False) if source else {}


def skips_outside_tests(source: PythonSource | None) -> int:
    """Skip markers of a module that belong to no single test: module marks, fixtures, helpers, aliases."""
    if source is None:
        return 0
    return _skip_count(source.top) - sum(_skip_count([one.node]) for one in tests_in(source).values())


def _collect(
    body: Sequence[ast.stmt], *, prefix: str, inherited: int, conditional: bool
) -> dict[str, TestCase]:
    direct = {id(one) for one in body}
    bound: dict[str, dict[str, TestCase]] = {}  # what each name of the body last stood for
    for statement in top_statements(body):
        under = conditional or id(statement) not in direct
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            bound[statement.name] = _function(statement, prefix, inherited, conditional=under)
        elif isinstance(statement, ast.ClassDef):
            bound[statement.name] = _class(statement, prefix, inherited, conditional=under)
        else:
            bound.update((name, {}) for name in _unbound_by(statement))
            for name in _taken_from(statement):
                owner, _, method = name.partition(".")
                bound.get(owner, {}).pop(f"{prefix}{owner}.{method}", None)
    return {name: test for tests in bound.values() for name, test in tests.items()}


def _function(node: _Function, prefix: str, inherited: int, *, conditional: bool) -> dict[str, TestCase]:
    if not node.name.startswith("test"):
        return {}
    name, skips = prefix + node.name, inherited + _skip_count([node])
    return {name: TestCase(name=name, node=node, conditional=conditional, skips=skips)}


def _class(node: ast.ClassDef, prefix: str, inherited: int, *, conditional: bool) -> dict[str, TestCase]:
    if not (node.name.startswith("Test") or node.bases):
        return {}
    outside = inherited + _skip_count(_class_marks(node))
    return _collect(node.body, prefix=f"{prefix}{node.name}.", inherited=outside, conditional=conditional)


def _unbound_by(statement: ast.stmt) -> Iterator[str]:
    # `for x in`, `with a as x`, `x: int = 1`, `(x := 1)`: names that it binds to something else, or takes away.
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from import_bindings(statement)
        return
    own = [one for one in ast.iter_child_nodes(statement) if isinstance(one, ast.expr | ast.withitem)]
    for node in walk(own):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id


def _taken_from(statement: ast.stmt) -> Iterator[str]:
    """`TestCart.test_total`, of which the statement makes something else, or nothing."""
    targets = statement.targets if isinstance(statement, ast.Assign | ast.Delete) else []
    yield from (dotted(one) for one in targets if isinstance(one, ast.Attribute))


def _class_marks(node: ast.ClassDef) -> list[ast.AST]:
    """What of a class bears on every test in it: its decorators, its `pytestmark`, its `__test__`."""
    return [*node.decorator_list, *(one for one in node.body if isinstance(one, ast.Assign))]


def _skip_count(nodes: Sequence[ast.AST]) -> int:
    return sum(1 for node in walk(nodes) if _is_skip(node))


def _is_skip(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        # pytest skips a test that has no case.
        return last_name(node) == "parametrize" and any(
            isinstance(one, ast.List | ast.Tuple) and not one.elts for one in node.args[1:2]
        )
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
