"""Replaying a run: execute it again from what it recorded, and say where the second time first differs.

Base, policy, settings and proposals are the recorded ones; resolving, hooks, policy facts and gates are done anew,
with an empty verdict cache. Landings and a person's words are taken from the trace: nothing is published, and the
user's tree, index and branches are not looked at.

Order: check the chain → a private folder with a journal of its own → drive → compare → the folder and the private
refs go. Killed anywhere: a private ref and a scratch folder, which recovery and the next scratch folder's maker
remove. The recorded run is only read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dev_agent.errors import UsageFault
from dev_agent.programs.actions.registry import ACTIONS
from dev_agent.programs.clock import SystemClock, new_run_id
from dev_agent.programs.comparison import Comparison, compare
from dev_agent.programs.faults import raise_bugs
from dev_agent.programs.folders import RunFolder
from dev_agent.programs.launch import bind, inputs_of
from dev_agent.programs.models import MOST_OUTPUT
from dev_agent.programs.proposers import Opened
from dev_agent.programs.recording import (
    PUBLISHING,
    RecordedLandings,
    RecordedModel,
    recorded_model,
    recorded_proposer,
    signals,
)
from dev_agent.programs.resume import recorded_base, recorded_request
from dev_agent.programs.setting import prepare_again, recorded_rules
from dev_agent.programs.sources import stand_in_for
from dev_agent.programs.spending import program_of_run
from dev_agent.programs.story import REQUEST, Story, told
from dev_agent.repository import kept
from dev_agent.repository.refs import drop_ref
from dev_agent.repository.scratch import scratch
from dev_agent.repository.staging import staged_ref
from dev_agent.runtime.blobs import Blobs
from dev_agent.runtime.engine import EndingKind, Engine
from dev_agent.runtime.errors import BlobUnavailable
from dev_agent.runtime.states import Kind
from dev_agent.runtime.trace import Journal, read_trace, verify
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.programs.context import ApplyContext
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter
    from dev_agent.runtime.events import Event
    from dev_agent.runtime.program import Program


@dataclass(frozen=True, kw_only=True, slots=True)
class _Record:
    """The run that is replayed."""

    folder: RunFolder
    events: tuple[Event, ...]
    story: Story

    def blob(self, commitment: str) -> bytes:
        lengths = {blob.commitment: blob.length for event in self.events for blob in event.blobs}
        try:
            return Blobs(self.folder.path).read(commitment, lengths[commitment])
        except (KeyError, BlobUnavailable) as error:
            raise UsageFault(
                f"run {self.story.run} cannot be replayed: what it recorded is not there any more ({error})",
                hint="an erased payload cannot come back; the rest can still be checked with: dev-agent verify",
            ) from error

    def requested(self, role: str) -> bytes:
        commitment = self.story.blobs.get(f"{REQUEST}.{role}")
        if commitment is None:
            raise UsageFault(
                f"run {self.story.run} recorded no {role}", hint="only a run of this version can be replayed"
            )
        return self.blob(commitment)


def replay(
    repository: Repository,
    folder: RunFolder,
    *,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
) -> Comparison:
    """Execute a run again and compare.

    Raises UsageFault for a run that cannot be replayed: broken, unfinished, partly erased, of a program of the user's.
    """
    record = _record(folder)
    request = recorded_request(record.story, record.requested)
    rules = recorded_rules(record.story.request, record.requested("policy").decode("utf-8"))
    base = recorded_base(record.story)
    program = program_of_run(record.story)
    with scratch(repository) as place:
        setting = prepare_again(repository, request, base, rules, environ=environ, cancel=cancel)
        setting = replace(setting, gates=setting.gates.apart(place.path / "cache"))
        with closing(setting.trees):
            answering = recorded_model(record.events, record.blob)
            source = stand_in_for(
                record.story.request,
                request,
                record.requested,
                lambda settings: _standing_in(answering, settings),
            )
            run = new_run_id(SystemClock().now())
            binding = {**record.story.binding, "program": program.digest}
            with Journal.create(place.path / run, run, binding, SystemClock()) as journal:
                context = bind(repository, program, request, source, setting, journal, reporter, cancel)
                proposer = recorded_proposer(record.events, context.proposer.name, record.blob)
                context = replace(context, proposer=proposer)
                try:
                    inputs = inputs_of(program, request, source, setting.sandbox.name)
                    _drive(record, program, context, inputs, reporter)
                finally:
                    drop_ref(repository, staged_ref(run))
                    kept.release(repository, run)
                raise_bugs(context)
                return compare(record.events, journal.events, program)


def _standing_in(model: RecordedModel, settings: str) -> Opened:
    """The recorded answers in the place of the model, with the bounds its questions had."""
    known = json.loads(settings)
    most = int(known.get("max_output", MOST_OUTPUT)) if isinstance(known, dict) else MOST_OUTPUT
    return Opened(model=model, price=model.price, max_output=most)


def _record(folder: RunFolder) -> _Record:
    found = verify(folder.path)
    if not found.ok:
        raise UsageFault(
            f"the trace of run {folder.run} is not what was written: {found.reason}",
            hint=f"see: dev-agent verify {folder.run}",
        )
    events = read_trace(folder.path)
    story = told(events)
    if story.request.get("hosted"):
        raise UsageFault(
            f"run {story.run} is of a program of your own; only dev-agent's own programs can be replayed",
            hint="its actions may act on the world, and doing that twice is not for a replay to decide",
        )
    if not story.finished:
        raise UsageFault(
            f"run {story.run} has not ended: it is in {story.state}",
            hint=f"first: dev-agent resume {story.run}",
        )
    return _Record(folder=folder, events=events[: story.events], story=story)


def _drive(
    record: _Record, program: Program, context: ApplyContext, inputs: Mapping[str, Any], reporter: Reporter
) -> None:
    """To the end, or to a wait the recorded run was never in."""
    recorded = [RecordedLandings(events=record.events, stands_for=one).action() for one in PUBLISHING]
    actions = {**ACTIONS, **{one.name: one for one in recorded}}
    engine = Engine(
        program,
        {name: action.bound(context) for name, action in actions.items()},
        context.journal,
        clock=SystemClock(),
        cancel=context.cancel,
        reporter=reporter,
        sleep=lambda _seconds: None,  # what was waited for was waited for then
    )
    waits = frozenset(name for name, state in program.states.items() if state.kind is Kind.WAIT)
    answers = signals(record.events, waits)
    ending = engine.start(inputs)
    while ending.kind is EndingKind.SUSPENDED and answers:
        answer = answers.pop(0)
        if answer["state"] != ending.state:
            return  # a wait the recorded run was never in here: the comparison says so
        ending = engine.resume({"outcome": answer["outcome"], "data": answer["data"]})
    if ending.kind is EndingKind.INTERRUPTED:
        raise KeyboardInterrupt
