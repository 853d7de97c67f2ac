"""Code that runs and that a type checker takes never to run. Pure.

A checker knows some names without looking what they are bound to: `TYPE_CHECKING`, `MYPY` and `PY3` hold, `PY2` does
not, as a bare name and as the last name of a chain. What it concludes from them to be unreachable it does not check,
and Python runs it all the same:

    if not TYPE_CHECKING:                      the body
    if TYPE_CHECKING: ... else: ...            the other branch
    if TYPE_CHECKING: return x                 everything that follows
    y = 0 if TYPE_CHECKING else text           the other value

A declaration for the checker alone is what these names are for, and so is a branch that binds names a second way
(`else: Base = object`); neither is told. What hangs on `sys.platform` and `sys.version_info` is not followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dev_agent.policy.python_source import last_name, top_statements, walk

_HOLD = frozenset({"TYPE_CHECKING", "MYPY", "PY3"})
_DO_NOT = frozenset({"PY2"})
_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_BINDING = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Pass)
_ASKING = frozenset({"reveal_type", "reveal_locals"})

_Sign = tuple[str, str]


def signs_of(node: ast.If | ast.IfExp) -> Iterator[_Sign]:
    """Yield (fact, kind) of what the condition of `node` hides from a type checker."""
    holds = _taken_to_hold(node.test)
    if holds is None:
        return
    if isinstance(node, ast.IfExp):
        yield "type_ignores_added", "the other value than under TYPE_CHECKING"
    elif not holds:
        yield "type_checking_disabled", "not TYPE_CHECKING"
    else:
        if any(map(_leaves, top_statements(node.body))):
            yield "type_checking_disabled", "leaves under TYPE_CHECKING"
        if not _only_binds(node.orelse):
            yield "type_ignores_added", "else of TYPE_CHECKING"


def _taken_to_hold(test: ast.expr) -> bool | None:
    """What a type checker concludes about a condition; None if that depends on what it finds out."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _taken_to_hold(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        decisive = isinstance(test.op, ast.Or)
        parts = [_taken_to_hold(one) for one in test.values]
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    name = last_name(test) if isinstance(test, ast.Name | ast.Attribute) else ""
    return True if name in _HOLD else False if name in _DO_NOT else None


def _leaves(statement: ast.stmt) -> bool:
    """Whether a checker takes what follows for unreachable. A call may be of something that never returns."""
    if isinstance(statement, ast.Assert):
        return isinstance(statement.test, ast.Constant) and not statement.test.value
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return last_name(statement.value) not in _ASKING
    return isinstance(statement, _LEAVING)


def _only_binds(body: Sequence[ast.stmt]) -> bool:
    """A branch that gives names to what is defined elsewhere: it computes nothing of its own."""
    return all(isinstance(one, _BINDING) for one in body) and not any(
        isinstance(one, ast.Lambda) for one in walk(body)
    )
