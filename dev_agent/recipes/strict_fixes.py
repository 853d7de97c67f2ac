"""What takes one kind of complaint of `mypy --strict` away, at the place it is about.

Each fix reads the complaints of its kind in one file and gives edits; it changes nothing where it does not find what
the message speaks of. Whether a fix helped is not its business: the type checker is asked again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeAlias

from dev_agent.recipes.annotator import Annotator, with_defaults
from dev_agent.recipes.called import Called, postponed
from dev_agent.recipes.importing import imported
from dev_agent.recipes.source import Edit
from dev_agent.recipes.typespots import TypeSpot, type_spots
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.model import Complaint
    from dev_agent.recipes.source import Source
    from dev_agent.recipes.target import Version

_BARE: Final = re.compile(
    r'(?:Missing type (?:arguments|parameters) for generic type|expects? .*type arg.*) "?(?P<name>[\w.]+)"?'
)
_DEFAULT: Final = re.compile(
    r'Incompatible default for (?:parameter|argument) "(?P<name>\w+)" \(default has type "None"'
)
_UNUSED: Final = re.compile(r'Unused "type: ignore(?:\[(?P<codes>[^\]]*)\])?" comment$')
_IGNORE: Final = re.compile(r"#\s*type:\s*ignore(?:\[(?P<codes>[^\]]*)\])?(?P<rest>\s*(?:#.*)?$)?")
_ARGUMENTS: Final = {
    "list": "Any", "set": "Any", "frozenset": "Any", "type": "Any", "tuple": "Any, ...", "dict": "Any, Any",
    "deque": "Any", "defaultdict": "Any, Any", "OrderedDict": "Any, Any", "Counter": "Any", "ChainMap": "Any, Any",
    "Callable": "..., Any", "Iterable": "Any", "Iterator": "Any", "Collection": "Any", "Container": "Any",
    "Sequence": "Any", "MutableSequence": "Any", "Mapping": "Any, Any", "MutableMapping": "Any, Any",
    "Set": "Any", "AbstractSet": "Any", "MutableSet": "Any", "FrozenSet": "Any", "List": "Any", "Dict": "Any, Any",
    "Tuple": "Any, ...", "Type": "Any", "Awaitable": "Any", "AsyncIterator": "Any", "AsyncIterable": "Any",
    "Generator": "Any, Any, Any", "AsyncGenerator": "Any, Any", "Coroutine": "Any, Any, Any",
    "Pattern": "Any", "Match": "Any", "Deque": "Any", "DefaultDict": "Any, Any", "Queue": "Any", "Popen": "Any",
    "CompletedProcess": "Any", "PathLike": "Any", "Future": "Any", "Task": "Any", "ContextManager": "Any",
    "partial": "Any", "ContextVar": "Any", "Token": "Any", "ClassVar": "Any",
}  # fmt: skip
_OLD_NAMES: Final = {
    "list": "List",
    "dict": "Dict",
    "set": "Set",
    "frozenset": "FrozenSet",
    "tuple": "Tuple",
    "type": "Type",
}
# Subscribing these fails at run time, in some Python that is still in use.
_SINCE: Final[Mapping[str, tuple[int, int]]] = {"partial": (3, 9), "ContextVar": (3, 9), "Token": (3, 9)}


@dataclass(slots=True)
class Fixing:
    """One file with the complaints about it, and the imports its fixes need."""

    path: str
    source: Source
    oldest: Version
    annotator: Annotator
    called: Called = field(init=False)
    needed: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.called = Called.read(self.source)

    def late(self) -> bool:
        """Whether annotations are not evaluated here."""
        return postponed(self.source.tree)

    def take(self, module: str, name: str) -> bool:
        """Ask for a name of a module by its own name; False if that is taken."""
        if self.called.local(module, name, evaluated=not self.late()) != name:
            return False
        self.needed.add((module, name))
        return True

    def edited(self, edits: Sequence[Edit]) -> Source:
        """The file with these edits and the imports they need."""
        return self.source.edited([*edits, *imported(self.source, self.called, self.needed)])


Fix: TypeAlias = "Callable[[Fixing, Sequence[Complaint]], Iterator[Edit]]"


def returns(work: Fixing, complaints: Sequence[Complaint]) -> Iterator[Edit]:
    """Annotations that are known, for functions without."""
    step = work.annotator.step(work.path, work.source, {each.line for each in complaints})
    yield from step.edits


def implicit_optional(work: Fixing, complaints: Sequence[Complaint]) -> Iterator[Edit]:
    """`x: int = None` says `int | None`."""
    wanted = {(each.line, found["name"]) for each in complaints if (found := _DEFAULT.search(each.message))}
    for node in ast.walk(work.source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for parameter, default in with_defaults(node.args):
            lines = range(parameter.lineno, (default.end_lineno or default.lineno) + 1)
            asked = any((line, parameter.arg) in wanted for line in [*lines, node.lineno])
            if asked and parameter.annotation and isinstance(default, ast.Constant) and default.value is None:
                yield from _optional(work, parameter.annotation)


def _optional(work: Fixing, node: ast.expr) -> Iterator[Edit]:
    start, end = work.source.span(node)
    quoted = isinstance(node, ast.Constant) and isinstance(node.value, str)
    if quoted and not (work.source.text[start] in "'\"" and work.source.text[end - 1] in "'\""):
        return
    if quoted:
        start, end = start + 1, end - 1
        if work.source.text[start : start + 1] in {"'", '"'}:
            return  # three quotes
    if work.oldest >= (3, 10) or quoted or work.late():
        if isinstance(node, ast.Lambda | ast.IfExp):
            return
        several = work.source.line_of(start) != work.source.line_of(end)
        yield from (
            (Edit(start, start, "("), Edit(end, end, ") | None"))
            if several and isinstance(node, ast.BinOp)
            else (Edit(end, end, " | None"),)
        )
    elif work.take("typing", "Optional"):
        yield from (Edit(start, start, "Optional["), Edit(end, end, "]"))


def bare_generics(work: Fixing, complaints: Sequence[Complaint]) -> Iterator[Edit]:
    """`list` says `list[Any]`."""
    wanted: dict[int, set[str]] = {}
    for each in complaints:
        found = _BARE.search(each.message)
        if found:
            wanted.setdefault(each.line, set()).add(found["name"].rpartition(".")[2])
    for spot in type_spots(work.source, work.called):
        subscribed = {id(node.value) for node in spot.nodes() if isinstance(node, ast.Subscript)}
        for node in spot.nodes():
            name = _generic_name(work, node)
            start = spot.span(node)[0]
            lines = {work.source.line_of(start), spot.root.lineno, *_statement_lines(work, start)}
            asked = any(
                name in wanted.get(line, ()) or name.lower() in wanted.get(line, ()) for line in lines
            )
            if name in _ARGUMENTS and id(node) not in subscribed and asked and work.take("typing", "Any"):
                yield from _subscribed(work, spot, node, name)


def _generic_name(work: Fixing, node: ast.expr) -> str:
    if isinstance(node, ast.Name) and work.called.builtin(node.id):
        return node.id
    return work.called.full(node).rpartition(".")[2]


def _statement_lines(work: Fixing, offset: int) -> set[int]:
    """mypy names the line of the annotation or that of its function; both count."""
    line = work.source.line_of(offset)
    owners = [
        node.lineno
        for node in ast.walk(work.source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= line <= (node.body[0].lineno if node.body else node.lineno)
    ]
    return set(owners)


def _subscribed(work: Fixing, spot: TypeSpot, node: ast.expr, name: str) -> Iterator[Edit]:
    start, end = spot.span(node)
    arguments = f"[{_ARGUMENTS[name]}]"
    free = not spot.evaluated or work.oldest >= (3, 9) or bool(work.called.typing(node))
    if free and (not spot.evaluated or work.oldest >= _SINCE.get(name, (3, 9)) or work.called.typing(node)):
        yield Edit(end, end, arguments)
    elif name in _OLD_NAMES and work.take("typing", _OLD_NAMES[name]):
        yield Edit(start, end, _OLD_NAMES[name] + arguments)


def unused_ignores(work: Fixing, complaints: Sequence[Complaint]) -> Iterator[Edit]:
    """A `type: ignore` goes, or those of its codes that ignore nothing."""
    wanted = {each.line: found["codes"] for each in complaints if (found := _UNUSED.search(each.message))}
    for comment in work.source.comments:
        line = work.source.line_of(comment.start)
        if line in wanted:
            yield from _without(work.source, comment.start, comment.string, wanted[line])


def _without(source: Source, start: int, comment: str, unused: str | None) -> Iterator[Edit]:
    found = _IGNORE.search(comment)
    if not found:
        return
    codes = [code.strip() for code in (found["codes"] or "").split(",") if code.strip()]
    gone = {code.strip() for code in (unused or "").split(",")} if unused else set(codes)
    kept = [code for code in codes if code not in gone]
    if kept:
        yield Edit(start + found.start("codes"), start + found.end("codes"), ", ".join(kept))
        return
    end = found.end("codes") + 1 if found["codes"] is not None else found.end() - len(found["rest"] or "")
    rest = comment[end:].lstrip()
    before = comment[: found.start()]
    if rest and not rest.startswith("#"):
        return  # words that belong to it: a person should read them
    if rest:
        yield Edit(start + found.start(), start + len(comment) - len(rest), "")
    else:
        first = source.line_start(source.line_of(start))
        kept_text = (
            source.text[first:start].rstrip()
            if not before.strip()
            else source.text[first:start] + before.rstrip()
        )
        yield Edit(first + len(kept_text), start + len(comment), "")


def redundant_casts(work: Fixing, complaints: Sequence[Complaint]) -> Iterator[Edit]:
    """`cast(int, x)` says `x`."""
    wanted = {(each.line, each.column) for each in complaints}
    ended = -1
    for node in sorted(_casts(work), key=work.source.span):
        start, end = work.source.span(node)
        if (node.lineno, node.col_offset) not in wanted or start < ended:
            continue
        text = work.source.segment(node.args[1])
        atom = isinstance(node.args[1], ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant)
        several = work.source.line_of(start) != work.source.line_of(end)
        if any(start <= comment.start < end for comment in work.source.comments):
            continue
        yield Edit(start, end, text if atom and not several else f"({text})")
        ended = end


def _casts(work: Fixing) -> Iterator[ast.Call]:
    for node in ast.walk(work.source.tree):
        if isinstance(node, ast.Call) and work.called.typing(node.func) == "cast" and len(node.args) == 2:
            yield node


FIXES: Final[Mapping[str, Fix]] = {
    "no-untyped-def": returns,
    # `list = None`: both write after `list`, the arguments first.
    "type-arg": bare_generics,
    "assignment": implicit_optional,
    "unused-ignore": unused_ignores,
    "redundant-cast": redundant_casts,
}
