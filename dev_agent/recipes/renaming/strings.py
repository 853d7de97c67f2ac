"""The old name inside string literals, and what is done with each kind.

renamed     quoted annotations and arguments of `cast`, TypeVar and generic classes, read as the expressions they
            are; `# type:` comments; `T = TypeVar("T")` and its like; strings of `__all__`, `__slots__`,
            `__match_args__`; a dotted path that leads to the symbol ("pkg.core.run_all", "pkg.core:run_all", also with
            "name = " before it), wherever it stands: nothing else is called so; the name that `patch.object` and
            `monkeypatch.setattr` are given beside an object known to be ours
refused     getattr, setattr, hasattr, delattr, attrgetter, methodcaller, `globals()[...]`, `vars(x)[...]`,
            `x.__dict__[...]`, `Enum["NAME"]` on something that is or may be ours, f-strings and sums that build such a
            name, `Class(**fields)` of a renamed field, names in a module with a `__getattr__` of its own: they are
            dynamic, and the message names every one
left alone  all other strings and docstrings; those that are exactly the name are noted
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.target import slots
from dev_agent.recipes.renaming.uses import Verdict
from dev_agent.recipes.renaming.values import Class, Foreign, Instance, Module

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.scopes import Scope, Visit, Walked
    from dev_agent.recipes.renaming.seeker import Seeker
    from dev_agent.recipes.renaming.uses import FileUses
    from dev_agent.recipes.renaming.values import Values

_LITERAL = re.compile(r"[rRbBuU]{0,2}('''|\"\"\"|'|\")(.*)\1", re.DOTALL)
_DOTTED = re.compile(
    r"(?:[\w.-]+\s*=\s*)?([^\W\d]\w*(?:\.[^\W\d]\w*)*)(?::([^\W\d]\w*(?:\.[^\W\d]\w*)*))?(?:\s*\[[\w, -]*\])?"
)
_TYPE_COMMENT = re.compile(r"#\s*type:\s*(?!ignore\b)(.*)", re.DOTALL)
_ACCESS = frozenset(
    {"getattr", "setattr", "hasattr", "delattr", "getattr_static", "__getattribute__", "__setattr__"}
)
_GETTERS = frozenset({"attrgetter", "methodcaller"})
_PATCHED = frozenset({"setattr", "delattr", "object"})
_TYPED = {"cast": (0,), "TypeVar": None, "NewType": (1,), "ForwardRef": (0,)}
_NAMED = frozenset(
    {
        "TypeVar",
        "ParamSpec",
        "TypeVarTuple",
        "NewType",
        "NamedTuple",
        "namedtuple",
        "TypedDict",
        "TypeAliasType",
    }
    | {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}
)
_GENERIC = frozenset(
    {"typing", "collections", "builtins", "types", "contextlib", "typing_extensions", "re", "os"}
)


class Strings:
    """Judges the strings of one file."""

    def __init__(self, inference: Inference, seeker: Seeker, file: Walked, found: FileUses, new: str) -> None:
        self._inference, self._seeker, self._file, self._found, self._new = (
            inference,
            seeker,
            file,
            found,
            new,
        )
        self._old, self._source = seeker.target.name, found.source
        self._word = re.compile(rf"\b{re.escape(self._old)}\b")
        self._docstrings = {id(one) for one in _docstrings(self._source.tree)}
        self._done: set[int] = set()
        self._data: set[int] = set()

    def work(self) -> None:
        """Judge them all."""
        self._lists()
        for visit in self._file.visits:
            node = visit.node
            if isinstance(node, ast.Assign):
                self._named(node, visit.scope)
            elif isinstance(node, ast.Call):
                self._call(node, visit.scope)
            elif isinstance(node, ast.Subscript):
                self._subscript(node, visit.scope)
        for visit in self._file.visits:
            node = visit.node
            if (
                not isinstance(node, ast.Constant)
                or not isinstance(node.value, str)
                or id(node) in self._done
            ):
                continue
            if self._word.search(node.value):
                self._plain(visit, node, node.value)
        self._comments()

    # -- strings that are names ----------------------------------------------------------------------------------

    def _lists(self) -> None:
        target = self._seeker.target
        exported = self._file.scope in target.scopes or (
            not target.member
            and any(self._seeker.from_module(key) for key in [self._source.path.rpartition(".")[0]])
        )
        self._list(slots(self._file.scope, "__all__"), ours=exported)
        for one in self._file.classes:
            for label in ("__slots__", "__match_args__"):
                self._list(slots(one, label), ours=one in target.classes)

    def _list(self, strings: dict[str, list[ast.Constant]], *, ours: bool) -> None:
        for node in strings.get(self._old, ()):
            self._done.add(id(node))
            if ours:
                self._replace(node, 0, len(self._old))

    def _named(self, node: ast.Assign, scope: Scope) -> None:
        """`T = TypeVar("T")`: what is made is told its own name, and type checkers insist that it is the right one."""
        target, value = node.targets[0], node.value
        if not (
            isinstance(target, ast.Name)
            and target.id == self._old
            and isinstance(value, ast.Call)
            and value.args
        ):
            return
        name = value.args[0]
        if self._is_name(name) and isinstance(name, ast.Constant) and _last(value.func) in _NAMED:
            self._done.add(id(name))
            if self._seeker.in_scope(scope) is Verdict.OURS:
                self._replace(name, 0, len(self._old))

    def _replace(self, node: ast.Constant, start: int, end: int) -> None:
        """Replace a part of a string's value, which must stand in the file as it is."""
        inner = self._inner(node)
        if inner is None:
            self._found.strange.append(node.lineno)
        else:
            self._found.edits.append((inner + start, inner + end, self._new))

    def _inner(self, node: ast.Constant) -> int | None:
        start, end = self._source.start(node), self._source.end(node)
        literal = _LITERAL.fullmatch(self._source.text[start:end])
        return None if literal is None or literal[2] != node.value else start + literal.start(2)

    # -- dynamic use ---------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, scope: Scope) -> None:
        last = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if last in _TYPED:
            self._typed_call(node, scope, last)
        if last in _GETTERS:
            for one in node.args:
                if self._is_name(one) and self._seeker.target.member:
                    self._refuse(node, one)
        elif last in _PATCHED and isinstance(node.func, ast.Attribute) and len(node.args) >= 2:
            self._patched(node, scope)
        elif last in _ACCESS and len(node.args) >= (2 if isinstance(node.func, ast.Name) else 1):
            plain = isinstance(node.func, ast.Name) or len(node.args) >= 2
            receiver = node.args[0] if plain else getattr(node.func, "value", node.args[0])
            self._access(node, receiver, node.args[1] if plain else node.args[0], scope)
        elif last in {"get", "pop", "setdefault"} and isinstance(node.func, ast.Attribute) and node.args:
            self._mapping(node, node.func.value, node.args[0], scope)
        self._unpacked(node, scope)

    def _is_name(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Constant) and node.value == self._old

    def _refuse(self, node: ast.expr, name: ast.expr) -> None:
        self._done.update(id(one) for one in ast.walk(name))
        self._found.dynamic.append(node.lineno)

    def _access(self, node: ast.Call, receiver: ast.expr, name: ast.expr, scope: Scope) -> None:
        verdict = self._seeker.of_receiver(self._inference.evaluate(receiver, scope))
        if self._is_name(name):
            if verdict is Verdict.OTHER:
                self._done.add(id(name))
            else:
                self._refuse(node, name)
        elif verdict is not Verdict.OTHER and self._builds(name):
            self._refuse(node, name)
        elif verdict is Verdict.OURS and not isinstance(name, ast.Constant):
            self._found.noted.append(node.lineno)

    def _builds(self, name: ast.expr) -> bool:
        """An f-string, sum, `%` or `.format` whose constant ends are those of the name."""
        if isinstance(name, ast.JoinedStr):
            ends = [
                one.value if isinstance(one, ast.Constant) else ""
                for one in (name.values[:1] + name.values[-1:])
            ]
        elif isinstance(name, ast.BinOp):
            sides = [one.value if isinstance(one, ast.Constant) else "" for one in (name.left, name.right)]
            ends = (
                sides
                if isinstance(name.op, ast.Add)
                else re.split(r"%\w", str(sides[0]))[:: len(str(sides[0])) or 1]
            )
        elif (
            isinstance(name, ast.Call) and isinstance(name.func, ast.Attribute) and name.func.attr == "format"
        ):
            template = name.func.value
            ends = re.split(r"\{[^}]*\}", str(template.value)) if isinstance(template, ast.Constant) else []
        else:
            return False
        first, last = (str(ends[0]), str(ends[-1])) if ends else ("", "")
        return bool(first or last) and self._old.startswith(first) and self._old.endswith(last)

    def _patched(self, node: ast.Call, scope: Scope) -> None:
        """`monkeypatch.setattr(thing, "name", ...)`, `patch.object(thing, "name")`."""
        name = node.args[1]
        if not self._is_name(name) or not isinstance(name, ast.Constant):
            return
        verdict = self._seeker.of_receiver(self._inference.evaluate(node.args[0], scope))
        if verdict is Verdict.OURS:
            self._done.add(id(name))
            self._replace(name, 0, len(self._old))
        elif verdict is not Verdict.OTHER:
            self._refuse(node, name)

    def _subscript(self, node: ast.Subscript, scope: Scope) -> None:
        if self._is_name(node.slice):
            self._mapping(node, node.value, node.slice, scope)
        label = _last(node.value)
        if label in {"Literal", "Annotated"}:
            parts = (
                node.slice.elts[1:]
                if isinstance(node.slice, ast.Tuple) and label == "Annotated"
                else [node.slice]
            )
            self._data.update(id(one) for part in parts for one in ast.walk(part))
        strings = [
            one
            for one in ast.walk(node.slice)
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        values = [one for one in strings if id(one) not in self._data]
        if any(self._word.search(str(one.value)) for one in values) and self._is_generic(node.value, scope):
            for one in values:
                self._expression(one, scope)

    def _is_generic(self, node: ast.expr, scope: Scope) -> bool:
        for value in self._inference.evaluate(node, scope):
            if isinstance(value, Foreign):
                home, _, last = value.dotted.partition(".")
                return home in _GENERIC and last != "Literal" and not last.endswith(".environ")
            if isinstance(value, Class):
                return not self._enum(value.scope)
        return False

    def _enum(self, scope: Scope) -> bool:
        return any(
            isinstance(one, Foreign) and "enum" in one.dotted for one in self._inference.ancestors(scope)
        )

    def _mapping(self, node: ast.expr, mapping: ast.expr, name: ast.expr, scope: Scope) -> None:
        """`globals()["name"]`, `vars(x)["name"]`, `x.__dict__["name"]`, `Enum["NAME"]`."""
        if not self._is_name(name):
            return
        verdict = self._namespace(mapping, scope)
        if verdict in {Verdict.OURS, Verdict.UNKNOWN, Verdict.MIXED}:
            self._refuse(node, name)

    def _namespace(self, mapping: ast.expr, scope: Scope) -> Verdict:
        if isinstance(mapping, ast.Call) and isinstance(mapping.func, ast.Name):
            called = mapping.func.id
            if called in {"globals", "locals"}:
                return Verdict.OURS if scope.module in self._seeker.target.scopes else Verdict.OTHER
            if called == "vars":
                values: Values = self._inference.evaluate(mapping.args[0], scope) if mapping.args else ()
                return self._seeker.of_receiver(values)
        if isinstance(mapping, ast.Attribute) and mapping.attr in {
            "__dict__",
            "__members__",
            "__annotations__",
        }:
            return self._seeker.of_receiver(self._inference.evaluate(mapping.value, scope))
        values = self._inference.evaluate(mapping, scope)
        enums = [one for one in values if isinstance(one, Class) and self._enum(one.scope)]
        return self._seeker.of_receiver(tuple(enums)) if enums else Verdict.OTHER

    def _unpacked(self, node: ast.Call, scope: Scope) -> None:
        """`Invoice(**row)` gives fields by strings that cannot be seen."""
        if self._seeker.target.member and any(one.arg is None for one in node.keywords):
            for value in self._inference.evaluate(node.func, scope):
                if isinstance(value, Class) and self._seeker.field(value.scope) is Verdict.OURS:
                    self._found.dynamic.append(node.lineno)
        if node.args and getattr(node.func, "attr", getattr(node.func, "id", "")) == "asdict":
            values = self._inference.evaluate(node.args[0], scope)
            if any(isinstance(one, Instance) and one.scope in self._seeker.target.classes for one in values):
                self._found.noted.append(node.lineno)

    # -- quoted expressions and dotted paths ---------------------------------------------------------------------

    def _typed_call(self, node: ast.Call, scope: Scope, last: str) -> None:
        wanted = _TYPED[last]
        arguments = (
            node.args[1:] if wanted is None else [node.args[one] for one in wanted if one < len(node.args)]
        )
        arguments = arguments + [one.value for one in node.keywords if one.arg in {"bound", "typ"}]
        for argument in arguments:
            for one in ast.walk(argument):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    self._expression(one, scope)

    def _plain(self, visit: Visit, node: ast.Constant, value: str) -> None:
        if visit.annotation and id(node) not in self._data and self._expression(node, visit.scope):
            return
        if id(node) in self._done:
            return
        if (
            value == self._old
            and not self._seeker.target.member
            and "__getattr__" in self._file.scope.bindings
        ):
            self._found.dynamic.append(node.lineno)  # a table of names that a module gives on demand
        elif (
            id(node) in self._docstrings
            or visit.fstring is not None
            or (not self._dotted(node, value) and value == self._old)
        ):
            self._found.noted.append(node.lineno)

    def _expression(self, node: ast.Constant, scope: Scope) -> bool:
        """Rename in a quoted annotation; False if it is no expression."""
        if id(node) in self._done:
            return True
        spans = self._spans(str(node.value), scope)
        if spans is None:
            return False
        self._done.add(id(node))
        for start in spans:
            self._replace(node, start, start + len(self._old))
        return True

    def _spans(self, text: str, scope: Scope) -> list[int] | None:
        lead = len(text) - len(text.lstrip())
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        if not text.isascii() or "\n" in text:
            return [] if not self._word.search(text) else None
        spans = []
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Name)
                and node.id == self._old
                and self._seeker.in_scope(scope) is Verdict.OURS
            ):
                spans.append(lead + node.col_offset)
            elif isinstance(node, ast.Attribute) and node.attr == self._old:
                self._inference.keep(tree)
                if self._seeker.attribute(node, scope) is Verdict.OURS:
                    spans.append(lead + (node.end_col_offset or 0) - len(self._old))
        return spans

    def _dotted(self, node: ast.Constant, value: str) -> bool:
        spans = dotted_spans(self._inference, self._seeker, value)
        for start in spans:
            self._replace(node, start, start + len(self._old))
        return bool(spans)

    def _comments(self) -> None:
        for offset, text in self._source.comments(self._old):
            found = _TYPE_COMMENT.fullmatch(text)
            spans = self._spans(found[1].partition("#")[0], self._file.scope) if found else None
            for start in spans or []:
                begin = offset + found.start(1) + start if found else 0
                self._found.edits.append((begin, begin + len(self._old), self._new))
            if not spans:
                self._found.noted.append(self._source.line_at(offset))


def dotted_spans(inference: Inference, seeker: Seeker, value: str) -> list[int]:
    """Return where in "pkg.core.run_all" or "pkg.core:run_all" the old name stands and means the target."""
    found = _DOTTED.fullmatch(value)
    if found is None or ("." not in found[1] and found[2] is None):
        return []
    parts = [
        (one.group(), found.start(1) + one.start())
        for one in re.finditer(r"\w+", value[found.start(1) : found.end()])
    ]
    head = found[1].split(".")
    for count in range(len(head), 0, -1):
        keys = inference.project.find(".".join(head[:count]))
        if keys:
            break
    else:
        return []
    spans = []
    for index in range(count):
        keys_here = inference.project.find(".".join(head[: index + 1]))
        if head[index] == seeker.target.name and seeker.is_target_module(keys_here):
            spans.append(parts[index][1])
    values: Values = tuple(Module(key) for key in keys)
    for name, start in parts[count : len(head) + (len(found[2].split(".")) if found[2] else 0)]:
        if name == seeker.target.name and seeker.of_receiver(values) is Verdict.OURS:
            spans.append(start)
        values = inference.attribute(values, name)
    return spans


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _docstrings(tree: ast.AST) -> list[ast.Constant]:
    return [
        one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Expr)
        and isinstance(one.value, ast.Constant)
        and isinstance(one.value.value, str)
    ]
