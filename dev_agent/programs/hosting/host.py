"""Starting a program of somebody else, and taking a run of it up again.

A run is a folder: `trace.jsonl`, its blobs, and `receipt.json` once it has ended. The program's text and the inputs
lie beside the trace, so a run can be taken up without the file; the engine refuses any other program, and actions
that no longer declare what the program was proved with.

Order of a start: read and prove everything (errors here leave nothing) → journal with the request → engine → receipt.
Killed before the journal exists: nothing happened. After it: the run can be taken up from its trace, at the state it
was in; a state that ended is never run again. Killed before the receipt: taking the run up writes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.programs.clock import SystemClock, new_run_id
from dev_agent.programs.differences import differences, in_words
from dev_agent.programs.folders import RECEIPT, TRACE
from dev_agent.programs.hosting.given import Given
from dev_agent.programs.hosting.isolation import Isolation
from dev_agent.programs.hosting.module import load_actions
from dev_agent.programs.hosting.receipt import hosted_receipt
from dev_agent.programs.hosting.report import HostedReport, report_of
from dev_agent.programs.hosting.secrets import Secrets
from dev_agent.programs.story import REQUEST, Story, told
from dev_agent.runtime.blobs import Blobs
from dev_agent.runtime.engine import Engine
from dev_agent.runtime.errors import BlobUnavailable, WrongProgram
from dev_agent.runtime.files import write_atomically
from dev_agent.runtime.intake import checked_inputs
from dev_agent.runtime.program import Program, load_program
from dev_agent.runtime.trace import Journal, read_trace
from dev_agent.runtime.validation import prove
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.runtime.canonical import Json
    from dev_agent.runtime.events import Event
    from dev_agent.runtime.host import Reporter

_TEXT, _INPUTS = "program", "inputs"
_NOTHING = Given()
_NO_SECRETS = Secrets()
_SHOWN = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """Where runs live and what they are given. `workers` bounds the branches that run at once.

    `default` is where a command looks for runs that is told nothing. `secrets` is what actions may resolve of what they
    declare.
    """

    runs: Path
    default: Path
    environ: Mapping[str, str] = field(repr=False)  # may hold secrets
    cancel: Cancel
    reporter: Reporter
    workers: int = 4
    secrets: Secrets = _NO_SECRETS

    def start(
        self,
        text: str,
        *,
        source: str,
        module: str,
        inputs: Given,
        on_run: Callable[[str], None] = lambda _run: None,
    ) -> HostedReport:
        """Run a program from its beginning to wherever it ends or waits.

        `on_run` hears the run's id before anything of it exists. Raises UsageFault, ProgramError, ProgramRefused
        and InputsRefused before anything was made.
        """
        program = load_program(text, source=source)
        prove(program, load_actions(module))
        values = inputs.typed(program.facts)
        checked_inputs(program, values)
        clock = SystemClock()
        run = new_run_id(clock.now())
        on_run(run)
        folder = self.runs / run
        with Journal.create(folder, run, {"program": program.digest}, clock) as journal:
            request = {"program": program.name, "hosted": True, "source": source, "module": module}
            blobs = {_TEXT: text.encode(), _INPUTS: json.dumps(values).encode()}
            journal.append(REQUEST, request, actor="user", blobs=blobs, durable=True)
            self._engine(program, module, journal).start(values)
            return _concluded(program, journal, self.default)

    def take_up(
        self,
        run: str,
        *,
        module: str | None = None,
        text: str | None = None,
        outcome: str | None = None,
        data: Given = _NOTHING,
    ) -> HostedReport:
        """Go on with a run: after a crash or an interruption, or with the answer a waiting state asks for.

        `outcome` and `data` are that answer. `module` is by default the one the run began with; a `text` has to mean
        the program it began with. A run that has ended is only reported. Raises UsageFault, ProgramError,
        WrongProgram, WrongSignal, ProgramRefused and JournalBusy; nothing was changed then.
        """
        with Journal.open(self.find(run), SystemClock()) as journal:
            story = _hosted(journal.events)
            program = _recorded_program(story, journal.blob)
            _require_same(program, text)
            if story.finished and outcome is None:
                return _concluded(program, journal, self.default)
            signal: dict[str, Json] | None = None
            if outcome is not None:
                state = program.states.get(story.state)
                signal = {"outcome": outcome, "data": data.typed(state.facts if state else {})}
            engine = self._engine(program, module or str(story.request["module"]), journal)
            if story.state:
                engine.resume(signal)
            else:
                # Killed between the request and its beginning.
                engine.start(json.loads(_recorded(story, journal.blob, _INPUTS)))
            return _concluded(program, journal, self.default)

    def report(self, run: str) -> HostedReport:
        """How a run stands, without taking part in it. Raises UsageFault, TraceCorrupt, JournalFailed."""
        folder = self.find(run)
        events = read_trace(folder)
        story = _hosted(events)
        lengths = {blob.commitment: blob.length for event in events for blob in event.blobs}
        blobs = Blobs(folder)
        program = _recorded_program(story, lambda commitment: blobs.read(commitment, lengths[commitment]))
        return report_of(program, events, folder, self.default)

    def find(self, run: str) -> Path:
        """The folder of a run: its id, the beginning or end of one, `last`, or a path. Raises UsageFault."""
        if os.path.lexists(Path(run) / TRACE):
            return Path(run).absolute()
        names = self.names()
        if not names:
            raise UsageFault(
                f"there are no runs in {self.runs}", hint="start one: dev-agent program run FILE …"
            )
        found = (
            names[:1]
            if run == "last"
            else [name for name in names if name.startswith(run) or name.endswith(run)]
        )
        if len(found) != 1:
            listed = ", ".join((found or names)[:_SHOWN])
            said = f"{len(found)} runs match {run!r}" if found else f"there is no run {run!r}"
            raise UsageFault(said, hint=f"say which: {listed}")
        return self.runs / found[0]

    def names(self) -> list[str]:
        """The ids of all runs here, newest first."""
        if not self.runs.is_dir():
            return []
        return sorted((one.name for one in self.runs.iterdir() if os.path.lexists(one / TRACE)), reverse=True)

    def _engine(self, program: Program, module: str, journal: Journal) -> Engine:
        isolation = Isolation(module=module, environ=self.environ, cancel=self.cancel)
        return Engine(
            program,
            {name: isolation.of(spec) for name, spec in load_actions(module).items()},
            journal,
            clock=SystemClock(),
            cancel=self.cancel,
            reporter=self.reporter,
            workers=self.workers,
            capabilities=self.secrets.resolve,
        )


def _concluded(program: Program, journal: Journal, default: Path) -> HostedReport:
    """The report, and for a run that has ended its receipt; written once, the same bytes every time."""
    events = journal.events
    place = journal.folder / RECEIPT
    if told(events).finished and not place.exists():
        write_atomically(place, hosted_receipt(events), durable=True)
    return report_of(program, events, journal.folder, default)


def _hosted(events: tuple[Event, ...]) -> Story:
    story = told(events)
    if not story.request.get("hosted") or not {"module", "source"} <= story.request.keys():
        raise UsageFault(
            f"run {story.run} is not of a program of your own",
            hint="runs of dev-agent's own programs are taken up with: dev-agent resume RUN",
        )
    return story


def _recorded_program(story: Story, read: Callable[[str], bytes]) -> Program:
    return load_program(_recorded(story, read, _TEXT).decode(), source=str(story.request["source"]))


def _recorded(story: Story, read: Callable[[str], bytes], role: str) -> bytes:
    try:
        return read(story.blobs[f"{REQUEST}.{role}"])
    except (KeyError, BlobUnavailable) as error:
        raise UsageFault(
            f"run {story.run} cannot go on: its {role} is not there any more", hint="start the program again"
        ) from error


def _require_same(program: Program, text: str | None) -> None:
    if text is None:
        return
    given = load_program(text, source=program.name)
    if given.digest != program.digest:
        changed = in_words(differences(program.to_json(), given.to_json()))
        raise WrongProgram(
            f"the run began with another program than this one: they differ in {changed}",
            "leave the file out to go on with the one it began with, or start a new run",
        )
