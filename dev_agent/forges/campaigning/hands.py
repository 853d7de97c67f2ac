"""One repository of a campaign: from its address to what became of it.

Order: the clone, if it is a URL → the repository is one → its branch is not what the user is working on → a child of
`dev-agent`, under the campaign's key. Nothing is written before the child but the clone. Killed anywhere: the child
ends by its own rules (the kernel tells it), and doing it again under the same key takes up the run there is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.errors import EnvironmentFault, RepositoryFault
from dev_agent.forges.campaigning.answers import worked
from dev_agent.programs.campaigning.cloning import cloned
from dev_agent.programs.campaigning.driver import Published, Standstill, Worked
from dev_agent.programs.campaigning.model import Fate
from dev_agent.programs.campaigning.work import branch_of, child_words
from dev_agent.repository.discovery import discover, read_head
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.forges.campaigning.publishing import Publishing
    from dev_agent.programs.campaigning.driver import Progress
    from dev_agent.programs.campaigning.listing import Entry
    from dev_agent.programs.campaigning.model import Row
    from dev_agent.programs.campaigning.step import Work
    from dev_agent.programs.campaigning.work import Job
    from dev_agent.repository.discovery import Repository
    from dev_agent.surfaces.command import Commands


ClusterNow = Callable[[], str | None]
"""Says which cluster judges for a child that begins now, None: this machine. Raises EnvironmentFault."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryHands:
    """See `driver.Hands`. `folder` is the campaign's own; `publishing` None: this use of it publishes nothing."""

    folder: Path
    job: Job
    patch: bytes = field(repr=False)
    commands: Commands
    publishing: Publishing | None
    environ: Mapping[str, str] = field(repr=False)  # may hold secrets
    judged_by: ClusterNow

    def work(self, entry: Entry, order: Work, *, key: str, cancel: Cancel, progress: Progress) -> Worked:
        """See `driver.Hands`."""
        place = self._place(entry, cancel, progress)
        repository = self._repository(place)
        branch, asked = branch_of(self.job, entry)
        if not asked:
            _require_not_in_hand(repository, branch)
        words = child_words(
            self.job, entry, place=str(place), key=key, grant=order.grant, judged=self._judged_by()
        )

        def said(event: Mapping[str, Any]) -> None:
            if event.get("event") in {"entered", "branch_started"}:
                progress(str(event.get("action") or event.get("state") or ""))

        with _ending_after(order.left_ms, cancel) as late:
            answer = self.commands.run(words, cwd=self.folder, stdin=self.patch, cancel=cancel, progress=said)
        return worked(answer, repository, place=place, branch=branch, late=late.is_set())

    def publish(self, entry: Entry, row: Row, *, cancel: Cancel) -> Published:
        """See `driver.Hands`."""
        if self.publishing is None:
            return Published(fate=Fate.LANDED)
        return self.publishing.publish(self._repository(Path(row.place)), self.job, entry, row, cancel=cancel)

    def _judged_by(self) -> str | None:
        try:
            return self.judged_by()
        except EnvironmentFault as fault:
            raise Standstill(fault.message, hint=fault.hint) from fault

    def _place(self, entry: Entry, cancel: Cancel, progress: Progress) -> Path:
        if not entry.address.is_url:
            return Path(entry.address.text)
        progress("clone")
        return cloned(self.folder, entry.address, start=entry.start, environ=self.environ, cancel=cancel)

    def _repository(self, place: Path) -> Repository:
        if not place.is_dir():
            raise EnvironmentFault(
                f"there is no folder {place}", hint="the list is relative to its own folder"
            )
        try:
            return discover(place, self.environ)
        except OSError as error:
            raise EnvironmentFault(
                f"{place} cannot be read: {error.strerror}", hint="look at its rights"
            ) from error


def _require_not_in_hand(repository: Repository, branch: str) -> None:
    """Refuse the branch that is checked out, unless the user named it: they may be at work on it."""
    if read_head(repository).branch == branch:
        raise RepositoryFault(
            "branch-checked-out",
            f"the branch {branch} is checked out here",
            hint="check another one out, or name the branch yourself: --branch, or branch= in the list",
        )


@contextmanager
def _ending_after(left_ms: int | None, cancel: Cancel) -> Iterator[threading.Event]:
    """Inside, a stop is asked for when the time is over; the event says that this is why."""
    late = threading.Event()

    def end() -> None:
        late.set()
        cancel.request()

    timer = None if left_ms is None else threading.Timer(left_ms / 1000, end)
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield late
    finally:
        if timer is not None:
            timer.cancel()
