"""SIGKILL of the agent and all its git children, before any call of theirs that changes a file.

Half the writes are cut in two. Every third recovery is itself killed first, at a call of its own. Judged after a
recovery that runs to its end: exactly before or exactly after, nothing left over, no object missing.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from tests.kill.referee import Referee
from tests.repository.landing.landing_scene import (
    FULL_CHANGE,
    Scene,
    leftovers,
    make_scene,
    snapshot,
    unfinished_work,
)

SEED = "20260101"
KILLS = 64
PROJECT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.kill,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or not shutil.which("gcc"), reason="needs Linux and gcc"
    ),
]


class Arena:
    """A repository that can be put back, the command that is killed in it, and the two states allowed."""

    def __init__(self, tmp_path: Path) -> None:
        self.scene = make_scene(tmp_path / "trial")
        unfinished_work(self.scene)
        self.scene.git("branch", "topic", self.scene.propose(dict(FULL_CHANGE)))
        self.referee = Referee(tmp_path)
        self._saved = tmp_path / "saved"
        self._env = {
            **self.scene.environ,
            "PATH": f"{self.referee.path}{os.pathsep}{self.scene.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        shutil.copytree(self.scene.root, self._saved, symlinks=True)
        self.before = comparable(self.scene)
        self.calls = self.run("land")
        self.after = comparable(self.scene)

    def restore(self) -> None:
        shutil.rmtree(self.scene.root)
        shutil.copytree(self._saved, self.scene.root, symlinks=True)

    def run(self, verb: str, stop_at: int = 0, *, cut: bool = False) -> int:
        """How many calls it came to; with `stop_at` it is killed there if it gets that far."""
        ended = self.referee.run(
            [sys.executable, "-m", "tests.kill.driver", verb],
            cwd=self.scene.root,
            env=self._env,
            stop_at=stop_at,
            cut=cut,
        )
        assert ended.killed == (0 < stop_at <= ended.calls)
        return ended.calls


def comparable(scene: Scene) -> dict[str, object]:
    """The snapshot without the stat data in the index, which differs between equal runs."""
    state = snapshot(scene)
    del state["index bytes"]
    state["index"] = scene.git("ls-files", "--stage", "-v")
    return state


def test_killed_anywhere_it_is_exactly_before_or_exactly_after(tmp_path: Path) -> None:
    arena = Arena(tmp_path)
    assert arena.before != arena.after
    assert arena.calls > KILLS, "the shim must see git's calls too"
    ends: list[bool] = []
    for trial in range(KILLS):
        chance = random.Random(f"{SEED}/{trial}")  # noqa: S311 - reproducible on purpose
        stop_at = 1 + trial * arena.calls // KILLS + chance.randrange(max(arena.calls // KILLS, 1))
        said = f"seed {SEED}, trial {trial}, call {stop_at} of {arena.calls}"
        arena.restore()
        arena.run("land", stop_at, cut=chance.random() < 0.5)
        if trial % 3 == 0:
            arena.run("recover", chance.randint(1, 60), cut=chance.random() < 0.5)
        arena.run("recover")
        state = comparable(arena.scene)
        assert leftovers(arena.scene) == [], said
        assert state in (arena.before, arena.after), said
        assert "missing" not in arena.scene.git("fsck", "--connectivity-only", "--no-dangling"), said
        ends.append(state == arena.after)
    assert ends == sorted(ends), "there must be one commit point, with every `before` ahead of it"
    assert set(ends) == {False, True}
