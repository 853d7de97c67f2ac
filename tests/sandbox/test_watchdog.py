from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev_agent.sandbox import watchdog
from dev_agent.sandbox.job import EndedHow
from dev_agent.sandbox.watchdog import Family, Watchdog
from tests.sandbox.lab import limited

TREE = """
import os, sys
for _ in range(2):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
        break
print(1, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def family() -> Iterator[int]:
    """A process with two children that have one child each."""
    with subprocess.Popen(
        [sys.executable, "-c", TREE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


def test_a_family_is_all_descendants_and_nobody_else(family: int) -> None:
    found = Family(family)
    members = found.members()
    assert family in members
    assert len(members) == 5
    assert os.getpid() not in members
    assert sorted(found.members()) == sorted(members)


def test_a_family_whose_processes_are_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert Family(process.pid).members() == []


def test_what_the_kernel_counts_for_a_user() -> None:
    assert watchdog.tasks_of(os.geteuid()) >= 1
    assert watchdog.tasks_of(4_000_000_000) == 0


def test_shared_memory_is_shared_out(family: int) -> None:
    members = Family(family).members()
    assert 0 < watchdog.proportional(members) < watchdog.resident(members)


def test_processes_that_are_gone_hold_nothing() -> None:
    gone = [2**22 + 1]
    assert watchdog.resident(gone) == watchdog.proportional(gone) == 0


def test_too_many_processes(family: int) -> None:
    assert Watchdog(limited(processes=5))(family) == ""
    assert Watchdog(limited(processes=4), overhead=1)(family) == ""
    strict = Watchdog(limited(processes=4))
    assert strict(family) == "more than 4 processes at once"
    assert strict.veto is not None
    assert strict.veto.how is EndedHow.PROCESSES


def test_too_much_memory(family: int) -> None:
    strict = Watchdog(limited(memory_bytes=1024**2))
    assert "1 MiB" in strict(family)
    assert strict.veto is not None
    assert strict.veto.how is EndedHow.MEMORY


def test_a_sandbox_that_is_still_being_set_up_has_the_hosts_disk_under_its_root(
    tmp_path: Path, family: int
) -> None:
    assert watchdog.in_use(tmp_path) > 0
    assert watchdog._overlay_in_use(Path("/proc/self/root"), tmp_path) == 0
    for inside in (os.getpid(), None):
        assert Watchdog(limited(), overlays=[tmp_path], inside=lambda pid=inside: pid)(family) == ""  # type: ignore[misc]


def test_scratch_space_in_memory_is_memory_of_the_job(family: int) -> None:
    """Anything but the host's own file system at that place counts."""
    shared, before, seen = Path("/dev/shm"), -1, -1
    while before != watchdog.in_use(shared):  # others of this machine use it too
        before = watchdog.in_use(shared)
        seen = watchdog._overlay_in_use(Path("/proc/self/root/dev"), Path("/shm"))
    assert seen == before
    assert watchdog._overlay_in_use(Path("/"), Path("/no/such/place")) == 0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_disk_growth_is_measured_now_and_then(tmp_path: Path, family: int) -> None:
    (tmp_path / "before").write_bytes(b"x" * 2 * 1024**2)
    clock = Clock()
    watching = Watchdog(limited(disk_bytes=1024**2), writable=[tmp_path], clock=clock)
    assert watching(family) == ""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "grown").write_bytes(b"x" * 2 * 1024**2)
    assert watching(family) == ""
    clock.now += 0.6
    assert watching(family) == f"more than 1 MiB written to {tmp_path}"


def test_a_disk_that_runs_full_by_files_nobody_can_find(
    tmp_path: Path, family: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Watchdog(limited(), writable=[tmp_path], clock=Clock())
    monkeypatch.setattr(watchdog, "free_on", lambda _: 1000)
    assert watching(family) == f"the disk of {tmp_path} is almost full"
    already_full = Watchdog(limited(), writable=[tmp_path], clock=Clock())
    assert already_full(family) == ""


def test_the_size_of_what_cannot_be_looked_into(tmp_path: Path) -> None:
    assert watchdog.size_of(tmp_path / "missing") == 0
