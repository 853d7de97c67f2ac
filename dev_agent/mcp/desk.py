"""What a client can ask, each as one command of ours, and who may ask it. Knows nothing of the protocol.

Every argument a client gives is one word of a command line that cannot be an option, or goes to standard input; it
names no path, policy, profile or sandbox. A run of somebody else answers as one that is not there. A failed command
becomes `Refused`, in the command's own words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.cancel import Cancel
from dev_agent.mcp.access import Access, Place, Refused
from dev_agent.mcp.answers import (
    ContextAnswer,
    Explained,
    ProgramAnswer,
    Proof,
    ReceiptAnswer,
    RunAnswer,
    RunLine,
    RunList,
    RunStory,
    TracePart,
)
from dev_agent.mcp.clients import LOCAL
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.trace import read_trace
from dev_agent.surfaces.command import Answer, Commands, Progress
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_RUN = re.compile(r"[0-9]{8}-[0-9]{9}-[0-9a-f]{8}")
_MOST_EVENTS = 500
_MOST_RUNS = 1000
_UNSENDABLE = re.compile("[\0\ud800-\udfff]")
_LONGEST_WORD = 30_000
_NOT_LANDED = frozenset({"rejected", "suspended", "kept", "failed", "interrupted"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks now, how they take progress, and how they stop it."""

    client: str
    cancel: Cancel
    progress: Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """See the module. `programs` is where runs of clients' programs are kept, a folder a client."""

    access: Access
    commands: Commands
    programs: Path

    def propose(
        self,
        caller: Caller,
        *,
        repository: str | None,
        task: str,
        edits: str,
        branch: str | None = None,
        dry_run: bool = False,
        must_pass: Sequence[str] = (),
        key: str | None = None,
    ) -> RunAnswer:
        """Stage edits, judge them, land them or not. Raises Refused."""
        place = self.access.place(repository)
        if not dry_run:
            self.access.require_change()
        words = ["apply", "--patch", "-", *_each("--must-pass", must_pass), *_each("--branch", _some(branch))]
        words += ["--dry-run"] if dry_run else []
        words += [f"--key=mcp:{caller.client}:{key}"] if key else []
        return self._run(caller, place, [*words, "--", task], edits.encode("utf-8", "surrogatepass"))

    def check(
        self,
        caller: Caller,
        *,
        repository: str | None,
        edits: str | None,
        commits: str | None,
        must_pass: Sequence[str] = (),
    ) -> RunAnswer:
        """Judge edits, or a range of commits, and land nothing. Raises Refused."""
        place = self.access.place(repository)
        if (edits is None) == (commits is None):
            raise Refused("give either edits or commits")
        words = ["check", *_each("--must-pass", must_pass)]
        words += ["--patch", "-"] if edits is not None else ["--", str(commits)]
        return self._run(caller, place, words, (edits or "").encode("utf-8", "surrogatepass"))

    def undo(self, caller: Caller, *, repository: str | None, run: str, dry_run: bool = False) -> RunAnswer:
        """Take back what a run of the client's landed. Raises Refused."""
        place = self._own(caller, repository, run)
        if not dry_run:
            self.access.require_change()
        return self._run(caller, place, ["undo", *(["--dry-run"] if dry_run else []), "--", run])

    def decide(
        self, caller: Caller, *, repository: str | None, run: str, approved: bool, reason: str
    ) -> RunAnswer:
        """Answer for a person, where the server's owner allows it. Raises Refused."""
        self.access.require_approvals()
        place = self._own(caller, repository, run)
        word = "approve" if approved else "reject"
        told = f"client {caller.client}: {reason}" if reason else f"client {caller.client}"
        return self._run(caller, place, [word, f"--reason={told}", "--", run])

    def runs(self, caller: Caller, *, repository: str | None, limit: int, outcome: str | None) -> RunList:
        """The client's runs, newest first. Raises Refused."""
        place = self.access.place(repository)
        said = self._said(caller, place, ["runs"])
        owners = place.owners.all()
        everything = caller.client == LOCAL or self.access.shared
        mine = [
            RunLine.model_validate(one)
            for one in said["runs"]
            if (everything or owners.get(one["run"]) == caller.client) and outcome in (None, one["outcome"])
        ]
        kept = mine[: max(0, min(limit, _MOST_RUNS))]
        return RunList(runs=kept, left_out=len(mine) - len(kept))

    def story(self, caller: Caller, *, repository: str | None, run: str) -> RunStory:
        """One run whole. Raises Refused."""
        place = self._own(caller, repository, run)
        return RunStory.model_validate(self._said(caller, place, ["show", "--", run]))

    def diff(self, caller: Caller, *, repository: str | None, run: str) -> str:
        """The change of a run as a patch. Raises Refused."""
        place = self._own(caller, repository, run)
        return str(self._said(caller, place, ["diff", "--", run]).get("diff", ""))

    def trace(self, caller: Caller, *, repository: str | None, run: str, first: int, limit: int) -> TracePart:
        """Events of a run as they are recorded. Raises Refused."""
        place = self._own(caller, repository, run)
        folder = self._folder(place, run)
        try:
            events = read_trace(folder)
        except RuntimeFault as fault:
            raise Refused(f"the trace of {run} cannot be read: {fault}") from None
        start, size = max(0, first), max(1, min(limit, _MOST_EVENTS))
        part = [event.to_json() for event in events[start : start + size]]
        after = start + len(part)
        return TracePart(run=run, first=start, events=part, next=after if after < len(events) else None)

    def receipt(self, caller: Caller, *, repository: str | None, run: str) -> ReceiptAnswer:
        """The receipt of a run that has ended. Raises Refused."""
        place = self._own(caller, repository, run)
        path = self._folder(place, run) / "receipt.json"
        try:
            return ReceiptAnswer(run=run, receipt=json.loads(path.read_bytes()))
        except FileNotFoundError:
            raise Refused(f"run {run} has not ended, so it has no receipt") from None
        except (OSError, ValueError):
            raise Refused(f"the receipt of {run} cannot be read; ask verify_receipt about it") from None

    def verify(self, caller: Caller, *, repository: str | None, run: str) -> Proof:
        """The proof of a run, checked now. Raises Refused."""
        place = self._own(caller, repository, run)
        return Proof.model_validate(self._said(caller, place, ["verify", "--", run]))

    def explain(
        self, caller: Caller, *, repository: str | None, run: str | None, edits: str | None
    ) -> Explained:
        """The facts about a run's change, or about edits, and the rules that look at them. Raises Refused."""
        if (run is None) == (edits is None):
            raise Refused("give either run or edits")
        if run is not None:
            place = self._own(caller, repository, run)
            return Explained.model_validate(self._said(caller, place, ["policy", "explain", "--", run]))
        place = self.access.place(repository)
        stdin = (edits or "").encode("utf-8", "surrogatepass")
        return Explained.model_validate(
            self._said(caller, place, ["policy", "explain", "--patch", "-"], stdin)
        )

    def policy(self, caller: Caller, *, repository: str | None) -> Mapping[str, Any]:
        """The policy a repository's base asks for, as text with its digest. Raises Refused."""
        return self._said(caller, self.access.place(repository), ["policy", "show"])

    def context(self, caller: Caller, *, repository: str | None, task: str, budget: int) -> ContextAnswer:
        """What a model would be shown for a task. Raises Refused."""
        place = self.access.place(repository)
        words = ["context", f"--budget={int(budget)}", "--", task]
        return ContextAnswer.model_validate(self._said(caller, place, words))

    def start_program(self, caller: Caller, *, name: str, inputs: Mapping[str, Any]) -> ProgramAnswer:
        """Run a program the server's owner named. Raises Refused."""
        self.access.require_change()
        program = self.access.program(name)
        words = ["program", "run", f"--actions={program.actions}", "--inputs=/dev/stdin"]
        words += [f"--runs={self._programs_of(caller)}", "--", str(program.file)]
        return self._program(caller, program.file.parent, words, json.dumps(dict(inputs)).encode())

    def step_program(
        self, caller: Caller, *, name: str, run: str, signal: str, data: Mapping[str, Any]
    ) -> ProgramAnswer:
        """Answer what a run of a program waits for. Raises Refused."""
        self.access.require_change()
        program = self.access.program(name)
        words = ["program", "resume", f"--actions={program.actions}", f"--signal={signal}"]
        words += [f"--data={key}={_text(value)}" for key, value in data.items()]
        words += [f"--program={program.file}", f"--runs={self._programs_of(caller)}", "--", _run_id(run)]
        return self._program(caller, program.file.parent, words)

    def _run(self, caller: Caller, place: Place, words: Sequence[str], stdin: bytes = b"") -> RunAnswer:
        """A command that makes or moves a run. The run is the client's before anything is told about it."""
        answer = self._answered(caller, place.root, words, stdin)
        run = str(answer.data.get("run", ""))
        if run and place.owners.owner(run) is None:
            place.owners.record(run, caller.client)
        if answer.failure:
            raise Refused(answer.failure)
        told = {"exit_code": answer.code, **answer.data}
        if answer.data.get("outcome") in _NOT_LANDED and not answer.cancelled:
            # The words for people, and what failing tests said, are in the run's story.
            story = self._answered(caller, place.root, ["show", "--", run]).data
            told |= {key: story[key] for key in ("explanation", "advice") if key in story}
        return RunAnswer.model_validate(told)

    def _program(
        self, caller: Caller, folder: Path, words: Sequence[str], stdin: bytes = b""
    ) -> ProgramAnswer:
        answer = self._answered(caller, folder, words, stdin)
        if answer.failure:
            raise Refused(answer.failure)
        return ProgramAnswer.model_validate(answer.data)

    def _said(
        self, caller: Caller, place: Place, words: Sequence[str], stdin: bytes = b""
    ) -> Mapping[str, Any]:
        answer = self._answered(caller, place.root, words, stdin)
        if answer.failure:
            raise Refused(answer.failure)
        return answer.data

    def _answered(self, caller: Caller, folder: Path, words: Sequence[str], stdin: bytes = b"") -> Answer:
        if any(map(_UNSENDABLE.search, words)):
            raise Refused("an argument holds a NUL character or half of a surrogate pair")
        if max(map(len, words)) > _LONGEST_WORD:
            raise Refused(f"an argument is longer than {_LONGEST_WORD} characters")
        return self.commands.run(
            words, cwd=folder, stdin=stdin, cancel=caller.cancel, progress=caller.progress
        )

    def _own(self, caller: Caller, repository: str | None, run: str) -> Place:
        place = self.access.place(repository)
        self.access.require_own(caller.client, place, _run_id(run))
        return place

    def _folder(self, place: Place, run: str) -> Path:
        folder = place.owners.path.parent.parent / "runs" / run
        if not folder.is_dir():
            raise Refused(f"there is no run {run!r} in {place.name}")
        return folder

    def _programs_of(self, caller: Caller) -> Path:
        return self.programs / caller.client


def desk_for(repositories: Sequence[Repository], access: Access, commands: Commands, programs: Path) -> Desk:
    """A desk for these repositories, whose state folders exist from now on."""
    for repository in repositories:
        (repository.state_dir / "mcp").mkdir(parents=True, exist_ok=True)
    return Desk(access=access, commands=commands, programs=programs)


def _run_id(text: str) -> str:
    """A run's whole id: a beginning of one, `last` or a path could mean the run of somebody else."""
    if not _RUN.fullmatch(text):
        raise Refused(f"{text[:80]!r} is not the id of a run; list_runs tells them")
    return text


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [f"{option}={value}" for value in values]


def _some(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _text(value: object) -> str:
    """A value as the command line takes it for a fact of its type."""
    return value if isinstance(value, str) else json.dumps(value)
