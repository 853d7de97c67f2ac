"""What the type checker knows about a base class from outside: a function that reads the member is added and judged."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.model import Rewritten

if TYPE_CHECKING:
    from dev_agent.recipes.model import Bench
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.scopes import Scope


def undecided_bases(bench: Bench, inference: Inference, unknown: dict[str, Scope], name: str) -> list[str]:
    """Return the bases that have a member of this name as far as anybody can tell. Raises CheckerFailed."""
    if not unknown or bench.checker is None:
        return sorted(unknown)
    texts: dict[str, bytes] = {}
    lines: dict[tuple[str, int], str] = {}
    for base, scope in unknown.items():
        path = scope.source.path
        written = _written(inference, scope, base)
        if written is None:
            continue
        content = texts.get(path, bench.tree.read(path)).rstrip(b"\r\n") + b"\n"
        probe = f'def _dev_agent_probe_{len(lines)}(one: "{written}") -> None:\n    one.{name}\n'
        lines[path, content.count(b"\n") + 2] = base
        texts[path] = content + probe.encode()
    if not texts:
        return sorted(unknown)
    complaints = bench.checker(Rewritten(files=texts))
    lacking = {
        lines[one.path, one.line]
        for one in complaints
        if (one.path, one.line) in lines and one.code == "attr-defined" and f'"{name}"' in one.message
    }
    return sorted(set(unknown) - lacking)


def _written(inference: Inference, scope: Scope, base: str) -> str | None:
    """The base as the class statement writes it, if the module can read it."""
    node = scope.node
    if scope.parent is None or scope.parent.parent is not None or not isinstance(node, ast.ClassDef):
        return None
    for one in node.bases:
        plain = one.value if isinstance(one, ast.Subscript) else one
        for value in inference.evaluate(plain, scope.parent):
            if getattr(value, "dotted", ast.unparse(plain)) == base:
                return ast.unparse(plain)
    return None
