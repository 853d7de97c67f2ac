"""Laws: what holds for every tree and every proposal."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev_agent.edits.changes import ChangeSet, MatchLevel
from dev_agent.edits.errors import EditError
from dev_agent.edits.model import Replace
from dev_agent.edits.parse import parse
from dev_agent.edits.render import render
from dev_agent.edits.resolve import resolve
from dev_agent.edits.text import FileText, escaped, join_lines, split_lines, to_bytes
from dev_agent.edits.trees import DictTree
from tests.edits.strategies import LINES, Entry, change_set, changed, content, text
from tests.edits.support import block

pytestmark = pytest.mark.law
Trees = tuple[dict[str, Entry], dict[str, Entry]]


def outcome(proposal: bytes, tree: DictTree) -> ChangeSet | EditError:
    """What a proposal comes to; any exception that is no EditError fails the test."""
    try:
        return resolve(parse(proposal).edits, tree)
    except EditError as error:
        return error


@given(changed())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_rendered_change_set_resolves_to_the_same_bytes(trees: Trees) -> None:
    """parse(render(x)) resolves against the same base to x."""
    before, after = trees
    changes = change_set(before, after)
    if changes.empty or clashes([*before, *after]):
        return
    assert resolve(parse(render(changes)).edits, DictTree(before)).changes == changes.changes


def clashes(paths: list[str]) -> bool:
    return any(first != second and second.startswith(first + "/") for first in paths for second in paths)


@given(st.lists(st.sampled_from(LINES[:6]), min_size=1, max_size=9), st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_only_a_unique_place_is_edited(lines: list[str], data: st.DataObject) -> None:
    """If an edit without a line number resolves, its lines stood at exactly one place at the level it was matched."""
    start = data.draw(st.integers(0, len(lines) - 1))
    end = data.draw(st.integers(start + 1, len(lines)))
    old = "".join(f"{line}\n" for line in lines[start:end])
    base = "".join(f"{line}\n" for line in lines)
    places = [at for at in range(len(lines)) if lines[at : at + end - start] == lines[start:end]]
    edit = Replace(path="f", old=old, new="NEW 12345\n")
    try:
        changes = resolve([edit], DictTree({"f": base.encode()}))
    except EditError:
        assert len(places) > 1
        return
    assert len(places) == 1
    expected = [*lines[:start], "NEW 12345", *lines[end:]]
    assert changes.changes[0].after == "".join(f"{line}\n" for line in expected).encode()


@given(content, content, content, st.sampled_from(MatchLevel))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_untouched_lines_keep_their_bytes(base: bytes, old: bytes, new: bytes, level: MatchLevel) -> None:
    """Whatever an edit does, the lines before and after its place are those of the base, byte for byte."""
    edit = Replace(path="f", old=old.decode(), new=new.decode())
    try:
        changes = resolve([edit], DictTree({"f": base}), max_level=level)
    except EditError:
        return
    if changes.empty or level == MatchLevel.ELLIPSIS:
        return
    match = changes.matches[0]
    assert match.level <= level
    after = changes.changes[0].after
    assert after is not None
    real = FileText.from_bytes(base)
    result = FileText.from_bytes(after)
    assert result.lines[: match.line - 1] == real.lines[: match.line - 1] or len(result.lines) < match.line
    covered = len(split_lines(edit.old))
    tail = real.lines[match.line - 1 + covered :]
    assert not tail or result.lines[-len(tail) :] == tail


@given(changed(), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_diff_is_a_change_set_or_an_edit_error(trees: Trees, seed: int) -> None:
    before, after = trees
    outcome(damaged(render(change_set(before, after)), seed), DictTree(before))


@given(text, text, text, st.integers(0, 2**32))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_block_is_a_change_set_or_an_edit_error(base: str, old: str, new: str, seed: int) -> None:
    proposal = f"Prose.\n\n```\n{block('d/f.txt', old, new)}```\n".encode()
    outcome(damaged(proposal, seed), DictTree({"d/f.txt": base.encode()}))


@given(st.binary(max_size=300) | text.map(str.encode))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_a_change_set_or_an_edit_error(proposal: bytes) -> None:
    outcome(proposal, DictTree({"a": b"a\n"}))


def damaged(proposal: bytes, seed: int) -> bytes:
    """Cut, repeat, swap or flip a few lines or bytes."""
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    lines = proposal.split(b"\n")
    for _ in range(chance.randrange(4)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        kind = chance.randrange(5)
        if kind == 0:
            del lines[at:]
        elif kind == 1 and len(lines) > 1:
            del lines[at]
        elif kind == 2:
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines.insert(at, lines[other])
        else:
            lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
        lines = lines or [b""]
    result = b"\n".join(lines)
    return result[: chance.randrange(len(result) + 1)] if chance.random() < 0.3 else result


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_a_file_text_and_its_bytes_are_inverse(raw: bytes) -> None:
    file = FileText.from_bytes(raw)
    assert to_bytes(list(file.lines), bom=file.bom) == raw


@given(text)
@settings(deadline=None)
def test_lines_join_to_the_text_they_were_cut_from(value: str) -> None:
    assert join_lines(split_lines(value)) == value


@given(st.text())
@settings(deadline=None)
def test_escaped_text_is_one_printable_line(value: str) -> None:
    assert escaped(value, 10_000).isprintable()
