from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dev_agent.repository.confined import ConfinedFolder, remove_all
from tests.testing.children import in_child


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a symlink to a folder outside that holds `precious`."""
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_bytes(b"!")
    (tmp_path / "root" / "way").symlink_to("../outside")
    return tmp_path / "root"


def outside(root: Path) -> list[tuple[str, bytes, int]]:
    folder = root.parent / "outside"
    return [(path.name, path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()]


def test_no_operation_goes_through_a_symlink(root: Path, tmp_path: Path) -> None:
    (tmp_path / "source" / "way").mkdir(parents=True)
    (tmp_path / "source" / "way" / "precious").write_bytes(b"evil")
    before = outside(root)

    with ConfinedFolder(root) as folder, ConfinedFolder(tmp_path / "source") as source:
        folder.remove("way/precious")
        folder.remove_empty_parents("way/precious")
        operations: tuple[Callable[[], object], ...] = (
            lambda: folder.make_folder("way/new"),
            lambda: folder.stamp("way/precious", executable=True, seconds=1),
            lambda: folder.open_up("way"),
            lambda: folder.take(source, "way/precious"),
        )
        for operation in operations:
            with pytest.raises(OSError, match=r"way|Not a directory"):
                operation()

    assert outside(root) == before
    assert (root / "way").is_symlink()


def test_the_root_itself_must_be_a_folder(root: Path) -> None:
    with pytest.raises(OSError, match="way"), ConfinedFolder(root / "way"):
        pass


def test_removing_takes_the_link_not_its_target(root: Path) -> None:
    before = outside(root)
    with ConfinedFolder(root) as folder:
        folder.remove("way")
        folder.remove("way")
        folder.remove("not/here")

    assert list(root.iterdir()) == []
    assert outside(root) == before


def test_stamping_a_link_leaves_its_target_alone(root: Path) -> None:
    before = (root.parent / "outside").stat()
    with ConfinedFolder(root) as folder:
        folder.stamp("way", executable=True, seconds=5)

    assert (root / "way").lstat().st_mtime == 5
    after = (root.parent / "outside").stat()
    assert (after.st_mtime_ns, after.st_mode) == (before.st_mtime_ns, before.st_mode)


def test_a_folder_goes_with_all_it_holds(root: Path) -> None:
    (root / "d" / "e").mkdir(parents=True)
    (root / "d" / "e" / "f").write_bytes(b"")
    (root / "d" / "way").symlink_to("../../outside")
    with ConfinedFolder(root) as folder:
        folder.remove("d")

    assert not (root / "d").exists()
    assert (root.parent / "outside" / "precious").exists()


def test_only_empty_parents_go(root: Path) -> None:
    (root / "a" / "b" / "c").mkdir(parents=True)
    (root / "a" / "keep").write_bytes(b"")
    with ConfinedFolder(root) as folder:
        folder.remove_empty_parents("a/b/c/gone")
        folder.remove_empty_parents("no/such/path")

    assert sorted(path.name for path in (root / "a").iterdir()) == ["keep"]


def test_taking_replaces_files_and_empty_folders(root: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "d").mkdir(parents=True)
    for name in ("file", "folder", "d/new"):
        (source / name).write_bytes(b"taken")
    (root / "file").write_bytes(b"old")
    (root / "folder").mkdir()
    with ConfinedFolder(root) as folder, ConfinedFolder(source) as incoming:
        for name in ("file", "folder", "d/new"):
            folder.take(incoming, name)

    assert [(root / name).read_bytes() for name in ("file", "folder", "d/new")] == [b"taken"] * 3


def test_a_folder_that_holds_something_is_not_replaced(root: Path, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "d").write_bytes(b"taken")
    (root / "d").mkdir()
    (root / "d" / "kept").write_bytes(b"")
    with ConfinedFolder(root) as folder, ConfinedFolder(tmp_path / "source") as source:  # noqa: SIM117 - reads as two steps
        with pytest.raises(OSError, match="not empty"):
            folder.take(source, "d")

    assert (root / "d" / "kept").exists()


def test_all_is_removed_even_without_permission() -> None:
    # Not below tmp_path: its parents are closed to the user this test becomes.
    with tempfile.TemporaryDirectory() as name:
        everything = Path(name, "all")
        locked = everything / "locked"
        locked.mkdir(parents=True)
        (locked / "f").write_bytes(b"")
        (locked / "inner").mkdir()
        (locked / "way").symlink_to("/etc")
        (locked / "inner").chmod(0)
        locked.chmod(0o500)

        _as_somebody_without_power(Path(name), lambda: remove_all(everything))

        assert not everything.exists()
        remove_all(everything)


def _as_somebody_without_power(folder: Path, work: Callable[[], object]) -> None:
    """Run `work` without root's right to ignore permissions (in a child, if we are root)."""
    if os.geteuid() != 0:
        work()
        return
    nobody = pwd.getpwnam("nobody")
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)

    def give_up_and_work() -> None:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        work()

    assert in_child(give_up_and_work) == 0
