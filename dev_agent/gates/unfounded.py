"""Why tests say nothing about a change, and what to do: they do not run on the base, or none of them passes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from dev_agent.gates.absent import absent_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev_agent.gates.case import Case
    from dev_agent.gates.context import GateContext
    from dev_agent.gates.test_run import TestRun

# Ends that are pytest's own, or its plugins': what the user's own pytest says then is worth knowing.
_BY_HAND: Final = frozenset({"crashed", "pytest_refused", "died_early"})


def groundless(context: GateContext, case: Case, base: TestRun) -> str:
    """Why no change can be judged on this base: cause and remedy in the first line, then what pytest said."""
    cause, _, more = base.detail.partition("\n")
    said = f"the tests do not run on the base: {cause}{_remedy(context, case, base, cause)}"
    return f"{said}\n{more}" if more else said


def _remedy(context: GateContext, case: Case, base: TestRun, cause: str) -> str:
    if cause.startswith("unrecognized arguments"):
        return f"; install the plugins that {case.config.file or 'pytest'} asks for beside pytest"
    if base.fault not in _BY_HAND or case.tool.lent:
        return ""
    python, root = context.project.interpreter.path, context.project.root
    shown = python.relative_to(root) if python.is_relative_to(root) else python
    return f"; see whether they do without dev-agent: {shlex.quote(str(shown))} -m pytest"


def nothing_passes(context: GateContext, case: Case, run: TestRun, superseded: Sequence[str]) -> str:
    """What keeps every test of the base from passing, as far as one line can say it, and what to do about it.

    `superseded` are those that pass in the form the change gave them: a change that brings all of its own judges.
    """
    if superseded:
        ones = (
            "the only test that passes does"
            if len(superseded) == 1
            else f"all {len(superseded)} tests that pass do"
        )
        return (
            f"{ones} so in the form that the change gave, and nothing of the base's own tests is left to judge it; "
            "keep a test as it is, or bring the tests' new form in a change of its own"
        )
    first = next(iter(run.failures.values()), None)
    said = f"no test passes, before or after the change{f': {first.message}' if first else ''}"
    absent = absent_files(
        (f"{one.message}\n{one.detail}" for one in run.failures.values()),
        context.project.root,
        case.command.roots,
        frozenset(context.trees.paths(case.subject.base_tree)),
    )
    if not absent:
        return said
    named = ", ".join(f'"{one}"' for one in absent)
    return f"{said}; your work tree has a file for it that git does not track: set include = [{named}]"
