"""Starting a run of `apply`, or of the program that shares its states, and concluding any drive of one.

Order of a start: recover leftovers → read the proposal and resolve everything it rests on (errors here leave
nothing) → journal with the request → anchor → engine. Killed before the journal exists: nothing happened.
After it: the run can be resumed from its trace.

Order of a conclusion: the trace's last event is durable → receipt beside it → receipt ref (landed runs) → last
anchor. Killed in between: recovery concludes the run again, each step repeatable.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dev_agent.edits.parse import parse
from dev_agent.programs.actions.registry import ACTIONS
from dev_agent.programs.anchoring import anchor_now
from dev_agent.programs.builtin import APPLY, UNDO, builtin_program
from dev_agent.programs.clock import SystemClock, new_run_id
from dev_agent.programs.conclude import conclude
from dev_agent.programs.context import ApplyContext
from dev_agent.programs.faults import raise_bugs
from dev_agent.programs.folders import RunFolder, runs_dir
from dev_agent.programs.proposers import Inverse, PatchFile
from dev_agent.programs.recovery import recover_first
from dev_agent.programs.setting import Setting, prepare
from dev_agent.programs.story import REQUEST
from dev_agent.runtime.engine import Engine
from dev_agent.runtime.trace import Journal
from dev_agent.runtime.validation import prove

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.programs.report import RunReport
    from dev_agent.programs.request import ApplyRequest
    from dev_agent.programs.undoing import Undoing
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter


def apply(
    repository: Repository,
    request: ApplyRequest,
    *,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
) -> RunReport:
    """Run `apply` for one request, from its beginning to wherever it ends or waits.

    Raises what a wrong request, repository or machine deserves (the families of `dev_agent.errors`, `edits`
    and `policy`) before anything was made; after that, every end is a report.
    """
    recover_first(repository, reporter)
    parse(request.patch)
    setting = prepare(repository, request, environ=environ, cancel=cancel)
    return start(repository, request, setting, reporter=reporter, cancel=cancel)


def start(
    repository: Repository,
    request: ApplyRequest,
    setting: Setting,
    *,
    undoing: Undoing | None = None,
    reporter: Reporter,
    cancel: Cancel,
) -> RunReport:
    """Begin a run of `apply`, or of `undo` if there is something to undo, and drive it as far as it goes."""
    clock = SystemClock()
    program = builtin_program(APPLY if undoing is None else UNDO)
    # Before there is a run: one that could not be driven would only be a riddle.
    prove(program, {name: action.unbound() for name, action in ACTIONS.items()})
    run = new_run_id(clock.now())
    folder = RunFolder(run=run, path=runs_dir(repository) / run)
    binding = {
        "base": setting.base.commit or "",
        "policy": setting.rules.policy.digest,
        "program": program.digest,
    }
    with closing(setting.trees), Journal.create(folder.path, run, binding, clock) as journal:
        _record_request(journal, request, setting, undoing)
        anchor_now(repository, journal, "start")
        context = bind(repository, request, setting, journal, cancel, undoing)
        for lack in setting.gates.preflight(setting.base.tree).missing:
            reporter.noted(lack)
        engine = Engine(
            program,
            {name: action.bound(context) for name, action in ACTIONS.items()},
            journal,
            clock=clock,
            cancel=cancel,
            reporter=reporter,
        )
        engine.start(inputs_of(request, setting.sandbox.name))
        report = conclude(repository, folder, journal)
        raise_bugs(context)
        return report


def bind(
    repository: Repository,
    request: ApplyRequest,
    setting: Setting,
    journal: Journal,
    cancel: Cancel,
    undoing: Undoing | None,
) -> ApplyContext:
    """What the actions of a run work with."""
    return ApplyContext(
        repository=repository,
        journal=journal,
        run=journal.run,
        task=request.task,
        base=setting.base.commit,
        target=setting.base.target,
        policy=setting.rules.policy,
        own_paths=setting.rules.own_paths,
        proposer=PatchFile(content=request.patch) if undoing is None else Inverse(),
        gates=setting.gates,
        cancel=cancel,
        snapshot=setting.snapshot(repository),
        undoing=undoing,
    )


def inputs_of(request: ApplyRequest, sandbox: str) -> dict[str, Any]:
    """The inputs of the program, as it declares them."""
    return {
        "dry_run": request.dry_run,
        "must_pass": list(request.must_pass),
        "branch": request.branch or "",
        "sandbox": sandbox,
    }


def _record_request(
    journal: Journal, request: ApplyRequest, setting: Setting, undoing: Undoing | None
) -> None:
    """The caller's words. Text that may hold personal data goes beside the trace, where it can be erased."""
    target = setting.base.target
    data: dict[str, Any] = {
        "dry_run": request.dry_run,
        "branch": request.branch or "",
        "must_pass": list(request.must_pass),
        "sandbox": request.sandbox,
        "profile": request.profile or "",
        "target": {"kind": target.kind.value, "ref": target.ref},
        "base": setting.base.commit or "",
        "base_tree": setting.base.tree,
        "policy": {
            "name": setting.rules.name,
            "source": setting.rules.source,
            "digest": setting.rules.policy.digest,
        },
    }
    if undoing is not None:
        data["undo"] = undoing.to_json()
    blobs = {
        "task": request.task.encode("utf-8", "replace"),
        "patch": request.patch,
        "policy": setting.rules.text.encode("utf-8"),
    }
    journal.append(REQUEST, data, actor="user", blobs=blobs, durable=True)
