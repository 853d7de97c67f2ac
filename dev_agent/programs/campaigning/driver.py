"""Driving a campaign: what it wants is done, what happened is recorded and told to it, until nothing is left to do.

    event ─▶ trace ─▶ step ─▶ orders ─▶ work · publish ─▶ event …

Every order follows from an event that is on the disk before the order is carried out. Killed before an answer is
recorded: the child takes its end from the kernel (SIGTERM) and comes to rest by its own rules, and the campaign that is
taken up again begins it under the same key, which gives the run that was made, or goes on with it. Killed while
publishing: it is done again, and finds the branch and the pull request that are there. Nothing is landed twice, no
second pull request is opened, and what was set aside for a child stays so until it has answered.

Asked to stop, every child is asked to; answers that come all the same are recorded; the others are begun again later.
So too when hands find that something is lacking that no repository can do without (`Standstill`): nothing is recorded
of the rows that met it; they stay in work, and are begun again when the campaign is taken up.
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from dev_agent.cancel import Cancel
from dev_agent.errors import DevAgentError, EnvironmentFault
from dev_agent.policy.errors import PolicyError
from dev_agent.programs.campaigning.events import Ended, Event, Opened, Restarted, Told, to_json
from dev_agent.programs.campaigning.model import Fate
from dev_agent.programs.campaigning.record import EVENT
from dev_agent.programs.campaigning.step import Order, Publish, Work, opened, step
from dev_agent.programs.cost import FREE
from dev_agent.programs.paths import recordable
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.waits import next_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.campaigning.listing import Entry
    from dev_agent.programs.campaigning.model import CampaignState, Row
    from dev_agent.programs.cost import Cost
    from dev_agent.runtime.trace import Journal


class Standstill(EnvironmentFault):
    """What every repository needs cannot be had now: no repository's own trouble, and the next would meet it too."""


class Watcher:
    """Told how a campaign goes on; every method does nothing by default, and is called from the driver's thread."""

    def happened(self, event: Event, state: CampaignState) -> None:
        """Called after every event, with the state it led to."""

    def stopping(self, state: CampaignState) -> None:
        """Called when it was asked to stop, before children are waited for."""

    def progressed(self, row: int, text: str) -> None:
        """Called from any thread when a child said what it does now: text of ours."""


class Clock(Protocol):
    """The part of a clock the driver needs."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never go backwards."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Worked:
    """What came of one repository's child. `cost` None: it did not say. `stopped`: it was asked to stop, and did."""

    fate: Fate
    why: str = ""
    place: str = ""
    run: str = ""
    branch: str = ""
    base: str = ""
    commit: str = ""
    cost: Cost | None = None
    stopped: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What came of publishing one repository's branch."""

    fate: Fate
    why: str = ""
    pull: str = ""


class Hands(Protocol):
    """What is done in one repository.

    Both raise DevAgentError, PolicyError, RuntimeFault and OSError for trouble, `work` only while nothing was spent;
    Standstill before anything was begun, if no other repository could be worked in either; and KeyboardInterrupt if
    they were stopped.
    """

    def work(self, entry: Entry, order: Work, *, key: str, cancel: Cancel, progress: Progress) -> Worked:
        """Let a child make, judge and land the change, or take up or ask the run there is under `key`."""
        ...

    def publish(self, entry: Entry, row: Row, *, cancel: Cancel) -> Published:
        """Let the code host have what landed; done again, it finds what it did before."""
        ...


class Progress(Protocol):
    """Takes a few words of ours about what a child does now."""

    def __call__(self, text: str, /) -> None:
        """Called from the child's thread."""
        ...


@dataclass(kw_only=True)
class Driver:
    """One process driving one campaign. `standstill` is why it stopped before its end, unless somebody stopped it."""

    journal: Journal
    entries: tuple[Entry, ...]
    hands: Hands
    clock: Clock
    cancel: Cancel
    watcher: Watcher
    interrupted: bool = False
    standstill: Standstill | None = None
    _answers: queue.SimpleQueue[Ended | Told | BaseException | None] = field(
        default_factory=queue.SimpleQueue
    )
    _cancels: dict[int, Cancel] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)
    _began_ms: int = 0

    def begin(self, event: Opened) -> CampaignState:
        """Drive a new campaign until nothing is left to do, or it is stopped (`interrupted`, `standstill`)."""
        self._record(event)
        state, orders = opened(event)
        self.watcher.happened(event, state)
        return self._drive(state, orders)

    def go_on(self, state: CampaignState, event: Restarted) -> CampaignState:
        """Drive a campaign that another process left in `state`."""
        self._record(event)
        state, orders = step(state, event)
        self.watcher.happened(event, state)
        return self._drive(state, orders)

    def _drive(self, state: CampaignState, orders: tuple[Order, ...]) -> CampaignState:
        self._began_ms = self.clock.monotonic_ms()
        waited = 0
        try:
            while orders or waited:
                # A signal between an answer and its place on the disk would lose the one or spoil the other.
                with self.cancel.shielded():
                    for one in orders:
                        self._begin(one)
                        waited += 1
                orders = ()
                answer = next_of(self._answers)
                waited -= 1
                if isinstance(answer, BaseException):
                    raise answer
                if answer is not None:
                    with self.cancel.shielded():
                        state, orders = self._tell(state, answer)
        except KeyboardInterrupt:
            self.interrupted = True
            self.cancel.request()
            self.watcher.stopping(state)
        except Standstill as fault:
            self.standstill = fault
            self.watcher.stopping(state)
        finally:
            self._close()
        return self._last_words(state) if self.interrupted or self.standstill else state

    def _begin(self, order: Order) -> None:
        cancel = Cancel()
        self._cancels[order.row] = cancel
        thread = threading.Thread(target=self._work, args=(order, cancel), name=f"row-{order.row}")
        self._threads.append(thread)
        thread.start()

    def _work(self, order: Order, cancel: Cancel) -> None:
        """Whatever happens in the thread is one answer; only a bug of ours is raised where somebody listens."""
        try:
            self._answers.put(self._done(order, cancel))
        except KeyboardInterrupt:
            self._answers.put(None)
        except Standstill as fault:
            self._answers.put(fault)
        except (DevAgentError, PolicyError, RuntimeFault, OSError) as error:
            hint = getattr(error, "hint", "")
            why = recordable(f"{error}{f' ({hint})' if hint else ''}")
            self._answers.put(self._answer(order, Worked(fate=Fate.TROUBLE, why=why, cost=FREE)))
        except BaseException as error:  # noqa: BLE001 - raised again by the driver
            self._answers.put(error)

    def _done(self, order: Order, cancel: Cancel) -> Ended | Told | None:
        entry = self.entries[order.row]
        if isinstance(order, Publish):
            return self._answer(order, self.hands.publish(entry, order.landed, cancel=cancel))
        worked = self.hands.work(
            entry,
            order,
            key=f"campaign:{self.journal.run}:{order.row}",
            cancel=cancel,
            progress=lambda text: self.watcher.progressed(order.row, text),
        )
        return None if worked.stopped else self._answer(order, worked)

    def _answer(self, order: Order, result: Worked | Published) -> Ended | Told:
        ms = self.clock.monotonic_ms() - self._began_ms
        if isinstance(order, Work) and isinstance(result, Worked):
            return Ended(
                row=order.row,
                fate=result.fate,
                ms=ms,
                why=result.why,
                place=result.place,
                run=result.run,
                branch=result.branch,
                base=result.base,
                commit=result.commit,
                cost=result.cost,
            )
        pull = result.pull if isinstance(result, Published) else ""
        return Told(row=order.row, fate=result.fate, ms=ms, why=result.why, pull=pull)

    def _close(self) -> None:
        """Ask every child that still works to stop, and wait: none outlives this."""
        for one in self._cancels.values():
            one.request()
        for thread in self._threads:
            thread.join()

    def _last_words(self, state: CampaignState) -> CampaignState:
        """Record the answers that came while everything was asked to stop: what has ended is not begun again."""
        with suppress(queue.Empty):
            while True:
                answer = self._answers.get_nowait()
                if isinstance(answer, Standstill):
                    continue  # it is known, or it came after a stop that was asked for
                if isinstance(answer, BaseException):
                    raise answer
                if answer is not None:
                    state, _ = self._tell(state, answer)
        return state

    def _tell(self, state: CampaignState, event: Event) -> tuple[CampaignState, tuple[Order, ...]]:
        self._record(event)
        after, orders = step(state, event)
        self.watcher.happened(event, after)
        return after, orders

    def _record(self, event: Event) -> None:
        self.journal.append(EVENT, to_json(event), durable=True)
