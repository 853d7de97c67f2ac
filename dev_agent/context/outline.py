"""What a file defines, without its bodies: Python by `ast`, all else by lines that look like headings or definitions.

A Python file that does not parse (another version's, a template) is outlined as any other text. Text that is not
UTF-8 is read as Latin-1: names survive, whatever else becomes. Bounded: lines are cut at 160 characters, a file gives
at most 400 symbols.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from dev_agent.context.model import Outline, Symbol
from dev_agent.python_text import parsed, type_parameters, type_statement

_WIDEST, _MOST = 160, 400
_DEEPEST_NESTING = 2
_DEFINITION = re.compile(
    r"^(?P<indent>[ \t]{0,12})(?:(?:export|default|public|private|protected|internal|static|final|abstract|async"
    r"|pub(?:\([a-z]+\))?|unsafe|const|inline|extern|virtual|override|open|sealed|data|local)\s+){0,5}"
    r"(?:class|interface|struct|enum|trait|impl|type|namespace|module|object|record|protocol|extension|function|func|fun|fn|def|sub"
    r"|proc|macro_rules!|message|service|rpc|resource|variable|create\s+table)\b[^\n]{1,200}",
    re.MULTILINE | re.IGNORECASE,
)
_HEADING = re.compile(
    r"^(?:#{1,4} [^\n]{1,160}|\[{1,2}[\w.\"' -]{1,100}\]{1,2}[ \t]*$|[A-Za-z_][\w.-]{0,60}:[ \t]*$)",
    re.MULTILINE,
)
_UNDERLINED = re.compile(r"^([^\n]{3,120})\n(?:={3,}|-{3,}|~{3,})[ \t]*$", re.MULTILINE)
_IMPORTS = re.compile(
    r"^[ \t]*(?:import\s[^\n]{0,120}?from\s+|import\s+|from\s+|#include\s+|use\s+|require\s*+\(?\s*+)"
    r"[\"'<]?([\w./@:-]{2,120})",
    re.MULTILINE,
)


def decode(data: bytes) -> str:
    """The text of a file: UTF-8 with or without a mark, else Latin-1."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def outline_of(path: str, text: str) -> Outline:
    """The outline of a file."""
    if path.endswith((".py", ".pyi", ".pyw")):
        found = _python(text)
        if found is not None:
            return found
    return _plain(text)


def _python(text: str) -> Outline | None:
    try:
        tree = parsed(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    symbols = tuple(symbol for symbol, _ in zip(_symbols(tree.body, 0), range(_MOST), strict=False))
    return Outline(symbols=symbols, imports=tuple(dict.fromkeys(_imported(tree))), head=_head(tree))


def _symbols(body: list[ast.stmt], depth: int) -> Iterator[Symbol]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            bases = ", ".join(_said(base) for base in node.bases)
            text = f"class {node.name}{_bracketed(node)}" + (f"({bases})" if bases else "")
            yield Symbol(line=node.lineno, depth=depth, text=_cut(text), head=_head(node))
            yield from _symbols(node.body, depth + 1)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
            result = f" -> {_said(node.returns)}" if node.returns else ""
            text = f"{word} {node.name}{_bracketed(node)}({_said(node.args)}){result}"
            yield Symbol(line=node.lineno, depth=depth, text=_cut(text), head=_head(node))
        elif (stated := type_statement(node)) is not None:
            yield Symbol(line=node.lineno, depth=depth, text=_cut(f"type {stated[0].id}{_bracketed(node)}"))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                yield Symbol(line=node.lineno, depth=depth, text=_cut(target.id))
        elif isinstance(node, ast.If | ast.Try) and depth < _DEEPEST_NESTING:
            yield from _symbols([*node.body, *node.orelse], depth)


def _bracketed(node: ast.AST) -> str:
    """The type parameters of a definition as they are written; "" without any."""
    said = ", ".join(_said(one) for one in type_parameters(node))
    return f"[{said}]" if said else ""


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield start
            dot = "" if start.endswith(".") else "."
            yield from (f"{start}{dot}{alias.name}" for alias in node.names if alias.name != "*")


def _said(node: ast.AST) -> str:
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return "…"


def _head(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    said = ast.get_docstring(node, clean=False) or ""
    return _cut(next((line.strip() for line in said.splitlines() if line.strip()), ""))


def _plain(text: str) -> Outline:
    found = {match.start(): match[0] for match in _HEADING.finditer(text)}
    found.update({match.start(): match[1] for match in _UNDERLINED.finditer(text)})
    found.update({match.start(): match[0] for match in _DEFINITION.finditer(text)})
    symbols = []
    line, at = 1, 0
    for start in sorted(found)[:_MOST]:
        line, at = line + text.count("\n", at, start), start
        said = found[start].rstrip().rstrip("{").rstrip()
        depth = min(3, (len(said) - len(said.lstrip())) // 2)
        symbols.append(Symbol(line=line, depth=depth, text=_cut(said.strip())))
    imports = tuple(dict.fromkeys(match[1] for match in _IMPORTS.finditer(text)))
    return Outline(symbols=tuple(symbols), imports=imports[:_MOST])


def _cut(text: str) -> str:
    one_line = sys.intern(" ".join(text.split()))
    return one_line if len(one_line) <= _WIDEST else one_line[: _WIDEST - 1] + "…"
