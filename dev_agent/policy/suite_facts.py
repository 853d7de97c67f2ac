"""Facts about tests: removed, skipped, weakened, changed, added; compared over the whole change set.

A test that is gone from one place and stands in another, in the same words or under the same name, has moved;
a moved test is compared with itself, so that it can move and be weakened but not both unseen. Files that hold
no tests but belong to them (data, helpers, snapshots) count as changed tests when they change.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence

from dev_agent.policy import globs
from dev_agent.policy.change import FileDelta
from dev_agent.policy.marks import Sighting
from dev_agent.policy.place import Place, excerpt
from dev_agent.policy.python_source import PythonSource, first_line, same_code, same_module
from dev_agent.policy.settings import FactSettings
from dev_agent.policy.strength import weaknesses
from dev_agent.policy.suite import TestCase, skips_outside_tests, tests_in
from dev_agent.policy.suite_support import weaker_support
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class _Located:
    path: str
    source: PythonSource
    test: TestCase

    @property
    def words(self) -> str:
        body = ast.Module(body=self.test.node.body, type_ignores=[])
        try:
            return ast.dump(body)
        except RecursionError:
            return repr(self.source.text_of(self.test.node))


def suite_facts(deltas: Sequence[FileDelta], settings: FactSettings) -> Iterator[Sighting]:
    """All facts about tests."""
    gone: list[_Located] = []
    fresh: list[_Located] = []
    for delta in deltas:
        if _is_among(settings.tests, delta):
            yield from _compare_file(delta, settings, gone, fresh)
    yield from _settle(gone, fresh)


def _compare_file(
    delta: FileDelta, settings: FactSettings, gone: list[_Located], fresh: list[_Located]
) -> Iterator[Sighting]:
    old, new = _tests_of(delta, settings, old=True), _tests_of(delta, settings, old=False)
    gone.extend(old[name] for name in old if name not in new)
    fresh.extend(new[name] for name in new if name not in old)
    changed = [name for name in old if name in new and _differs(old[name], new[name])]
    for name in changed:
        yield from _compare(old[name], new[name])
    if old and new and skips_outside_tests(delta.after_python) > skips_outside_tests(delta.before_python):
        yield _at("tests_skipped", delta.path, None, "a skip or xfail bearing on the file's tests")
    for line, what in weaker_support(delta):
        yield _at("tests_weakened", delta.path, line, what)
    if not changed and not delta.is_added and _support_changed(delta, old, new):
        yield _at("tests_changed", delta.path, None, "deleted" if delta.is_deleted else "")


def _tests_of(delta: FileDelta, settings: FactSettings, *, old: bool) -> dict[str, _Located]:
    path, source = (delta.old_path, delta.before_python) if old else (delta.path, delta.after_python)
    if source is None or not globs.matches(settings.collected, path, casefold=True):
        return {}
    return {name: _Located(path=path, source=source, test=test) for name, test in tests_in(source).items()}


def _support_changed(delta: FileDelta, old: dict[str, _Located], new: dict[str, _Located]) -> bool:
    """Something other than tests changed in a file of the tests: its data, fixtures, helpers."""
    if delta.is_deleted:
        return not old  # its tests are told one by one
    return old.keys() == new.keys() and not same_module(delta.before_python, delta.after_python)


def _compare(old: _Located, new: _Located) -> Iterator[Sighting]:
    line = first_line(new.test.node)
    yield _at("tests_changed", new.path, line, new.test.name)
    if new.test.skips > old.test.skips:
        yield _at("tests_skipped", new.path, line, new.test.name)
    elif new.test.conditional and not old.test.conditional:
        yield _at("tests_skipped", new.path, line, f"{new.test.name} now stands under a condition")
    for weakness in weaknesses(old.test.node, new.test.node):
        yield _at("tests_weakened", new.path, line, f"{new.test.name}: {weakness}")


def _settle(gone: list[_Located], fresh: list[_Located]) -> Iterator[Sighting]:
    """Match gone with fresh tests, by words and then by name; what is left was removed or added."""
    gone, fresh, pairs = _matched(gone, fresh, by_words=True)
    gone, fresh, more = _matched(gone, fresh, by_words=False)
    for old, new in [*pairs, *more]:
        if _differs(old, new):
            yield from _compare(old, new)
    for one in gone:
        yield _at("tests_removed", one.path, None, one.test.name)
    for one in fresh:
        yield _at("tests_added", one.path, first_line(one.test.node), one.test.name)


def _matched(
    gone: list[_Located], fresh: list[_Located], *, by_words: bool
) -> tuple[list[_Located], list[_Located], list[tuple[_Located, _Located]]]:
    def key(one: _Located) -> str:
        return one.words if by_words else one.test.bare_name

    waiting: dict[str, list[_Located]] = defaultdict(list)
    for one in reversed(fresh):
        waiting[key(one)].append(one)
    left, pairs, taken = [], [], set()
    for old in gone:
        candidates = waiting.get(key(old))
        if candidates:
            new = candidates.pop()
            taken.add(id(new))
            pairs.append((old, new))
        else:
            left.append(old)
    return left, [one for one in fresh if id(one) not in taken], pairs


def _differs(old: _Located, new: _Located) -> bool:
    if old.test.skips != new.test.skips or old.test.conditional != new.test.conditional:
        return True
    if old.source.text_of(old.test.node) == new.source.text_of(new.test.node):
        return False
    return not same_code(old.test.node, new.test.node)


def _is_among(patterns: tuple[str, ...], delta: FileDelta) -> bool:
    return any(globs.matches(patterns, path, casefold=True) for path in delta.paths)


def _at(fact: str, path: str, line: int | None, text: str) -> Sighting:
    return Sighting(fact=fact, place=Place(path=path, line=line, text=excerpt(text)))
