"""The recipe that turns `%` formatting and `.format` into f-strings, where both say exactly the same.

`%s` becomes `{x!s}`: `str(x)` is what `%s` asks, `format(x)` is not. `%d`, `%x`, `%f` are taken only for values known
to be numbers of the right kind (`'%d' % 3.7` is 3), a lone value only if it is known to be no tuple and no mapping. An
f-string formats each value before it computes the next one: so all but the first must be plain reads, or the values
before them be unchangeable. Messages given to loggers, texts of several literals, bytes, and what awaits or assigns
are left alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.called import Called
from dev_agent.recipes.fstring import Parts, fstring
from dev_agent.recipes.knowing import Knowing, in_function
from dev_agent.recipes.model import Place
from dev_agent.recipes.placeholders import Field, NotUnderstood, format_parts, percent_parts
from dev_agent.recipes.source import Edit, strings_joined
from dev_agent.recipes.sweep import Step, Sweep
from dev_agent.recipes.wording import Phrases
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.files import Files
    from dev_agent.recipes.model import Bench, Job
    from dev_agent.recipes.source import Source

_OLD: Final = (
    r"(?:all )?(?:the )?(?:old )?(?:%|percent|str\.format|\.format|format|string formatting|strings?)"
)
_PHRASES: Final = Phrases(
    rf"(?:convert|change|turn|migrate|rewrite|upgrade) (?:{_OLD}(?:[- ](?:format(?:ting)?|strings?|calls?))*"
    rf"(?:(?:,| and|/| or) {_OLD}(?:[- ](?:format(?:ting)?|strings?|calls?))*)? )?(?:in)?to f-?strings?",
    r"use f-?strings?",
)
_LOGS: Final = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log"}
)
_LIKELY: Final = re.compile(rb"['\"]\s*+\)?+\s*+(?:%|\.\s*format\b)")
_NEVER: Final = (
    ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Lambda, ast.JoinedStr, ast.Starred, ast.Dict, ast.Set,
    ast.DictComp, ast.SetComp,
)  # fmt: skip
_IMMUTABLE: Final = frozenset({"bool", "int", "float", "str", "None"})


@dataclass(frozen=True, slots=True)
class FStrings:
    """Convert to f-strings."""

    name: str = "f-strings"
    summary: str = "f-strings for % formatting and .format, where the text is certain to be the same"
    examples: tuple[str, ...] = (
        "convert to f-strings",
        "convert %-formatting and .format calls to f-strings",
        "use f-strings in src/app.py",
    )

    def read(self, task: str) -> Job | None:
        """See `Recipe.read`."""
        meant = _PHRASES.match(task)
        if meant is None:
            return None
        return Sweep(
            title=meant.titled("convert to f-strings"),
            noun="text",
            likely=_likely,
            make=_make,
            where=meant.where,
        )


@dataclass(frozen=True, slots=True)
class _Converter:
    def step(self, path: str, source: Source) -> Step:
        called = Called.read(source)
        edits: list[Edit] = []
        left: list[Place] = []
        for node, knowing in _formattings(source.tree, called):
            start, end = source.span(node)
            if any(edit.start < end and start < edit.end for edit in edits):
                continue  # one inside another: the next round takes what is then there
            try:
                new = _converted(source, node, knowing)
            except NotUnderstood as reason:
                line = source.line_of(start)
                left.append(Place(path=path, line=line, text=f"{source.line_text(line)}  ({reason})"))
                continue
            # `return'...'` needs no space, `returnf'...'` is a name.
            space = " " if source.text[max(start - 1, 0) : start].isidentifier() else ""
            edits.append(Edit(start, end, space + new))
        return Step(edits=tuple(edits), done=len(edits), left=tuple(left))


def _make(_bench: Bench, _files: Files) -> _Converter:
    return _Converter()


def _likely(content: bytes) -> bool:
    return _LIKELY.search(content) is not None


def _formattings(tree: ast.Module, called: Called) -> Iterator[tuple[ast.BinOp | ast.Call, Knowing]]:
    """All formattings of a literal with what is known where they stand; none inside f-strings or for loggers."""
    stack: list[tuple[ast.AST, Knowing]] = [(tree, Knowing(called))]
    while stack:
        node, knowing = stack.pop()
        if isinstance(node, ast.JoinedStr):
            continue
        inside = knowing
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = in_function(called, node)
        elif isinstance(node, ast.Lambda | ast.ClassDef):
            inside = Knowing(called)
        skipped = node.args[:2] if isinstance(node, ast.Call) and _logs(node) else []
        if isinstance(node, ast.BinOp | ast.Call) and _literal(node) is not None:
            yield node, knowing
        children = list(ast.iter_child_nodes(node))
        # Decorators and defaults of a function do not see its parameters.
        stack += (
            (child, inside if isinstance(child, ast.stmt) else knowing)
            for child in reversed(children)
            if child not in skipped
        )


def _logs(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in _LOGS


def _literal(node: ast.BinOp | ast.Call) -> ast.Constant | None:
    """The literal that is formatted, None if none is."""
    value: ast.expr | None = None
    if isinstance(node, ast.BinOp):
        value = node.left if isinstance(node.op, ast.Mod) else None
    elif isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        value = node.func.value
    return value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _converted(source: Source, node: ast.BinOp | ast.Call, knowing: Knowing) -> str:
    literal = _literal(node)
    if literal is None:
        raise AssertionError("only formattings of a literal are converted")
    text = source.segment(literal)
    if strings_joined(text):
        raise NotUnderstood("the text is made of several literals")
    start, end = source.span(node)
    if any(start <= comment.start < end for comment in source.comments):
        raise NotUnderstood("there is a comment in it")
    value = str(literal.value)
    arguments, parts = (
        _percent(node, knowing) if isinstance(node, ast.BinOp) else (_arguments(node), format_parts)
    )
    fields = [part for part in parts(value) if isinstance(part, Field)]
    _check(fields, arguments, knowing)
    plain = isinstance(node, ast.BinOp)
    return fstring(
        text,
        value,
        _softened(parts, arguments, knowing) if plain else parts,
        _texts(source, fields, arguments),
    )


def _percent(node: ast.BinOp, knowing: Knowing) -> tuple[dict[int | str, ast.expr], Parts]:
    right = node.right
    if isinstance(right, ast.Tuple):
        return dict(enumerate(right.elts)), percent_parts
    # A lone value is the one argument only if it is no tuple; a mapping would do with unused keys.
    if knowing.of(right) in _IMMUTABLE:
        return {0: right}, percent_parts
    raise NotUnderstood("the value may be a tuple, which % takes apart")


def _arguments(node: ast.Call) -> dict[int | str, ast.expr]:
    if any(each.arg is None for each in node.keywords):
        raise NotUnderstood("its arguments are not written out")
    numbered: dict[int | str, ast.expr] = dict(enumerate(node.args))
    return numbered | {str(each.arg): each.value for each in node.keywords}


def _softened(parts: Parts, arguments: Mapping[int | str, ast.expr], knowing: Knowing) -> Parts:
    """`{x}` for `{x!s}` where x is known to be a text or number: both are the same then."""

    def soft(text: str) -> Iterator[str | Field]:
        for part in parts(text):
            if isinstance(part, Field) and part.conversion == "s" and not part.spec:
                node = arguments[part.argument]
                if not isinstance(node, ast.Name) and knowing.of(node) in _IMMUTABLE:
                    yield Field(part.argument)
                    continue
            yield part

    return soft


def _check(fields: Sequence[Field], arguments: Mapping[int | str, ast.expr], knowing: Knowing) -> None:
    """What must hold so that an f-string does the same in the same order."""
    used = [field.argument for field in fields]
    if not fields or set(used) != set(arguments):
        raise NotUnderstood("placeholders and arguments do not match")
    nodes = [arguments[name] for name in used]
    if any(isinstance(each, _NEVER) for node in arguments.values() for each in ast.walk(node)):
        raise NotUnderstood("an argument does more than an f-string should")
    if any(field.needs and knowing.of(arguments[field.argument]) not in field.needs for field in fields):
        raise NotUnderstood("the value is not known to be a number of that kind")
    quiet = [_quiet(node, knowing.called) for node in nodes]
    ordered = used == list(arguments)
    if not ordered and not all(quiet):
        raise NotUnderstood("its arguments would be computed in another order, or more than once")
    fixed = True
    for node, is_quiet in zip(nodes, quiet, strict=True):
        if not is_quiet and not fixed:
            raise NotUnderstood("an argument might change what comes before it")
        fixed = fixed and knowing.of(node) in _IMMUTABLE


def _quiet(node: ast.expr, called: Called) -> bool:
    """Whether computing it is only reading: names, attributes, constants; the length or the truth of those."""
    if isinstance(node, ast.Attribute):
        return _quiet(node.value, called)
    if isinstance(node, ast.BoolOp):
        return all(_quiet(value, called) for value in node.values)
    if isinstance(node, ast.IfExp):
        return all(_quiet(value, called) for value in (node.test, node.body, node.orelse))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        plain = node.func.id in {"len", "type", "id"} and called.builtin(node.func.id)
        return plain and all(_quiet(value, called) for value in node.args)
    return isinstance(node, ast.Name | ast.Constant)


def _texts(
    source: Source, fields: Sequence[Field], arguments: Mapping[int | str, ast.expr]
) -> dict[int | str, str]:
    texts = {}
    for field in fields:
        node = arguments[field.argument]
        text = source.segment(node)
        atom = isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
        texts[field.argument] = text if atom or not field.attributes else f"({text})"
    return texts
