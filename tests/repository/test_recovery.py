"""What recovery finds, what it may remove, and what it must leave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev_agent.repository.landing.index_lock import take_index_lock
from dev_agent.repository.landing.journal import Journal, NewerJournal, write_journal
from dev_agent.repository.landing.outcome import Blocked, Landed
from dev_agent.repository.landing.ref_locks import drop_stale_ref_locks
from dev_agent.repository.landing.transaction import Transaction
from dev_agent.repository.lock import land_lock_held
from dev_agent.repository.recovery import RecoveryReport, recover
from tests.repository.landing.landing_scene import (
    FULL_CHANGE,
    Scene,
    died_at,
    files_of,
    leftovers,
    make_scene,
    snapshot,
    status,
)


def journal_for(tx: Transaction, scene: Scene, commit: str) -> Journal:
    return Journal(
        id=tx.id,
        run="run-1",
        ref="refs/heads/main",
        expected=scene.head(),
        commit=commit,
        tree=scene.git("rev-parse", f"{commit}^{{tree}}"),
        has_work_tree=True,
        exchange=True,
        noreplace=True,
        durable=False,
    )


def test_with_nothing_to_do_no_child_is_started_and_nothing_written(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    repository = scene.repository
    before = files_of(scene.root, ignoring="no such folder")
    watched: list[str] = []
    sys.addaudithook(
        lambda event, _: watched.append(event) if watching and event.startswith("subprocess") else None
    )
    watching = [1]
    assert recover(repository) == RecoveryReport()
    watching.clear()
    assert watched == []
    assert files_of(scene.root, ignoring="no such folder") == before


def test_a_transaction_that_never_began_is_swept(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    before = snapshot(scene)
    tx = Transaction.create(scene.repository)
    (tx.files / "0").write_bytes(b"new\n")
    (tx.folder / "journal.tmp").write_bytes(b"{")
    take_index_lock(scene.repository, tx, wait_s=0)
    report = recover(scene.repository)
    assert report.actions == (f"removed what transaction {tx.id} left",)
    assert snapshot(scene) == before


def test_a_damaged_journal_is_kept_aside_with_its_files_and_the_lock_freed(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    tx = Transaction.create(scene.repository)
    (tx.files / "0").write_bytes(b"perhaps the only copy\n")
    tx.journal.write_bytes(b'{"v": 1')
    take_index_lock(scene.repository, tx, wait_s=0)
    before = files_of(scene.root)
    report = recover(scene.repository)
    assert "cannot be read" in report.actions[0]
    assert (tx.kept / "f" / "0").read_bytes() == b"perhaps the only copy\n"
    assert not (scene.root / ".git" / "index.lock").exists()
    assert files_of(scene.root) == before
    assert [kept.folder for kept in recover(scene.repository).kept] == [tx.kept]


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"{}",
        b'{"v": 0}',
        b'{"v": 1}',
        b'{"v": 1, "id": 7}',
        b"\xff",
        b'{"v": 1, "id": "", "run": "", "ref": "", "expected": 5}',
    ],
)
def test_every_kind_of_damage_is_recognised(tmp_path: Path, text: bytes) -> None:
    scene = make_scene(tmp_path)
    tx = Transaction.create(scene.repository)
    tx.journal.write_bytes(text)
    assert "cannot be read" in recover(scene.repository).actions[0]
    assert tx.kept.is_dir()


def test_a_newer_versions_transaction_is_refused_and_untouched(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    tx = Transaction.create(scene.repository)
    tx.journal.write_bytes(b'{"v": 2, "something": "new"}')
    before = files_of(tx.folder)
    with pytest.raises(NewerJournal, match="newer dev-agent") as raised:
        recover(scene.repository)
    assert raised.value.code == "newer-transaction"
    assert files_of(tx.folder) == before


def test_a_held_land_lock_is_reported_with_its_holder_and_nothing_done(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    Transaction.create(scene.repository)
    before = leftovers(scene)
    with land_lock_held(scene.repository, "landing for run other", timeout_s=0):
        report = recover(scene.repository, timeout_s=0)
    assert report.busy.endswith("landing for run other")
    assert report.actions == ()
    assert leftovers(scene) == before


def test_an_orphan_that_inherited_the_land_lock_still_holds_it(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    Transaction.create(scene.repository)
    reading, writing = os.pipe()
    with land_lock_held(scene.repository, "landing", timeout_s=0) as fd:
        orphan = subprocess.Popen(["cat"], stdin=reading, stdout=subprocess.DEVNULL, pass_fds=(fd,))
    os.close(reading)
    assert recover(scene.repository, timeout_s=0).busy
    os.close(writing)
    orphan.wait()
    assert recover(scene.repository, timeout_s=0).busy == ""
    assert leftovers(scene) == []


class TestRefLocks:
    """A lock is removed only with a proof that nobody holds it."""

    def begun(self, tmp_path: Path) -> tuple[Scene, Transaction, str]:
        scene = make_scene(tmp_path)
        commit = scene.propose({"a.txt": b"ours\n"})
        tx = Transaction.create(scene.repository)
        write_journal(tx.journal, journal_for(tx, scene, commit))
        return scene, tx, commit

    @pytest.mark.parametrize("cut", [0, 7, 41], ids=["empty", "cut short", "whole"])
    def test_our_own_is_removed_and_the_branch_can_move_again(self, tmp_path: Path, cut: int) -> None:
        scene, _, commit = self.begun(tmp_path)
        lock = scene.root / ".git" / "refs" / "heads" / "main.lock"
        lock.write_text(f"{commit}\n"[:cut])
        (scene.root / ".git" / "HEAD.lock").write_bytes(b"")
        recover(scene.repository)
        assert leftovers(scene) == []
        scene.commit({"b.txt": b"mine\n"})

    def test_one_older_than_the_journal_stays(self, tmp_path: Path) -> None:
        scene, _, commit = self.begun(tmp_path)
        lock = scene.root / ".git" / "refs" / "heads" / "main.lock"
        lock.write_text(f"{commit}\n")
        os.utime(lock, ns=(0, 0))
        recover(scene.repository)
        assert lock.exists()

    def test_one_with_another_value_stays(self, tmp_path: Path) -> None:
        scene, _, _ = self.begun(tmp_path)
        lock = scene.root / ".git" / "refs" / "heads" / "main.lock"
        lock.write_text(f"{scene.head()}\n")
        recover(scene.repository)
        assert lock.exists()

    def test_an_empty_one_that_a_process_has_open_stays(self, tmp_path: Path) -> None:
        scene, tx, commit = self.begun(tmp_path)
        lock = scene.root / ".git" / "refs" / "heads" / "main.lock"
        reading, writing = os.pipe()
        with lock.open("wb") as file:
            holder = subprocess.Popen(["cat"], stdin=reading, stdout=file)
        os.close(reading)
        assert drop_stale_ref_locks(scene.repository, tx, journal_for(tx, scene, commit)) == ()
        assert lock.exists()
        os.close(writing)
        holder.wait()
        assert drop_stale_ref_locks(scene.repository, tx, journal_for(tx, scene, commit)) == (lock,)

    def test_an_empty_one_stays_while_some_git_works_in_the_repository(self, tmp_path: Path) -> None:
        scene, tx, commit = self.begun(tmp_path)
        lock = scene.root / ".git" / "refs" / "heads" / "main.lock"
        lock.write_bytes(b"")
        busy = subprocess.Popen(
            ["git", "cat-file", "--batch"],
            cwd=scene.root,
            env=scene.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert busy.stdin is not None
        assert busy.stdout is not None
        busy.stdin.write(b"HEAD\n")
        busy.stdin.flush()
        busy.stdout.readline()
        assert drop_stale_ref_locks(scene.repository, tx, journal_for(tx, scene, commit)) == ()
        busy.communicate()
        assert drop_stale_ref_locks(scene.repository, tx, journal_for(tx, scene, commit)) == (lock,)

    def test_leaked_locks_of_our_own_refs_are_removed(self, tmp_path: Path) -> None:
        scene = make_scene(tmp_path)
        lock = scene.root / ".git" / "refs" / "dev-agent" / "staged" / "run-1.lock"
        lock.parent.mkdir(parents=True)
        lock.write_bytes(b"")
        assert recover(scene.repository).actions == (f"removed the stale lock {lock}",)
        assert leftovers(scene) == []


def test_an_edit_made_on_the_mixture_survives_recovery_and_the_old_file_is_kept(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "installed", dict(FULL_CHANGE))
    scene.write("a.txt", b"typed on the mixture\n")
    scene.write("src/c.py", b"made again\n")
    report = recover(scene.repository)
    assert (scene.root / "a.txt").read_bytes() == b"typed on the mixture\n"
    assert (scene.root / "src" / "c.py").read_bytes() == b"made again\n"
    assert (scene.root / "src" / "deep" / "d.py").read_bytes() == b"four\n"
    assert {path: file.read_bytes() for path, file in report.settled[0].kept[0].files} == {
        "a.txt": b"one\n",
        "src/c.py": b"three\n",
    }
    assert recover(scene.repository).kept == report.kept
    assert sorted(status(scene).splitlines()) == [" M a.txt", " M src/c.py"]


def test_a_commit_made_on_top_of_the_new_one_still_means_forward(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "committed", {"a.txt": b"ours\n"})
    tip = scene.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "on top")
    scene.git("update-ref", "refs/heads/main", tip)
    assert [settled.landed for settled in recover(scene.repository).settled] == [True]
    assert scene.head() == tip
    assert status(scene) == ""


def test_a_branch_set_back_by_hand_before_recovery_means_back(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    base = scene.head()
    assert base is not None
    died_at(scene, "committed", {"a.txt": b"ours\n"})
    scene.git("update-ref", "refs/heads/main", base)
    assert [settled.landed for settled in recover(scene.repository).settled] == [False]
    assert status(scene) == ""
    assert (scene.root / "a.txt").read_bytes() == b"one\n"


def test_files_somebody_still_writes_to_stay_until_nobody_does(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "installed", {"new": b"theirs\n"})
    with (scene.root / "new").open("ab"):
        recover(scene.repository)
        assert leftovers(scene) != []
        assert status(scene) == ""
    recover(scene.repository)
    assert leftovers(scene) == []


def test_a_landing_after_a_refused_one_with_kept_files_is_not_held_up(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    hook = scene.hook(
        "reference-transaction", f"test $1 = prepared && echo m >> {scene.root}/a.txt; test $1 != prepared"
    )
    assert isinstance(scene.land(scene.request(scene.propose({"a.txt": b"ours\n"}))), Blocked)
    hook.unlink()
    assert isinstance(scene.land(scene.request(scene.propose({"b.txt": b"ours\n"}))), Landed)
    assert len(recover(scene.repository).kept) == 1
