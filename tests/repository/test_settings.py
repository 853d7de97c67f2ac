"""Settings are git's, asked for once, and never believed longer than they are true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dev_agent.errors import GitFailed
from dev_agent.repository.settings import Row, parse_rows, read_flag, read_settings, system_places
from tests.testing.repos import Project
from tests.testing.traced_git import TracedGit, traced


@pytest.fixture
def seen(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TracedGit:
    """A project whose git children are noted, on a machine whose clock ticks so fast that nothing is too young."""
    monkeypatch.setattr("dev_agent.repository.settings._TICK_NS", -(10**18))
    return traced(project, tmp_path)


def test_an_answer_is_what_git_says(seen: TracedGit) -> None:
    seen.project.git("config", "a.b", "one\nline more")
    seen.project.git("config", "--add", "a.b", "last")
    seen.project.git("config", "X.Sub Section.Name", "\udcff")
    settings = read_settings(seen.project.repository())

    assert settings.value("a.b") == "last"
    assert settings.value("x.Sub Section.name") == "\udcff"
    assert settings.value("no.such") is None
    assert [row.value for row in settings.rows if row.name == "a.b"] == ["one\nline more", "last"]


def test_nothing_is_asked_twice(seen: TracedGit) -> None:
    repository = seen.project.repository()
    read_settings(repository)
    seen.forget()

    read_settings(repository)
    assert not read_flag(repository, "commit.gpgsign")

    assert seen.asked() == []


def _append(place: Callable[[Project], Path]) -> Callable[[Project], object]:
    def change(project: Project) -> None:
        path = place(project)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write("[new]\n\tvalue = 1\n")

    return change


_CHANGES = {
    "the repository's": _append(lambda project: project.root / ".git" / "config"),
    "the user's": _append(lambda project: Path(project.environ["HOME"], ".gitconfig")),
    "one that was not there": _append(
        lambda project: Path(project.environ["XDG_CONFIG_HOME"], "git", "config")
    ),
    "an included one": _append(lambda project: project.root / "included"),
    "an included one that was not there": _append(lambda project: project.root / ".git" / "later"),
    "an included one at home": _append(lambda project: Path(project.environ["HOME"], "athome")),
    "this work tree's": _append(lambda project: project.root / ".git" / "config.worktree"),
}


@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES.keys())
def test_a_change_of_any_file_is_seen_at_once(seen: TracedGit, change: Callable[[Project], object]) -> None:
    project = seen.project.without_environ("GIT_CONFIG_GLOBAL")
    (project.root / "included").write_text("")
    project.git("config", "include.path", str(project.root / "included"))
    project.git("config", "--add", "include.path", "later")
    project.git("config", "--add", f"includeIf.gitdir:{project.root}/.path", "~/athome")
    project.git("config", "extensions.worktreeConfig", "true")
    repository = project.repository()
    assert read_settings(repository).value("new.value") is None
    seen.forget()
    read_settings(repository)
    assert seen.asked() == []

    change(project)

    assert read_settings(repository).value("new.value") == "1"


def test_what_hangs_on_the_branch_is_always_asked(seen: TracedGit) -> None:
    project = seen.project
    (project.root / "other").write_text("[new]\n\tvalue = 1\n")
    project.git("config", "includeIf.onbranch:other.path", str(project.root / "other"))
    repository = project.repository()
    assert read_settings(repository).value("new.value") is None

    project.git("symbolic-ref", "HEAD", "refs/heads/other")

    assert read_settings(repository).value("new.value") == "1"


@pytest.mark.parametrize("path", ["~root/x", "%(prefix)/x", "~/no-home"])
def test_a_path_only_git_can_expand_is_always_asked(seen: TracedGit, path: str) -> None:
    project = seen.project.without_environ("HOME")
    seen.project.git("config", "includeIf.gitdir:/nowhere.path", path)
    repository = project.repository()
    read_settings(repository)
    seen.forget()

    read_settings(repository)

    assert seen.asked() == ["config"]


def test_a_file_that_changed_a_moment_ago_is_not_believed(project: Project, tmp_path: Path) -> None:
    """Within one tick of the clock a second change leaves size and times as they are."""
    seen = traced(project, tmp_path)
    repository = seen.project.repository()
    project.git("config", "a.b", "1")
    read_settings(repository)
    seen.forget()

    read_settings(repository)

    assert seen.asked() == ["config"]


def test_an_environment_of_its_own_has_answers_of_its_own(seen: TracedGit) -> None:
    read_settings(seen.project.repository())
    (seen.project.root / "mine").write_text("[new]\n\tvalue = 1\n")
    other = seen.project.with_environ(GIT_CONFIG_GLOBAL=str(seen.project.root / "mine"))

    assert read_settings(other.repository()).value("new.value") == "1"


@pytest.mark.parametrize(
    ("said", "meant"), [("on", True), ("No", False), ("1", True), ("", False), ("2k", True)]
)
def test_flags_are_read_as_git_reads_them(project: Project, said: str, meant: bool) -> None:
    project.git("config", "commit.gpgsign", said)
    assert read_flag(project.repository(), "commit.gpgsign") is meant


def test_a_flag_without_a_value_is_on_and_one_that_is_none_is_refused(project: Project) -> None:
    config = project.git_dir / "config"
    config.write_text(config.read_text() + "[commit]\n\tgpgsign\n")
    assert read_flag(project.repository(), "commit.gpgsign")
    project.git("config", "commit.gpgsign", "perhaps")
    with pytest.raises(GitFailed):
        read_flag(project.repository(), "commit.gpgsign")
    assert read_flag(project.repository(), "no.such", default=True)


def test_settings_that_cannot_be_read_are_gits_refusal(project: Project) -> None:
    repository = project.repository()
    (project.root / ".git" / "config").write_text("[core\n")
    with pytest.raises(GitFailed):
        read_settings(repository)


def test_rows_are_parsed_with_and_without_values() -> None:
    rows = list(parse_rows(b"file:/a b\0x.y\nz\n\0command line:\0q.r\0"))
    assert rows == [
        Row(origin="file:/a b", name="x.y", value="z\n"),
        Row(origin="command line:", name="q.r", value=None),
    ]


def test_system_wide_files_are_looked_for_wherever_a_git_may_have_been_built_for(tmp_path: Path) -> None:
    (tmp_path / "cellar" / "bin").mkdir(parents=True)
    (tmp_path / "cellar" / "bin" / "git").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to("../cellar/bin/git")

    found = system_places(str(tmp_path / "bin" / "git"), "gitattributes")

    assert {Path("/etc/gitattributes"), tmp_path / "etc/gitattributes"} <= set(found)
    assert tmp_path.resolve() / "cellar/etc/gitattributes" in found
