"""Python source for reading facts: parsed once, compared statement by statement, walked without recursion.

A statement at the top of a module that has the same text as one before means the same, so only the others are
walked: the cost of a fact follows the change and not the file. (Text is compared after parsing, never before,
so a quote that turns code into a string, or a string into code, makes a different statement.)

Source that cannot be parsed, is too large, or is written in an encoding that could hide its text has no tree;
that is a fact of its own and facts about its content are then missing. Comments are found by the tokenizer,
so that a comment inside a string is none; beyond a place it cannot read, whole lines stand for comments.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from dev_agent.policy.grafting import grafted
from dev_agent.python_text import type_parameters

_LARGEST = 2_000_000
_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_PLAIN = {"utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii"}
_DECODABLE = _PLAIN | {"latin-1", "latin1", "iso-8859-1", "iso-8859-15", "cp1252", "windows-1252"}


# Statements whose inner ones belong to the scope around them. A tuple: unions are slow to build and to ask.
_OPEN = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While)
_IMPORTS = (ast.Import, ast.ImportFrom)
# Fields with names, numbers, or nodes that have no fields themselves: load or store, and operators.
_SILENT = frozenset({
    "asname", "attr", "ctx", "id", "is_async", "kind", "level", "module", "op", "ops", "simple", "type_comment",
})  # fmt: skip
# The fields of each kind of node that may hold nodes worth a visit.
_INNER = {
    kind: () if kind is ast.Constant else tuple(name for name in kind._fields if name not in _SILENT)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
_WORD = re.compile(r"[^\W\d]\w{0,200}")


class PythonSource:
    """One version of one Python file. `like` is another version, from whose tree this one's may be made."""

    def __init__(
        self, content: bytes | None, lines: Sequence[str], *, like: PythonSource | None = None
    ) -> None:
        self.content = content or b""
        self.lines = lines
        self._like = like

    @cached_property
    def cookie(self) -> str | None:
        """The declared encoding if it is not UTF-8 or ASCII, as written; None otherwise."""
        for line in self.lines[:2]:
            found = _COOKIE.match(line)
            if found:
                return found[1] if found[1].lower().replace("_", "-") not in _PLAIN else None
            if line.strip() and not line.lstrip().startswith("#"):
                return None
        return None

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree, or None if there is none to be had."""
        if (
            len(self.content) > _LARGEST
            or (self.cookie or "utf-8").lower().replace("_", "-") not in _DECODABLE
        ):
            return None
        if self._like is not None and (made := grafted(self._like.content, self._like.top, self.content)):
            return made
        try:
            return ast.parse(self.content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    @cached_property
    def top(self) -> list[ast.stmt]:
        """The module's statements; none if it has no tree."""
        return self.tree.body if self.tree else []

    @property
    def comments(self) -> dict[int, str]:
        """The comments by line number."""
        return self._tokens[0]

    @property
    def names_beyond_ascii(self) -> dict[int, list[str]]:
        """The identifiers that are not plain ASCII, by line number."""
        return self._tokens[1]

    @cached_property
    def _tokens(self) -> tuple[dict[int, str], dict[int, list[str]]]:
        comments: dict[int, str] = {}
        names: dict[int, list[str]] = {}
        if len(self.content) > _LARGEST:
            return comments, names
        reached = 0
        try:
            for token in tokenize.generate_tokens(io.StringIO("\n".join(self.lines) + "\n").readline):
                reached = token.start[0]
                if token.type == tokenize.COMMENT:
                    comments[reached] = token.string
                elif token.type == tokenize.NAME and not token.string.isascii():
                    names.setdefault(reached, []).append(token.string)
        except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, SystemError):
            # SystemError is what CPython 3.12 and 3.13 make of a NUL where a block ends.
            # What the tokenizer did not reach is judged by its lines, which errs on the strict side.
            for number, line in enumerate(self.lines[reached:], start=reached + 1):
                comments[number] = line
                names[number] = [word for word in _WORD.findall(line) if not word.isascii()]
        return comments, names

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each imported name of the module's top stands for: `{"sp": "subprocess", "cast":
        "typing.cast"}`."""
        names: dict[str, str] = {}
        for statement in top_statements(self.top):
            if isinstance(statement, _IMPORTS):
                names.update(import_bindings(statement))
        return names

    def text_of(self, node: ast.stmt | ast.expr | ast.ExceptHandler) -> tuple[str, ...]:
        """The lines a node spans, its decorators included."""
        return tuple(self.lines[first_line(node) - 1 : node.end_lineno])

    def line(self, number: int) -> str:
        """One line, "" beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


def first_line(node: ast.stmt | ast.expr | ast.ExceptHandler) -> int:
    """Where a node starts, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)]) if decorators else node.lineno


def changed_statements(
    before: PythonSource | None, after: PythonSource | None
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements of either side that the other side does not have in the same words.

    A class counts as its head and its own statements, so that a change in one method concerns that method.
    """
    mine = _keyed(before, _opened(before.top)) if before else []
    other = _keyed(after, _opened(after.top)) if after else []
    return _without(mine, other), _without(other, mine)


def same_module(before: PythonSource | None, after: PythonSource | None) -> bool:
    """Whether both versions are the same code in the same order, whatever their layout and comments."""
    if before is None or after is None or before.tree is None or after.tree is None:
        return False
    mine, other = _keyed(before, before.top), _keyed(after, after.top)
    if len(mine) != len(other):
        return False
    pairs = zip(mine, other, strict=True)
    return all(key == key2 or same_code(one, two) for (key, one), (key2, two) in pairs)


def walk(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Every node below and including the given ones; without recursion, so to any depth."""
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        yield node
        # As ast.iter_child_nodes, without its generators: this loop is most of the cost of a large change.
        for name in _INNER.get(type(node), node._fields):
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                stack.append(value)
            elif isinstance(value, list):
                stack.extend([one for one in value if isinstance(one, ast.AST)])


def top_statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """A module's or class's own statements, also under its `if`, `try` and `with`, not in functions."""
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        if isinstance(statement, _OPEN):
            inner = list(statement.body)
            if isinstance(statement, ast.Try | ast.TryStar):
                inner += [one for handler in statement.handlers for one in handler.body] + statement.finalbody
            inner += getattr(statement, "orelse", [])
            stack.extend(reversed(inner))


def import_bindings(node: ast.AST) -> dict[str, str]:
    """The names an import statement binds and what they stand for; relative imports keep their dots."""
    if isinstance(node, ast.Import):
        return {
            one.asname or one.name.partition(".")[0]: one.name if one.asname else one.name.partition(".")[0]
            for one in node.names
        }
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return {one.asname or one.name: f"{module}.{one.name}" for one in node.names}
    return {}


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def last_name(node: ast.expr) -> str:
    """The last name of a call's or attribute's chain: `skip` for `pytest.mark.skip("why")`."""
    while isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def same_code(one: ast.AST, other: ast.AST) -> bool:
    """Whether two trees are the same code, whatever their layout and comments. Without recursion, and no further
    than the first difference."""
    stack: list[tuple[object, object]] = [(one, other)]
    while stack:
        mine, theirs = stack.pop()
        if type(mine) is not type(theirs):
            return False
        if isinstance(mine, ast.AST):
            stack += [(getattr(mine, name, None), getattr(theirs, name, None)) for name in mine._fields]
        elif isinstance(mine, list) and isinstance(theirs, list):
            if len(mine) != len(theirs):
                return False
            stack += zip(mine, theirs, strict=True)
        elif mine != theirs:
            return False
    return True


_Keyed = tuple[tuple[object, ...], ast.stmt]


def _keyed(source: PythonSource, statements: Iterable[ast.stmt]) -> list[_Keyed]:
    # Two statements can share a line, `a; b`: the column tells them apart.
    return [((source.text_of(one), type(one), one.col_offset, one.end_col_offset), one) for one in statements]


def _opened(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Classes in pieces: a class of one line stays whole, for its pieces share their text."""
    for one in statements:
        if isinstance(one, ast.ClassDef) and first_line(one.body[0]) > one.lineno:
            yield _head(one)
            yield from one.body
        else:
            yield one


def _head(node: ast.ClassDef) -> ast.ClassDef:
    head = ast.ClassDef(
        name=node.name, bases=node.bases, keywords=node.keywords, body=[], decorator_list=node.decorator_list
    )
    # What their bounds and defaults call is the head's. A field since Python 3.12 only.
    setattr(head, "type_params", type_parameters(node))  # noqa: B010
    head.lineno, head.col_offset = node.lineno, node.col_offset
    head.end_lineno, head.end_col_offset = first_line(node.body[0]) - 1, None
    return head


def _without(mine: Sequence[_Keyed], theirs: Sequence[_Keyed]) -> list[ast.stmt]:
    spare = Counter(key for key, _ in theirs)
    left = []
    for key, statement in mine:
        if spare[key] > 0:
            spare[key] -= 1
        else:
            left.append(statement)
    return left
