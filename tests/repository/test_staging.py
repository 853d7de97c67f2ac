from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev_agent.edits.changes import Change
from dev_agent.errors import EnvironmentFault, GitFailed, RepositoryFault, UsageFault
from dev_agent.repository.anchors import anchor
from dev_agent.repository.identity import AGENT, Identity, Person
from dev_agent.repository.landing.ref_locks import drop_own_ref_locks
from dev_agent.repository.receipts import attach
from dev_agent.repository.refs import drop_ref, list_refs, read_ref
from dev_agent.repository.scratch import scratch
from dev_agent.repository.staging import ChangeLike, Staged, commit_tree, compose, recommit, stage, staged_ref
from tests.testing.children import killed_at_call, wait_until_unlocked
from tests.testing.repos import Project, clone, make_repository


@dataclass(frozen=True)
class To:
    """A change by its result only."""

    path: str
    after_mode: str | None
    after: bytes | None


def put(path: str, data: bytes, mode: str = "100644") -> To:
    return To(path, mode, data)


def gone(path: str) -> To:
    return To(path, None, None)


def head(project: Project) -> str:
    return project.git("rev-parse", "HEAD")


def staged(project: Project, *changes: To, message: str = "change\n", run: str = "run-1") -> Staged:
    return stage(project.repository(), base=head(project), changes=changes, message=message, run=run)


def files_of(project: Project, name: str) -> dict[str, bytes]:
    names = project.git("ls-tree", "-r", "-z", "--name-only", name).split("\0")[:-1]
    return {path: project.git_bytes("cat-file", "blob", f"{name}:{path}") for path in names}


def test_changes_become_a_commit_on_the_base(project: Project) -> None:
    result = staged(project, put("a.py", b"A = 9\n"), gone("pkg/b.py"), put("new/deep.py", b"", "100755"))

    assert files_of(project, result.commit) == {
        "a.py": b"A = 9\n",
        "link": b"a.py",
        "new/deep.py": b"",
        "pkg/run.sh": b"#!/bin/sh\n",
    }
    assert project.git("ls-tree", result.commit, "new/deep.py").startswith("100755 blob")
    assert project.git("rev-list", "--parents", "-1", result.commit) == f"{result.commit} {head(project)}"
    assert result.tree == project.tree(result.commit)
    assert read_ref(project.repository(), "refs/dev-agent/staged/run-1") == result.commit


def test_the_users_tree_index_head_and_refs_do_not_notice(project: Project) -> None:
    project.write("a.py", b"dirty\n")
    project.write("untracked", b"mine\n")
    project.write("staged.py", b"staged\n")
    project.git("add", "staged.py")
    before = project.snapshot()

    staged(project, put("a.py", b"A = 9\n"), put("staged.py", b"theirs\n"), put("untracked", b"theirs\n"))

    assert project.snapshot() == before
    assert project.git("status", "--porcelain") == " M a.py\nA  staged.py\n?? untracked"


def test_nothing_of_the_work_is_left_but_the_ref(project: Project) -> None:
    staged(project, put("a.py", b"A = 9\n"))

    private = project.git_dir / "dev-agent"
    assert [path for path in private.rglob("*") if path != private / "tmp"] == []
    assert list(list_refs(project.repository(), "refs/dev-agent/")) == ["refs/dev-agent/staged/run-1"]


def test_an_unborn_branch_gets_a_root_commit(tmp_path: Path) -> None:
    project = make_repository(tmp_path)

    result = stage(
        project.repository(), base=None, changes=[put("first.py", b"1\n")], message="first\n", run="r"
    )

    assert project.git("rev-list", "--parents", result.commit) == result.commit
    assert files_of(project, result.commit) == {"first.py": b"1\n"}
    assert project.git("for-each-ref", "refs/heads") == ""


def test_a_bare_repository_can_be_staged_in(project: Project, tmp_path: Path) -> None:
    bare = clone(project, tmp_path / "bare.git", "--bare")

    assert files_of(bare, staged(bare, put("a.py", b"A = 9\n")).commit)["a.py"] == b"A = 9\n"


def test_bytes_are_stored_as_given_whatever_the_attributes_say(project: Project) -> None:
    project.git("config", "filter.evil.clean", "echo cleaned")
    project.git("config", "core.autocrlf", "input")
    project.commit("attributes", {".gitattributes": b"*.txt text eol=lf filter=evil ident\n"})

    result = staged(project, put("x.txt", b"a\r\n$Id: x$\r\n"))

    assert project.git_bytes("cat-file", "blob", f"{result.commit}:x.txt") == b"a\r\n$Id: x$\r\n"


def test_odd_names_survive(project: Project) -> None:
    names = ("new\nline", "tab\there", 'quo"te', "-dash", "byte\udcff", ":(top)magic")

    result = staged(project, *(put(name, os.fsencode(name)) for name in names))

    assert {name: files_of(project, result.commit)[name] for name in names} == {
        n: os.fsencode(n) for n in names
    }


def test_a_file_may_take_the_place_of_a_folder_and_the_reverse(project: Project) -> None:
    result = staged(
        project, gone("pkg/b.py"), gone("pkg/run.sh"), put("pkg", b"file"), gone("a.py"), put("a.py/x", b"y")
    )

    assert files_of(project, result.commit) == {"a.py/x": b"y", "link": b"a.py", "pkg": b"file"}


def test_a_file_over_a_folder_that_stays_is_refused(project: Project) -> None:
    with pytest.raises(RepositoryFault, match=r"as asked: 'pkg'$") as refused:
        staged(project, put("pkg", b"file"))

    assert refused.value.code == "refused-path"

    assert list_refs(project.repository(), "refs/dev-agent/") == {}


@pytest.mark.parametrize(
    "path", [".git/config", "pkg/.GIT/hooks/x", "../out", "git~1/x", ".g\u200cit/config", "/etc/x"]
)
def test_a_path_git_would_never_check_out_is_refused(project: Project, path: str) -> None:
    before = project.snapshot()

    with pytest.raises(RepositoryFault) as refused:
        staged(project, put(path, b"evil"), put("a.py", b"harmless"))

    assert refused.value.code == "refused-path"
    assert repr(path) in refused.value.message

    assert project.snapshot() == before
    assert list_refs(project.repository(), "refs/dev-agent/") == {}


def test_sha256_repositories_are_staged_in(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.py": b"1\n", "b.py": b"2\n"}, object_format="sha256")

    result = staged(project, put("a.py", b"9\n"), gone("b.py"))

    assert len(result.commit) == 64
    assert files_of(project, result.commit) == {"a.py": b"9\n"}


def test_a_shallow_clone_can_be_staged_in(project: Project, tmp_path: Path) -> None:
    project.commit("second", {"a.py": b"A = 2\n"})
    shallow = clone(project, tmp_path / "shallow", "--depth=1")

    assert files_of(shallow, staged(shallow, put("a.py", b"A = 9\n")).commit)["a.py"] == b"A = 9\n"


def test_the_users_index_settings_write_nothing_into_the_git_dir(project: Project) -> None:
    project.git("config", "core.splitIndex", "true")
    project.git("config", "core.sparseCheckout", "true")
    (project.git_dir / "info" / "sparse-checkout").write_text("/a.py\n")
    before = project.snapshot()

    result = staged(project, put("a.py", b"A = 9\n"))

    assert project.snapshot() == before
    assert "pkg/b.py" in files_of(project, result.commit)


def test_staging_a_run_again_moves_its_ref(project: Project) -> None:
    first = staged(project, put("a.py", b"1"))
    second = staged(project, put("a.py", b"2"))

    assert first.ref == second.ref
    assert read_ref(project.repository(), first.ref) == second.commit


def test_the_same_change_at_the_same_time_is_the_same_commit(project: Project) -> None:
    assert (
        staged(project, put("a.py", b"1"), run="one").commit
        == staged(project, put("a.py", b"1"), run="two").commit
    )


@pytest.mark.parametrize("run", ["", "a/b", "..", "a..b", "x.lock", "-x", "a b", "a\n", "é"])
def test_a_run_id_that_is_not_a_plain_word_never_becomes_a_ref(project: Project, run: str) -> None:
    with pytest.raises(ValueError, match="not a run id"):
        staged(project, put("a.py", b"1"), run=run)
    with pytest.raises(ValueError, match="not a run id"):
        staged_ref(run)


def test_the_change_set_of_edits_fits(project: Project) -> None:
    change = Change(
        path="a.py", before_mode="100644", before=b"A = 1\n", after_mode="100644", after=b"A = 2\n"
    )
    fits: ChangeLike = change

    result = stage(project.repository(), base=head(project), changes=[fits], message="m\n", run="r")

    assert files_of(project, result.commit)["a.py"] == b"A = 2\n"


# Identity and message


def test_the_commit_is_by_the_user(project: Project) -> None:
    result = staged(project, put("a.py", b"1"), message="Subject\n\nTrailer: x\n")

    assert project.git("log", "-1", "--format=%an|%ae|%cn|%ce|%ad", result.commit) == (
        "Ann Author|ann@example.com|Cam Committer|cam@example.com|Fri Jan 2 03:04:05 2026 +0000"
    )
    assert project.git("log", "-1", "--format=%B", result.commit) == "Subject\n\nTrailer: x"


def test_a_given_identity_is_used_as_it_is(project: Project) -> None:
    person = Person(name="Zoë", email="z@example.com", when="5 +0130")

    result = stage(
        project.repository(),
        base=head(project),
        changes=[put("a.py", b"1")],
        message="m\n",
        run="r",
        identity=Identity(author=person, committer=person),
    )

    assert (
        project.git("log", "-1", "--format=%an %at %ad", "--date=format:%z", result.commit) == "Zoë 5 +0130"
    )


def test_without_an_identity_nothing_at_all_is_done(project: Project) -> None:
    project.git("config", "--global", "user.useConfigOnly", "true")
    nobody = project.without_environ(
        "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"
    )
    objects = sorted(project.git_dir.joinpath("objects").rglob("*"))
    before = project.snapshot()

    with pytest.raises(UsageFault, match="does not know who you are") as refused:
        staged(nobody, put("a.py", b"1"))

    assert "user.email" in refused.value.hint
    assert project.snapshot() == before
    assert sorted(project.git_dir.joinpath("objects").rglob("*")) == objects
    assert not (project.git_dir / "dev-agent").exists()


def test_the_message_is_utf8_whatever_the_users_encoding(project: Project) -> None:
    project.git("config", "i18n.commitEncoding", "latin1")

    result = staged(project, put("a.py", b"1"), message="grüße\n")

    raw = project.git_bytes("cat-file", "commit", result.commit)
    assert b"encoding" not in raw
    assert raw.endswith("\n\ngrüße\n".encode())


def test_commits_are_signed_if_the_user_signs(project: Project, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for name, value in {"gpg.format": "ssh", "user.signingkey": str(key), "commit.gpgsign": "true"}.items():
        project.git("config", name, value)

    signed = staged(project, put("a.py", b"1"))
    unsigned = stage(
        project.repository(),
        base=head(project),
        changes=[put("a.py", b"1")],
        message="m\n",
        run="r",
        sign=False,
    )

    assert b"\ngpgsig -----BEGIN SSH SIGNATURE-----" in project.git_bytes("cat-file", "commit", signed.commit)
    assert b"\ngpgsig" not in project.git_bytes("cat-file", "commit", unsigned.commit)
    again = recommit(
        project.repository(), tree=signed.tree, parent=unsigned.commit, like=signed.commit, run="run-1"
    )
    assert b"\ngpgsig" in project.git_bytes("cat-file", "commit", again.commit)


def test_a_commit_that_cannot_be_signed_is_not_made(project: Project, tmp_path: Path) -> None:
    for name, value in {
        "gpg.format": "ssh",
        "user.signingkey": str(tmp_path / "no-such-key"),
        "commit.gpgsign": "true",
    }.items():
        project.git("config", name, value)

    with pytest.raises(EnvironmentFault, match="could not be signed") as refused:
        staged(project, put("a.py", b"1"))

    assert "signing key" in refused.value.hint
    assert list_refs(project.repository(), "refs/dev-agent/") == {}


def test_a_base_that_is_not_there_is_refused(project: Project) -> None:
    with pytest.raises(GitFailed):
        stage(project.repository(), base="0" * 39 + "1", changes=[], message="m\n", run="r")


# Following a moved branch


def test_a_recommit_keeps_author_and_message_on_a_new_parent(project: Project) -> None:
    first = staged(project, put("a.py", b"1"), message="Grüße\n\nbody\n")
    tip = project.commit("meanwhile", {"other": b"x"})
    tree = compose(project.repository(), project.tree(), {"a.py": ("100644", project.blob(b"1"))})
    later = project.with_environ(
        GIT_AUTHOR_NAME="Other", GIT_COMMITTER_NAME="New", GIT_COMMITTER_DATE="2027-01-01T00:00:00+00:00"
    )

    second = recommit(later.repository(), tree=tree, parent=tip, like=first.commit, run="run-1")

    assert project.git("log", "-1", "--format=%an|%ai|%cn|%cI|%P|%T", second.commit) == (
        f"Ann Author|2026-01-02 03:04:05 +0000|New|2027-01-01T00:00:00+00:00|{tip}|{tree}"
    )
    assert project.git("log", "-1", "--format=%B", second.commit) == "Grüße\n\nbody"
    assert read_ref(project.repository(), second.ref) == second.commit


# compose


def test_composing_nothing_is_the_tree_itself(project: Project) -> None:
    assert compose(project.repository(), project.tree(), {}) == project.tree()


def test_composing_replaces_adds_and_removes(project: Project) -> None:
    blob = project.blob(b"other\n")

    tree = compose(
        project.repository(),
        project.tree(),
        {"a.py": ("100755", blob), "n/e.w": ("100644", blob), "link": None, "absent": None},
    )

    assert project.git("ls-tree", "-r", "--name-only", tree).split() == [
        "a.py",
        "n/e.w",
        "pkg/b.py",
        "pkg/run.sh",
    ]
    assert project.git("ls-tree", tree, "a.py") == f"100755 blob {blob}\ta.py"


def test_an_object_that_does_not_exist_is_not_composed(project: Project) -> None:
    with pytest.raises(GitFailed):
        compose(project.repository(), project.tree(), {"a.py": ("100644", "1" * 40)})


def test_a_tree_that_does_not_exist_is_not_committed(project: Project) -> None:
    with pytest.raises(GitFailed):
        commit_tree(project.repository(), tree="1" * 40, parents=(), message="m", identity=AGENT)


# Killed at any line


def _stage_something(project: Project) -> object:
    return staged(project, put("a.py", b"A = 9\n"), gone("pkg/b.py"))


def _anchor_something(project: Project) -> object:
    return anchor(project.repository(), run="run-1", events=2, head="ab" * 32, phase="landed")


def _attach_something(project: Project) -> None:
    attach(project.repository(), head(project), b"receipt", b"envelope")


@pytest.mark.kill
@pytest.mark.parametrize("work", [_stage_something, _anchor_something, _attach_something])
def test_work_killed_at_any_call_is_done_or_not_begun(
    project: Project, work: Callable[[Project], object]
) -> None:
    before, number = project.snapshot(), 0
    work(project)
    ((ref, complete),) = list_refs(project.repository(), "refs/dev-agent/").items()
    while True:
        drop_ref(project.repository(), ref)
        killed = killed_at_call(number, lambda: work(project))

        assert read_ref(project.repository(), ref) in {None, complete}
        drop_own_ref_locks(project.repository())  # as every command begins
        assert project.snapshot() == before
        for left in (project.git_dir / "dev-agent" / "tmp").glob("*"):
            wait_until_unlocked(left)
        with scratch(project.repository()) as place:
            assert [path for path in place.path.parent.iterdir() if path != place.path] == []
        if not killed:
            break
        number += 1
    assert read_ref(project.repository(), ref) == complete
    assert number > 4


# Private folders


def test_a_dead_process_folder_is_removed_and_a_living_one_is_not(project: Project) -> None:
    repository = project.repository()
    with scratch(repository) as living:
        dead = repository.state_dir / "tmp" / "left-behind"
        (dead / "inner").mkdir(parents=True)
        (repository.state_dir / "tmp" / "stray-file").write_bytes(b"")
        (living.path / "work").write_bytes(b"x")

        with scratch(repository) as other:
            assert other.path != living.path
            assert not dead.exists()
            assert (living.path / "work").exists()

    assert [path.name for path in (repository.state_dir / "tmp").iterdir()] == ["stray-file"]


def test_a_sweeper_that_is_faster_is_evaded(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    held: list[int] = []
    flock = fcntl.flock

    def make_and_interfere(*, dir: Path) -> str:  # noqa: A002 - as mkdtemp calls it
        path = mkdtemp(dir=dir)
        made.append(path)
        if len(made) == 1:  # a sweeper has it locked
            held.append(os.open(path, os.O_RDONLY))
            fcntl.flock(held[0], fcntl.LOCK_EX)
        if len(made) == 2:  # a sweeper has removed it
            Path(path).rmdir()
        return path

    def lock_too_late(fd: int, how: int) -> None:
        if len(made) == 3 and Path(made[2]).exists():  # a sweeper removes it once it is open
            Path(made[2]).rmdir()
        flock(fd, how)

    mkdtemp = tempfile.mkdtemp
    monkeypatch.setattr(tempfile, "mkdtemp", make_and_interfere)
    monkeypatch.setattr(fcntl, "flock", lock_too_late)
    with scratch(project.repository()) as place:
        assert str(place.path) == made[3]
    os.close(held[0])


def test_a_folder_an_orphan_still_writes_to_is_not_removed(project: Project) -> None:
    repository = project.repository()
    with scratch(repository) as place:
        kept_open = os.dup(place.claim)
        path = place.path
    path.mkdir()  # what the orphan still does there; it is a new folder, so it needs no claim to be swept
    os.close(kept_open)

    with scratch(repository):
        assert not path.exists()
