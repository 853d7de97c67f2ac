"""The recipe that writes types as today's Python has them: `list[int]`, `X | None`, `collections.abc`.

Only what is a type is touched: annotations, type arguments of calls, type aliases, and types in quotes. What may be
written is the oldest Python's decision (`target.py`): generics of builtins from 3.9 on, `|` from 3.10 on; below, only
in what is never evaluated, and not in a project that reads annotations at run time. Names from `typing` that are used
for something else as well stay imported.
"""

from __future__ import annotations

import ast
import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.bindings import imports, marked, unused
from dev_agent.recipes.called import Called
from dev_agent.recipes.compared import Compared
from dev_agent.recipes.importing import imported
from dev_agent.recipes.model import Place
from dev_agent.recipes.pruning import pruned
from dev_agent.recipes.reached import Reached, module_name, reached
from dev_agent.recipes.source import Edit
from dev_agent.recipes.sweep import Step, Sweep
from dev_agent.recipes.target import Targets
from dev_agent.recipes.typespots import TypeSpot, type_spots
from dev_agent.recipes.unions import Left, Unions, functions_of
from dev_agent.recipes.wording import Phrases
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.bindings import Bound
    from dev_agent.recipes.files import Files
    from dev_agent.recipes.model import Bench, Job
    from dev_agent.recipes.source import Source

_PHRASES: Final = Phrases(
    r"moderni[sz]e (?:the )?(?:typing|types|type hints|type annotations|annotations|typing syntax)(?: syntax)?",
    r"upgrade (?:the )?(?:typing|type hints|type annotations|annotations)(?: syntax)?",
    r"use (?:modern (?:typing|type hints|type annotations)(?: syntax)?|x \| y unions?|pep ?604 unions?"
    r"|pep ?585 generics?|built-?in generics)",
    r"(?:replace|convert) (?:typing\.)?(?:optional and union|optional|union)(?: types)? (?:with|to|by) (?:\||x \| y)",
)
_BUILTINS: Final = {
    "List": "list", "Dict": "dict", "Set": "set", "FrozenSet": "frozenset", "Tuple": "tuple", "Type": "type",
    "Text": "str",
}  # fmt: skip
_RENAMED: Final = {
    "Deque": ("collections", "deque"), "DefaultDict": ("collections", "defaultdict"),
    "Pattern": ("re", "Pattern"), "Match": ("re", "Match"),
}  # fmt: skip
_ABSTRACT: Final = frozenset({
    "AsyncGenerator", "AsyncIterable", "AsyncIterator", "Awaitable", "Callable", "Collection", "Container",
    "Coroutine", "Generator", "ItemsView", "Iterable", "Iterator", "KeysView", "Mapping", "MappingView",
    "MutableMapping", "MutableSequence", "MutableSet", "Reversible", "Sequence", "ValuesView",
})  # fmt: skip
_LIKELY: Final = re.compile(rb"\btyping(?:_extensions)?\b")
_READERS: Final = re.compile(
    rb"get_type_hints|get_annotations|pydantic|fastapi|typer|cattrs|beartype|typeguard|msgspec|sqlalchemy|marshmallow"
)


@dataclass(frozen=True, slots=True)
class ModernTyping:
    """Modernise typing syntax."""

    name: str = "modernise-typing"
    summary: str = (
        "list[int] for List[int], X | None for Optional[X], collections.abc, as the oldest Python allows"
    )
    examples: tuple[str, ...] = (
        "modernise typing",
        "modernize the type hints in the whole project",
        "use X | Y unions in src/app.py",
    )

    def read(self, task: str) -> Job | None:
        """See `Recipe.read`."""
        meant = _PHRASES.match(task)
        if meant is None:
            return None
        return Sweep(
            title=meant.titled("modernise typing syntax"),
            noun="type",
            likely=_likely,
            make=_Moderniser.make,
            where=meant.where,
        )


def _likely(content: bytes) -> bool:
    return _LIKELY.search(content) is not None


@dataclass(frozen=True, slots=True)
class _Moderniser:
    targets: Targets
    reached: Reached
    compared: Compared
    read_at_run_time: bool

    @classmethod
    def make(cls, bench: Bench, files: Files) -> _Moderniser:
        modules = {module_name(path) for path, _ in files.candidates(_likely)}
        taken = reached(type(files)(bench), modules) if modules else Reached(frozenset(), frozenset())
        python = (path for path in bench.tree.paths() if path.endswith(".py"))
        read = any(_READERS.search(bench.tree.read(path)) for path in python)
        compared = Compared.read(type(files)(bench), _likely, _BUILTINS)
        return cls(Targets(bench.tree), taken, compared, read)

    def step(self, path: str, source: Source) -> Step:
        work = _FileWork(path, source, self)
        edits = [*work.types(), *work.moved()]
        edits += imported(source, work.called, work.needed)
        if not edits:
            return Step(left=tuple(work.left))
        before = {bound.target for bound in unused(source)}
        after = source.edited(edits)
        idle = [bound for bound in unused(after) if bound.target not in before and self._may_go(path, bound)]
        text = after.edited(pruned(after, idle)).text
        return Step(edits=(Edit(0, len(source.text), text),), done=work.done, left=tuple(work.left))

    def _may_go(self, path: str, bound: Bound) -> bool:
        of_typing = bound.module in {"typing", "typing_extensions"}
        return of_typing and not self.reached.takes(path, bound.name)


@dataclass(slots=True)
class _FileWork:
    path: str
    source: Source
    all: _Moderniser
    called: Called = field(init=False)
    spots: list[TypeSpot] = field(init=False)
    needed: set[tuple[str, str]] = field(default_factory=set)
    left: list[Place] = field(default_factory=list)
    done: int = 0

    def __post_init__(self) -> None:
        self.called = Called.read(self.source)
        self.spots = type_spots(self.source, self.called)

    def types(self) -> list[Edit]:
        """Unions and generics."""
        unions = Unions(self.called, functions_of(self.source.tree))
        edits: list[Edit] = []
        for spot in self.spots:
            for node in spot.nodes():
                try:
                    edits += self._edits(spot, node, unions)
                except Left as reason:
                    self._leave(spot, node, str(reason))
        return edits

    def _edits(self, spot: TypeSpot, node: ast.expr, unions: Unions) -> list[Edit]:
        if isinstance(node, ast.Subscript) and self.called.typing(node.value) in {"Optional", "Union"}:
            self._respell(self.called.typing(node.value))
            self._allow(spot, (3, 10))
            edits = unions.edits(spot, node)
        else:
            name = self.called.typing(node)
            if name not in _BUILTINS and name not in _RENAMED:
                return []
            self._respell(name)
            new = self._name(spot, name)
            edits = [Edit(*spot.span(node), new)]
        self.done += 1
        return edits

    def _name(self, spot: TypeSpot, name: str) -> str:
        if name != "Text":
            self._allow(spot, (3, 9))
        if name in _BUILTINS:
            if not self.called.builtin(_BUILTINS[name]):
                raise Left(f"{_BUILTINS[name]} means something else in this file")
            return _BUILTINS[name]
        module, plain = _RENAMED[name]
        # `from typing import Pattern` itself takes the name; then the import would have to move, as for abstract ones.
        local = self.called.local(module, plain, evaluated=spot.evaluated)
        if local is None:
            raise Left(f"the name {plain} is taken in this file")
        if "." not in local:
            self.needed.add((module, plain))
        return local

    def _respell(self, name: str) -> None:
        place = self.all.compared.place(self.path, name)
        if place is not None:
            raise Left(f"types are compared with {place.text} at run time, in {place.path}:{place.line}")

    def _allow(self, spot: TypeSpot, since: tuple[int, int]) -> None:
        oldest = self.all.targets.of(self.path)
        if oldest >= since:
            return
        wanted = ".".join(map(str, since))
        if spot.evaluated:
            raise Left(
                f"it is evaluated, and the project runs on Python {oldest[0]}.{oldest[1]}, before {wanted}"
            )
        if self.all.read_at_run_time:
            raise Left(f"annotations are read at run time, on Pythons before {wanted} too")

    def moved(self) -> list[Edit]:
        """Abstract classes, imported from where they live; only names that are used for nothing but types."""
        if self.all.targets.of(self.path) < (3, 10):
            return []
        typed = {id(node) for spot in self.spots if spot.base is None for node in spot.nodes()}
        otherwise = {
            node.id
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.Name) and id(node) not in typed
        }
        going = [
            bound for bound in imports(self.source.tree) if self._moves(bound) and bound.name not in otherwise
        ]
        self.needed |= {("collections.abc", bound.name) for bound in going}
        self.done += len(going)
        return pruned(self.source, going)

    def _moves(self, bound: Bound) -> bool:
        plain = isinstance(bound.owner, ast.Module) and not bound.alias.asname
        own = self.called.of.get(bound.name) == bound.target and bound.module == "typing"
        here = plain and own and bound.name in _ABSTRACT and not marked(self.source, bound.statement)
        free = here and not self.all.reached.takes(self.path, bound.name)
        return free and self.all.compared.place(self.path, bound.name) is None

    def _leave(self, spot: TypeSpot, node: ast.expr, reason: str) -> None:
        line = self.source.line_of(spot.span(node)[0])
        self.left.append(Place(path=self.path, line=line, text=f"{self.source.line_text(line)}  ({reason})"))
