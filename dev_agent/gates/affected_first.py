"""What to run before the whole suite: the base's test files nearest to a change, for a quick red.

Only where it pays: the suite took long on the base, and the files chosen hold at most a tenth of its tests, so
that a change that passes is held up little. Imports are remembered by blob id, for the tree seen last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dev_agent.gates.context import GateContext
from dev_agent.gates.import_graph import ImportGraph, RawImport, imports_of
from dev_agent.gates.layout import TestLayout
from dev_agent.gates.subject import Subject
from dev_agent.gates.test_run import TestRun
from dev_agent.gates.weighing import file_of

_SHARE = 10
_KIND, _KEY = "imports", "2" * 64


def nearest_tests(
    context: GateContext, subject: Subject, tree: str, layout: TestLayout, base: TestRun, roots: Sequence[str]
) -> tuple[str, ...]:
    """Test files of `tree` to run first, the nearest first; none where it would not pay.

    `base` is the whole suite's run on the base, with the time it took when it was made.
    """
    if base.ms < 1000 * context.project.config.tests.affected_first_s:
        return ()
    changed = [path for path in subject.changed if path.endswith(".py") and not layout.is_test_side(path)]
    counts = Counter(file_of(test) for test, outcome in base.outcomes.items() if outcome.green)
    if not changed or not counts:
        return ()
    graph = ImportGraph(imports_in(context, tree), roots)
    room = len(base.outcomes) // _SHARE
    chosen: list[str] = []
    for path in graph.nearest(changed, counts.keys()):
        if counts[path] > room:
            break
        room -= counts[path]
        chosen.append(path)
    return tuple(chosen)


def imports_in(context: GateContext, tree: str) -> Mapping[str, Sequence[RawImport]]:
    """The imports of every Python file of a tree."""
    known = context.cache.get(_KIND, _KEY) or {}
    found: dict[str, Sequence[RawImport]] = {}
    blobs: dict[str, Sequence[RawImport]] = {}
    for path in context.trees.paths(tree):
        entry = context.trees.entry(tree, path) if path.endswith(".py") else None
        if entry is None:
            continue
        blob = entry[1]
        if blob in known:
            blobs[blob] = [(level, module, tuple(names)) for level, module, names in known[blob]]
        else:
            blobs[blob] = imports_of(context.trees.read(tree, path) or b"")
        found[path] = blobs[blob]
    if blobs.keys() != known.keys():
        context.cache.put(_KIND, _KEY, {blob: list(raw) for blob, raw in blobs.items()})
    return found
