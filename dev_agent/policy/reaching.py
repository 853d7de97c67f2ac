"""How code gets from itself to whoever runs or tests it, and how an object answers without looking. Pure.

WAYS          the heap, the frames of the callers, a hook on every call, by their full names
NAMES         those that give it away by their last name: what they hang on may have been assigned or loaded
"""

from __future__ import annotations

import ast

from dev_agent.policy.python_source import walk

WAYS = frozenset({
    "gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys._getframe", "sys._current_frames",
    "sys._current_exceptions", "sys.settrace", "sys.setprofile", "threading.settrace", "threading.setprofile",
    "inspect.stack", "inspect.trace", "inspect.currentframe", "inspect.getouterframes", "inspect.getinnerframes",
})  # fmt: skip
NAMES = frozenset(
    {
        "get_objects",
        "get_referrers",
        "_getframe",
        "_current_frames",
        "f_back",
        "tb_frame",
        "gi_frame",
        "cr_frame",
    }
)
LAST_NAMES = NAMES | {one.rpartition(".")[2] for one in WAYS}

_FRAMEWORKS = frozenset({"pytest", "_pytest", "pluggy", "unittest", "pytest_cov", "xdist"})
_RUNNER = "_dev_agent_runner"


def names_framework(node: ast.AST) -> bool:
    """A text that is the name of a test framework or of a module in one, also put together from pieces."""
    text = _text(node)
    return text is not None and (text.partition(".")[0] in _FRAMEWORKS or text.startswith(_RUNNER))


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return left + right if left is not None and right is not None else None
    return None


def answers_without_looking(answer: ast.AST) -> bool:
    """A function or lambda each of whose answers is settled before it is asked."""
    if isinstance(answer, ast.Lambda):
        return _is_settled(answer.body)
    if not isinstance(answer, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    returned = [node.value for node in walk(answer.body) if isinstance(node, ast.Return)]
    return bool(returned) and all(one is not None and _is_settled(one) for one in returned)


def _is_settled(value: ast.expr) -> bool:
    if isinstance(value, ast.BoolOp):
        deciding = isinstance(value.op, ast.Or)
        return any(isinstance(one, ast.Constant) and bool(one.value) is deciding for one in value.values)
    if isinstance(value, ast.UnaryOp):
        return _is_settled(value.operand)
    if isinstance(value, ast.Compare) and len(value.ops) == 1:
        return ast.dump(value.left) == ast.dump(value.comparators[0])
    return isinstance(value, ast.Constant)
