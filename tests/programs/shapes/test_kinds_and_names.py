"""Kinds of files, changes between them, and names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dev_agent.programs.report import Outcome
from tests.programs.shapes.scene import lands, refuses, shop_of
from tests.testing.repos import File, make_repository

KINDS: dict[str, tuple[Mapping[str, File], Mapping[str, File | None]]] = {
    "exec bit on": ({"f": b"x\n"}, {"f": ("100755", b"x\n")}),
    "exec bit off": ({"f": ("100755", b"x\n")}, {"f": b"x\n"}),
    "symlink to another target": ({"f": ("120000", b"a"), "a": b"", "b": b""}, {"f": ("120000", b"b")}),
    "file to symlink": ({"f": b"x\n", "x": b""}, {"f": ("120000", b"x")}),
    "symlink to file": ({"f": ("120000", b"x"), "x": b""}, {"f": b"x\n"}),
    "file to folder": ({"f": b"x\n"}, {"f": None, "f/g/h": b"y\n"}),
    "folder to file": ({"f/g/h": b"y\n", "f/i": b"z\n"}, {"f/g/h": None, "f/i": None, "f": b"x\n"}),
    "symlink to folder": ({"f": ("120000", b"t"), "t/q": b"q\n"}, {"f": None, "f/g": b"y\n"}),
    "nested new folders": ({"f": b"x\n"}, {"n/m/l/k": b"k\n", "n/m/j": b"j\n"}),
    "last file of a folder deleted": ({"d/e/f": b"x\n", "k": b"k\n"}, {"d/e/f": None}),
    "rename": ({"old/name": b"long enough\n" * 9}, {"old/name": None, "new/name": b"long enough\n" * 9}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_change_lands_and_emptied_folders_go(tmp_path: Path, kind: str) -> None:
    before, change = KINDS[kind]
    shop = shop_of(tmp_path, before)
    lands(shop, change)
    copy = tmp_path / "copy"
    shop.project.git("clone", "--quiet", str(shop.root), str(copy))
    assert _shape(shop.root) == _shape(copy)


def _shape(root: Path) -> dict[str, tuple[bool, bool, bytes]]:
    return {
        str(path.relative_to(root)): (path.is_dir(), path.is_symlink(), _bytes(path))
        for path in root.rglob("*")
        if ".git" not in path.parts
    }


def _bytes(path: Path) -> bytes:
    if path.is_symlink():
        return bytes(path.readlink())
    return b"" if path.is_dir() else bytes([path.stat().st_mode & 0o100]) + path.read_bytes()


def test_a_folder_with_the_users_untracked_file_stays_when_its_last_file_goes(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    shop.project.write("src/deep/mine", b"mine\n")
    lands(shop, {"src/deep/d.py": None}, clean=False)
    assert shop.status() == "?? src/deep/mine"
    assert (shop.root / "src/deep/mine").read_bytes() == b"mine\n"


ODD_NAMES = [
    "tab\there", "new\nline", 'quo"te', "back\\slash", "-dash", "--option", "\udcff\udcfe", "ü", "*", "[a]",
    ":(top)x", "#", "'", "$(x)", "\r", "%s", " space", '"starts',
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES, ids=[ascii(name) for name in ODD_NAMES])
def test_files_with_odd_names_are_changed_and_deleted(tmp_path: Path, name: str) -> None:
    shop = shop_of(tmp_path, {name: b"one\n", f"{name}.gone": b"x\n", "plain": b"p\n"})
    report = lands(shop, {name: b"two\n", f"{name}.gone": None})
    assert (shop.root / name).read_bytes() == b"two\n"
    assert not (shop.root / f"{name}.gone").exists()
    undone = shop.undo(report.run)
    assert undone.outcome is Outcome.COMMITTED, undone
    assert (shop.root / name).read_bytes() == b"one\n"
    assert (shop.root / f"{name}.gone").read_bytes() == b"x\n"
    assert shop.status() == ""


@pytest.mark.parametrize("name", ["-dash", "--option", "ü", "*", "[a]", "#", "'", "$(x)", "%s", "a b/c d"])
def test_new_files_may_have_any_name_that_every_system_takes(tmp_path: Path, name: str) -> None:
    lands(shop_of(tmp_path), {name: b"new\n"})


@pytest.mark.parametrize("name", ["tab\there", "new\nline", "back\\slash", "aux.py", "a:b", "dot."])
def test_a_new_name_that_some_system_does_not_take_is_refused(tmp_path: Path, name: str) -> None:
    shop = shop_of(tmp_path)
    refuses(shop, {name: b"new\n"}, "unresolved", outcome=Outcome.REJECTED)


@pytest.mark.parametrize(
    "path",
    [".git/hooks/pre-commit", ".GIT/config", "git~1/config", ".g\u200cit/config", "../outside", "/abs"],
)
def test_a_path_into_git_or_out_of_the_tree_is_refused(tmp_path: Path, path: str) -> None:
    shop = shop_of(tmp_path)
    before = shop.project.snapshot()
    patch = f"--- /dev/null\n+++ {path}\n@@ -0,0 +1 @@\n+evil\n".encode()
    report = shop.apply(patch)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "unresolved"), report
    assert shop.project.snapshot() == before
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    "added", [{"A.TXT": b"a\n"}, {"SRC/e": b"a\n"}, {"e\u0301": b"a\n", "\u00e9": b"b\n"}], ids=ascii
)
def test_names_that_are_one_file_on_other_systems_are_refused(
    tmp_path: Path, added: Mapping[str, File]
) -> None:
    refuses(shop_of(tmp_path), added, "unresolved", outcome=Outcome.REJECTED)


def test_a_clash_of_case_that_the_base_has_already_is_no_obstacle(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, {"a.txt": b"one\n", "A.TXT": b"two\n"})
    lands(shop, {"a.txt": b"ours\n"})
    assert (shop.root / "A.TXT").read_bytes() == b"two\n"


def test_a_rename_by_case_only_lands(tmp_path: Path) -> None:
    """Deletions come before additions, so that a file system that folds case keeps the new name."""
    shop = shop_of(tmp_path, {"Name": b"long enough\n" * 9})
    lands(shop, {"Name": None, "name": b"long enough\n" * 9})
    assert [path.name for path in shop.root.iterdir() if path.name != ".git"] == ["name"]


def test_a_change_of_a_submodule_is_refused(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    shop.project.git("update-index", "--add", "--cacheinfo", f"160000,{shop.head()},vendored")
    shop.project.git("commit", "--quiet", "-m", "vendor")
    (shop.root / "vendored").mkdir()
    refuses(shop, {"vendored": None}, "unresolved", "vendored", outcome=Outcome.REJECTED)
    refuses(shop, {"vendored/f": b"x\n", "vendored": None}, "unresolved", outcome=Outcome.REJECTED)


def test_settings_of_submodules_are_refused(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    settings = {".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = y\n'}
    refuses(shop, settings, "submodule-change", ".gitmodules", outcome=Outcome.REJECTED)


def test_an_untouched_submodule_that_is_checked_out_is_no_obstacle(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    library = make_repository(tmp_path / "elsewhere", {"a.txt": b"one\n"})
    allow = ("-c", "protocol.file.allow=always")
    shop.project.git(*allow, "submodule", "--quiet", "add", str(library.root), "vendored")
    shop.project.git("commit", "--quiet", "-m", "vendor")
    lands(shop, {"a.txt": b"ours\n", "new": b"n\n"})
    assert (shop.root / "vendored/a.txt").read_bytes() == b"one\n"
    assert shop.project.git("submodule", "status").startswith(" ")
