from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev_agent.errors import EnvironmentFault, GitFailed
from dev_agent.repository.git import Git, find_git
from dev_agent.repository.path_settings import path_setting
from tests.testing.repos import Project


def git(project: Project) -> Git:
    return project.repository().git


def test_git_is_found_on_the_callers_path_only(tmp_path: Path) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)

    assert find_git({"PATH": str(tmp_path)}) == str(fake)
    with pytest.raises(EnvironmentFault, match="not found on PATH") as refused:
        find_git({"PATH": str(tmp_path / "empty")})
    assert "install git" in refused.value.hint


def test_the_environment_is_an_allow_list(project: Project, tmp_path: Path) -> None:
    hostile = project.with_environ(
        GIT_DIR="/elsewhere",
        GIT_INDEX_FILE="/elsewhere",
        GIT_OBJECT_DIRECTORY="/elsewhere",
        GIT_EXTERNAL_DIFF="evil",
        GIT_SSH_COMMAND="evil",
        LD_PRELOAD="evil.so",
        ANTHROPIC_API_KEY="secret",
        SSH_AUTH_SOCK="/agent",
    )

    environment = git(hostile).environment()

    assert environment["GIT_DIR"] == str(project.git_dir)
    assert environment["GIT_WORK_TREE"] == str(project.root)
    assert environment["SSH_AUTH_SOCK"] == "/agent"
    assert environment["GIT_OPTIONAL_LOCKS"] == "0"
    unwanted = {
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_EXTERNAL_DIFF",
        "GIT_SSH_COMMAND",
        "LD_PRELOAD",
    }
    assert not (unwanted | {"ANTHROPIC_API_KEY"}) & set(environment)
    assert "secret" not in repr(git(hostile))


def test_no_hook_runs_unless_asked_for(project: Project) -> None:
    hook = project.git_dir / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    head = project.git("rev-parse", "HEAD")

    assert git(project).run("update-ref", "refs/heads/one", head).ok
    assert not git(project).run("update-ref", "refs/heads/two", head, hooks=True).ok


def test_no_program_named_by_configuration_runs_in_passing(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    project.git("config", "core.fsmonitor", str(script))
    project.git("config", "core.editor", str(script))
    project.git("config", "core.pager", str(script))

    git(project).out("status", "--porcelain")
    git(project).out("log")

    assert not mark.exists()


def test_status_takes_no_lock_and_writes_no_index(project: Project) -> None:
    os.utime(project.root / "a.py", (1, 1))
    before = project.snapshot()

    git(project).out("status", "--porcelain")

    assert project.snapshot() == before


def test_a_path_with_magic_in_its_name_is_a_path(project: Project) -> None:
    project.commit("odd", {":(top)x": b"1", "*.py": b"2"})

    assert git(project).line("ls-files", "--", "*.py") == "*.py"
    assert git(project).line("ls-files", "--", ":(top)x") == ":(top)x"


def test_a_failure_says_what_failed(project: Project) -> None:
    with pytest.raises(GitFailed) as failed:
        git(project).out("cat-file", "blob", "1" * 40)

    assert failed.value.argv == ("cat-file", "blob", "1" * 40)
    assert failed.value.code == 128
    assert "cat-file failed with status 128" in failed.value.message


def test_output_that_does_not_fit_is_not_output(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = project.blob(b"x" * 10_000)
    done = git(project).run("cat-file", "blob", blob, output_limit=100)
    assert done.truncated

    here = git(project)
    monkeypatch.setattr(Git, "run", lambda *_, **__: done)
    with pytest.raises(GitFailed, match="too large"):
        here.out("cat-file", "blob", blob)


def test_private_places_redirect_a_command(project: Project, tmp_path: Path) -> None:
    before = project.snapshot()
    (tmp_path / "out").mkdir()
    private = git(project).with_index(tmp_path / "index").with_work_tree(tmp_path / "out")

    private.out("read-tree", "HEAD")
    private.out("checkout-index", "--all")

    assert (tmp_path / "out" / "pkg" / "b.py").read_bytes() == b"B = 2\n"
    assert project.snapshot() == before


def test_children_inherit_what_they_must_hold(project: Project) -> None:
    reading, writing = os.pipe()
    try:
        holding = git(project).holding(writing)
        done = holding.run("-c", f"alias.x=!echo held >/proc/self/fd/{writing}", "x")
        assert done.ok
        assert os.read(reading, 100) == b"held\n"
    finally:
        os.close(reading)
        os.close(writing)


def test_settings_and_flags(project: Project) -> None:
    project.git("config", "user.nickname", "Ännchen")
    project.git("config", "core.bare", "no")
    project.git("config", "weird.flag", "perhaps")

    assert git(project).setting("user.nickname") == "Ännchen"
    assert git(project).setting("user.nothing") is None
    assert git(project).flag("core.bare") is False
    assert git(project).flag("core.nothing") is False
    with pytest.raises(GitFailed):
        git(project).flag("weird.flag")


def test_a_setting_that_names_a_file_is_expanded(project: Project) -> None:
    project.git("config", "a.home", "~/file")
    project.git("config", "a.relative", "here/file")
    project.git("config", "a.empty", "")

    assert path_setting(git(project), "a.home") == Path(project.environ["HOME"], "file")
    assert path_setting(git(project), "a.relative") == project.root / "here/file"
    assert path_setting(git(project), "a.empty") is None
    assert path_setting(git(project), "a.nothing") is None
