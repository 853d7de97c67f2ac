"""The typed parts of a commit message, from a model's plan and the facts of the diff. Pure.

The diff outranks the plan: what touches only tests, documentation or CI is called so, and a plan that calls a change
of code by one of the harmless kinds is not believed, because release tools and reviewers look at the kind to decide
what to look at. Where the plan names none, a change of code is a `chore`: that promises nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dev_agent.policy import globs
from dev_agent.policy.settings import FactSettings
from dev_agent.programs.candidates.normal import same_code
from dev_agent.programs.extent import extent_of
from dev_agent.repository.conventional import Heading

if TYPE_CHECKING:
    from dev_agent.edits.changes import Change


class Kind(StrEnum):
    """What sort of change it is, in the words of https://www.conventionalcommits.org."""

    FIX = "fix"
    FEAT = "feat"
    REFACTOR = "refactor"
    PERF = "perf"
    DOCS = "docs"
    TEST = "test"
    BUILD = "build"
    CI = "ci"
    CHORE = "chore"
    STYLE = "style"


_HARMLESS = frozenset({Kind.DOCS, Kind.TEST, Kind.CI, Kind.STYLE})
_DOCUMENTS = ("**/*.md", "**/*.rst", "docs/**", "doc/**")
_ROOTS = frozenset({"src", "lib", "python"})
_OUTSIDE_SCOPE = re.compile(r"[^a-z0-9_.-]+")
_MOST_PATHS = 6


def heading_of(plan: Mapping[str, Any], changes: Sequence[Change]) -> Heading:
    """Kind, scope and summary. `plan` may be empty, and is believed only as far as the diff bears it out."""
    return Heading(
        kind=kind_of(str(plan.get("kind", "")), changes).value,
        scope=_scope([one.path for one in changes]),
        summary=str(plan.get("summary", "")),
    )


def kind_of(claimed: str, changes: Sequence[Change]) -> Kind:
    """The kind of a change that a plan calls `claimed`."""
    settings = FactSettings()
    paths = [one.path for one in changes]
    for kind, patterns in ((Kind.TEST, settings.tests), (Kind.CI, settings.ci), (Kind.DOCS, _DOCUMENTS)):
        if paths and all(_matches(patterns, path) for path in paths):
            return kind
    kind = Kind(claimed) if claimed in set(Kind) else Kind.CHORE
    code = [one for one in changes if not _matches(_DOCUMENTS, one.path)]
    return Kind.CHORE if kind in _HARMLESS and not same_code(code) else kind


def details_of(changes: Sequence[Change]) -> tuple[str, ...]:
    """What the diff does, for the body: how many lines, and where."""
    extent = extent_of(changes)
    paths = [one.path for one in changes]
    named = ", ".join(paths[:_MOST_PATHS])
    more = f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
    return (f"{_lines(extent.added)} added, {extent.removed} removed in {named}{more}",) if paths else ()


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def _scope(paths: Sequence[str]) -> str:
    """The one place the sources of a change lie in: a module's name, or the package that holds them all."""
    sources = [path for path in paths if not _matches((*FactSettings().tests, *_DOCUMENTS), path)]
    parts = [_below_roots(path) for path in sources]
    if not parts:
        return ""
    shared = parts[0]
    for other in parts[1:]:
        shared = _common(shared, other)
    return _plain(shared[-1].partition(".")[0]) if shared else ""


def _below_roots(path: str) -> list[str]:
    parts = path.split("/")
    if len(parts) > 1 and parts[-1] == "__init__.py":
        parts = parts[:-1]
    return parts[1:] if len(parts) > 1 and parts[0] in _ROOTS else parts


def _common(one: Sequence[str], other: Sequence[str]) -> list[str]:
    equal = 0
    while equal < min(len(one), len(other)) and one[equal] == other[equal]:
        equal += 1
    return list(one[:equal])


def _plain(name: str) -> str:
    return _OUTSIDE_SCOPE.sub("-", name.lower()).strip("-._")[:30]


def _matches(patterns: Iterable[str], path: str) -> bool:
    return globs.matches(tuple(patterns), path, casefold=True)
