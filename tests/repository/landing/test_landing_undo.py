"""The way back from states that only a kill in the middle of a rename, or of another way back, can leave.

Each state is made by hand on top of a landing that died, and recovered twice: the second time nothing happens.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from dev_agent.repository.landing.transaction import Transaction, leftover_transactions
from dev_agent.repository.recovery import RecoveryReport, recover
from dev_agent.repository.rename import Moves
from tests.repository.landing.landing_scene import (
    File,
    Scene,
    died_at,
    files_of,
    leftovers,
    make_scene,
    status,
)

LINKS = Moves(exchange=False, noreplace=False)


def only_transaction(scene: Scene) -> Transaction:
    (found,) = leftover_transactions(scene.repository)
    return found


def recovered(scene: Scene) -> dict[str, bytes]:
    """What was kept, by path; a second recovery changes nothing."""
    report = recover(scene.repository)
    state = files_of(scene.root)
    assert leftover_transactions(scene.repository) == []
    assert not (scene.root / ".git" / "index.lock").exists()
    assert recover(scene.repository) == RecoveryReport(kept=report.kept)
    assert files_of(scene.root) == state
    return {path: file.read_bytes() for kept in report.kept for path, file in kept.files}


def test_killed_between_link_and_unlink_of_an_addition(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    before = files_of(scene.root)
    died_at(scene, "prepared index", {"new": b"theirs\n"}, moves=LINKS)
    os.link(only_transaction(scene).files / "0", scene.root / "new")
    assert recovered(scene) == {}
    assert files_of(scene.root) == before
    assert leftovers(scene) == []


def test_killed_there_and_then_edited_in_place_by_the_user(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "prepared index", {"new": b"theirs\n"}, moves=LINKS)
    os.link(only_transaction(scene).files / "0", scene.root / "new")
    with (scene.root / "new").open("ab") as file:
        file.write(b"and mine\n")
    assert recovered(scene) == {}
    assert (scene.root / "new").read_bytes() == b"theirs\nand mine\n"


def test_killed_while_looking_at_the_second_link(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    before = files_of(scene.root)
    died_at(scene, "prepared index", {"new": b"theirs\n"}, moves=LINKS)
    slot = only_transaction(scene).files / "0"
    os.link(slot, slot.with_name("0.out"))
    assert recovered(scene) == {}
    assert files_of(scene.root) == before
    assert leftovers(scene) == []


def test_killed_between_link_and_unlink_of_putting_a_deleted_file_back(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    before = files_of(scene.root)
    died_at(scene, "installed", {"a.txt": None}, moves=LINKS)
    os.link(only_transaction(scene).files / "0", scene.root / "a.txt")
    assert recovered(scene) == {}
    assert files_of(scene.root) == before
    assert leftovers(scene) == []


@pytest.mark.parametrize("occupied", [False, True], ids=["free", "taken again"])
def test_the_users_file_taken_out_for_a_look_goes_back_or_is_kept(tmp_path: Path, occupied: bool) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "installed", {"new": b"theirs\n"})
    (scene.root / "new").write_bytes(b"mine\n")
    (scene.root / "new").rename(only_transaction(scene).files / "0")
    if occupied:
        scene.write("new", b"mine, again\n")
    assert recovered(scene) == ({"new": b"mine\n"} if occupied else {})
    assert (scene.root / "new").read_bytes() == (b"mine, again\n" if occupied else b"mine\n")


def test_the_users_file_swapped_out_and_never_looked_at_goes_back(tmp_path: Path) -> None:
    """Killed after the exchange that took the user's edit, before it was noticed."""
    scene = make_scene(tmp_path)
    died_at(scene, "installed", {"a.txt": b"theirs\n"})
    (only_transaction(scene).files / "0").write_bytes(b"mine\n")
    assert recovered(scene) == {}
    assert (scene.root / "a.txt").read_bytes() == b"mine\n"


def test_killed_in_the_middle_of_looking_at_the_users_edit(tmp_path: Path) -> None:
    """The way back had put the old file there and had the user's in its slot."""
    scene = make_scene(tmp_path)
    died_at(scene, "installed", {"a.txt": b"theirs\n"})
    (scene.root / "a.txt").write_bytes(b"one\n")
    (only_transaction(scene).files / "0").write_bytes(b"mine\n")
    assert recovered(scene) == {"a.txt": b"one\n"}
    assert (scene.root / "a.txt").read_bytes() == b"mine\n"


def test_two_edits_of_the_user_at_once_are_both_there_afterwards(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "installed", {"a.txt": b"theirs\n"})
    (scene.root / "a.txt").write_bytes(b"mine, later\n")
    (only_transaction(scene).files / "0").write_bytes(b"mine, earlier\n")
    assert recovered(scene) == {"a.txt": b"mine, earlier\n"}
    assert (scene.root / "a.txt").read_bytes() == b"mine, later\n"


def test_an_edit_swapped_out_of_a_path_that_was_then_deleted_goes_back(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "installed", {"a.txt": b"theirs\n"})
    (scene.root / "a.txt").unlink()
    (only_transaction(scene).files / "0").write_bytes(b"mine\n")
    assert recovered(scene) == {}
    assert (scene.root / "a.txt").read_bytes() == b"mine\n"


def test_the_users_file_where_its_folder_is_gone_is_kept(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "installed", {"n/new": b"theirs\n"})
    (only_transaction(scene).files / "0").write_bytes(b"mine\n")
    (scene.root / "n" / "new").unlink()
    (scene.root / "n").rmdir()
    assert recovered(scene) == {"n/new": b"mine\n"}


def test_the_users_bytes_left_in_a_slot_after_a_landing_are_kept(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "unlocked index", {"a.txt": b"theirs\n", "b.txt": None})
    for slot in only_transaction(scene).files.iterdir():
        with slot.open("ab") as file:
            file.write(b"written through an old descriptor\n")
    kept = recovered(scene)
    assert kept["a.txt"] == b"one\nwritten through an old descriptor\n"
    assert kept["b.txt"] == b"two\nwritten through an old descriptor\n"
    assert status(scene) == ""


def test_two_kept_files_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    died_at(scene, "installed", {"new": b"theirs\n"})
    tx = only_transaction(scene)
    tx.kept.mkdir()
    (tx.kept / "0-new").write_bytes(b"kept before\n")
    (scene.root / "new").rename(tx.files / "0")
    (tx.files / "0").write_bytes(b"mine\n")
    scene.write("new", b"mine, again\n")
    assert recovered(scene) == {"new": b"mine\n"}
    assert (tx.kept / "0-new").read_bytes() == b"kept before\n"


class TestOnAnotherFileSystem:
    """The git dir elsewhere: slots lie in the work tree under names that carry the transaction's id."""

    @pytest.fixture
    def scene(self, tmp_path: Path) -> Iterator[Scene]:
        shm = Path("/dev/shm")
        if not os.access(shm, os.W_OK) or shm.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("no second file system to write to")
        root = shm / f"dev-agent-test-{os.getpid()}-{tmp_path.name}"
        yield make_scene(tmp_path, None, f"--separate-git-dir={tmp_path / 'gitdir'}", root=root)
        shutil.rmtree(root)

    def clean(self, scene: Scene) -> bool:
        return not [path for path in files_of(scene.root) if ".dev-agent" in path]

    CHANGE: ClassVar[dict[str, File]] = {
        "a.txt": b"theirs\n",
        "src/c.py": None,
        "n/e": b"e\n",
        "link": ("120000", b"z"),
    }

    @pytest.mark.parametrize(
        "point", ["staged 1", "staged", "begun", "renamed 0", "installed", "committed", "closed"]
    )
    def test_a_kill_leaves_nothing_in_the_work_tree(self, scene: Scene, point: str) -> None:
        before = files_of(scene.root)
        died_at(scene, point, self.CHANGE)
        recover(scene.repository)
        assert self.clean(scene)
        assert leftovers(scene) == []
        assert status(scene) == ""
        assert (files_of(scene.root) == before) == (point not in ("committed", "closed"))

    def test_what_cannot_go_back_is_copied_to_the_kept_files(self, scene: Scene) -> None:
        died_at(scene, "installed", {"a.txt": b"theirs\n", "link": ("120000", b"z")})
        scene.write("a.txt", b"mine\n")
        scene.write("link", b"mine, a file now\n")
        report = recover(scene.repository)
        kept = dict(report.kept[0].files)
        assert kept["a.txt"].read_bytes() == b"one\n"
        assert kept["link"].readlink() == Path("a.txt")
        assert (scene.root / "a.txt").read_bytes() == b"mine\n"
        assert self.clean(scene)
