"""A project whose Python is older than dev-agent's: what only dev-agent can parse does not land there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dev_agent.gates.delta import Finding
from dev_agent.gates.foreign_syntax import beside
from dev_agent.gates.verdict import GateResult
from dev_agent.python_text import OWN
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import Sample, make_sample
from tests.testing.pythons import bare_venv, older

# Each with the first Python that reads it. mypy finds nothing in the first, and has words of its own for the second.
NEW = (
    ((3, 12), 'def loud(word: str) -> str:\n    return f"{word + "!"}"\n'),
    ((3, 11), "def calm() -> None:\n    try:\n        print()\n    except* ValueError:\n        pass\n"),
)


SINCE, TEXT = next(each for each in NEW if each[0] <= OWN)
FILES = {
    "pyproject.toml": '[project]\nname = "acme"\nversion = "1"\n\n[tool.mypy]\nfiles = ["acme"]\n',
    "acme/__init__.py": "",
    "odd.py": TEXT,  # mypy is told nothing of it
    "acme/calc.py": "def half(number: int) -> int:\n    return number // 2\n",
}


def made(folder: Path, sandbox: Sandbox, python: Path, version: tuple[int, int]) -> Sample:
    """A project with an environment of that Python, which has no tools of its own."""
    sample = make_sample(folder, FILES, sandbox, venv=None)
    bare_venv(sample.project.root / ".venv", version, python)
    return sample


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Sample:
    """A project of the newest Python of this machine that does not read TEXT."""
    version, python = older(SINCE)
    return made(tmp_path_factory.mktemp("aged"), sandbox, python, version)


def test_a_file_that_the_projects_python_cannot_parse_is_refused(aged: Sample) -> None:
    verdict = aged.types({"acme/more.py": TEXT, "acme/calc.py": None})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")
    assert [(one.path, one.code) for one in verdict.new_failures] == [("acme/more.py", "syntax")]
    if SINCE == (3, 12):
        assert "the project's own: f-string" in verdict.new_failures[0].message


def test_what_the_projects_python_parses_passes(aged: Sample) -> None:
    verdict = aged.types({"acme/more.py": "X = '\\d'\n", "acme/stub.pyi": "X: int\n"})
    assert (verdict.result, verdict.new_failures) == (GateResult.PASSED, ())


def test_a_fault_of_the_base_is_not_the_changes(aged: Sample) -> None:
    change: dict[str, str | None] = {"odd.py": f"{TEXT}\n\nX = 1\n"}
    verdict = aged.types(change)
    assert (verdict.result, verdict.new_failures, verdict.preexisting) == (GateResult.PASSED, (), 1)

    strict = aged.types(change, types="strict")
    assert (strict.result, [one.path for one in strict.new_failures]) == (GateResult.FAILED, ["odd.py"])


def test_a_python_that_does_not_answer_passes_nothing(tmp_path: Path, sandbox: Sandbox) -> None:
    shell = tmp_path / "python"
    shell.write_text(
        '#!/bin/sh\ncase "$*" in *version_info*) echo \'[[3, 8, 1], "cpython", []]\' ;; *) exit 0 ;; esac\n'
    )
    shell.chmod(0o755)
    sample = made(tmp_path / "mute", sandbox, shell, (3, 8))
    own = sample.project.root / ".venv" / "bin" / "python"
    shutil.move(shell, own)

    verdict = sample.types({"acme/more.py": "X = 1\n"})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")
    assert "did not answer" in verdict.new_failures[0].message


def test_the_type_checkers_own_word_on_a_file_is_enough() -> None:
    def fault(path: str, code: str) -> Finding:
        return Finding(path=path, line=1, column=0, code=code, message="no")

    own = (fault("a.py", "syntax"), fault("b.py", "assignment"))
    assert beside(own, [fault("a.py", "syntax"), fault("b.py", "syntax")]) == (*own, fault("b.py", "syntax"))
