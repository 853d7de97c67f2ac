"""Taking a run up again: after a crash or an interruption, after something in the way is gone, after a person spoke.

State = fold(trace): the request, the base, the policy and every fact come from the run's own trace; the engine
refuses a program that is not the one the run began with. One process at a time: the journal's lock decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from dev_agent.errors import UsageFault
from dev_agent.gates.judge import LOCAL
from dev_agent.programs.anchoring import require_anchored
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.conclude import conclude
from dev_agent.programs.differences import differences, in_words
from dev_agent.programs.faults import raise_bugs
from dev_agent.programs.folders import find_run
from dev_agent.programs.gc import keep_within
from dev_agent.programs.launch import bind, engine_of, inputs_of
from dev_agent.programs.models import models_of
from dev_agent.programs.recovery import recover_first
from dev_agent.programs.reproducing import BY_POLICY, Wish
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.setting import Base, prepare_again, recorded_rules
from dev_agent.programs.sources import source_of
from dev_agent.programs.spending import program_of_run
from dev_agent.programs.staged import current
from dev_agent.programs.story import REQUEST, Story, lacks_of_request, told
from dev_agent.programs.targets import target_of
from dev_agent.runtime.errors import BlobUnavailable, WrongProgram
from dev_agent.runtime.trace import Journal
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.judge import Judge
    from dev_agent.programs.proposers import Models
    from dev_agent.programs.report import RunReport
    from dev_agent.recipes.model import Recipe
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter
    from dev_agent.runtime.program import Program

_APPROVE = "approve"
_KEPT = ("kept", "postponed")


def resume(
    repository: Repository,
    run: str,
    *,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
    recipes: Mapping[str, Recipe] | None = None,
    models: Models | None = None,
    judge: Judge = LOCAL,
) -> RunReport:
    """Go on with a run that was interrupted or kept. One that has ended, or waits for a person, is only reported.

    `recipes` are those there are, by default the shipped ones; `models` makes the model a run began with; `judge`
    answers what the gates are asked from now on, whoever did before. Raises UsageFault for an unknown run or one whose
    request was erased; JournalBusy if somebody drives it.
    """
    helpers = _Helpers(recipes=recipes, models=models, judge=judge)
    return _drive(repository, run, environ, reporter, cancel, helpers)


def decide_approval(
    repository: Repository,
    run: str,
    *,
    approved: bool,
    reason: str,
    actor: str,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
) -> RunReport:
    """Answer a suspended run as a person. The approval is for the tree that is staged now and no other.

    Raises UsageFault if the run does not wait for one.
    """
    decision = {"approved": approved, "reason": reason, "actor": actor}
    return _drive(repository, run, environ, reporter, cancel, _Helpers(), decision)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Helpers:
    """Who proposes and who judges, as far as the trace does not say it."""

    recipes: Mapping[str, Recipe] | None = None
    models: Models | None = None
    judge: Judge = LOCAL


def _drive(
    repository: Repository,
    text: str,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
    helpers: _Helpers,
    decision: Mapping[str, Any] | None = None,
) -> RunReport:
    recover_first(repository, reporter)
    folder = find_run(repository, text)
    require_anchored(repository, folder)
    with Journal.open(folder.path, SystemClock()) as journal:
        story = told(journal.events)
        if story.finished and decision is None:
            return conclude(repository, folder, journal)
        signal = _signal(story, decision)
        if signal is None and story.state == _APPROVE:
            return conclude(repository, folder, journal)
        request = recorded_request(story, lambda role: _blob(story, journal, role))
        program = program_of_run(story)
        _require_same(story, program, _if_there(story, journal, "program"))
        rules = recorded_rules(
            story.request,
            _blob(story, journal, "policy").decode("utf-8"),
            _if_there(story, journal, "policy-meaning"),
        )
        setting = prepare_again(
            repository, request, recorded_base(story), rules, environ=environ, cancel=cancel
        ).judged_by(helpers.judge)
        with closing(setting.trees):
            payload = partial(_blob, story, journal)
            models = helpers.models or models_of(environ)
            proposer = source_of(story.request, request, payload, helpers.recipes, models=models)
            context = bind(repository, program, request, proposer, setting, journal, reporter, cancel)
            engine = engine_of(program, context, journal, reporter)
            if story.state:
                engine.resume(signal)
            else:
                # Killed between the request and its beginning.
                engine.start(inputs_of(program, request, proposer, setting.sandbox.name))
            report = conclude(repository, folder, journal)
            keep_within(repository, setting.cache_size)
            raise_bugs(context)
            return report


def _signal(story: Story, decision: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if decision is None:
        return {"outcome": "resumed", "data": {}} if story.state in _KEPT else None
    staged = current(story.facts)
    if story.finished or story.state != _APPROVE or staged is None:
        raise UsageFault(
            f"run {story.run} does not wait for an approval: it is in state {story.state}",
            hint=f"see: dev-agent show {story.run}",
        )
    data = {"tree": staged.tree, "actor": str(decision["actor"]), "reason": str(decision["reason"])}
    return {"outcome": "approved" if decision["approved"] else "rejected", "data": data}


def recorded_request(story: Story, read: Callable[[str], bytes]) -> ApplyRequest:
    """The request a run was started with; `read` gives the payload of a role. Raises UsageFault if it is not whole."""
    known = story.request
    if not known:
        raise UsageFault(
            f"run {story.run} was cut off before what was asked of it was on record; it has done nothing",
            hint=f"give its command again; forget it with: dev-agent prune {story.run} --yes",
        )
    lacking = lacks_of_request(story)
    if lacking:
        raise UsageFault(
            f"run {story.run} recorded no request of dev-agent's own: it lacks {', '.join(lacking)}",
            hint=f"see: dev-agent show {story.run}",
        )
    return ApplyRequest(
        task=read("task").decode("utf-8", "replace"),
        patch=read("patch"),
        dry_run=bool(known["dry_run"]),
        branch=str(known["branch"]) or None,
        must_pass=tuple(known["must_pass"]),
        sandbox=str(known["sandbox"]),
        profile=str(known["profile"]) or None,
        python=str(known.get("python", "")) or None,
        # The program keeps these as its inputs; a run of a program without them has none.
        candidates=str(story.inputs.get("candidates", "1")),
        reproduce=_asked(str(story.inputs.get("reproduce", BY_POLICY))),
    )


def _asked(reproduce: str) -> bool | None:
    """What the caller said, from the input the program has of it; None: nothing."""
    return None if reproduce == BY_POLICY else reproduce == Wish.REQUIRE


def recorded_base(story: Story) -> Base:
    """Where a run began, and where it was to land."""
    known = story.request
    return Base(target=target_of(story), commit=str(known["base"]) or None, tree=str(known["base_tree"]))


def _require_same(story: Story, program: Program, recorded: bytes) -> None:
    """Check that this version's program is the one the run began with. Raises WrongProgram, naming what differs."""
    bound = story.binding.get("program")
    if bound == program.digest:
        return
    found: tuple[str, ...] = ()
    if sha256(recorded).hexdigest() == bound:
        found = differences(json.loads(recorded), program.to_json())
    named = f": they differ in {in_words(found)}" if found else ""
    raise WrongProgram(
        f"run {story.run} began under another {program.name} than this version of dev-agent follows{named}",
        "go on with the version it began with, or start the task again",
    )


def _if_there(story: Story, journal: Journal, role: str) -> bytes:
    """A payload that older runs do not have, and that may have been erased; empty then."""
    try:
        return journal.blob(story.blobs[f"{REQUEST}.{role}"])
    except (KeyError, BlobUnavailable):
        return b""


def _blob(story: Story, journal: Journal, role: str) -> bytes:
    try:
        return journal.blob(story.blobs[f"{REQUEST}.{role}"])
    except (KeyError, BlobUnavailable) as error:
        raise UsageFault(
            f"run {story.run} cannot go on: its {role} is not there any more", hint="start the task again"
        ) from error
