"""Children that are killed, or meet each other, leave their parent and no process behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dev_agent.lab.children import at_once, in_child


def test_a_child_tells_how_it_ended() -> None:
    assert in_child(lambda: None) == 0
    assert os.waitstatus_to_exitcode(in_child(lambda: 1 / 0)) == 9
    killed = in_child(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert (os.WIFSIGNALED(killed), os.WTERMSIG(killed)) == (True, signal.SIGKILL)


def test_children_meet_before_either_goes_on(tmp_path: Path) -> None:
    def come(wait_s: float, meet: Callable[[], None]) -> None:
        time.sleep(wait_s)
        (tmp_path / f"came-{wait_s}").touch()
        meet()
        if len(list(tmp_path.iterdir())) != 2:
            raise AssertionError("went on alone")

    assert at_once([partial(come, 0.0), partial(come, 0.3)]) == [0, 0]


def test_nobody_waits_for_a_child_that_died_before_the_meeting() -> None:
    def die(_meet: Callable[[], None]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    first, second = at_once([lambda meet: meet(), die])
    assert first == 0
    assert os.WIFSIGNALED(second)
