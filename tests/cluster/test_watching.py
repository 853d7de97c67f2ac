"""When waiting for a task has become pointless, by a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from dev_agent.cluster.faults import Loss, Setback
from dev_agent.cluster.watching import Asked, Patience, View, Watch, Worker

PATIENCE = Patience(scheduler_s=60, nobody_s=60, gone_s=5, silent_s=30)
ANVIL = Worker(address="tls://a:1", name="anvil", slots=1, heard=1.0)
BELLOWS = Worker(address="tls://b:1", name="bellows", slots=1, heard=1.0)


@dataclass
class Scripted:
    """What a connection sees, as the test says."""

    url: str = "tls://hub:8786"
    blind_s: float = 0.0
    silent: float = 0.0
    works: bool | None = True
    why: str = ""
    seen: View = field(default_factory=View)

    def explain(self) -> str:
        return self.why

    def view(self) -> View:
        return self.seen

    def silent_s(self, address: str) -> float:
        return self.silent

    def running(self, key: str) -> bool | None:
        return self.works


class Waiting:
    """A watch whose clock goes a second a look."""

    def __init__(
        self, eyes: Scripted, *, deadline_s: float = 100, only: tuple[str, ...] = (), near: bool = False
    ) -> None:
        self.now = 1000.0
        asked = Asked(function=bytes, arguments=(), deadline_s=deadline_s, only=only, near=near)
        self.watch = Watch(eyes, "task", asked, PATIENCE, clock=lambda: self.now)

    def until(self, seconds: int) -> Setback | None:
        """The first setback within so many seconds."""
        for _ in range(seconds):
            self.now += 1
            setback = self.watch.look()
            if setback is not None:
                return setback
        return None


def on(*workers: Worker) -> View:
    return View(workers={one.address: one for one in workers}, tasks={"task": workers[0].address})


def test_a_worker_that_works_within_its_time_is_waited_for() -> None:
    assert Waiting(Scripted(seen=on(ANVIL)), deadline_s=10_000).until(5_000) is None


def test_a_worker_that_takes_too_long_is_slow_and_named() -> None:
    setback = Waiting(Scripted(seen=on(ANVIL)), deadline_s=100).until(200)
    assert setback is not None
    assert (setback.kind, setback.worker) == (Loss.SLOW, "tls://a:1")


def test_waiting_in_line_is_not_slow() -> None:
    assert Waiting(Scripted(seen=on(ANVIL), works=False), deadline_s=100).until(5_000) is None


def test_another_worker_has_its_own_time() -> None:
    eyes = Scripted(seen=on(ANVIL))
    waiting = Waiting(eyes, deadline_s=100)
    assert waiting.until(90) is None
    eyes.seen = on(BELLOWS, ANVIL)
    assert waiting.until(90) is None
    setback = waiting.until(90)
    assert setback is not None
    assert setback.worker == "tls://b:1"


def test_a_worker_nobody_hears_of_is_silent() -> None:
    eyes = Scripted(seen=on(ANVIL), silent=30)
    waiting = Waiting(eyes)
    assert waiting.until(10) is None
    eyes.silent = 31
    setback = waiting.until(2)
    assert setback is not None
    assert (setback.kind, setback.worker) == (Loss.SILENT, "tls://a:1")


def test_a_cluster_may_be_without_workers_for_a_while_and_not_for_long() -> None:
    eyes = Scripted(why="its workers end by themselves: no room")
    waiting = Waiting(eyes)
    assert waiting.until(55) is None
    eyes.seen = View(workers={ANVIL.address: ANVIL})
    assert waiting.until(10) is None
    eyes.seen = View()
    assert waiting.until(55) is None
    setback = waiting.until(10)
    assert setback is not None
    assert (setback.kind, setback.hint) == (Loss.NOBODY, "its workers end by themselves: no room")


def test_a_worker_that_was_named_and_left_is_not_waited_for() -> None:
    setback = Waiting(Scripted(seen=View(workers={ANVIL.address: ANVIL})), only=(BELLOWS.address,)).until(10)
    assert setback is not None
    assert (setback.kind, setback.worker) == (Loss.LOST, "tls://b:1")


def test_a_scheduler_that_is_mute_is_lost() -> None:
    eyes = Scripted(seen=on(ANVIL), blind_s=60)
    waiting = Waiting(eyes, deadline_s=10_000)
    assert waiting.until(10) is None
    eyes.blind_s = 61
    setback = waiting.until(2)
    assert setback is not None
    assert setback.kind is Loss.SCHEDULER


def in_line(*others: str) -> View:
    """The task behind another one at the anvil; `others` are what the bellows has."""
    tasks = {"long": ANVIL.address, "task": ANVIL.address, **dict.fromkeys(others, BELLOWS.address)}
    return View(workers={one.address: one for one in (ANVIL, BELLOWS)}, tasks=tasks)


def test_nobody_stands_in_line_behind_another_task_while_a_worker_is_idle() -> None:
    setback = Waiting(Scripted(seen=in_line(), works=False)).until(5)
    assert setback is not None
    assert (setback.kind, setback.worker) == (Loss.LINE, ANVIL.address)


def test_who_was_sent_something_is_not_waited_for_while_another_is_idle() -> None:
    eyes = Scripted(seen=in_line(), works=False)
    near = Waiting(eyes, only=(ANVIL.address,), near=True).until(5)
    assert near is not None
    assert near.kind is Loss.LINE
    assert Waiting(eyes, only=(ANVIL.address,)).until(60) is None, "no other may be asked"


@pytest.mark.parametrize("works", [True, None])
def test_a_task_that_may_be_at_work_is_not_taken_away(works: bool | None) -> None:
    assert Waiting(Scripted(seen=in_line(), works=works), deadline_s=1_000).until(60) is None


def test_where_everybody_is_busy_a_line_is_a_line() -> None:
    assert Waiting(Scripted(seen=in_line("another"), works=False)).until(60) is None


def test_a_worker_that_is_idle_for_a_moment_only_changes_nothing() -> None:
    eyes = Scripted(seen=in_line(), works=False)
    waiting = Waiting(eyes)
    for _ in range(20):
        assert waiting.until(1) is None
        eyes.seen = in_line("another") if eyes.seen == in_line() else in_line()


def test_a_task_that_is_the_next_one_of_its_worker_stays_there() -> None:
    alone = View(workers=in_line().workers, tasks={"task": ANVIL.address})
    assert Waiting(Scripted(seen=alone, works=False)).until(60) is None
