from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.sandbox.job import Mount, MountKind
from dev_agent.sandbox.mounts import MountRefused, check, enclosing, in_order, mount_points_in_place
from tests.sandbox.lab import DATA, READ_ONLY, SCRATCH, TMPFS, WRITABLE

REPO = Path("/repo")
names = st.lists(st.sampled_from("abc"), min_size=1, max_size=4)


def tmpfs(target: Path) -> Mount:
    return Mount(kind=TMPFS, target=target, size=1)


@pytest.mark.law
@given(
    st.sets(names.map(lambda parts: Path("/", *parts)), max_size=12).flatmap(
        lambda s: st.permutations(sorted(s))
    )
)
def test_no_mount_hides_an_earlier_one(targets: list[Path]) -> None:
    """Whatever order they are given in, a parent comes before what lies in it."""
    ordered = [mount.target for mount in in_order([tmpfs(target) for target in targets])]
    assert sorted(ordered) == sorted(targets)
    for position, target in enumerate(ordered):
        assert not any(later in target.parents for later in ordered[position:])


def test_two_mounts_on_one_target() -> None:
    with pytest.raises(MountRefused, match="two mounts on /repo"):
        in_order([tmpfs(REPO), tmpfs(REPO)])


@pytest.mark.parametrize("target", ["/", "/proc", "/proc/sys", "/dev/shm", "/sys/kernel"])
def test_places_that_are_the_sandboxes_own(target: str) -> None:
    with pytest.raises(MountRefused, match="the sandbox's own"):
        in_order([tmpfs(Path(target))])


def test_the_innermost_mount_encloses() -> None:
    mounts = [tmpfs(REPO), tmpfs(REPO / "a"), tmpfs(REPO / "a/b/c"), tmpfs(Path("/repository"))]
    assert enclosing(mounts[2], mounts) is mounts[1]
    assert enclosing(mounts[3], mounts) is None


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    slot = tmp_path / "slot"
    (slot / "folder").mkdir(parents=True)
    (slot / "file").touch()
    (slot / "link").symlink_to("folder")
    os.mkfifo(slot / "fifo")
    (tmp_path / "alias").symlink_to(slot)
    return slot


def staged(tree: Path, *inside: Mount) -> list[Mount]:
    return [Mount(kind=READ_ONLY, target=REPO, source=tree), *inside]


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        (tmpfs(REPO / "link"), "through a symlink"),
        (tmpfs(REPO / "link/deeper"), "through a symlink"),
        (Mount(kind=DATA, target=REPO / "link"), "through a symlink"),
        (tmpfs(REPO / "file"), "is no directory"),
        (tmpfs(REPO / "file/deeper"), "is no directory"),
        (Mount(kind=DATA, target=REPO / "folder"), "is a directory"),
        (Mount(kind=DATA, target=REPO / "fifo"), "is no regular file"),
    ],
)
def test_mount_points_the_change_had_a_say_in(tree: Path, inside: Mount, says: str) -> None:
    with pytest.raises(MountRefused, match=says):
        check(staged(tree, inside))


@pytest.mark.parametrize(
    ("kind", "source", "says"),
    [
        (READ_ONLY, "missing", "No such file"),
        (READ_ONLY, "../alias", "is a symlink; resolve it first"),
        (READ_ONLY, "fifo", "is no directory"),
        (WRITABLE, "file", "is no directory"),
        (SCRATCH, "file", "is no directory"),
    ],
)
def test_sources_that_cannot_be_mounted(tree: Path, kind: MountKind, source: str, says: str) -> None:
    place = Path(os.path.normpath(tree / source))
    with pytest.raises(MountRefused, match=says):
        check([Mount(kind=kind, target=REPO, source=place)])


def test_a_mount_inside_a_file() -> None:
    with pytest.raises(MountRefused, match="inside a file mounted on"):
        check([Mount(kind=DATA, target=REPO), tmpfs(REPO / "a")])
    source = Path(__file__).resolve()
    with pytest.raises(MountRefused, match="inside a file mounted on"):
        check([Mount(kind=READ_ONLY, target=REPO, source=source), tmpfs(REPO / "a")])


def test_what_lies_in_the_hosts_own_directories_is_looked_at_too() -> None:
    check([tmpfs(Path("/usr/share"))])
    check([tmpfs(REPO), tmpfs(REPO / "a")])
    if Path("/bin").is_symlink():
        with pytest.raises(MountRefused, match="through a symlink: /bin"):
            check([tmpfs(Path("/bin/folder"))])


def snapshot(tree: Path) -> list[str]:
    return sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))


def test_missing_mount_points_are_there_inside_and_gone_after(tree: Path) -> None:
    before = snapshot(tree)
    mounts = in_order(
        staged(
            tree,
            Mount(kind=DATA, target=REPO / ".git"),
            tmpfs(REPO / "deep/er/.venv"),
            tmpfs(REPO / "folder"),
            Mount(kind=DATA, target=REPO / "file"),
            tmpfs(Path("/elsewhere")),
        )
    )
    with mount_points_in_place(mounts, {REPO: tree}):
        assert (tree / ".git").is_file()
        assert (tree / "deep/er/.venv").is_dir()
    assert snapshot(tree) == before


def test_a_mount_point_that_got_content_stays(tree: Path) -> None:
    mounts = staged(tree, Mount(kind=DATA, target=REPO / "new"), tmpfs(REPO / "folder2"))
    with mount_points_in_place(mounts, {REPO: tree}):
        (tree / "new").chmod(0o644)
        (tree / "new").write_text("somebody's")
        (tree / "folder2/kept").touch()
    assert (tree / "new").read_text() == "somebody's"
    assert (tree / "folder2/kept").exists()


def test_a_mount_point_that_cannot_be_made(tree: Path) -> None:
    with (
        pytest.raises(MountRefused, match=r"/repo/link/a does not exist in .* cannot be made there"),
        mount_points_in_place(staged(tree, tmpfs(REPO / "link/a")), {REPO: tree}),
    ):
        raise AssertionError("not reached")
    assert list((tree / "folder").iterdir()) == []


def test_a_mount_point_stays_while_another_job_uses_the_tree(tree: Path) -> None:
    before = snapshot(tree)
    mounts = staged(tree, tmpfs(REPO / ".venv"), Mount(kind=DATA, target=REPO / ".git"))
    second = mount_points_in_place(mounts, {REPO: tree})
    with mount_points_in_place(mounts, {REPO: tree}):
        second.__enter__()
    assert (tree / ".venv").is_dir()
    assert (tree / ".git").is_file()
    second.__exit__(None, None, None)
    assert snapshot(tree) == before
