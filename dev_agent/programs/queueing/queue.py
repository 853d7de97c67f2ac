"""Beginning a queue, taking one up again, and looking at what one would be about.

Order of a new one: recover leftovers → where it lands → nobody else's unfinished queue lands there → heads become
commits (errors up to here leave nothing) → journal with the request → the queue is driven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from dev_agent.errors import RepositoryFault
from dev_agent.gates.judge import LOCAL
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.queueing import record
from dev_agent.programs.queueing.attempts import How
from dev_agent.programs.queueing.composing import Stacked, stack
from dev_agent.programs.queueing.destination import Destination, find_destination
from dev_agent.programs.queueing.driver import Driver, Watcher
from dev_agent.programs.queueing.events import Opened
from dev_agent.programs.queueing.heads import find_items
from dev_agent.programs.queueing.model import Fate, Item, QueueState
from dev_agent.programs.recovery import recover_first
from dev_agent.programs.rules import named_rules
from dev_agent.repository.identity import user_identity
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.trace import Journal
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.judge import Judge
    from dev_agent.repository.discovery import Repository

_REJECTED, _ENVIRONMENT, _KEPT = 1, 3, 6


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueRequest:
    """The caller's words: heads in order, the branch they go to (None: HEAD's), slots, and the largest batch."""

    heads: tuple[str, ...]
    into: str | None = None
    jobs: int = 2
    max_batch: int = 4
    how: How = field(default_factory=How)


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueReport:
    """How a queue ended, or where it stopped. `refused`: it stopped because the target refused a landing."""

    queue: str
    into: str
    state: QueueState
    refused: bool

    @property
    def exit_code(self) -> int:
        """0 all heads are in the target · 1 some are not · 3 it could not go on · 6 green, but landing was refused."""
        if self.state.halted:
            return _KEPT if self.refused else _ENVIRONMENT
        good = (Fate.LANDED, Fate.CONTAINED)
        return 0 if all(one.fate in good for one in self.state.decided) else _REJECTED

    def to_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            "queue": self.queue,
            "into": self.into,
            "tip": self.state.tip,
            "finished": self.state.finished,
            "halted": self.state.halted,
            "rounds": self.state.rounds,
            "heads": [
                {
                    "name": one.item.name,
                    "head": one.item.commit,
                    "fate": one.fate.value,
                    "reason": one.reason,
                    "commit": one.commit or None,
                    "run": one.run or None,
                }
                for one in self.state.decided
            ],
            "undecided": [item.name for batch in self.state.line for item in batch.items]
            + [item.name for item in self.state.waiting],
            "exit_code": self.exit_code,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a queue would begin with: heads in order, and how they merge one after the other."""

    into: str
    tip: str
    items: tuple[Item, ...]
    stacked: Stacked


def run_queue(
    repository: Repository,
    request: QueueRequest,
    *,
    environ: Mapping[str, str],
    watcher: Watcher,
    cancel: Cancel,
    judge: Judge = LOCAL,
) -> QueueReport:
    """A new queue, to its end; `judge` answers for all its judgements.

    Raises UsageFault, PolicyError, RepositoryFault, EnvironmentFault before it exists.
    """
    recover_first(repository, Reporter())
    destination = find_destination(repository, request.into)
    _require_alone(repository, destination)
    user_identity(repository)
    if request.how.policy is not None:
        named_rules(request.how.policy)
    tip = destination.tip(repository)
    items = find_items(repository, request.heads, target=destination.ref)
    event = Opened(tip=tip, items=items, jobs=request.jobs, max_batch=request.max_batch)
    with record.create(repository, into=destination.name, how=request.how) as journal:
        driver = Driver(
            repository=repository,
            journal=journal,
            destination=destination,
            how=request.how,
            environ=environ,
            cancel=cancel,
            watcher=watcher,
            answered_by=judge,
        )
        state = driver.begin(event)
        return QueueReport(queue=journal.run, into=destination.name, state=state, refused=driver.refused)


def resume_queue(
    repository: Repository,
    into: str | None,
    *,
    environ: Mapping[str, str],
    watcher: Watcher,
    cancel: Cancel,
    judge: Judge = LOCAL,
) -> QueueReport:
    """Go on with the queue that was left unfinished. Raises as `run_queue`, and JournalBusy if it is being driven."""
    recover_first(repository, Reporter())
    left = record.pick(repository, into)
    destination = find_destination(repository, left.into)
    user_identity(repository)
    with Journal.open(record.queues_dir(repository) / left.queue, SystemClock()) as journal:
        driver = Driver(
            repository=repository,
            journal=journal,
            destination=destination,
            how=left.how,
            environ=environ,
            cancel=cancel,
            watcher=watcher,
            answered_by=judge,
        )
        state = driver.go_on()
        return QueueReport(queue=journal.run, into=destination.name, state=state, refused=driver.refused)


def preview_queue(repository: Repository, request: QueueRequest) -> Preview:
    """What a queue would begin with. Writes objects only, judges and lands nothing."""
    destination = find_destination(repository, request.into)
    tip = destination.tip(repository)
    items = find_items(repository, request.heads, target=destination.ref)
    return Preview(into=destination.name, tip=tip, items=items, stacked=stack(repository, tip, items))


def _require_alone(repository: Repository, destination: Destination) -> None:
    left = record.unfinished(repository, destination.name)
    if left:
        raise RepositoryFault(
            "queue-unfinished",
            f"queue {left[0].queue} into {destination.name} is not finished",
            hint=f"go on with it: dev-agent queue --resume --into {destination.name}, "
            f"or forget it: rm -r {record.queues_dir(repository) / left[0].queue}",
        )
