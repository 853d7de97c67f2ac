from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.sandbox import status as module
from dev_agent.sandbox.status import Status

SAID = b'{ "child-pid": 4194999, "mnt-namespace": 1, "name": "x" }\n{ "exit-code": 7 }\n'


@pytest.mark.law
@given(st.lists(st.integers(0, len(SAID)), max_size=6))
def test_documents_are_read_however_they_are_cut(cuts: list[int]) -> None:
    """Any cutting of the stream gives the same documents."""
    status = Status()
    edges = [0, *sorted(cuts), len(SAID)]
    for start, end in itertools.pairwise(edges):
        status.add(SAID[start:end])
    assert (status.init, status.exit_code) == (4194999, 7)


def test_nothing_said_is_nothing_known() -> None:
    status = Status()
    status.add(b'{ "child-')
    assert (status.init, status.exit_code) == (None, None)
    assert status.everything_is_gone()
    status.close()


def started() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)


def test_the_first_process_is_ended_if_it_certainly_is_the_one() -> None:
    with started() as process:
        status = Status()
        namespace = Path(f"/proc/{process.pid}/ns/pid").stat().st_ino
        status.add(json.dumps({"child-pid": process.pid, "pid-namespace": namespace}).encode())
        status.add(b'{"exit-code": 0}')
        assert status.everything_is_gone()
        assert process.wait() == -signal.SIGKILL
        status.close()
        status.close()


def test_a_process_that_got_the_number_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GONE_WITHIN_MS", 1)
    with started() as process:
        status = Status()
        status.add(json.dumps({"child-pid": process.pid, "pid-namespace": 1}).encode())
        assert not status.everything_is_gone()
        assert process.poll() is None
        status.close()
        process.kill()
