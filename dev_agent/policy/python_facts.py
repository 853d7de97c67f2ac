"""Facts that the syntax tree of Python code tells: what code can newly do, and what it hides from types and
tests.

Only statements that changed are walked. Every occurrence becomes a mark; `marks` decides which are new. Names
are followed through the file's own imports (`from os import system as s` is `os.system`), not through
assignments, `getattr` or other files: this is a tripwire for what a model writes, not a proof about what a
malicious person can. The sandbox and the gates hold whether or not a tripwire rings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from dev_agent.policy import globs, handles, powers, reaching, unchecked
from dev_agent.policy.change import FileDelta
from dev_agent.policy.marks import FileMarks, Mark, Sighting
from dev_agent.policy.place import Place
from dev_agent.policy.python_source import (
    PythonSource,
    changed_statements,
    dotted,
    import_bindings,
    last_name,
    top_statements,
    walk,
)
from dev_agent.policy.settings import FactSettings
from dev_agent.python_text import READ_AS

_UNCHECKED = frozenset({"no_type_check", "no_type_check_decorator"})
_HANDLES = powers.LAST_NAMES | {"__dict__"}
_IMPORT = "import "
# What pytest calls in every plugin and conftest by its name alone: a hook can stand in for the body of every test.
_HOOK = "pytest_"
_TYPING = ("typing.", "typing_extensions.")
_ANY = re.compile(r"\bAny\b")


def python_facts(deltas: Sequence[FileDelta]) -> Iterator[Sighting]:
    """Python that cannot be read as Python."""
    for delta in deltas:
        source = delta.after_python
        if source is not None and source.tree is None:
            yield Sighting(
                fact="unparsable_python", place=Place(path=delta.path, text=f"not readable as {READ_AS}")
            )


def python_marks(delta: FileDelta, settings: FactSettings) -> FileMarks:
    """The marks of a file's changed statements."""
    before, after = changed_statements(delta.before_python, delta.after_python)
    old = _Reader(delta.before_python, delta.old_path, settings)
    new = _Reader(delta.after_python, delta.path, settings)
    return FileMarks(
        path=delta.path,
        before=tuple(old.read(before, imported=frozenset())),
        after=tuple(new.read(after, imported=old.imports())),
    )


_Sign = tuple[str, str]
_Signs = Iterator[_Sign]
_See = Callable[[ast.AST], Iterable[_Sign]]
_ANY_SIGN: tuple[_Sign, ...] = (("any_added", "Any"),)


class _Reader:
    """Reads the marks of one version of one file: `_see_x` yields (fact, kind) of a node of type X."""

    def __init__(self, source: PythonSource | None, path: str, settings: FactSettings) -> None:
        self.source = source or PythonSource(None, ())
        # Most files do neither, and their expressions need not be searched for it.
        self._speaks_of_modules = any(one in self.source.content for one in (b"modules", b"argv", b"environ"))
        self.is_test = path not in settings.used and globs.matches(settings.tests, path, casefold=True)

    def read(self, statements: Sequence[ast.stmt], *, imported: frozenset[str]) -> Iterator[Mark]:
        """The marks of some statements. Importing again what is `imported` gives code nothing new."""
        known = set(imported)
        readers: dict[type[ast.AST], _See | None] = {}
        for node in walk(statements):
            kind_of_node = type(node)
            if kind_of_node not in readers:
                readers[kind_of_node] = getattr(self, f"_see_{kind_of_node.__name__.lower()}", None)
            reader = readers[kind_of_node]
            for fact, kind in reader(node) if reader else ():
                if kind.startswith(_IMPORT):
                    if kind in known:
                        continue
                    known.add(kind)
                number: int = getattr(node, "lineno", 1)
                yield Mark(fact=fact, kind=kind, line=number, text=self.source.line(number))

    def imports(self) -> frozenset[str]:
        """The kinds of what the whole file imports at its top."""
        signs = (
            sign
            for statement in top_statements(self.source.top)
            if isinstance(statement, ast.Import | ast.ImportFrom)
            for sign in self._see_import(statement)
        )
        return frozenset(kind for _, kind in signs if kind.startswith(_IMPORT))

    def _see_import(self, node: ast.Import | ast.ImportFrom) -> _Signs:
        for name in _loaded(node):
            for fact in powers.of_import(name, is_test=self.is_test):
                yield fact, f"{_IMPORT}{name.partition('.')[0]}"
        for name, meaning in import_bindings(node).items():
            if isinstance(node, ast.ImportFrom) and not self.is_test and name.startswith(_HOOK):
                yield "test_framework_in_source", name
            if self._typing(meaning) == "Any" and name != "Any":
                yield "any_added", "Any"

    _see_importfrom = _see_import

    def _see_call(self, node: ast.Call) -> _Signs:
        name = self._meaning(node.func)
        yield from powers.of_call(name, is_test=self.is_test)
        if not self.is_test:
            yield from handles.of_call(name, node, self._meaning)
        if name == "setattr" and len(node.args) == 3 and isinstance(node.args[1], ast.Constant):
            yield from _always(str(node.args[1].value), node.args[2])
        if not self.is_test and name in powers.LOADING_CALLS and not _names_module(name, node):
            yield "dynamic_code", name
        if self._typing(name) == "cast":
            yield "casts_added", "cast"
        if name == "contextlib.suppress" and any(_is_broad(one) for one in node.args):
            yield "swallowed_exceptions", "suppress"
        if (
            not self.is_test
            and name.startswith("sys.modules.")
            and node.args
            and reaching.names_framework(node.args[0])
        ):
            yield "behaves_differently_under_test", "sys.modules"

    def _see_name(self, node: ast.Name) -> Iterable[_Sign]:
        # Names are most of all nodes: one look-up decides. An unimported name has no dot, so it is not typing's.
        meaning = self.source.imported.get(node.id, "")
        if not self.is_test:
            if meaning in reaching.WAYS:
                return (("dynamic_code", meaning),)
            if found := tuple(handles.of_name(node, meaning)):
                return found
        return _ANY_SIGN if self._typing(meaning) == "Any" else ()

    def _see_attribute(self, node: ast.Attribute) -> Iterable[_Sign]:
        if node.attr in reaching.LAST_NAMES and not self.is_test:
            found = node.attr in reaching.NAMES or self._meaning(node) in reaching.WAYS
            return (("dynamic_code", node.attr),) if found else ()
        if node.attr in _HANDLES and not self.is_test:
            return handles.of_attribute(node, self._meaning)
        if node.attr != "Any" or self._typing(self._meaning(node)) != "Any":
            return ()
        return _ANY_SIGN

    def _see_arg(self, node: ast.arg | ast.AnnAssign) -> _Signs:
        yield from _quoted_any(node.annotation)

    def _see_annassign(self, node: ast.AnnAssign) -> _Signs:
        yield from _quoted_any(node.annotation)
        if node.value is not None:
            yield from _always(last_name(node.target), node.value)

    def _see_dict(self, node: ast.Dict) -> _Signs:
        # The members of a class that `type(...)` makes.
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield from _always(key.value, value)

    def _see_typealias(self, node: ast.AST) -> _Signs:
        yield from _quoted_any(getattr(node, "value", None))

    def _see_typevar(self, node: ast.AST) -> _Signs:
        yield from _quoted_any(getattr(node, "bound", None))
        yield from _quoted_any(getattr(node, "default_value", None))

    def _see_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> _Signs:
        yield from _quoted_any(node.returns)
        yield from self._see_classdef(node)
        yield from _always(node.name, node)
        if node.name.startswith(_HOOK) and not self.is_test:
            yield "test_framework_in_source", node.name

    _see_asyncfunctiondef = _see_functiondef

    def _see_assign(self, node: ast.Assign) -> _Signs:
        for one in node.targets:
            if isinstance(one, ast.Attribute):
                yield from _always(one.attr, node.value)
            if not self.is_test:
                yield from handles.of_assignment(one, self._meaning)
        for name in (one.id for one in node.targets if isinstance(one, ast.Name)):
            yield from _always(name, node.value)
            if name.startswith(_HOOK) and not self.is_test:
                yield "test_framework_in_source", name

    def _see_classdef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> _Signs:
        for one in node.decorator_list:
            name = last_name(one)
            if self.source.imported.get(name, name).rpartition(".")[2] in _UNCHECKED:
                yield "type_checking_disabled", "no_type_check"

    def _see_excepthandler(self, node: ast.ExceptHandler) -> _Signs:
        if (node.type is None or _is_broad(node.type)) and all(_does_nothing(one) for one in node.body):
            yield "swallowed_exceptions", "except"

    def _see_if(self, node: ast.If | ast.IfExp) -> _Signs:
        return unchecked.signs_of(node)

    _see_ifexp = _see_if

    def _see_compare(self, node: ast.Compare) -> _Signs:
        # Arguments are compared to find out; put together with a framework's name they start it.
        yield from self._asking([node.left, *node.comparators], "sys.argv", "sys.orig_argv")

    def _see_binop(self, node: ast.BinOp) -> _Signs:
        yield from self._asking([node.left, node.right])

    def _see_generatorexp(self, node: ast.GeneratorExp | ast.ListComp | ast.SetComp) -> _Signs:
        yield from self._asking(
            [node.elt, *(part for one in node.generators for part in (one.iter, *one.ifs))]
        )

    _see_listcomp = _see_generatorexp
    _see_setcomp = _see_generatorexp

    def _asking(self, parts: Sequence[ast.expr], *places: str) -> _Signs:
        """Parts of one expression of which one holds the loaded modules, or the environment, and another names a test
        framework."""
        if self.is_test or not self._speaks_of_modules:
            return
        nodes = list(walk(parts))
        if any(
            isinstance(one, ast.Attribute | ast.Name) and self._meaning(one) == "os.environ" for one in nodes
        ) and any(map(reaching.names_variables, nodes)):
            yield "behaves_differently_under_test", "os.environ"
        holds = any(
            isinstance(one, ast.Attribute | ast.Name) and self._meaning(one) in {"sys.modules", *places}
            for one in nodes
        )
        if holds and any(reaching.names_framework(one) for one in nodes):
            yield "behaves_differently_under_test", "sys.modules"

    def _see_subscript(self, node: ast.Subscript) -> _Signs:
        if not self.is_test:
            yield from handles.of_subscript(node, self._meaning)
        if not self.is_test and self._holds_modules(node.value) and reaching.names_framework(node.slice):
            yield "behaves_differently_under_test", "sys.modules"

    def _see_constant(self, node: ast.Constant) -> _Signs:
        if self.is_test or not isinstance(node.value, str):
            return
        if reaching.gives_away(node.value):
            yield "behaves_differently_under_test", node.value
        if node.value in reaching.NAMES:
            yield "dynamic_code", node.value
        if node.value == "_exit":
            yield "process_control", node.value

    def _holds_modules(self, node: ast.expr) -> bool:
        inner = (
            node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else node
        )
        return self._meaning(inner) in {"sys.modules", "sys.argv", "sys.orig_argv"}

    def _meaning(self, node: ast.expr) -> str:
        """What a chain of names stands for, through the file's imports; "" for what is no chain of names."""
        name = dotted(node)
        first, dot, rest = name.partition(".")
        return self.source.imported.get(first, first) + dot + rest

    @staticmethod
    def _typing(meaning: str) -> str:
        for prefix in _TYPING:
            if meaning.startswith(prefix):
                return meaning.removeprefix(prefix)
        return ""


def _loaded(node: ast.AST) -> Iterator[str]:
    """Every module an import statement may load: `from urllib import request` may load `urllib.request`."""
    if isinstance(node, ast.Import):
        yield from (one.name for one in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module
        yield from (f"{node.module}.{one.name}" for one in node.names)


def _always(name: str, answer: ast.AST) -> Iterator[_Sign]:
    if name in reaching.ALWAYS and reaching.answers_without_looking(answer):
        yield "always_equal_objects", name


def _quoted_any(annotation: ast.expr | None) -> Iterator[tuple[str, str]]:
    if (
        isinstance(annotation, ast.Constant)
        and isinstance(annotation.value, str)
        and _ANY.search(annotation.value)
    ):
        yield "any_added", "Any"


def _names_module(name: str, node: ast.Call) -> bool:
    """A call that loads a module by a name that stands there, and no file by its path."""
    first = node.args[0] if node.args else None
    return not name.endswith(("run_path", "location", "Loader")) and isinstance(first, ast.Constant)


def _is_broad(node: ast.expr) -> bool:
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(last_name(one) in {"Exception", "BaseException"} for one in names)


def _does_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass | ast.Continue) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )
