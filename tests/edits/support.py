"""Short ways to say "this proposal on this tree"."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dev_agent.edits.changes import ChangeSet, MatchLevel
from dev_agent.edits.errors import ParseError, Problem, ProblemCode, Unresolved
from dev_agent.edits.model import Edit
from dev_agent.edits.parse import parse
from dev_agent.edits.resolve import resolve
from dev_agent.edits.trees import DictTree

Files = Mapping[str, bytes] | Mapping[str, bytes | tuple[str, bytes]] | Mapping[str, tuple[str, bytes]]


def applied(files: Files, proposal: str | bytes, *, max_level: MatchLevel = MatchLevel.ELLIPSIS) -> ChangeSet:
    text = proposal if isinstance(proposal, bytes) else proposal.encode()
    return resolve(parse(text).edits, DictTree(files), max_level=max_level)


def after(changes: ChangeSet) -> dict[str, bytes | None]:
    return {change.path: change.after for change in changes.changes}


def problems(
    files: Files, proposal: str | bytes | list[Edit], *, max_level: MatchLevel = MatchLevel.ELLIPSIS
) -> tuple[Problem, ...]:
    edits = (
        proposal
        if isinstance(proposal, list)
        else parse(proposal if isinstance(proposal, bytes) else proposal.encode()).edits
    )
    with pytest.raises(Unresolved) as refused:
        resolve(edits, DictTree(files), max_level=max_level)
    return refused.value.problems


def problem(
    files: Files,
    proposal: str | bytes | list[Edit],
    code: ProblemCode,
    *,
    max_level: MatchLevel = MatchLevel.ELLIPSIS,
) -> Problem:
    """The one problem, which must have this code."""
    found = problems(files, proposal, max_level=max_level)
    assert [each.code for each in found] == [code], found
    assert found[0].message
    return found[0]


def parse_error(proposal: str | bytes) -> ParseError:
    with pytest.raises(ParseError) as refused:
        parse(proposal if isinstance(proposal, bytes) else proposal.encode())
    return refused.value


def block(name: str, old: str, new: str) -> str:
    return f"{name}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n"
