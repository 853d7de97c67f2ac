"""Root in a user's repository, and users who may not write everywhere."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev_agent.programs.report import Outcome
from tests.programs.conftest import NO_GATES, Shop
from tests.programs.shapes.scene import MODIFY, SMALL, applied, proposing, shop_of
from tests.testing.children import in_child

USER = 65534

LAX = NO_GATES.replace("[gates]", '[sandbox]\nconfinement = "optional"\n[gates]')
"""No code is run for these: the user needs no interpreter of root's, only one to look at."""

PYTHON = shutil.which("python3", path="/usr/bin:/usr/local/bin")

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or PYTHON is None, reason="only root can become somebody else, who needs a Python"
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may go through, which pytest's own is not."""
    top = Path(tempfile.mkdtemp(prefix="shapes-test-"))
    top.chmod(0o755)
    yield top
    shutil.rmtree(top)


def theirs(shop: Shop, top: Path) -> None:
    """Everything in `top` is the user's, and root says that this is well."""
    shop.project.git("config", "--global", "safe.directory", "*")
    for folder, names, files in os.walk(top):
        for name in [".", *names, *files]:
            os.chown(Path(folder, name), USER, USER, follow_symlinks=False)


def as_user(work: Callable[[], object]) -> int:
    """Do `work` as the user in a child; its wait status, and its error on stderr."""

    def there() -> None:
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
        # Root's own may lie where nobody else may go.
        sys.executable = str(PYTHON)
        try:
            work()
        except BaseException:
            traceback.print_exc()
            raise

    return in_child(there)


@needs_root
def test_root_leaves_every_file_to_the_user_and_the_user_goes_on_without_root(open_folder: Path) -> None:
    shop = shop_of(open_folder, {**SMALL, "dev-agent.toml": f'python = "{PYTHON}"\n'.encode()})
    theirs(shop, open_folder)
    change = {"a.txt": b"ours\n", "n/m/new": b"n\n", "b.txt": None, "l": ("120000", b"a.txt")}
    report = applied(shop, change)
    assert report.outcome is Outcome.COMMITTED, report
    roots = [str(path) for path in shop.root.rglob("*") if path.lstat().st_uid != USER]
    assert roots == []

    def goes_on() -> None:
        shop.project.commit("mine", {f"mine-{number}": b"%d\n" % number for number in range(40)})
        mine = applied(shop, {"a.txt": b"mine now\n"}, policy=LAX, sandbox="off")
        assert mine.outcome is Outcome.COMMITTED, mine

    assert as_user(goes_on) == 0
    assert applied(shop, {"a.txt": b"root again\n"}).outcome is Outcome.COMMITTED


@needs_root
def test_what_the_user_linked_into_the_git_dir_stays_roots(open_folder: Path) -> None:
    shop = shop_of(open_folder)
    theirs(shop, open_folder)
    pointed_at, named_twice = open_folder / "pointed-at", open_folder / "named-twice"
    pointed_at.write_bytes(b"root's\n")
    named_twice.write_bytes(b"root's\n")
    (shop.project.git_dir / "objects/symlink").symlink_to(pointed_at)
    (shop.project.git_dir / "logs/hardlink").hardlink_to(named_twice)
    (shop.project.git_dir / "refs/outside").symlink_to(open_folder.parent)
    assert applied(shop, MODIFY).outcome is Outcome.COMMITTED
    assert [path.stat().st_uid for path in (pointed_at, named_twice, open_folder.parent)] == [0, 0, 0]


@needs_root
@pytest.mark.parametrize("shut", [".", "src", ".git/refs/heads"])
def test_a_folder_the_user_may_not_write_to_keeps_the_change(open_folder: Path, shut: str) -> None:
    shop = shop_of(open_folder, {**SMALL, "dev-agent.toml": f'python = "{PYTHON}"\n'.encode()})
    theirs(shop, open_folder)
    change = {"src/c.py": b"FIVE = 5\n", "new": b"n\n"}
    patch = proposing(shop.project, change)
    theirs(shop, open_folder)
    (shop.root / shut).chmod(0o555)

    def refused() -> None:
        before = shop.project.snapshot()
        report = shop.apply(patch, policy=LAX, sandbox="off")
        assert (report.outcome, report.reason) == (Outcome.KEPT, "no-write-permission"), report
        assert shop.project.snapshot() == before

    assert as_user(refused) == 0
    (shop.root / shut).chmod(0o755)

    def lands_then() -> None:
        assert shop.resume("last").outcome is Outcome.COMMITTED

    assert as_user(lands_then) == 0


@needs_root
def test_a_git_dir_the_user_may_not_write_to_is_said_in_one_sentence(open_folder: Path) -> None:
    shop = shop_of(open_folder)
    patch = proposing(shop.project, MODIFY)
    shop.project.git("config", "--global", "safe.directory", "*")
    before = shop.project.snapshot()

    def refused() -> None:
        with pytest.raises(OSError, match="Permission denied"):
            shop.apply(patch, policy=LAX, sandbox="off")

    assert as_user(refused) == 0
    assert shop.project.snapshot() == before
