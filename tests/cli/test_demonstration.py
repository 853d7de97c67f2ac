"""The demo looks at the repository from outside, and fails when a promise does not hold."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.cli.demonstration import demonstration
from dev_agent.cli.demonstration.demonstration import Act, Demonstration, Promise, acts
from dev_agent.cli.demonstration.material import Stage, demo_material, set_up
from dev_agent.cli.output.terminal import Terminal
from dev_agent.lab.state import clean_environment, user_state
from dev_agent.process import run
from tests.cli.conftest import written
from tests.testing.repos import isolated_environ


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The demo's stage, set up once."""
    folder = tmp_path_factory.mktemp("demo")
    return set_up(demo_material(), folder, isolated_environ(folder / "home"), Cancel())


@pytest.fixture
def stage(template: Stage, tmp_path: Path) -> Stage:
    """A stage of the test's own."""
    shutil.copytree(template.project.parent, tmp_path / "stage", symlinks=True)
    return replace(template, project=tmp_path / "stage/project", patches=tmp_path / "stage/patches")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return isolated_environ(tmp_path / "home")


def git(stage: Stage, environ: dict[str, str], *args: str) -> str:
    done = run([stage.git, *args], cwd=stage.project, env=environ, timeout_s=60)
    assert done.ok, done.stderr
    return done.stdout.decode().strip()


def test_the_stage_is_a_clean_repository_with_an_environment_that_sees_the_project(
    stage: Stage, template: Stage, environ: dict[str, str]
) -> None:
    assert git(stage, environ, "status", "--porcelain") == ""
    assert git(stage, environ, "rev-list", "--count", "HEAD") == "1"
    python = template.project / ".venv/bin/python"
    done = run([str(python), "-c", "import invoices"], cwd=Path("/"), env=environ, timeout_s=60)
    assert done.ok, done.stderr


def touch_a_file(stage: Stage, environ: dict[str, str]) -> None:
    (stage.project / "README.md").write_text("other", encoding="utf-8")


def add_an_ignored_file(stage: Stage, environ: dict[str, str]) -> None:
    (stage.project / "src/__pycache__").mkdir()


def change_a_mode(stage: Stage, environ: dict[str, str]) -> None:
    (stage.project / "README.md").chmod(0o755)


def stage_a_file(stage: Stage, environ: dict[str, str]) -> None:
    (stage.project / "new.py").touch()
    git(stage, environ, "add", "new.py")
    (stage.project / "new.py").unlink()


def make_a_branch(stage: Stage, environ: dict[str, str]) -> None:
    git(stage, environ, "branch", "other")


def change_the_config(stage: Stage, environ: dict[str, str]) -> None:
    git(stage, environ, "config", "core.hooksPath", "/elsewhere")


def commit_again(stage: Stage, environ: dict[str, str]) -> None:
    git(stage, environ, "commit", "--quiet", "--allow-empty", "-m", "again")


@pytest.mark.parametrize(
    "harm",
    [
        touch_a_file,
        add_an_ignored_file,
        change_a_mode,
        stage_a_file,
        make_a_branch,
        change_the_config,
        commit_again,
    ],
)
def test_whatever_changes_of_the_users_is_noticed(
    stage: Stage, environ: dict[str, str], harm: Callable[[Stage, dict[str, str]], None]
) -> None:
    before = user_state(stage.project, stage.git, environ)
    assert user_state(stage.project, stage.git, environ) == before
    harm(stage, environ)
    after = user_state(stage.project, stage.git, environ)
    assert after != before
    assert not demonstration.kept(Promise.UNTOUCHED, before, after)


@pytest.fixture
def performance(stage: Stage, environ: dict[str, str], pipe: Callable[..., Terminal]) -> Demonstration:
    return Demonstration(stage=stage, terminal=pipe(), environ=environ, cancel=Cancel())


VERSION = Act(title="Version.", args=("--version",), exit_code=0)


@pytest.mark.parametrize(
    ("act", "code", "said"),
    [
        (VERSION, 0, "Demo passed: 1 command did what it promises."),
        (replace(VERSION, exit_code=1), 1, "ended with 0, not with 1"),
        (replace(VERSION, promise=Promise.ONE_COMMIT), 1, "this does not hold: exactly one commit"),
        (replace(VERSION, gone="Line"), 1, "'Line' is still in src/invoices/__init__.py, "),
        (replace(VERSION, gone="Lin"), 0, "Demo passed: 1 command did what it promises."),
    ],
)
def test_a_promise_that_does_not_hold_fails_the_demo(
    performance: Demonstration, monkeypatch: pytest.MonkeyPatch, act: Act, code: int, said: str
) -> None:
    monkeypatch.setattr(demonstration, "acts", lambda _sandbox: (act,))
    assert performance.run() == code
    shown = written(performance.terminal)
    assert "$ dev-agent --version" in shown
    assert said in shown


def test_the_play_shows_landing_and_refusal_and_proof() -> None:
    played = acts(("--sandbox", "off"))
    assert {act.exit_code for act in played} == {0, 1}
    assert sum(act.promise is Promise.ONE_COMMIT for act in played) == 3
    assert [act.gone for act in played if "--patch" not in act.args and act.args[0] == "apply"] == ["Line"]
    assert any("verify" in act.args for act in played)
    assert all(act.args[-2:] == ("--sandbox", "off") for act in played if act.args[0] == "apply")


def test_what_would_point_git_or_us_elsewhere_is_left_out() -> None:
    environ = {
        "GIT_DIR": "/x",
        "DEV_AGENT_JSON": "1",
        "VIRTUAL_ENV": "/v",
        "PYTHONPATH": "/p",
        "PATH": "/bin",
    }
    assert clean_environment(environ) == {"PATH": "/bin"}
