from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.repository.receipts import StoredReceipt, attach, read
from dev_agent.repository.refs import RECEIPTS, read_ref
from tests.testing.repos import Project, make_repository


def head(project: Project) -> str:
    return project.git("rev-parse", "HEAD")


def test_a_receipt_comes_back_byte_for_byte(project: Project) -> None:
    repository, commit = project.repository(), head(project)

    attach(repository, commit, b"\x00receipt\r\n", b"envelope")

    assert read(repository, commit) == StoredReceipt(receipt=b"\x00receipt\r\n", envelope=b"envelope")
    assert project.git("ls-tree", "-r", "--name-only", RECEIPTS).split() == [
        f"{commit[:2]}/{commit}/receipt.dsse.json",
        f"{commit[:2]}/{commit}/receipt.json",
    ]


def test_an_unsigned_receipt_has_no_envelope(project: Project) -> None:
    attach(project.repository(), head(project), b"receipt")

    assert read(project.repository(), head(project)) == StoredReceipt(receipt=b"receipt", envelope=None)


def test_without_a_receipt_there_is_none(project: Project) -> None:
    first = head(project)
    assert read(project.repository(), first) is None
    attach(project.repository(), first, b"receipt")

    assert read(project.repository(), project.commit("second")) is None


def test_the_same_again_adds_nothing_and_another_keeps_the_first(project: Project) -> None:
    repository, commit = project.repository(), head(project)
    attach(repository, commit, b"one", b"signed")
    tip = read_ref(repository, RECEIPTS)
    attach(repository, commit, b"one", b"signed")
    assert read_ref(repository, RECEIPTS) == tip

    attach(repository, commit, b"two")

    assert read(repository, commit) == StoredReceipt(receipt=b"two", envelope=None)
    assert project.git("show", f"{RECEIPTS}~:{commit[:2]}/{commit}/receipt.json") == "one"


def test_receipts_of_many_commits_stand_side_by_side(project: Project) -> None:
    commits = [project.commit(f"change {number}") for number in range(3)]
    for commit in commits:
        attach(project.repository(), commit, commit.encode())

    found = [read(project.repository(), commit) for commit in commits]
    assert [each.receipt for each in found if each] == [commit.encode() for commit in commits]


def test_the_commit_and_the_user_do_not_notice(project: Project) -> None:
    before = project.snapshot()
    attach(project.repository(), head(project), b"receipt", b"envelope")

    assert project.snapshot() == before


def test_sha256_repositories_have_receipts(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a": b""}, object_format="sha256")
    attach(project.repository(), head(project), b"receipt")

    assert read(project.repository(), head(project)) == StoredReceipt(receipt=b"receipt", envelope=None)


@pytest.mark.parametrize("commit", ["", "HEAD", "../x", "ab" * 19, "AB" * 20, "ab" * 20 + "\n"])
def test_what_is_not_a_full_id_is_refused(project: Project, commit: str) -> None:
    with pytest.raises(ValueError, match="not a full commit id"):
        attach(project.repository(), commit, b"receipt")
    with pytest.raises(ValueError, match="not a full commit id"):
        read(project.repository(), commit)
    assert read_ref(project.repository(), RECEIPTS) is None
