from __future__ import annotations

import time

import pytest

from dev_agent.errors import GitFailed, UsageFault
from dev_agent.repository.identity import AGENT, Person, parse_person, user_identity, wants_signed_commits
from tests.testing.repos import Project

NAMES = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")


def test_author_and_committer_are_who_git_says(project: Project) -> None:
    identity = user_identity(project.repository())

    assert identity.author == Person(name="Ann Author", email="ann@example.com", when="1767323045 +0000")
    assert identity.committer.name == "Cam Committer"


def test_configuration_counts_as_it_does_for_git(project: Project) -> None:
    project.git("config", "user.name", "Zoë Ünal")
    project.git("config", "user.email", "z@example.com")

    identity = user_identity(project.without_environ(*NAMES).repository())

    assert (identity.author.name, identity.committer.email) == ("Zoë Ünal", "z@example.com")


@pytest.mark.parametrize("missing", ["AUTHOR", "COMMITTER"])
def test_a_missing_identity_is_refused_with_the_remedy(project: Project, missing: str) -> None:
    project.git("config", "user.useConfigOnly", "true")
    half = project.without_environ(f"GIT_{missing}_NAME", f"GIT_{missing}_EMAIL")

    with pytest.raises(UsageFault, match="does not know who you are") as refused:
        user_identity(half.repository())

    assert "git config --global user.name" in refused.value.hint


def test_an_identity_becomes_variables_git_reads_back(project: Project) -> None:
    person = Person(name="A B", email="a@b", when="7 -0330")
    later = project.with_environ(**person.variables("AUTHOR"))

    assert later.git("var", "GIT_AUTHOR_IDENT") == "A B <a@b> 7 -0330"
    assert parse_person("A B <a@b> 7 -0330") == person
    assert set(AGENT.environment()) == {
        f"GIT_{r}_{f}" for r in ("AUTHOR", "COMMITTER") for f in ("NAME", "EMAIL", "DATE")
    }


@pytest.mark.parametrize(
    "line", ["", "A", "A <a@b>", "A <a@b> soon", "A <a@b> 1 +0000 more", "A a@b 1 +0000"]
)
def test_what_is_not_an_identity_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a git identity"):
        parse_person(line)


def test_signing_is_the_users_setting(project: Project) -> None:
    assert not wants_signed_commits(project.repository())
    project.git("config", "commit.gpgsign", "on")
    assert wants_signed_commits(project.repository())
    project.git("config", "commit.gpgsign", "perhaps")
    with pytest.raises(GitFailed):
        wants_signed_commits(project.repository())


def _who(project: Project, role: str) -> tuple[str, str]:
    said = parse_person(project.git("var", f"GIT_{role}_IDENT"))
    return said.name, said.email


@pytest.mark.parametrize(
    "said",
    [
        {"user.name": "A", "user.email": "a@b"},
        {"user.name": "A", "user.email": "a@b", "author.name": "B", "committer.email": "c@d"},
        {"user.name": " A,", "user.email": "<a@b>"},
        {"user.name": "A", "user.email": "a@b", "author.name": ""},
        {"user.name": "Zo\u00eb", "user.email": "z@\u00fc"},
    ],
)
def test_who_the_settings_name_is_who_git_would_name(project: Project, said: dict[str, str]) -> None:
    plain = project.without_environ(*NAMES, "GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")
    for name, value in said.items():
        plain.git("config", name, value)

    identity = user_identity(plain.repository())

    assert (identity.author.name, identity.author.email) == _who(plain, "AUTHOR")
    assert (identity.committer.name, identity.committer.email) == _who(plain, "COMMITTER")
    assert (
        identity.author.when.split(" ")[1]
        == parse_person(plain.git("var", "GIT_AUTHOR_IDENT")).when.split(" ")[1]
    )


def test_a_name_that_is_set_to_nothing_is_refused_as_git_refuses_it(project: Project) -> None:
    project.git("config", "user.name", "Somebody")
    with pytest.raises(UsageFault, match="does not know who you are"):
        user_identity(project.with_environ(GIT_AUTHOR_NAME="").repository())


def test_in_a_time_zone_of_our_own_git_says_what_time_it_is(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = project.without_environ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")
    there = parse_person(plain.git("var", "GIT_AUTHOR_IDENT")).when.split(" ")[1]
    monkeypatch.setenv("TZ", "XYZ-13:45")
    time.tzset()
    try:
        assert user_identity(plain.repository()).author.when.split(" ")[1] == there
    finally:
        monkeypatch.undo()
        time.tzset()
