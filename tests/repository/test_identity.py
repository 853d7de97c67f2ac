from __future__ import annotations

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
