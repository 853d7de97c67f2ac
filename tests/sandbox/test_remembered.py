"""That a trial run worked is remembered, for the same circumstances only, and a wrong memory weakens nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault
from dev_agent.sandbox import binary, remembered
from dev_agent.sandbox.bubblewrap import Bubblewrap
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.job import Ended, EndedHow, Job, Limits
from dev_agent.sandbox.profile import Profile
from tests.testing.machine import needs_namespaces

pytestmark = needs_namespaces
JOB = Job(argv=("true",), cwd=Path("/"), limits=Limits(wall_s=60))


@dataclass
class Machine:
    """A machine whose bubblewrap can be broken, with a count of the runs it was asked for."""

    folder: Path
    runs: list[Job] = field(default_factory=list)

    @property
    def bwrap(self) -> Path:
        return self.folder / "bwrap"

    def install(self, unless: str) -> None:
        """A bubblewrap that refuses when the shell's condition holds."""
        real = next(one for one in binary.candidates() if isinstance(one, binary.Binary))
        self.bwrap.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && exec echo bubblewrap {real.version_text}\n'
            f"if {unless}; then echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1; fi\n"
            f'exec {real.path} "$@"\n'
        )
        self.bwrap.chmod(0o755)

    def forbid(self) -> None:
        """From now on no namespace can be made."""
        (self.folder / "forbidden").touch()

    def choose(self, profile: Profile | None = None, *, memory: bool = True) -> Bubblewrap:
        """What is chosen, by a command of its own."""
        self.runs.clear()
        chosen = choose(
            "bubblewrap",
            profile or Profile(),
            scratch_root=self.folder / "scratch",
            bwrap=self.bwrap,
            memory=self.memory if memory else None,
        )
        assert isinstance(chosen, Bubblewrap)
        return chosen

    @property
    def memory(self) -> Path:
        return self.folder / "memory"

    def entries(self) -> list[Path]:
        return sorted(self.memory.rglob("*.json"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = Machine(tmp_path)
    made.install(unless=f"[ -e {tmp_path}/forbidden ]")
    plain = Bubblewrap.run

    def counted(self: Bubblewrap, job: Job, cancel: Cancel) -> Ended:
        made.runs.append(job)
        return plain(self, job, cancel)

    monkeypatch.setattr(Bubblewrap, "run", counted)
    yield made
    assert not list((tmp_path / "scratch").glob("job-*"))


def test_the_second_command_makes_no_trial_and_gets_the_same(machine: Machine) -> None:
    first = machine.choose()
    assert machine.runs
    second = machine.choose()
    assert machine.runs == []
    assert second.describe() == first.describe()
    assert second.run(JOB, Cancel()).code == 0


def test_without_a_place_to_remember_every_command_tries(machine: Machine) -> None:
    machine.choose(memory=False)
    machine.choose(memory=False)
    assert machine.runs
    assert machine.entries() == []


def test_another_profile_or_another_program_is_tried_anew(machine: Machine) -> None:
    machine.choose()
    machine.choose(replace(Profile(), tmp_bytes=1 << 20))
    assert machine.runs
    machine.install(unless="false")
    machine.choose()
    assert machine.runs


def test_a_machine_that_was_started_anew_is_tried_anew(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.choose()
    other = tmp_path / "boot_id"
    other.write_text("another\n")
    monkeypatch.setattr(remembered, "_SETTINGS", (str(other), *remembered._SETTINGS[1:]))
    machine.choose()
    assert machine.runs


@pytest.mark.parametrize(
    "said",
    [
        json.dumps({"worked_at": int(time.time()) - 3601}),
        json.dumps({"worked_at": int(time.time()) + 3600}),
        json.dumps({"worked_at": "now"}),
        json.dumps([1]),
        "{",
    ],
    ids=["old", "to come", "text", "list", "torn"],
)
def test_what_is_old_or_makes_no_sense_is_not_believed(machine: Machine, said: str) -> None:
    machine.choose()
    (entry,) = machine.entries()
    entry.write_text(said)
    machine.choose()
    assert machine.runs


def test_a_memory_that_is_wrong_lets_no_job_run_and_is_forgotten(machine: Machine) -> None:
    machine.choose()
    machine.forbid()

    ended = machine.choose().run(JOB, Cancel())

    assert (ended.how, ended.code) == (EndedHow.UNAVAILABLE, None)
    assert "uid map" in ended.detail
    assert "namespaces" in ended.detail
    assert machine.entries() == []
    with pytest.raises(EnvironmentFault, match="no sandbox works here"):
        machine.choose()


def test_a_job_that_fails_by_itself_makes_nobody_forget(machine: Machine) -> None:
    sandbox = machine.choose()
    assert sandbox.run(replace(JOB, argv=("false",)), Cancel()).code == 1
    assert sandbox.run(replace(JOB, argv=("/nowhere",)), Cancel()).code == 127
    machine.choose()
    assert machine.runs == []


def test_less_than_a_machine_could_give_is_not_remembered(machine: Machine) -> None:
    """An overlay that could not be made once may be possible the next time."""
    machine.install(unless='case "$*" in *--overlay-src*) true;; *) false;; esac')
    chosen = machine.choose()
    assert chosen.overlay is False
    assert machine.entries() == []


def test_a_folder_that_cannot_be_written_to_is_one_that_forgets(machine: Machine) -> None:
    machine.memory.write_text("in the way")
    machine.choose()
    machine.choose()
    assert machine.runs
