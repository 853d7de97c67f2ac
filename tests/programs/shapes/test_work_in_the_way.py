"""What the user has unfinished: outside the change it survives bit for bit, inside it nothing lands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dev_agent.errors import RepositoryFault
from dev_agent.programs.folders import all_runs
from dev_agent.programs.report import Outcome
from tests.programs.conftest import Shop
from tests.programs.shapes.scene import MODIFY, lands, proposing, refuses, shop_of
from tests.testing.repos import File

Arrange = Callable[[Shop], object]
DIR_TO_FILE: Mapping[str, File | None] = {"src/deep/d.py": None, "src/deep": b"now a file\n"}


def write(path: str, content: File) -> Arrange:
    return lambda shop: shop.project.write(path, content)


def git(*args: str) -> Arrange:
    return lambda shop: shop.project.git(*args)


def staged_but_back_on_disk(shop: Shop) -> None:
    shop.project.write("a.txt", b"staged\n")
    shop.project.git("add", "a.txt")
    shop.project.write("a.txt", b"one\n")


def staged(shop: Shop) -> None:
    shop.project.write("a.txt", b"staged\n")
    shop.project.git("add", "a.txt")


def behind_a_symlink(shop: Shop) -> None:
    (shop.root / "src").rename(shop.root / "elsewhere")
    (shop.root / "src").symlink_to("elsewhere")


IN_THE_WAY: dict[str, tuple[Arrange, Mapping[str, File | None], str, str]] = {
    "dirty file": (write("a.txt", b"mine\n"), MODIFY, "dirty-overlap", "a.txt"),
    "dirty by mode only": (
        lambda shop: (shop.root / "a.txt").chmod(0o755), MODIFY, "dirty-overlap", "a.txt",
    ),
    "staged file": (staged, MODIFY, "staged-overlap", "a.txt"),
    "staged though back on disk": (staged_but_back_on_disk, MODIFY, "staged-overlap", "a.txt"),
    "untracked file": (write("new/e", b"mine\n"), {"new/e": b"ours\n"}, "untracked-overlap", "new/e"),
    "ignored file, which git would overwrite": (
        write("k.ignored", b"precious\n"), {"k.ignored": b"ours\n"}, "untracked-overlap", "k.ignored",
    ),
    "untracked file in a folder that becomes a file": (
        write("src/deep/mine", b"m\n"), DIR_TO_FILE, "untracked-overlap", "src/deep/mine",
    ),
    "parent folder replaced by a symlink": (
        behind_a_symlink, {"src/c.py": b"FIVE = 5\n"}, "symlinked-parent", "src",
    ),
    "assumed unchanged": (
        git("update-index", "--assume-unchanged", "a.txt"), MODIFY, "assume-unchanged", "a.txt",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_work_in_the_way_keeps_the_change_and_not_a_byte_is_touched(tmp_path: Path, case: str) -> None:
    arrange, change, code, path = IN_THE_WAY[case]
    shop = shop_of(tmp_path)
    arrange(shop)
    refuses(shop, change, code, path)


def test_what_was_in_the_way_is_named_and_once_gone_the_kept_change_lands(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    shop.project.write("a.txt", b"mine\n")
    kept = refuses(shop, MODIFY, "dirty-overlap", "a.txt")
    shop.project.write("a.txt", b"one\n")
    assert shop.resume(kept.run).outcome is Outcome.COMMITTED
    assert (shop.root / "a.txt").read_bytes() == b"ours\n"


def test_unfinished_work_outside_the_change_survives_bit_for_bit(tmp_path: Path) -> None:
    """Dirty, staged, both, taken out of the index, intended to add, untracked, ignored, an empty folder."""
    names = ("dirty", "staged", "both", "uncached")
    shop = shop_of(
        tmp_path, {"a.txt": b"one\n", ".gitignore": b"*.ignored\n", **dict.fromkeys(names, b"0\n")}
    )
    for name, content in {"dirty": b"1\n", "staged": b"1\n", "both": b"1\n", "intended": b"i\n"}.items():
        shop.project.write(name, content)
    shop.project.git("add", "staged", "both")
    shop.project.git("add", "-N", "intended")
    shop.project.git("rm", "-q", "--cached", "uncached")
    shop.project.write("both", b"2\n")
    shop.project.write("untracked", b"u\n")
    shop.project.write("some.ignored", b"g\n")
    (shop.root / "empty").mkdir()
    status, index = shop.status(), shop.project.git("ls-files", "--stage", "-v")
    before = _others(shop)
    lands(shop, MODIFY, clean=False)
    assert shop.status() == status
    assert _others(shop) == before
    after = shop.project.git("ls-files", "--stage", "-v")
    assert [row for row in after.splitlines() if "a.txt" not in row] == [
        row for row in index.splitlines() if "a.txt" not in row
    ]
    assert (shop.root / "empty").is_dir()


def _others(shop: Shop) -> dict[str, tuple[str, str, int]]:
    return {
        path: state
        for path, state in shop.project.snapshot().items()
        if path != "a.txt" and not path.startswith(".git/")
    }


OPERATIONS = {
    "merge": ("MERGE_HEAD", False),
    "cherry-pick": ("CHERRY_PICK_HEAD", False),
    "revert": ("REVERT_HEAD", False),
    "bisect": ("BISECT_LOG", False),
    "rebase": ("rebase-merge", True),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_in_progress_is_refused_before_a_run_is_made(tmp_path: Path, operation: str) -> None:
    shop = shop_of(tmp_path)
    name, folder = OPERATIONS[operation]
    place = shop.project.git_dir / name
    place.mkdir() if folder else place.write_text(f"{shop.head()}\n")
    patch, before = proposing(shop.project, MODIFY), shop.project.snapshot()
    with pytest.raises(RepositoryFault, match=operation) as caught:
        shop.apply(patch)
    assert caught.value.code == "operation-in-progress"
    assert shop.project.snapshot() == before
    assert all_runs(shop.repository()) == ()


def test_unresolved_conflicts_without_an_operation_keep_the_change(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    blob = shop.project.blob(b"x\n")
    rows = "".join(f"100644 {blob} {stage}\tb.txt\n" for stage in (1, 2, 3))
    shop.project.git("update-index", "--index-info", stdin=f"0 {'0' * 40}\tb.txt\n{rows}".encode())
    refuses(shop, MODIFY, "unmerged-index", "b.txt")


def test_an_index_lock_of_the_users_is_waited_for_then_refused_and_left(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    patch = proposing(shop.project, MODIFY)
    lock = shop.project.git_dir / "index.lock"
    lock.write_bytes(b"somebody's")
    before = shop.project.snapshot()
    report = shop.apply(patch)
    assert (report.outcome, report.reason) == (Outcome.KEPT, "index-locked"), report
    assert shop.project.snapshot() == before
    lock.unlink()
    assert shop.resume(report.run).outcome is Outcome.COMMITTED


def test_a_hard_link_is_broken_as_git_breaks_it(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    (tmp_path / "other").hardlink_to(shop.root / "a.txt")
    lands(shop, MODIFY)
    assert (tmp_path / "other").read_bytes() == b"one\n"


def test_private_and_group_permissions_of_a_changed_file_are_kept(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    (shop.root / "a.txt").chmod(0o600)
    (shop.root / "b.txt").chmod(0o664)
    lands(shop, {"a.txt": b"ours\n", "b.txt": b"ours\n"})
    modes = [(shop.root / name).stat().st_mode & 0o777 for name in ("a.txt", "b.txt")]
    assert modes == [0o600, 0o664]
