"""What `init` writes is what was shown, whole or not at all, and never over something of the user's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev_agent.errors import RepositoryFault
from dev_agent.programs.init.offers import TEMPLATES, Kind, shipped_bytes
from dev_agent.programs.init.plan import InitPlan, State, plan_files
from dev_agent.programs.init.write import write_files
from tests.testing.repos import Project, make_repository

EXAMPLES = Path(__file__).parents[3] / "examples" / "ci"
WORKFLOW = ".github/workflows/dev-agent-issue.yml"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_repository(tmp_path / "repository", {"notes.txt": b"one\n"})


def plan(project: Project, *kinds: Kind, overwrite: bool = False) -> InitPlan:
    return plan_files(project.repository(), kinds, overwrite=overwrite)


def states(planned: InitPlan) -> dict[str, State]:
    return {one.path: one.state for one in planned.files}


def leftovers(project: Project) -> list[Path]:
    return [path for path in project.root.rglob("*") if "dev-agent-init" in path.name]


def test_what_is_written_is_the_example_byte_for_byte(project: Project) -> None:
    done = write_files(plan(project, *Kind))
    assert (len(done.written), done.kept, done.exit_code) == (7, (), 0)
    for template in TEMPLATES:
        example = (EXAMPLES / template.source).read_bytes()
        assert (project.root / template.target).read_bytes() == example == shipped_bytes(template)
    hook = project.git_dir / "hooks/pre-push"
    assert hook.read_bytes() == (EXAMPLES / "hooks/pre-push").read_bytes()
    assert os.access(hook, os.X_OK)
    assert leftovers(project) == []
    again = plan(project, *Kind)
    assert set(states(again).values()) == {State.SAME}
    assert again.diff() == b""


def test_a_plan_writes_nothing_and_its_diff_is_what_git_apply_takes(project: Project) -> None:
    planned = plan(project, Kind.GITHUB)
    assert not (project.root / ".github").exists()
    project.git_bytes("apply", stdin=planned.diff())
    assert set(states(plan(project, Kind.GITHUB)).values()) == {State.SAME}


def test_a_file_with_other_content_stays_unless_overwriting_was_said(project: Project) -> None:
    write_files(plan(project, Kind.GITHUB))
    (project.root / WORKFLOW).write_bytes(b"mine\n")
    done = write_files(plan(project, Kind.GITHUB))
    assert (done.written, done.exit_code) == ((), 1)
    assert "--overwrite" in done.kept[0][1]
    assert (project.root / WORKFLOW).read_bytes() == b"mine\n"
    forced = plan(project, Kind.GITHUB, overwrite=True)
    assert b"-mine" in forced.diff()
    assert [one.path for one in write_files(forced).written] == [WORKFLOW]
    assert states(plan(project, Kind.GITHUB))[WORKFLOW] is State.SAME
    assert leftovers(project) == []


def test_what_is_changed_between_the_diff_and_the_writing_is_not_lost(project: Project) -> None:
    write_files(plan(project, Kind.GITHUB))
    (project.root / WORKFLOW).write_bytes(b"mine\n")
    planned = plan(project, Kind.GITHUB, overwrite=True)
    (project.root / WORKFLOW).write_bytes(b"meanwhile\n")
    assert write_files(planned).kept[0][1] == "it was changed meanwhile"
    assert (project.root / WORKFLOW).read_bytes() == b"meanwhile\n"
    assert leftovers(project) == []


def test_without_an_exchange_of_names_what_was_changed_meanwhile_is_not_lost_either(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(plan(project, Kind.GITHUB))
    (project.root / WORKFLOW).write_bytes(b"mine\n")
    planned = plan(project, Kind.GITHUB, overwrite=True)
    monkeypatch.setattr("dev_agent.repository.rename._function", lambda: None)
    (project.root / WORKFLOW).write_bytes(b"meanwhile\n")
    assert write_files(planned).kept[0][1] == "it was changed meanwhile"
    assert (project.root / WORKFLOW).read_bytes() == b"meanwhile\n"
    (project.root / WORKFLOW).write_bytes(b"mine\n")
    assert write_files(planned).kept == ()
    assert states(plan(project, Kind.GITHUB))[WORKFLOW] is State.SAME


def test_what_is_made_between_the_diff_and_the_writing_is_not_lost(project: Project) -> None:
    planned = plan(project, Kind.GITHUB)
    (project.root / WORKFLOW).parent.mkdir(parents=True)
    (project.root / WORKFLOW).write_bytes(b"meanwhile\n")
    done = write_files(planned)
    assert [(one.path, why) for one, why in done.kept] == [(WORKFLOW, "somebody made it meanwhile")]
    assert (project.root / WORKFLOW).read_bytes() == b"meanwhile\n"


@pytest.mark.parametrize("link", [".github", ".github/workflows"])
def test_a_folder_that_is_a_symlink_leads_nothing_out_of_the_repository(
    project: Project, tmp_path: Path, link: str
) -> None:
    outside = tmp_path / "outside"
    (outside / "workflows").mkdir(parents=True)
    planned = plan(project, Kind.GITHUB)
    (project.root / link).parent.mkdir(exist_ok=True)
    (project.root / link).symlink_to(outside)
    assert set(states(plan(project, Kind.GITHUB)).values()) == {State.IN_THE_WAY}
    for each in (planned, plan(project, Kind.GITHUB, overwrite=True)):
        done = write_files(each)
        assert (done.written, done.exit_code) == ((), 1)
    assert [path for path in outside.rglob("*") if path.is_file()] == []


def test_a_file_that_is_a_symlink_is_neither_read_nor_replaced(project: Project, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret\n")
    (project.root / ".gitlab-ci.yml").symlink_to(secret)
    planned = plan(project, Kind.GITLAB, overwrite=True)
    assert states(planned)[".gitlab-ci.yml"] is State.IN_THE_WAY
    assert b"secret" not in planned.diff()
    assert write_files(planned).exit_code == 1
    assert (project.root / ".gitlab-ci.yml").is_symlink()
    assert secret.read_bytes() == b"secret\n"


def test_a_file_people_have_their_own_things_in_is_never_replaced(project: Project) -> None:
    (project.root / ".gitlab-ci.yml").write_bytes(b"stages: [test]\n")
    done = write_files(plan(project, Kind.GITLAB, overwrite=True))
    assert [one.path for one in done.written] == [".gitlab/dev-agent.gitlab-ci.yml"]
    assert (project.root / ".gitlab-ci.yml").read_bytes() == b"stages: [test]\n"


def test_a_hook_of_somebody_else_is_never_replaced_and_an_old_one_of_ours_is(project: Project) -> None:
    hook = project.git_dir / "hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_bytes(b"#!/bin/sh\nexit 0\n")
    done = write_files(plan(project, Kind.HOOK, overwrite=True))
    assert (done.written, done.exit_code, hook.read_bytes()) == ((), 1, b"#!/bin/sh\nexit 0\n")
    hook.write_bytes(b"#!/bin/sh\n# dev-agent hook (client): an older one\nexit 0\n")
    assert states(plan(project, Kind.HOOK)) == {"hooks/pre-push": State.DIFFERENT}
    assert write_files(plan(project, Kind.HOOK, overwrite=True)).exit_code == 0
    assert os.access(hook, os.X_OK)


def test_a_bare_repository_gets_the_server_s_hook_and_no_workflow(tmp_path: Path) -> None:
    bare = make_repository(tmp_path, bare=True)
    assert write_files(plan(bare, Kind.HOOK)).exit_code == 0
    assert b"--pre-receive" in (bare.git_dir / "hooks/pre-receive").read_bytes()
    with pytest.raises(RepositoryFault, match="bare repository"):
        plan(bare, Kind.GITHUB)


def test_a_folder_of_hooks_that_may_serve_other_repositories_is_left_alone(
    project: Project, tmp_path: Path
) -> None:
    project.git("config", "core.hooksPath", str(tmp_path / "hooks"))
    with pytest.raises(RepositoryFault, match=r"core\.hooksPath"):
        plan(project, Kind.HOOK)
    assert not (tmp_path / "hooks").exists()


def test_a_disk_that_fails_before_the_name_leaves_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_files(plan(project, Kind.GITHUB))
    assert not (project.root / WORKFLOW).exists()
    assert leftovers(project) == []
