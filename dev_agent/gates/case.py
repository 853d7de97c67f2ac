"""One change as the tests are run on it: what is fixed before anything runs, and one run.

kept_tree    the base's tests, conftests and configuration over the change's sources
own_tree     the change as it is, with the base's configuration
before_tree  the change's tests over the base's sources, with the base's configuration
affected     the test files the change touches, itself or through what supports them
"""

from __future__ import annotations

from collections.abc import Sequence

from dev_agent.cancel import Cancel
from dev_agent.gates.context import GateContext
from dev_agent.gates.layout import TestLayout
from dev_agent.gates.subject import Checkout, Subject
from dev_agent.gates.test_command import TestCommand
from dev_agent.gates.test_run import TestRun, read_run
from dev_agent.gates.tool_config import PYTEST_FILES, PytestConfig, read_pytest_config
from dev_agent.gates.tools import TRUSTED, Tool
from dev_agent.sandbox.job import Mount, MountKind
from dev_agent.values import dataclass

IMAGES_SHOWN = TRUSTED / "images"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One judgement on its way."""

    subject: Subject
    tool: Tool
    config: PytestConfig
    layout: TestLayout
    command: TestCommand
    kept_tree: str
    own_tree: str
    affected: tuple[str, ...]

    def before_tree(self, context: GateContext) -> str:
        """The change's tests over the base's sources."""
        sources = {path for path in self.subject.changed if not self.layout.is_test_side(path)}
        return context.with_base_entries(self.subject.base_tree, self.own_tree, sources)


def case_of(context: GateContext, subject: Subject, tool: Tool) -> Case:
    """Read the configuration of the base, and compose the trees. Writes objects only."""
    config = read_pytest_config(context.reader(subject.base_tree))
    base = context.trees.paths(subject.base_tree)
    now = context.trees.paths(subject.tree)
    layout = TestLayout.between(base, now, config.python_files)
    configuration = set(PYTEST_FILES)
    test_side = {path for path in subject.changed if layout.is_test_side(path)}
    return Case(
        subject=subject,
        tool=tool,
        config=config,
        layout=layout,
        command=TestCommand.of(context.project, tool, config, base, layout),
        kept_tree=context.with_base_entries(subject.base_tree, subject.tree, test_side | configuration),
        own_tree=context.with_base_entries(subject.base_tree, subject.tree, configuration),
        affected=layout.affected(subject.changed, now),
    )


def run_case(
    context: GateContext,
    case: Case,
    slot: Checkout,
    tree: str,
    targets: Sequence[str],
    cancel: Cancel,
    *,
    images: bytes = b"",
) -> tuple[TestRun, tuple[str, ...]]:
    """Run pytest on `targets` of `tree`; what can be believed of it, and notes for people.

    `images` are of test modules (see `images`); the run comes to the same without.
    """
    instructions = case.command.instructions(context.trees.paths(tree), targets)
    notes = tuple(
        f"pytest is built on {name}, which is this project: it runs on the judged {name}"
        for name in instructions["foundations"]
    )
    ran = context.bench.run(
        "tests",
        {**instructions, "images": str(IMAGES_SHOWN) if images else ""},
        tree=slot.checkout(tree),
        timeout_s=context.project.config.tests.timeout_s,
        cancel=cancel,
        tool=case.tool,
        mounts=(Mount(kind=MountKind.DATA, target=IMAGES_SHOWN, data=images),) if images else (),
        read_only=context.project.config.tests.read_only,
    )
    return read_run(ran, instructions["argv"]), notes
