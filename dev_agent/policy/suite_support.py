"""What tests lean on in their own files: helpers that assert, and lists that tests are run on. Pure.

A test that calls `check_total(cart)` demands what `check_total` does, and one that is run on `CASES` as much as there
are cases in it; neither's own words change if those do. Compared are functions of the same name that are no tests, and
names that stand for a list in both versions, among all files of the tests.

Not followed are lists that are computed, helpers in packages, and what fixtures put in the place of what is tested.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dev_agent.policy.change import FileDelta
from dev_agent.policy.python_source import (
    PythonSource,
    first_line,
    last_name,
    same_code,
    top_statements,
    walk,
)
from dev_agent.policy.strength import weaknesses

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def weaker_support(delta: FileDelta) -> Iterator[tuple[int, str]]:
    """Yield (line, what) of helpers and lists that demand less in the new version of a file of the tests."""
    old, new = delta.before_python, delta.after_python
    if old is None or new is None:
        return
    before, after = _helpers(old), _helpers(new)
    for name, function in after.items():
        if name in before and not same_code(before[name], function):
            for weakness in weaknesses(before[name], function):
                yield first_line(function), f"{name}: {weakness}"
    used = _parametrising(old) & _parametrising(new)
    lists, now = _lists(old), _lists(new)
    for name in sorted(used & lists.keys() & now.keys()):
        if len(now[name].elts) < len(lists[name].elts) and not _spread(now[name]):
            yield now[name].lineno, f"{name}: {len(lists[name].elts)} cases became {len(now[name].elts)}"


def _helpers(source: PythonSource) -> dict[str, _Function]:
    """Functions and methods at the top and in classes, tests apart, by qualified name."""
    found: dict[str, _Function] = {}
    for statement in top_statements(source.top):
        if isinstance(statement, ast.ClassDef):
            inner = [(f"{statement.name}.", one) for one in statement.body]
        else:
            inner = [("", statement)]
        for prefix, one in inner:
            if isinstance(one, _Function) and not one.name.startswith("test"):
                found[prefix + one.name] = one
    return found


def _lists(source: PythonSource) -> dict[str, ast.List | ast.Tuple]:
    found: dict[str, ast.List | ast.Tuple] = {}
    for statement in top_statements(source.top):
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for one in targets:
                if isinstance(one, ast.Name) and isinstance(statement.value, ast.List | ast.Tuple):
                    found[one.id] = statement.value
    return found


def _spread(listed: ast.List | ast.Tuple) -> bool:
    return any(isinstance(one, ast.Starred) for one in listed.elts)


def _parametrising(source: PythonSource) -> set[str]:
    """Names that a parametrised test is run on."""
    if b"parametrize" not in source.content:
        return set()
    calls = [one for one in walk(source.top) if isinstance(one, ast.Call) and last_name(one) == "parametrize"]
    values = [
        value
        for one in calls
        for value in [*one.args[1:2], *(word.value for word in one.keywords if word.arg == "argvalues")]
    ]
    return {one.id for one in values if isinstance(one, ast.Name)}
