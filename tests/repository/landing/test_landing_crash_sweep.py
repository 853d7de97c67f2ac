"""Killed at every point between two changes, with and without a kill during the recovery that follows.

A forked child lands with a progress object that ends the process with SIGKILL at the k-th point; every k is tried.
Judged after recovery: exactly before or exactly after, nothing left over.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.repository.landing.land import land_request
from dev_agent.repository.landing.outcome import Landed, Outcome
from dev_agent.repository.landing.progress import Progress
from dev_agent.repository.recovery import RecoveryReport, recover
from dev_agent.repository.rename import Moves
from tests.repository.landing.landing_scene import (
    FULL_CHANGE,
    Scene,
    leftovers,
    make_scene,
    snapshot,
    unfinished_work,
)

SEED = 20_260_101


class Counting(Progress):
    def __init__(self) -> None:
        self.points: list[str] = []

    def reached(self, point: str) -> None:
        self.points.append(point)


class KilledAt(Progress):
    def __init__(self, count: int) -> None:
        self._left = count

    def reached(self, point: str) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def in_child(act: Callable[[], object]) -> bool:
    """Run `act` in a forked child; True if it was killed. A child that raises is a failure of the test."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        except BaseException:  # noqa: BLE001 - the child must never return into pytest
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


class Trial:
    """One repository whose state can be put back, with the two states that are allowed."""

    def __init__(self, tmp_path: Path, moves: Moves | None) -> None:
        self.scene = make_scene(tmp_path / "trial")
        unfinished_work(self.scene)
        self.commit = self.scene.propose(dict(FULL_CHANGE))
        self._request = self.scene.request(self.commit, moves=moves)
        self._saved = tmp_path / "saved"
        shutil.copytree(self.scene.root, self._saved, symlinks=True)
        self.before = comparable(self.scene)
        counting = Counting()
        assert isinstance(self.scene.land(self._request, progress=counting), Landed)
        self.points = counting.points
        self._repository = self.scene.repository
        self.after = comparable(self.scene)
        self.restore()

    def land(self, progress: Progress | None = None) -> Outcome:
        return land_request(self._repository, self._request, Cancel(), progress=progress)

    def restore(self) -> None:
        shutil.rmtree(self.scene.root)
        shutil.copytree(self._saved, self.scene.root, symlinks=True)

    def killed_landing(self, point: int) -> None:
        assert in_child(lambda: self.land(KilledAt(point)))

    def recover(self) -> RecoveryReport:
        return recover(self._repository)

    def killed_recovery(self, point: int) -> bool:
        return in_child(lambda: recover(self._repository, progress=KilledAt(point)))

    def judge(self, point: int) -> str:
        state = comparable(self.scene)
        assert state["leftovers"] == []
        assert state in (self.before, self.after), self.points[point]
        return "before" if state == self.before else "after"


def comparable(scene: Scene) -> dict[str, object]:
    """The snapshot without the stat data in the index, which differs between equal runs."""
    state = snapshot(scene)
    state["index"] = scene.git("ls-files", "--stage", "-v")
    del state["index bytes"]
    return state


MOVES = pytest.mark.parametrize(
    "moves",
    [None, Moves(exchange=False, noreplace=True), Moves(exchange=False, noreplace=False)],
    ids=["native", "no exchange", "only links"],
)


@pytest.mark.kill
@MOVES
def test_killed_at_every_point_it_is_exactly_before_or_exactly_after(
    tmp_path: Path, moves: Moves | None
) -> None:
    trial = Trial(tmp_path, moves)
    ends = []
    for point in range(len(trial.points)):
        trial.restore()
        trial.killed_landing(point)
        trial.recover()
        ends.append(trial.judge(point))
    turn = trial.points.index("committed")
    assert ends == ["before"] * turn + ["after"] * (len(trial.points) - turn)


@pytest.mark.kill
@MOVES
def test_killed_again_at_every_point_of_the_recovery_it_still_is(tmp_path: Path, moves: Moves | None) -> None:
    trial = Trial(tmp_path, moves)
    choice = random.Random(f"{SEED}/{moves}")  # noqa: S311 - reproducible on purpose
    begun = trial.points.index("begun")
    for point in sorted(choice.sample(range(begun, len(trial.points)), 4)):
        for again in range(100):
            trial.restore()
            trial.killed_landing(point)
            killed = trial.killed_recovery(again)
            trial.recover()
            trial.judge(point)
            if not killed:
                break


def test_until_recovery_git_itself_refuses_to_build_on_a_mixture(tmp_path: Path) -> None:
    trial = Trial(tmp_path, None)
    trial.killed_landing(trial.points.index("renamed 1"))
    added = trial.scene.root / "a.txt"
    with pytest.raises(Exception, match="exit status 128"):
        trial.scene.git("add", str(added))
    assert leftovers(trial.scene) != []
    report = trial.recover()
    assert [settled.landed for settled in report.settled] == [False]
    assert report.settled[0].run == "run-1"
    assert "took back the landing" in report.actions[0]


def test_recovery_is_idempotent_and_says_nothing_the_second_time(tmp_path: Path) -> None:
    trial = Trial(tmp_path, None)
    trial.killed_landing(trial.points.index("committed"))
    first = trial.recover()
    assert [settled.landed for settled in first.settled] == [True]
    state = comparable(trial.scene)
    assert trial.recover() == RecoveryReport()
    assert comparable(trial.scene) == state == trial.after


def test_the_next_landing_recovers_what_a_killed_one_left(tmp_path: Path) -> None:
    trial = Trial(tmp_path, None)
    trial.killed_landing(trial.points.index("installed"))
    outcome = trial.land()
    assert isinstance(outcome, Landed)
    assert [text.split(" the landing of ")[0] for text in outcome.warnings] == ["took back"]
    assert trial.judge(0) == "after"


def test_another_work_trees_transaction_is_left_to_its_own_recovery(tmp_path: Path) -> None:
    trial = Trial(tmp_path, None)
    other = tmp_path / "trial" / "linked"
    trial.scene.git("worktree", "add", "-q", "-b", "side", str(other))
    trial.killed_landing(trial.points.index("installed"))
    left = leftovers(trial.scene)
    linked = Scene(root=other, home=trial.scene.home)
    assert recover(linked.repository) == RecoveryReport()
    assert leftovers(trial.scene) == left
    trial.recover()
    assert leftovers(trial.scene) == []
