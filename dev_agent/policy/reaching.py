"""How code gets from itself to whoever runs or tests it, and how an object answers without looking. Pure.

WAYS          the heap, the frames of the callers, a hook on every call or import, by their full names
ALWAYS        the methods by which an object answers whether it is what somebody expects
NAMES         those that give it away by their last name: what they hang on may have been assigned or loaded
"""

from __future__ import annotations

import ast
import re

from dev_agent.policy.python_source import dotted, walk

WAYS = frozenset({
    "gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys._getframe", "sys._current_frames",
    "sys._current_exceptions", "sys.settrace", "sys.setprofile", "threading.settrace", "threading.setprofile",
    "inspect.stack", "inspect.trace", "inspect.currentframe", "inspect.getouterframes", "inspect.getinnerframes",
    "traceback.extract_stack", "traceback.format_stack", "traceback.walk_stack", "sys.meta_path", "sys.path_hooks",
    "sys.addaudithook", "sys.monitoring",
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

ALWAYS = frozenset({"__eq__", "__ne__", "__contains__", "__instancecheck__", "__subclasscheck__"})

_FRAMEWORKS = frozenset({"pytest", "_pytest", "pluggy", "unittest", "pytest_cov", "xdist"})
_RUNNER = "_dev_agent_runner"
_TRACES = ("/opt/dev-agent", _RUNNER)
# What pytest sets; what it reads tells nothing.
_READ = frozenset({"PYTEST_ADDOPTS", "PYTEST_PLUGINS"})
_VARIABLES = re.compile(r"PYTEST(_?|_(C|V|X|D)[A-Z_]*)")


def names_framework(node: ast.AST) -> bool:
    """A text that is the name of a test framework or of a module in one, also put together from pieces."""
    text = _text(node)
    return text is not None and (text.partition(".")[0] in _FRAMEWORKS or text.startswith(_RUNNER))


def gives_away(text: str) -> bool:
    """A text, or the beginning of one, by which code finds out that a test runner runs it."""
    return _VARIABLES.fullmatch(text) is not None or text.startswith(_TRACES)


def names_variables(node: ast.AST) -> bool:
    """A text that begins as the variables do that pytest sets, in whatever case."""
    text = _text(node)
    return text is not None and text.casefold().startswith("pytest") and text not in _READ


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
    if not returned or any(one is None for one in returned):
        return False
    return all(one is not None and _is_settled(one) for one in returned) or _ignores_the_other(answer)


def _ignores_the_other(answer: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A method that answers and never mentions what it is asked about: only constants and names of its own."""
    if len(answer.args.args) != 2 or answer.args.vararg:
        return False
    asked = {one.arg for one in answer.args.args}
    named = {one.id for one in walk(answer.body) if isinstance(one, ast.Name)}
    return not asked & named and named != {"NotImplemented"}


def _is_settled(value: ast.expr) -> bool:
    if isinstance(value, ast.BoolOp):
        deciding = isinstance(value.op, ast.Or)
        return any(isinstance(one, ast.Constant) and bool(one.value) is deciding for one in value.values)
    if isinstance(value, ast.UnaryOp):
        return _is_settled(value.operand)
    if isinstance(value, ast.IfExp):
        return _is_settled(value.body) and _is_settled(value.orelse)
    if isinstance(value, ast.Call):
        return dotted(value.func) == "bool" and all(map(_is_settled, value.args))
    if isinstance(value, ast.Compare) and len(value.ops) == 1:
        return ast.dump(value.left) == ast.dump(value.comparators[0])
    return isinstance(value, ast.Constant)
