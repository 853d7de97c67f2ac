"""A queue's trace: `<common dir>/dev-agent/queues/<id>/`, the only thing a queue is taken up again from.

It is a journal as a run's is, hash-chained, one writer at a time, and anchored before every landing. Its events are the
request (`queue-request`), what happened (`queue-event`), and the intent of every landing (`queue-landing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.programs.anchoring import require_anchored
from dev_agent.programs.clock import SystemClock, new_run_id
from dev_agent.programs.folders import RunFolder, has_begun
from dev_agent.programs.queueing.attempts import How
from dev_agent.programs.queueing.events import Event, from_json
from dev_agent.programs.queueing.step import fold
from dev_agent.runtime.errors import TraceCorrupt
from dev_agent.runtime.trace import Journal, read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.programs.queueing.model import QueueState
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.events import Event as TraceEvent

REQUEST, EVENT, LANDING = "queue-request", "queue-event", "queue-landing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A queue as its trace tells it. `state` is None if it died before it had begun."""

    queue: str
    into: str
    how: How
    state: QueueState | None

    @property
    def finished(self) -> bool:
        """True if there is nothing left to do."""
        return self.state is None or self.state.finished


def queues_dir(repository: Repository) -> Path:
    """The folder of all queues; it may not exist yet."""
    return repository.state_dir / "queues"


def create(repository: Repository, *, into: str, how: How) -> Journal:
    """A new queue's journal, with its request. The caller closes it. Raises JournalFailed.

    Killed before the request is durable: a trace without one, which no queue is taken up from.
    """
    clock = SystemClock()
    queue = new_run_id(clock.now())
    journal = Journal.create(queues_dir(repository) / queue, queue, {"program": "queue"}, clock)
    journal.append(
        REQUEST,
        {
            "into": into,
            "policy": how.policy or "",
            "sandbox": how.sandbox,
            "profile": how.profile or "",
        },
        actor="user",
        durable=True,
    )
    return journal


def unfinished(repository: Repository, into: str | None = None) -> tuple[Recorded, ...]:
    """Queues that have something left to do, oldest first; those that land on `into`, if it is given.

    Raises EnvironmentFault for a trace that is damaged, finished or not: what it says is not guessed.
    """
    folder = queues_dir(repository)
    names = sorted(one.name for one in folder.iterdir() if has_begun(one)) if folder.is_dir() else []
    found = (read(repository, name) for name in names)
    return tuple(one for one in found if not one.finished and into in (None, one.into))


def read(repository: Repository, queue: str) -> Recorded:
    """The queue as its trace tells it. Raises JournalFailed, and EnvironmentFault for a damaged trace."""
    folder = RunFolder(run=queue, path=queues_dir(repository) / queue)
    try:
        require_anchored(repository, folder)
        return told(queue, read_trace(folder.path))
    except TraceCorrupt as damage:
        raise EnvironmentFault(
            f"the trace of queue {queue} is damaged: {damage}",
            hint=f"nothing lands from it; look at it, and move it away to begin another: {folder.path}",
        ) from damage


def told(queue: str, events: Sequence[TraceEvent]) -> Recorded:
    """The queue that `events` tell of. Raises EnvironmentFault if they tell of none."""
    request: Mapping[str, Any] = next((one.data for one in events if one.type == REQUEST), {})
    happened: list[Event] = [from_json(one.data) for one in events if one.type == EVENT]
    if not request and happened:
        raise EnvironmentFault(
            f"the trace of queue {queue} has no request", hint="it was changed; begin another"
        )
    return Recorded(
        queue=queue,
        into=str(request.get("into", "")),
        how=How(
            policy=str(request.get("policy", "")) or None,
            sandbox=str(request.get("sandbox", "auto")),
            profile=str(request.get("profile", "")) or None,
        ),
        state=fold(happened),
    )


def pick(repository: Repository, into: str | None) -> Recorded:
    """The one queue to go on with. Raises UsageFault if there is none, or more than one."""
    found = unfinished(repository, into)
    if not found:
        raise UsageFault("no queue was left unfinished", hint="begin one: dev-agent queue --into main HEAD…")
    if len(found) > 1:
        listed = ", ".join(f"{one.queue} (into {one.into})" for one in found)
        raise UsageFault("more than one queue was left unfinished", hint=f"say --into: {listed}")
    return found[0]
