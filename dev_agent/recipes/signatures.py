"""The types of a function that are known from its own text, and where in the text to write them.

Known are: `None` of a function that never returns a value, the builtin type of values it returns, what Python demands
of its special methods, and the parameters of `__exit__`. Not known, and left: generators, stubs and abstract methods,
overloads, methods whose relatives return something else, and handlers of web frameworks, which read the type.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.annotated import last_name
from dev_agent.recipes.called import postponed
from dev_agent.recipes.endings import Definition, End, ending, is_stub
from dev_agent.recipes.knowing import in_function
from dev_agent.recipes.source import Edit
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.called import Called
    from dev_agent.recipes.families import Families
    from dev_agent.recipes.source import Source

_NONE: Final = frozenset({
    "__init__", "__del__", "__setattr__", "__delattr__", "__setitem__", "__delitem__", "__set__",
    "__delete__", "__set_name__", "__init_subclass__", "__post_init__",
})  # fmt: skip
_MAGIC: Final = {
    "__str__": "str", "__repr__": "str", "__format__": "str", "__bytes__": "bytes", "__bool__": "bool",
    "__contains__": "bool", "__len__": "int", "__length_hint__": "int", "__hash__": "int", "__int__": "int",
    "__index__": "int", "__float__": "float", "__complex__": "complex",
}  # fmt: skip
_NOT_OURS: Final = frozenset(
    {"overload", "abstractmethod", "abstractproperty", "no_type_check", "typeguard_ignore"}
)
# Decorators that make the return type part of what the program does.
_READ: Final = frozenset({
    "get", "post", "put", "delete", "patch", "options", "head", "trace", "websocket", "route", "api_route", "tool",
    "resource", "prompt", "validate_call", "strawberry", "field", "task", "flow", "beartype", "typechecked",
})  # fmt: skip
_EXITS: Final = frozenset({"__exit__", "__aexit__"})


@dataclass(frozen=True, slots=True)
class Function:
    """A function without a return type, and the class it is a method of ("" if none)."""

    node: Definition
    owner: str


@dataclass(frozen=True, slots=True)
class Signatures:
    """What can be known in one file. Whether `X | None` and `type[X]` may be written where they are evaluated."""

    source: Source
    called: Called
    families: Families
    unions: bool
    generics: bool = True

    def returned(self, function: Function) -> str:
        """The return type of a function, "" if it is not known. Optional types are written by `optional`."""
        node = function.node
        decorators = {
            last_name(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list
        }
        if node.returns is not None or decorators & _NOT_OURS or node.type_comment or self._commented(node):
            return ""
        how = ending(node)
        if function.owner and node.name in _NONE:
            return "" if how.generator or any(value is not None for value in how.values) else "None"
        if how.generator or is_stub(node):
            return ""
        if function.owner and node.name in _MAGIC and how.end is not End.REACHED:
            return _MAGIC[node.name] if self.called.builtin(_MAGIC[node.name]) else ""
        if how.returns_nothing:
            sure = not function.owner or self.families.all_silent(function.owner, node.name)
            return "None" if sure else ""
        return (
            "" if decorators & _READ or (function.owner and self._related(function)) else self._valued(node)
        )

    def _related(self, function: Function) -> bool:
        """Whether another class may say something else. Without relatives the method itself is the only one."""
        return self.families.shared(function.owner, function.node.name)

    def _valued(self, node: Definition) -> str:
        how = ending(node)
        if how.end is End.UNSURE:
            return ""
        knowing = in_function(self.called, node)
        kinds = {"None" if value is None else knowing.of(value) for value in how.values}
        if how.end is End.REACHED:
            kinds.add("None")
        named = kinds - {"None"}
        if len(named) != 1 or "" in kinds:
            return ""
        kind = named.pop()
        if not self.called.builtin(kind):
            return ""
        return optional(kind, self) if "None" in kinds else kind

    def _commented(self, node: Definition) -> bool:
        start, end = self.source.line_start(node.lineno), self.source.span(node.body[0])[0]
        return any(
            start <= each.start < end
            and each.string.lstrip("# ").startswith("type:")
            and "ignore" not in each.string
            for each in self.source.comments
        )

    def exit_parameters(self, function: Function) -> list[tuple[ast.arg, str]]:
        """The parameters of `__exit__(self, kind, value, traceback)` with their types, if none has one."""
        given = function.node.args
        plain = [*given.posonlyargs, *given.args][1:]
        if (
            function.node.name not in _EXITS
            or not function.owner
            or len(plain) != 3
            or given.vararg
            or given.kwonlyargs
        ):
            return []
        if any(each.annotation for each in plain) or given.defaults:
            return []
        if not self.generics and not postponed(self.source.tree):
            return []
        if not all(self.called.builtin(name) for name in ("type", "BaseException")):
            return []
        types = ("type[BaseException]", "BaseException", "TracebackType")
        return [(each, optional(kind, self)) for each, kind in zip(plain, types, strict=True)]


def optional(kind: str, signatures: Signatures) -> str:
    """`kind | None`, or Optional[kind] where that cannot be evaluated."""
    return f"{kind} | None" if signatures.unions or postponed(signatures.source.tree) else f"Optional[{kind}]"


def functions(tree: ast.Module) -> list[Function]:
    """All functions of a file."""
    found: list[Function] = []
    stack: list[tuple[ast.AST, str]] = [(tree, "")]
    while stack:
        node, owner = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(Function(node, owner))
            owner = ""
        elif isinstance(node, ast.ClassDef):
            owner = node.name
        stack += ((child, owner) for child in ast.iter_child_nodes(node))
    return sorted(found, key=lambda each: (each.node.lineno, each.node.col_offset))


def return_edit(source: Source, node: Definition, kind: str) -> Edit | None:
    """Write a return type after the parenthesis that closes the parameters."""
    depth, seen = 0, False
    for token in source.tokens_from(source.span(node)[0]):
        if token.string == "(" or (seen and token.string in {"[", "{"}):
            depth, seen = depth + 1, True
        elif seen and token.string in {")", "]", "}"}:
            depth -= 1
            if not depth:
                return Edit(token.end, token.end, f" -> {kind}")
    return None


def parameter_edit(source: Source, each: ast.arg, kind: str, defaults: Sequence[ast.expr] = ()) -> list[Edit]:
    """Write a parameter's type, and spaces around the `=` of its default."""
    end = source.span(each)[1]
    edits = [Edit(end, end, f": {kind}")]
    for default in defaults:
        start = source.span(default)[0]
        if source.text[end:start].strip() == "=":
            edits = [Edit(end, start, f": {kind} = ")]
    return edits
