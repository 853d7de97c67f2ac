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

Which kind a string is, is asked here in turn; `quoted.py`, `dynamic.py` and `dotted.py` know theirs.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.dotted import dotted_spans
from dev_agent.recipes.renaming.dynamic import Dynamic
from dev_agent.recipes.renaming.literals import Literals
from dev_agent.recipes.renaming.project import key_of
from dev_agent.recipes.renaming.quoted import Quoted
from dev_agent.recipes.renaming.shapes import own_name
from dev_agent.recipes.renaming.target import slots
from dev_agent.recipes.renaming.uses import FileUses, Verdict

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.scopes import Scope
    from dev_agent.recipes.renaming.seeker import Seeker
    from dev_agent.recipes.renaming.walking import Visit, Walked

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


class Strings:
    """Judges the strings of one file."""

    def __init__(self, inference: Inference, seeker: Seeker, file: Walked, found: FileUses, new: str) -> None:
        self._inference, self._seeker, self._file = inference, seeker, file
        self._old, self._source = seeker.old, found.source
        self._literals = Literals(seeker.old, new, found)
        self._quoted = Quoted(inference, seeker, self._literals)
        self._dynamic = Dynamic(inference, seeker, self._literals)
        self._docstrings = {id(one) for one in _docstrings(self._source.tree)}

    def work(self) -> None:
        """Judge them all."""
        self._lists()
        for visit in self._file.visits:
            node = visit.node
            if isinstance(node, ast.Assign):
                self._named(node, visit.scope)
            elif isinstance(node, ast.Call):
                self._quoted.call(node, visit.scope)
                self._dynamic.call(node, visit.scope)
            elif isinstance(node, ast.Subscript):
                self._dynamic.subscript(node, visit.scope)
                self._quoted.subscript(node, visit.scope)
        for visit in self._file.visits:
            node = visit.node
            if (
                not isinstance(node, ast.Constant)
                or not isinstance(node.value, str)
                or id(node) in self._literals.done
            ):
                continue
            if self._literals.word.search(node.value):
                self._plain(visit, node, node.value)
        self._quoted.comments(self._file.scope)

    def _lists(self) -> None:
        target = self._seeker.target
        exported = self._file.scope in target.scopes or (
            not target.member and self._seeker.from_module(key_of(self._source.path))
        )
        self._list(slots(self._file.scope, "__all__"), ours=exported)
        for one in self._file.classes:
            for label in ("__slots__", "__match_args__"):
                self._list(slots(one, label), ours=one in target.classes)

    def _list(self, strings: dict[str, list[ast.Constant]], *, ours: bool) -> None:
        for node in strings.get(self._old, ()):
            self._literals.done.add(id(node))
            if ours:
                self._literals.rename(node)

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
        if self._literals.is_name(name) and own_name(value.func) in _NAMED:
            self._literals.done.add(id(name))
            if self._seeker.in_scope(scope) is Verdict.OURS:
                self._literals.rename(name)

    def _plain(self, visit: Visit, node: ast.Constant, value: str) -> None:
        if (
            visit.annotation
            and id(node) not in self._literals.data
            and self._quoted.expression(node, visit.scope)
        ):
            return
        if id(node) in self._literals.done:
            return
        if (
            value == self._old
            and not self._seeker.target.member
            and "__getattr__" in self._file.scope.bindings
        ):
            self._literals.found.dynamic.append(node.lineno)  # a table of names that a module gives on demand
        elif (
            id(node) in self._docstrings
            or visit.fstring is not None
            or (not self._dotted(node, value) and value == self._old)
        ):
            self._literals.found.noted.append(node.lineno)

    def _dotted(self, node: ast.Constant, value: str) -> bool:
        spans = dotted_spans(self._inference, self._seeker, value)
        for start in spans:
            self._literals.replace(node, start)
        return bool(spans)


def _docstrings(tree: ast.AST) -> list[ast.Constant]:
    return [
        one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Expr)
        and isinstance(one.value, ast.Constant)
        and isinstance(one.value.value, str)
    ]
