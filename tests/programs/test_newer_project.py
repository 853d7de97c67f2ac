"""A project whose Python is newer than dev-agent's: the doctor says so, and what is new is judged and asked about."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.programs.apply import apply
from dev_agent.programs.doctor import examine
from dev_agent.programs.finding import Finding
from dev_agent.programs.request import ApplyRequest
from dev_agent.python_text import NEWER_SYNTAX, READ_AS
from dev_agent.runtime.engine import Reporter
from tests.testing.pythons import bare_venv, newer
from tests.testing.repos import Project, make_repository

FILES = {
    ".gitignore": b".venv\n",
    "pyproject.toml": b'[project]\nname = "acme"\nversion = "1"\n\n[tool.mypy]\nfiles = ["acme.py"]\nstrict = true\n',
    "acme.py": b"type Price[T = int] = T\n\n\ndef one[T](x: T) -> T:\n    return x\n",
    "test_acme.py": b"import acme\n\n\ndef test_one() -> None:\n    assert acme.one(1) == 1\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of the newest other Python of this machine, in that Python's syntax."""
    version, python = newer()
    if version < (3, 13):
        pytest.skip(f"syntax of Python 3.13; the newest here is {version[0]}.{version[1]}")
    project = make_repository(tmp_path / "work", FILES)
    bare_venv(project.root / ".venv", version, python)
    return project


def told(project: Project, topic: str) -> Finding:
    return next(one for one in examine(project.root, os.environ) if one.topic == topic)


def test_the_doctor_warns_and_names_the_remedy(project: Project) -> None:
    found = told(project, "interpreter")
    assert (found.status, found.remedy) == ("warn", NEWER_SYNTAX)


def test_a_change_that_cannot_be_read_is_judged_by_the_newer_python_and_asked_about(project: Project) -> None:
    patch = b"acme.py\n<<<<<<< SEARCH\n    return x\n=======\n    return x  # as it is\n>>>>>>> REPLACE\n"
    before = project.snapshot()

    report = apply(
        project.repository(),
        ApplyRequest(task="Say why", patch=patch),
        environ=os.environ,
        reporter=Reporter(),
        cancel=Cancel(),
    )

    assert report.outcome == "suspended", report.explanation
    assert {str(one["name"]): one["verdict"] for one in report.gates} == {
        "types": "passed",
        "tests": "passed",
    }
    assert f"not readable as {READ_AS}" in str(report.policy["findings"])
    assert project.snapshot() == before
