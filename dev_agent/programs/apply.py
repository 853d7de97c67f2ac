"""Starting a run on a task: one proposed change becomes one commit, or leaves nothing behind.

The proposal is the request's patch, or what a recipe makes of its task inside the run (program `apply`), or what a
model plans and writes (program `solve`).

Order: recover leftovers → read the proposal and resolve everything it rests on (errors here leave nothing) →
`launch`, which says what a kill means from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from dev_agent.edits.parse import parse
from dev_agent.errors import UsageFault
from dev_agent.gates.judge import LOCAL
from dev_agent.programs.builtin import SOLVE, apply_program, builtin_program
from dev_agent.programs.keyed import keyed
from dev_agent.programs.launch import launch
from dev_agent.programs.proposers import ModelTask, PatchFile
from dev_agent.programs.recipe_task import require_matching
from dev_agent.programs.recovery import recover_first
from dev_agent.programs.setting import prepare

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.judge import Judge
    from dev_agent.programs.proposers import RecipeTask
    from dev_agent.programs.report import RunReport
    from dev_agent.programs.request import ApplyRequest
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter


def apply(
    repository: Repository,
    request: ApplyRequest,
    *,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
    proposer: RecipeTask | ModelTask | None = None,
    judge: Judge = LOCAL,
) -> RunReport:
    """Run one request, from its beginning to wherever it ends or waits. Without a `proposer` its patch is proposed.

    `judge` answers what the gates are asked; that is no part of the request, since the answers are the same.

    Raises what a wrong request, repository or machine deserves (the families of `dev_agent.errors`, `edits`
    and `policy`) before anything was made; after that, every end is a report.
    """
    recover_first(repository, reporter)
    if proposer is None:
        parse(request.patch)
    _require_model(request, proposer)
    program = apply_program()
    if isinstance(proposer, ModelTask):
        program = proposer.spending.within(builtin_program(SOLVE))

    def execute(on_run: Callable[[str], None]) -> RunReport:
        setting = prepare(repository, request, environ=environ, cancel=cancel).judged_by(judge)
        with closing(setting.trees):
            if proposer is not None:
                require_matching(proposer.paths, setting.trees.paths(setting.base.tree))
            return launch(
                repository,
                program,
                request,
                proposer or PatchFile(content=request.patch),
                setting,
                reporter=reporter,
                cancel=cancel,
                on_run=on_run,
            )

    words = () if proposer is None else proposer.words
    return keyed(
        repository, request, words, execute, environ=environ, reporter=reporter, cancel=cancel, judge=judge
    )


def _require_model(request: ApplyRequest, proposer: RecipeTask | ModelTask | None) -> None:
    """Refuse what only a model can be asked for: a patch is what it is, and a recipe gives one answer."""
    if isinstance(proposer, ModelTask):
        return
    if request.candidates != "1":
        raise UsageFault("--candidates tries answers of a model, and none is to propose", hint="leave it out")
    if request.reproduce:
        raise UsageFault(
            "--reproduce asks a model for a test, and none is to propose",
            hint="name the test that has to fail before and pass after: --must-pass TEST",
        )
