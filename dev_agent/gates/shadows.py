"""New files that stand in front of the standard library or of an installed package.

`random.py` beside a test or `requests/__init__.py` at the root would decide what the judged program and its
tests import. The runner keeps the standard library and pytest first anyway; this names the attempt.
"""

from __future__ import annotations

import sys

from dev_agent.gates.context import GateContext
from dev_agent.gates.layout import TestLayout, import_roots, modules_by_folder
from dev_agent.gates.subject import Subject
from dev_agent.gates.tool_config import read_pytest_config
from dev_agent.gates.verdict import Failure


def shadowing(context: GateContext, subject: Subject) -> list[Failure]:
    """One failure for each top-level name the change adds that something else already has."""
    trees = context.trees
    base, now = trees.paths(subject.base_tree), trees.paths(subject.tree)
    config = read_pytest_config(context.reader(subject.base_tree))
    roots = {*import_roots(now, (*config.pythonpath, *context.project.pth_roots))}
    layout = TestLayout.between(base, now, config.python_files)
    # pytest puts the directory of a test on sys.path.
    roots.update(path.rpartition("/")[0] or "." for path in now if layout.is_test_file(path))
    taken = {*sys.stdlib_module_names, *context.project.installed.top_level_names(), "pytest", "mypy"}
    # Names the base has already, in any root: moving a package between roots hides nothing.
    before, after = modules_by_folder(base), modules_by_folder(now)
    taken = taken.difference(*(before.get(root, frozenset()) for root in roots))
    return [
        Failure(
            id=f"{root}:{name}",
            path=root,
            code="shadows",
            message=f"the change adds a module {name!r} in {root!r} that hides the one everybody means",
        )
        for root in sorted(roots)
        for name in sorted((after.get(root, frozenset()) - before.get(root, frozenset())) & taken)
    ]
