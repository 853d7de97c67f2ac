"""Starting a run of any shipped program, once everything it rests on is known.

Order: journal with the request → anchor → engine → conclusion. Killed before the journal exists: nothing happened.
After it: the run can be resumed from its trace, which names the program and says where the proposal comes from.

Order of a conclusion: the trace's last event is durable → receipt beside it → receipt ref (landed runs) → last
anchor. Killed in between: recovery concludes the run again, each step repeatable.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dev_agent.programs.actions.registry import bound, declared
from dev_agent.programs.anchoring import START, anchor_now
from dev_agent.programs.builtin import CHECK
from dev_agent.programs.clock import SystemClock, new_run_id
from dev_agent.programs.conclude import conclude
from dev_agent.programs.context import ApplyContext
from dev_agent.programs.faults import raise_bugs
from dev_agent.programs.folders import ANSWERS, RunFolder, runs_dir
from dev_agent.programs.gc import keep_within
from dev_agent.programs.proposers import (
    Command,
    Inverse,
    Merge,
    ModelTask,
    Proposer,
    RecipeTask,
    Source,
)
from dev_agent.programs.receipt import WITH_HEALTH
from dev_agent.programs.reproducing import BY_POLICY, Wish
from dev_agent.programs.sources import payloads, recorded
from dev_agent.programs.spending import in_words
from dev_agent.programs.story import REQUEST
from dev_agent.repository.identity import AGENT
from dev_agent.runtime.canonical import canonical
from dev_agent.runtime.engine import Engine
from dev_agent.runtime.trace import Journal
from dev_agent.runtime.validation import prove

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.programs.report import RunReport
    from dev_agent.programs.request import ApplyRequest
    from dev_agent.programs.setting import Setting
    from dev_agent.programs.solving.asking import Asking
    from dev_agent.programs.solving.briefs import Briefs
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter
    from dev_agent.runtime.program import Program


def launch(
    repository: Repository,
    program: Program,
    request: ApplyRequest,
    proposer: Source,
    setting: Setting,
    *,
    reporter: Reporter,
    cancel: Cancel,
    on_run: Callable[[str], None] = lambda _run: None,
) -> RunReport:
    """Make a run, drive it to wherever it ends or waits, report. Raises our own bugs and nothing else expected.

    `on_run` hears the run's id before anything of the run exists.
    """
    # Before there is a run: one that could not be driven would only be a riddle.
    prove(program, declared())
    clock = SystemClock()
    run = new_run_id(clock.now())
    on_run(run)
    folder = RunFolder(run=run, path=runs_dir(repository) / run)
    binding = {
        "base": setting.base.commit or "",
        "policy": setting.rules.policy.digest,
        "program": program.digest,
    }
    with Journal.create(folder.path, run, binding, clock) as journal:
        _record_request(journal, program, request, proposer, setting)
        anchor_now(repository, journal, START)
        context = bind(repository, program, request, proposer, setting, journal, reporter, cancel)
        for lack in setting.gates.preflight(setting.base.tree).missing:
            reporter.noted(lack)
        for weakness in setting.weaknesses():
            reporter.noted(weakness)
        if notice := setting.gates.judge.notice:
            reporter.noted(notice)
        if chosen := _chosen(program, proposer):
            reporter.noted(chosen)
        engine = engine_of(program, context, journal, reporter)
        engine.start(inputs_of(program, request, proposer, setting.sandbox.name))
        report = conclude(repository, folder, journal)
        keep_within(repository, setting.cache_size)
        raise_bugs(context)
        return report


def _chosen(program: Program, proposer: Source) -> str:
    """Who proposes where that was chosen for the caller, and what a model may cost; said before anything is asked."""
    if isinstance(proposer, RecipeTask):
        return f"proposed by the recipe {proposer.recipe}: {proposer.title}"
    if isinstance(proposer, ModelTask):
        return f"proposed by {proposer.name}; at most {in_words(program)}"
    return ""


def engine_of(program: Program, context: ApplyContext, journal: Journal, reporter: Reporter) -> Engine:
    """The engine that drives `program` with the actions bound to `context`."""
    return Engine(
        program,
        bound(context),
        journal,
        clock=SystemClock(),
        cancel=context.cancel,
        reporter=reporter,
        sleep=context.asking.sleep if context.asking else time.sleep,
    )


def bind(
    repository: Repository,
    program: Program,
    request: ApplyRequest,
    proposer: Source,
    setting: Setting,
    journal: Journal,
    reporter: Reporter,
    cancel: Cancel,
) -> ApplyContext:
    """What the actions of a run work with.

    What will not land is committed by the agent itself: it needs neither the user's name nor their signing key.
    """
    merging = proposer.merging if isinstance(proposer, Merge) else None
    judged_only = program.name == CHECK or (merging is not None and not merging.own_commit)
    return ApplyContext(
        repository=repository,
        journal=journal,
        run=journal.run,
        task=request.task,
        base=setting.base.commit,
        target=setting.base.target,
        policy=setting.rules.policy,
        own_paths=setting.rules.own_paths,
        proposer=_bound(repository, proposer, setting, reporter, cancel),
        gates=setting.gates,
        cancel=cancel,
        identity=AGENT if judged_only else None,
        sign=False if judged_only else None,
        undoing=proposer.undoing if isinstance(proposer, Inverse) else None,
        merging=merging,
        snapshot={**setting.snapshot(repository), **_model_of(proposer)},
        asking=_asking(proposer, journal, reporter),
        briefs=_briefs(repository, proposer, setting),
        co_authored_by=setting.co_authored_by,
    )


def _model_of(source: Source) -> dict[str, Any]:
    """What `begin` records of the model that is asked; nothing for other sources."""
    return {"model": dict(source.opened.model.describe())} if isinstance(source, ModelTask) else {}


def _asking(source: Source, journal: Journal, reporter: Reporter) -> Asking | None:
    """How the model is asked in this run. What it answers is on the disk before anything is made of it."""
    if not isinstance(source, ModelTask):
        return None
    from dev_agent.programs.solving.asking import Asking  # noqa: PLC0415 - only where a model is asked
    from dev_agent.proposers.remembering import RememberingModel  # noqa: PLC0415

    opened = source.opened
    return Asking(
        model=RememberingModel(opened.model, journal.folder / ANSWERS),
        max_output=opened.max_output,
        timeout_ms=opened.timeout_ms,
        told=lambda tokens: reporter.progressed(f"{tokens:,} tokens"),
        price=opened.price,
        sleep=source.sleep,
    )


def _briefs(repository: Repository, source: Source, setting: Setting) -> Callable[[int], Briefs] | None:
    """What shows the model the base, by how often it has to be made smaller."""
    if not isinstance(source, ModelTask):
        return None
    from dev_agent.programs.briefing import Briefer  # noqa: PLC0415 - only where a model is asked
    from dev_agent.programs.solving.briefs import Briefs  # noqa: PLC0415

    briefer = Briefer(repository, setting.base.commit, paths=source.paths)
    return lambda shrunk: Briefs(briefer=briefer, shrunk=shrunk)


def _bound(
    repository: Repository, source: Source, setting: Setting, reporter: Reporter, cancel: Cancel
) -> Proposer:
    """The proposer a source stands for, with what it needs of this run."""
    if isinstance(source, Command):
        from dev_agent.programs.command import CommandRun  # noqa: PLC0415 - only where a program proposes

        return CommandRun(
            repository=repository,
            judges=setting.gates,
            cancel=cancel,
            base=setting.base.commit,
            argv=source.argv,
            network=source.network,
        )
    if isinstance(source, RecipeTask):
        from dev_agent.programs.recipe_run import RecipeRun  # noqa: PLC0415 - only where a recipe proposes

        return RecipeRun(
            repository=repository,
            judges=setting.gates,
            cancel=cancel,
            base=setting.base.commit,
            source=source,
            told=reporter.noted,
        )
    return source


_WISHES = {True: Wish.REQUIRE, False: Wish.OFF}


def inputs_of(program: Program, request: ApplyRequest, proposer: Source, sandbox: str) -> dict[str, Any]:
    """The inputs of the program: of all there are, those it declares."""
    known = {
        "subject": proposer.name,
        "dry_run": request.dry_run,
        "must_pass": list(request.must_pass),
        "branch": request.branch or "",
        "sandbox": sandbox,
        "land": isinstance(proposer, Merge) and proposer.merging.land,
        "candidates": request.candidates,
        "reproduce": BY_POLICY if request.reproduce is None else _WISHES[request.reproduce].value,
    }
    return {name: value for name, value in known.items() if name in program.facts}


def _record_request(
    journal: Journal, program: Program, request: ApplyRequest, proposer: Source, setting: Setting
) -> None:
    """The caller's words. Text that may hold personal data goes beside the trace, where it can be erased."""
    target = setting.base.target
    data = {
        "program": program.name,
        "dry_run": request.dry_run,
        "branch": request.branch or "",
        "must_pass": list(request.must_pass),
        "sandbox": request.sandbox,
        "profile": request.profile or "",
        **({"python": request.python} if request.python else {}),
        "target": {"kind": target.kind.value, "ref": target.ref},
        "base": setting.base.commit or "",
        "base_tree": setting.base.tree,
        "policy": {
            "name": setting.rules.name,
            "source": setting.rules.source,
            "digest": setting.rules.policy.digest,
        },
        "receipt": WITH_HEALTH,
        **recorded(proposer),
    }
    blobs = {
        "task": request.task.encode("utf-8", "replace"),
        "patch": request.patch,
        "policy": setting.rules.text.encode("utf-8"),
        # What both mean now: should another version read them differently, it can say in what.
        "policy-meaning": setting.rules.policy.meaning.encode("ascii"),
        "program": canonical(program.to_json()),
        **payloads(proposer),
    }
    journal.append(REQUEST, data, actor="user", blobs=blobs, durable=True)
