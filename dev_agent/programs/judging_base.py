"""What a staged commit is compared with when it is judged: its base; for an undo the base without the undone tests.

A change is judged by the tests of its base. What a landed change brought along with its code, it also brought tests
for, and taking it back takes those back too: held against the tip's tests, no undo of a feature could ever pass. So
an undo is judged by the tests as they are once it is done: the base with the undo's test files, but its own sources.
Every other test of the tip still has to pass, and configuration is the tip's.

Which files are tests is decided as the gates decide it. The result is a pure function of two trees, so it needs no
record: whoever checks evidence computes it again. Writes objects only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.gates.layout import TestLayout
from dev_agent.gates.subject import Subject
from dev_agent.gates.tool_config import read_pytest_config
from dev_agent.repository.objects import GitTree
from dev_agent.repository.staging import compose
from dev_agent.repository.tree_diff import tree_difference

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext
    from dev_agent.programs.staged import StagedCommit
    from dev_agent.repository.discovery import Repository


def subject_of(context: ApplyContext, staged: StagedCommit) -> Subject:
    """What the gates judge. Raises GitFailed, RepositoryFault."""
    if context.undoing is None:
        return Subject(base_tree=staged.base_tree, tree=staged.tree, changed=staged.files)
    base_tree = without_undone_tests(context.repository, staged.base_tree, staged.tree)
    changed = tuple(one.path for one in tree_difference(context.repository, base_tree, staged.tree))
    return Subject(base_tree=base_tree, tree=staged.tree, changed=changed)


def without_undone_tests(repository: Repository, base_tree: str, tree: str) -> str:
    """The id of `base_tree` with the test files of `tree` wherever the two differ in one."""
    base, now = GitTree(repository, base_tree), GitTree(repository, tree)

    def read(path: str) -> bytes | None:
        return base.read(path) if base.entry(path) is not None else None

    layout = TestLayout.between(base.paths(), now.paths(), read_pytest_config(read).python_files)
    return compose(
        repository,
        base_tree,
        {
            one.path: one.after
            for one in tree_difference(repository, base_tree, tree)
            if layout.is_test_side(one.path)
        },
    )
