"""What a change means, whatever it looks like: two candidates with one fingerprint are judged once.

Of a Python file the syntax tree counts. Layout, comments and docstrings are left out, names are not: a program with
other names is another program. Two things that look like comments decide how a tree is judged, and stay: comments
that instruct a tool (`# type: ignore`, `# noqa`, `# pragma: …`), and docstrings with examples, which are tests. A
file that only changes in what is left out is no part of the meaning, unless nothing else is: then the bytes count,
for a change of words is what was asked for. Everything else is bytes, with line endings made one. Pure.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dev_agent.python_text import parsed

if TYPE_CHECKING:
    from dev_agent.edits.changes import Change

_PYTHON = (".py", ".pyi")
_LARGEST = 2_000_000
_INSTRUCTS = re.compile(r"#\s*(?:type|mypy|pyright|pytype|noqa|pragma|pylint|ruff|flake8|nosec|doctest)\b")
_EXAMPLE = ">>> "


def fingerprint(changes: Iterable[Change]) -> str:
    """SHA-256, hex, of what the changes mean. Changes of equal meaning have equal fingerprints, in any order."""
    ordered = sorted(changes, key=lambda one: one.path)
    told = [_told(one) for one in ordered if not _is_silent(one)]
    return _digest(told or [_exactly(one) for one in ordered])


def same_code(changes: Iterable[Change]) -> bool:
    """True if every change is one of a Python file's layout, comments or docstrings."""
    return all(_is_silent(one) for one in changes)


def normal_form(path: str, data: bytes) -> bytes:
    """What of a file's bytes counts."""
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not path.endswith(_PYTHON) or len(plain) > _LARGEST:
        return plain
    try:
        tree = parsed(plain)
        told = "\0".join([ast.dump(_Bare().visit(tree)), *_instructions(plain)])
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return plain  # not for this interpreter to read
    return told.encode("utf-8", "surrogatepass")


class _Bare(ast.NodeTransformer):
    """Takes out docstrings that hold no examples."""

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text is not None and _EXAMPLE not in text:
                # A body of nothing but a docstring is one of nothing: `pass` means the same.
                node.body = node.body[1:] or [ast.Pass()]
        self.generic_visit(node)
        return node


def _instructions(source: bytes) -> list[str]:
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    comments = (token.string for token in tokens if token.type == tokenize.COMMENT)
    return [" ".join(text.split()) for text in comments if _INSTRUCTS.match(text)]


def _is_silent(change: Change) -> bool:
    """True for a Python file whose meaning stays."""
    if change.before is None or change.after is None or change.before_mode != change.after_mode:
        return False
    if not change.path.endswith(_PYTHON):
        return False
    return normal_form(change.path, change.before) == normal_form(change.path, change.after)


def _told(change: Change) -> list[str]:
    after = "" if change.after is None else _hash(normal_form(change.path, change.after))
    return [_named(change), change.after_mode or "", after]


def _exactly(change: Change) -> list[str]:
    return [_named(change), change.after_mode or "", "" if change.after is None else _hash(change.after)]


def _named(change: Change) -> str:
    return change.path.encode("utf-8", "surrogateescape").hex()


def _digest(told: Sequence[Sequence[str]]) -> str:
    return _hash("\n".join(" ".join(one) for one in told).encode("ascii"))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
