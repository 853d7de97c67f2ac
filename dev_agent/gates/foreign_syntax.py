"""Source of a change that dev-agent can parse and the project's own, older Python cannot.

mypy is told the project's version and knows most of what is newer, but not all: a quote of the same kind inside an
f-string is a syntax error before Python 3.12 and no finding. A file that no test imports would land though it cannot be
imported at all. So where the project's Python is older than the one dev-agent reads with, the project's own parser is
asked, in the sandbox, about the changed files; nothing of them runs. Stubs are nobody's to import and are left out.
Where the two are of one version, whoever staged the change has asked the same parser already.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from dev_agent.gates.delta import Finding
from dev_agent.gates.tools import Tool
from dev_agent.python_text import OWN, parsed
from dev_agent.sandbox.job import Limits

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.context import GateContext
    from dev_agent.gates.subject import Subject

CODE: Final = "syntax"
_LIMITS: Final = Limits(wall_s=60, cpu_s=60)
_SUFFIXES: Final = (".py", ".pyw")
_Source = tuple[str, str]
"""Tree and path."""


def unreadable(
    context: GateContext, subject: Subject, cancel: Cancel
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The faults on the base and on the staged tree, in the changed files; none where the project's Python is not
    the older one. What was asked about and not answered is a fault too."""
    if context.project.interpreter.version[:2] >= OWN:
        return (), ()
    told = {
        (tree, path): source
        for tree in (subject.base_tree, subject.tree)
        for path in subject.changed
        if path.endswith(_SUFFIXES) and (source := _ours(context.trees.read(tree, path))) is not None
    }
    if not told:
        return (), ()
    answers = _asked(context, told, cancel)
    faults = [(tree, _finding(context, path, answers.get((tree, path)))) for tree, path in told]
    return _of(subject.base_tree, faults), _of(subject.tree, faults)


def beside(findings: tuple[Finding, ...], faults: Iterable[Finding]) -> tuple[Finding, ...]:
    """A type checker's findings and the faults of the files in which it found no syntax error itself."""
    known = {one.path for one in findings if one.code == CODE}
    return (*findings, *(one for one in faults if one.path not in known))


def _ours(source: bytes | None) -> bytes | None:
    """A source that this process can parse: the others are refused, or ruled on, for that."""
    if source is None:
        return None
    try:
        parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, LookupError):
        return None
    return source


def _asked(
    context: GateContext, told: Mapping[_Source, bytes], cancel: Cancel
) -> dict[_Source, Mapping[str, Any]]:
    python = context.project.interpreter
    tool = Tool(
        name="python", version=python.version_text, lent=False, python=python.path, site_dirs=python.site_dirs
    )
    sources = [base64.b64encode(one).decode("ascii") for one in told.values()]
    ran = context.bench.run_apart("syntax", {"sources": sources}, limits=_LIMITS, tool=tool, cancel=cancel)
    asked = list(told)
    numbers = [(one.get("number"), one) for one in ran.of("source")]
    return {asked[at]: one for at, one in numbers if isinstance(at, int) and 0 <= at < len(asked)}


def _finding(context: GateContext, path: str, answer: Mapping[str, Any] | None) -> Finding | None:
    python = f"Python {context.project.interpreter.version_text}, the project's own"
    if answer is None:
        return _fault(path, 0, f"{python}, was asked to parse this and did not answer")
    said = str(answer.get("message", ""))
    return (
        _fault(path, int(answer.get("line") or 0), f"does not parse with {python}: {said}") if said else None
    )


def _fault(path: str, line: int, message: str) -> Finding:
    return Finding(path=path, line=line, column=0, code=CODE, message=message)


def _of(tree: str, faults: Iterable[tuple[str, Finding | None]]) -> tuple[Finding, ...]:
    return tuple(one for where, one in faults if one is not None and where == tree)
