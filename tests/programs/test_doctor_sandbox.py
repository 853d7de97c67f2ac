"""What the doctor says for the confinement that is asked for: what a run with the same words would find."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.programs.doctor import examine
from dev_agent.programs.finding import Finding
from tests.testing.repos import Project, make_repository


def project(tmp_path: Path, settings: str) -> Project:
    return make_repository(tmp_path / "work", {"dev-agent.toml": settings.encode(), "acme.py": b"ONE = 1\n"})


def told(here: Project, sandbox: str) -> dict[str, Finding]:
    return {one.topic: one for one in examine(here.root, os.environ, sandbox=sandbox)}


def test_without_a_sandbox_the_doctor_warns_instead_of_looking_for_one(tmp_path: Path) -> None:
    found = told(project(tmp_path, ""), "off")
    assert found["confinement"].status == "warn"
    assert "with your rights" in found["confinement"].detail
    assert found["policy"].status == "ok"


def test_a_policy_that_requires_confinement_rules_out_to_go_without(tmp_path: Path) -> None:
    found = told(project(tmp_path, 'policy = "strict"\n'), "off")
    assert found["policy"].status == "lack"
    assert "requires confinement" in found["policy"].detail


def test_settings_cannot_turn_the_sandbox_off_for_the_one_who_asks(tmp_path: Path) -> None:
    found = told(project(tmp_path, 'sandbox = "off"\n'), "auto")
    assert found["policy"].status == "lack"
    assert "only the person who runs dev-agent" in found["policy"].detail


def test_off_is_no_way_out_on_another_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = project(tmp_path, "")
    monkeypatch.setattr("sys.platform", "darwin")
    confinement = next(
        one for one in examine(here.root, os.environ, sandbox="off") if one.topic == "confinement"
    )
    assert confinement.status == "lack"
    assert "Linux container" in confinement.remedy


def test_a_sandbox_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="no sandbox"):
        examine(tmp_path, os.environ, sandbox="none")
