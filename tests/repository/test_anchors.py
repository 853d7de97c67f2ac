from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.errors import EnvironmentFault, RepositoryFault
from dev_agent.repository import anchors, private_chain
from dev_agent.repository.anchors import Anchor, all_anchors, anchor, anchors_of, latest_anchors
from dev_agent.repository.discovery import discover
from dev_agent.repository.refs import ANCHORS, read_ref, set_ref
from dev_agent.runtime import verification
from tests.testing.repos import Project, isolated_environ, make_repository

HEAD = "ab" * 32


def put(
    project: Project, run: str = "run-1", events: int = 1, phase: str = "start", head: str = HEAD
) -> Anchor:
    return anchor(project.repository(), run=run, events=events, head=head, phase=phase)


def test_anchors_come_back_in_order_by_run(project: Project) -> None:
    first, other, last = put(project), put(project, run="run-2"), put(project, events=9, phase="landed")

    assert anchors_of(project.repository(), "run-1") == (first, last)
    assert anchors_of(project.repository(), "run-2") == (other,)
    assert anchors_of(project.repository(), "run-3") == ()
    assert all_anchors(project.repository()) == (first, other, last)


def test_without_anchors_there_are_none(project: Project) -> None:
    assert anchors_of(project.repository(), "run-1") == ()


def test_an_anchor_is_what_the_runtime_checks_against(project: Project) -> None:
    put(project, events=3)

    (found,) = anchors_of(project.repository(), "run-1")

    assert isinstance(found, verification.Anchor)
    assert (found.run, found.events, found.head, found.phase) == ("run-1", 3, HEAD, "start")


def test_the_same_twice_is_two_links(project: Project) -> None:
    assert put(project) == put(project)

    assert len(all_anchors(project.repository())) == 2


def test_the_user_does_not_notice(project: Project) -> None:
    before = project.snapshot()
    put(project)

    assert project.snapshot() == before
    assert project.git("for-each-ref", "--format=%(refname)") == "refs/dev-agent/anchors\nrefs/heads/main"


def test_no_identity_is_needed_and_none_is_told(project: Project) -> None:
    project.git("config", "--global", "user.useConfigOnly", "true")
    put(
        project.without_environ(
            "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"
        )
    )

    assert project.git("log", "-1", "--format=%an <%ae> %at|%cn <%ce> %ct", ANCHORS) == (
        "dev-agent <dev-agent@localhost> 0|dev-agent <dev-agent@localhost> 0"
    )


def test_the_chain_depends_on_what_was_put_into_it_only(tmp_path: Path) -> None:
    tips = set()
    for name in ("one", "two"):
        project = make_repository(tmp_path, name=name)
        put(project)
        put(project, events=2)
        tips.add(project.git("rev-parse", ANCHORS))

    assert len(tips) == 1


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_the_chain_is_sound_git(tmp_path: Path, object_format: str) -> None:
    project = make_repository(tmp_path, object_format=object_format)
    put(project)
    put(project, events=2)

    assert project.git("fsck", "--strict") in {"", "notice: HEAD points to an unborn branch (main)"}
    assert project.git("cat-file", "blob", f"{ANCHORS}:anchor.json") == (
        f'{{"events":2,"head":"{HEAD}","phase":"start","run":"run-1"}}'
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"run": "a/b"},
        {"run": ""},
        {"phase": "two words"},
        {"events": -1},
        {"head": "xyz"},
        {"head": HEAD + "\n"},
    ],
)
def test_what_is_not_an_anchor_is_refused(project: Project, wrong: dict[str, str | int]) -> None:
    values: dict[str, str | int] = {"run": "run-1", "events": 1, "head": HEAD, "phase": "start", **wrong}
    with pytest.raises(ValueError, match="not a"):
        anchor(project.repository(), **values)  # type: ignore[arg-type]
    assert read_ref(project.repository(), ANCHORS) is None


def _anchor_many(root: str, home: str, run: str) -> None:
    repository = discover(Path(root), isolated_environ(Path(home)))
    for events in range(1, 4):
        anchor(repository, run=run, events=events, head=HEAD, phase="step")


def test_eight_processes_at_once_lose_nothing(project: Project) -> None:
    spawn = multiprocessing.get_context("spawn")
    runs = [f"run-{number}" for number in range(8)]
    arguments = [(str(project.root), project.environ["HOME"], run) for run in runs]
    processes = [spawn.Process(target=_anchor_many, args=each) for each in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 8
    for run in runs:
        assert [each.events for each in anchors_of(project.repository(), run)] == [1, 2, 3]
    assert len(all_anchors(project.repository())) == 24


def test_a_ref_that_cannot_be_moved_is_said_not_waited_for_ever(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_chain, "_ATTEMPTS", 2)
    project.git("config", "core.filesRefLockTimeout", "0")
    lock = project.git_dir / (ANCHORS + ".lock")
    lock.parent.mkdir(parents=True)
    lock.touch()

    with pytest.raises(EnvironmentFault, match="could not be extended") as refused:
        put(project)

    assert str(lock) in refused.value.hint
    assert lock.exists()
    assert all_anchors(project.repository()) == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write anywhere")
def test_a_folder_of_refs_that_cannot_be_written_is_said_at_once(project: Project) -> None:
    refs = project.git_dir / "refs"
    refs.chmod(0o555)
    try:
        with pytest.raises(EnvironmentFault, match=r"cannot be written: .*unable to create directory"):
            put(project)
    finally:
        refs.chmod(0o755)


def test_a_merge_in_the_chain_is_damage(project: Project) -> None:
    put(project)
    tip = project.git("rev-parse", ANCHORS)
    side = project.git("commit-tree", project.tree(), "-m", "side")
    merge = project.git("commit-tree", f"{tip}^{{tree}}", "-p", tip, "-p", side, "-m", "merge")
    set_ref(project.repository(), ANCHORS, merge, reason="tampered")

    with pytest.raises(RepositoryFault, match="has a merge") as refused:
        anchors_of(project.repository(), "run-1")
    assert refused.value.code == "damaged-chain"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"[]",
        b'{"run":"r"}',
        b'{"events":1,"extra":1,"head":"%s","phase":"p","run":"r"}' % HEAD.encode(),
        b'{"events":-1,"head":"%s","phase":"p","run":"r"}' % HEAD.encode(),
        b'{"events":"1","head":"%s","phase":"p","run":"r"}' % HEAD.encode(),
        b'{"events":1,"head":"%s","phase":"p","run":7}' % HEAD.encode(),
        b'{"run":"r","events":1,"head":"%s","phase":"p"}' % HEAD.encode(),
    ],
)
def test_a_link_that_is_no_anchor_is_damage(project: Project, content: bytes) -> None:
    put(project)
    tree = project.make_tree({"anchor.json": ("100644", content)})
    link = project.git("commit-tree", tree, "-p", ANCHORS, "-m", "forged")
    set_ref(project.repository(), ANCHORS, link, reason="tampered")

    with pytest.raises(RepositoryFault, match=link) as refused:
        anchors_of(project.repository(), "run-1")
    assert refused.value.code == "damaged-chain"


def test_a_link_without_the_file_is_damage(project: Project) -> None:
    link = project.git("commit-tree", project.tree(), "-m", "not ours")
    set_ref(project.repository(), ANCHORS, link, reason="tampered")

    with pytest.raises(RepositoryFault, match="is not an anchor"):
        all_anchors(project.repository())


def test_a_run_s_latest_anchors_are_found_from_the_newest_back(project: Project) -> None:
    mine = [put(project, run="run-2", events=2), put(project, run="run-2", events=9, phase="end")]
    put(project, run="run-3")
    no_children = project.repository()
    no_children = replace(no_children, git=replace(no_children.git, program="/no/such/git"))

    assert latest_anchors(no_children, "run-2", back_to="start") == (mine[1], mine[0])


def test_where_the_beginning_is_further_back_the_whole_chain_is_read(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchors, "_NEWEST", 1)
    mine = [put(project, run="run-1", events=2), put(project, run="run-1", events=9, phase="end")]
    put(project, run="run-2")

    assert latest_anchors(project.repository(), "run-1", back_to="start") == (mine[1], mine[0])
    assert latest_anchors(project.repository(), "run-9", back_to="start") == ()


def test_a_damaged_link_among_the_newest_is_refused(project: Project) -> None:
    put(project)
    tree = project.git("rev-parse", "HEAD^{tree}")
    set_ref(project.repository(), ANCHORS, project.git("commit-tree", tree, "-m", "x"), reason="damage")

    with pytest.raises(RepositoryFault, match="not an anchor"):
        latest_anchors(project.repository(), "run-1", back_to="start")
