"""Ways to a power of the interpreter or the system other than calling it by its name. Pure.

`powers` knows calls. The same can be had as a value (`leave = os._exit`), by the text of its name
(`getattr(os, "_exit")`, `vars(os)["_exit"]`), from the module that `os` is made of (`posix`), or by putting something
else where everybody looks: into `builtins`, `sys.modules`, `sys.path` or the code of a function.

Names have been looked up in the file's imports. What a variable holds is not followed, nor what texts are made into
names by computing them, except that looking up a computed name in one of the modules below is told as such.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from dev_agent.policy import powers, reaching
from dev_agent.policy.python_source import last_name

_HELD = frozenset({"eval", "exec", "__import__"})
_MODULES = frozenset(
    {"os", "posix", "sys", "builtins", "gc", "inspect", "signal", "importlib", "subprocess", "__builtins__"}
)
_LOOK_UPS = frozenset({"getattr", "vars", "setattr"})
_LISTS = frozenset({"insert", "append", "extend"})
_CODE = frozenset({"types.CodeType", "types.FunctionType"})
_ASKED_FOR = frozenset(
    {"importlib.util.find_spec", "importlib.metadata.version", "importlib.metadata.distribution"}
)
_OWN_IMPORTS = frozenset(
    {"importlib.import_module", "importlib.__import__", "__import__", "builtins.__import__"}
)

_Sign = tuple[str, str]
_Meaning = Callable[[ast.expr], str]


def of_name(node: ast.Name, meaning: str) -> Iterator[_Sign]:
    """Yield (fact, kind) of a name; `meaning` is what it was imported as, "" if it was not."""
    if not meaning and (node.id in _HELD or node.id == "__builtins__") and isinstance(node.ctx, ast.Load):
        yield "dynamic_code", node.id
    elif meaning.rpartition(".")[2] in powers.LAST_NAMES:
        yield from powers.of_reference(meaning)


def of_attribute(node: ast.Attribute, meaning: _Meaning) -> Iterator[_Sign]:
    """Yield (fact, kind) of `x.name`."""
    if node.attr in powers.LAST_NAMES:
        yield from powers.of_reference(meaning(node))
    if node.attr == "__dict__" and meaning(node.value) in _MODULES:
        yield "dynamic_code", "vars"


def of_assignment(target: ast.expr, meaning: _Meaning) -> Iterator[_Sign]:
    """Yield (fact, kind) of something else put where everybody looks."""
    if isinstance(target, ast.Attribute) and (
        target.attr == "__code__" or meaning(target.value) == "builtins"
    ):
        yield "dynamic_code", target.attr


def of_subscript(node: ast.Subscript, meaning: _Meaning) -> Iterator[_Sign]:
    """Yield (fact, kind) of `x[...]`: another module in the place of one. A module may replace itself."""
    if meaning(node.value) != "sys.modules":
        return
    if isinstance(node.ctx, ast.Store) and last_name(node.slice) != "__name__":
        yield "dynamic_code", "sys.modules"


def of_call(name: str, node: ast.Call, meaning: _Meaning) -> Iterator[_Sign]:
    """Yield (fact, kind) of a call of what goes by `name`."""
    first = node.args[0] if node.args else None
    if name in _LOOK_UPS and first is not None and (module := meaning(first)) in _MODULES:
        yield from _looked_up(name, module, node)
    if name in _OWN_IMPORTS and isinstance(first, ast.Constant) and isinstance(first.value, str):
        for fact in powers.of_import(first.value, is_test=False):
            yield fact, f"import {first.value.partition('.')[0]}"
    elif name == "importlib.__import__":
        yield "dynamic_code", name
    if name in _ASKED_FOR and first is not None and reaching.names_framework(first):
        yield "test_framework_in_source", name
    if name in _CODE or (name.startswith("sys.path.") and last_name(node.func) in _LISTS):
        yield "dynamic_code", name
    if name.endswith(".__code__.replace"):
        yield "dynamic_code", "__code__"
    if powers.loads_objects(name, node):
        yield "dynamic_code", name


def _looked_up(name: str, module: str, node: ast.Call) -> Iterator[_Sign]:
    asked = node.args[1] if len(node.args) > 1 else None
    if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
        yield from powers.of_reference(f"{module}.{asked.value}")
        if name == "setattr" and module == "builtins":
            yield "dynamic_code", asked.value
    else:
        yield "dynamic_code", name
