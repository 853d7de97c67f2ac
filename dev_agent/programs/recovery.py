"""The recovery every command starts with: the repository first, then the runs a dead process left in the middle.

The repository's recovery brings work tree, index and branch exactly back or exactly forward. A run whose landing
went through but whose trace does not say so yet is told so: its `land` state is entered again, finds the commit
on the branch and finishes, with receipt and anchor. A run that a killed pruning had begun to drop is gone afterwards.
Everything is idempotent and may itself be killed.

Cheap when there is nothing: a directory listing, and one look at the newest runs' locks and last lines.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault
from dev_agent.programs.actions.registry import bound
from dev_agent.programs.anchoring import require_anchored
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.conclude import conclude
from dev_agent.programs.context import ApplyContext
from dev_agent.programs.dropping import finish_dropping
from dev_agent.programs.erase import finish_erasing
from dev_agent.programs.folders import RunFolder, all_runs
from dev_agent.programs.landed import already_landed
from dev_agent.programs.proposers import PatchFile
from dev_agent.programs.rules import again
from dev_agent.programs.spending import program_of_run
from dev_agent.programs.staged import current
from dev_agent.programs.story import REQUEST, Story, lacks_of_request, told
from dev_agent.programs.targets import target_of
from dev_agent.programs.undoing import undoing_of
from dev_agent.repository.landing.outcome import Stop
from dev_agent.repository.recovery import recover
from dev_agent.runtime.engine import Engine
from dev_agent.runtime.errors import JournalBusy, JournalFailed, TraceCorrupt
from dev_agent.runtime.trace import Journal, read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter

_LAND = "land"
_FINALS = frozenset({"committed", "verified", "no_change", "rejected", "failed"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """What was done, in sentences, and folders with files of the user's that could not go back to their place."""

    actions: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def recover_everything(repository: Repository) -> Recovered:
    """Bring repository and runs into a state with nothing half done. Raises EnvironmentFault, GitFailed."""
    try:
        report = recover(repository)
    except Stop as stop:
        raise EnvironmentFault(
            f"what an earlier command began cannot be put in order now: {stop}",
            hint="mend that, then run: dev-agent recover",
        ) from stop
    finished = (
        *finish_erasing(repository),
        *finish_dropping(repository),
        *finish_landed_runs(repository),
    )
    busy = (f"not now: {report.busy}",) if report.busy else ()
    return Recovered(
        actions=(*busy, *report.actions, *finished), kept=tuple(str(one.folder) for one in report.kept)
    )


def recover_first(repository: Repository, reporter: Reporter) -> None:
    """The recovery a command begins with: whatever it did or could not do is told before anything else."""
    done = recover_everything(repository)
    for sentence in done.actions:
        reporter.noted(sentence)
    for folder in done.kept:
        reporter.noted(
            f"files that could not go back to their place are kept in {folder}; look at them and remove it"
        )


def finish_landed_runs(repository: Repository) -> tuple[str, ...]:
    """Finish what can be finished without judging anything: ended runs without a receipt, landed ones untold."""
    waiting = [
        folder for folder in all_runs(repository) if not folder.receipt.exists() and not folder.is_driven
    ]
    return tuple(said for folder in waiting if (said := _finish(repository, folder)))


def _finish(repository: Repository, folder: RunFolder) -> str:
    """What was done for one run, "" if nothing. A damaged trace is `verify`'s to tell, and left alone."""
    with suppress(JournalBusy, JournalFailed, TraceCorrupt):
        story = told(read_trace(folder.path))
        if lacks_of_request(story) or not _is_decided(repository, story):
            return ""  # of somebody else's, or not for recovery to judge
        require_anchored(repository, folder)
        with Journal.open(folder.path, SystemClock()) as journal:
            if not story.finished:
                _drive_to_the_end(repository, journal, story)
            conclude(repository, folder, journal)
        return f"run {folder.run}: wrote down that it ended in {told(read_trace(folder.path)).state}"
    return ""


def _is_decided(repository: Repository, story: Story) -> bool:
    """True if nothing is left to judge: the run is at its end, or its landing went through."""
    if story.finished or story.state in _FINALS:
        return True
    staged = current(story.facts)
    return (
        story.state == _LAND
        and staged is not None
        and already_landed(repository, target_of(story), staged.commit)
    )


def _drive_to_the_end(repository: Repository, journal: Journal, story: Story) -> None:
    """Finish in the final the run had reached, or enter `land` again: it finds the commit on the branch."""
    policy = journal.blob(story.blobs[f"{REQUEST}.policy"]).decode("utf-8")
    context = ApplyContext(
        repository=repository,
        journal=journal,
        run=journal.run,
        task="",
        base=None,
        target=target_of(story),
        policy=again(policy, source="trace", name=str(story.request["policy"]["name"])).policy,
        proposer=PatchFile(content=b""),
        gates=None,
        cancel=Cancel(),
        undoing=undoing_of(story),
    )
    Engine(
        program_of_run(story),
        bound(context),
        journal,
        clock=SystemClock(),
        cancel=context.cancel,
    ).resume()
