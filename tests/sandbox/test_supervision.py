"""Whoever is killed, and whenever: nothing of a supervised program stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from dev_agent.sandbox import launcher, supervised
from dev_agent.sandbox.pipe import Pipe
from dev_agent.sandbox.supervised import Supervised
from tests.sandbox.lab import Lab, ordinary_argv, ordinary_env
from tests.sandbox.test_attacks import survivors
from tests.testing.cluster import eventually

pytestmark = pytest.mark.kill

PARENT = """
import os, subprocess, sys
status, *rest = sys.argv[1:]
own = [sys.executable, "-I", "-S", rest[0], str(os.getpid()), "-1", status, "", "--", *rest[1:]]
subprocess.run(own, pass_fds=[int(status)], start_new_session=True, check=False)
"""
WANDERS_OFF = "setsid sleep {0} & (sleep {0} &) ; echo up; exec sleep {0}"


@contextmanager
def supervising(*program: str) -> Iterator[tuple[subprocess.Popen[bytes], Supervised]]:
    """A process that has a program supervised, and what is heard of that."""
    with Pipe() as pipe:
        argv = [sys.executable, "-c", PARENT, str(pipe.writing), launcher.__file__, *program]
        with subprocess.Popen(argv, pass_fds=[pipe.writing], stdout=subprocess.PIPE) as parent:
            try:
                yield parent, Supervised(pipe)
            finally:
                parent.kill()


def marker() -> str:
    """Seconds to sleep that no other test, and no other run, sleeps."""
    return f"600{os.getpid()}{os.urandom(3).hex().translate(str.maketrans('abcdef', '012345'))}"


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


@pytest.mark.parametrize("killed", ["parent", "outer"])
def test_what_the_program_started_ends_with_whoever_wanted_it(killed: str) -> None:
    name = marker()
    with supervising(*shell(WANDERS_OFF.format(name))) as (parent, status):
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        eventually(lambda: len(survivors(f"sleep\0{name}")) == 3, "all three sleep")
        victim = parent.pid if killed == "parent" else child_of(parent.pid)
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: not survivors(f"sleep\0{name}"), "nothing of the program is left")
        assert status.everything_is_gone()
        assert status.code is None


def test_what_the_program_left_ends_with_it() -> None:
    name = marker()
    with supervising(*shell(f"setsid sleep {name} & exit 7")) as (parent, status):
        parent.wait()
        assert status.everything_is_gone()
        assert status.code == 7
        assert not survivors(f"sleep\0{name}")


def test_a_program_that_is_not_there_is_said_to_have_never_run() -> None:
    with supervising("/no/such/program") as (parent, status):
        parent.wait()
        assert status.everything_is_gone()
        assert (status.code, status.never) == (None, "/no/such/program: No such file or directory")


def test_a_program_has_no_signal_blocked() -> None:
    with supervising(*shell("grep '^SigBlk:' /proc/self/status")) as (parent, _):
        assert parent.stdout is not None
        assert parent.stdout.read().split() == [b"SigBlk:", b"0" * 16]


STARTING = """
import sys
from pathlib import Path
from dev_agent.cancel import Cancel
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.profile import Profile
from tests.sandbox.lab import python_job

scratch, marker, setting = sys.argv[1:]
box = choose(setting, Profile(), scratch_root=Path(scratch))
job = python_job(f"import time; time.sleep(600)  # {marker}")
print("ready", flush=True)
box.run(job, Cancel())
"""


LEAVING = STARTING.replace(
    'f"import time; time.sleep(600)  # {marker}"',
    "f\"import os, time; os.fork() or (os.setsid(), os.mkdir({scratch!r} + '/up')); time.sleep(600)  # {marker}\"",
)


def test_killed_while_a_job_is_being_started_nothing_of_it_stays(lab: Lab) -> None:
    """Among the moments are those in which bubblewrap's processes are not yet tied to each other."""
    argv = [sys.executable] if lab.who == "self" else ordinary_argv()
    # The job's command line stands in the agent's, and in those of all that bubblewrap needs.
    for processes in range(1, 6 if lab.has_namespaces else 2):
        name = f"starting-{marker()}-{lab.who}"
        arguments = [*argv, "-c", STARTING, str(lab.scratch_root), name, lab.confinement]
        with subprocess.Popen(arguments, env=ordinary_env(), stdout=subprocess.PIPE) as agent:
            assert agent.stdout is not None
            assert agent.stdout.readline() == b"ready\n"
            try:
                wait_for_more(name, than=processes, agent=agent)
            finally:
                agent.kill()
        eventually(partial(gone, name), "nothing of the job is left")


def test_killed_while_a_job_runs_unconfined_nothing_of_it_stays(lab: Lab) -> None:
    """Both what waits in the agent's tree and what left its session; limits or no, nobody would hold it to them."""
    argv = [sys.executable] if lab.who == "self" else ordinary_argv()
    name = f"running-{marker()}-{lab.who}"
    arguments = [*argv, "-c", LEAVING, str(lab.scratch_root), name, "off"]
    with subprocess.Popen(arguments, env=ordinary_env(), stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == b"ready\n"
        try:
            eventually((lab.scratch_root / "up").is_dir, "the job has left its session")
        finally:
            agent.kill()
    eventually(partial(gone, name), "nothing of the job is left")


def wait_for_more(name: str, *, than: int, agent: subprocess.Popen[bytes]) -> None:
    """Return in the very moment, so without a pause."""
    while len(survivors(name)) <= than:
        assert agent.poll() is None, "the job ended by itself"


def gone(name: str) -> bool:
    return not survivors(name)


def child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


@pytest.mark.parametrize(
    ("said", "code", "never", "gone"),
    [
        (b"", None, "", True),
        (b"up\nended -9\ngone\n", -9, "", True),
        (b"up\nnever no such call\ngone\n", None, "no such call", True),
        (b"up\nended 0\n", 0, "", False),
        (b"up\nended 0\ngon", 0, "", False),
    ],
)
@pytest.mark.parametrize("held_elsewhere", [False, True])
def test_what_the_supervisor_says(
    monkeypatch: pytest.MonkeyPatch,
    said: bytes,
    code: int | None,
    never: str,
    gone: bool,
    held_elsewhere: bool,
) -> None:
    """Also if somebody forked meanwhile holds the pipe, so that it has no end. Where it has one, no time is waited."""
    with Pipe() as pipe, contextlib.ExitStack() as elsewhere:
        for limit in ("_GONE_WITHIN_S", "_ENDED_WITHIN_S"):
            monkeypatch.setattr(supervised, limit, 0.01 if held_elsewhere else 1e9)
        if held_elsewhere:
            elsewhere.callback(os.close, os.dup(pipe.writing))
        status = Supervised(pipe)
        status.add(said[:4])
        if said[4:]:
            os.write(pipe.writing, said[4:])
        assert status.everything_is_gone() is gone
        assert (status.code, status.never) == (code, never)


FAREWELL = """
import os, sys
os.write(int(sys.argv[1]), b"up\\ngone\\n")
sum(range(2_000_000))
os.mkdir(sys.argv[2])
"""


def test_after_its_last_word_the_supervisor_itself_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its command line holds the program's: who looks for what is left of a program finds it."""
    monkeypatch.setattr(supervised, "_ENDED_WITHIN_S", 60.0)
    with Pipe() as pipe:
        argv = [sys.executable, "-c", FAREWELL, str(pipe.writing), str(tmp_path / "ended")]
        with subprocess.Popen(argv, pass_fds=[pipe.writing]):
            assert Supervised(pipe).everything_is_gone()
            assert (tmp_path / "ended").exists()
