"""Kinds, names, line endings, filters, modes and index formats that land as git itself would have them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dev_agent.repository.landing.outcome import Blocked, Code, Landed
from tests.repository.landing.landing_scene import File, files_of, leftovers, make_scene, status

KINDS: dict[str, tuple[dict[str, File], dict[str, File]]] = {
    "exec bit on": ({"f": b"x"}, {"f": ("100755", b"x")}),
    "exec bit off": ({"f": ("100755", b"x")}, {"f": b"x"}),
    "symlink to another target": ({"f": ("120000", b"a")}, {"f": ("120000", b"b")}),
    "file to symlink": ({"f": b"x"}, {"f": ("120000", b"x")}),
    "symlink to file": ({"f": ("120000", b"x")}, {"f": b"x"}),
    "file to folder": ({"f": b"x"}, {"f": None, "f/g/h": b"y"}),
    "folder to file": ({"f/g/h": b"y", "f/i": b"z"}, {"f/g/h": None, "f/i": None, "f": b"x"}),
    "symlink to folder": ({"f": ("120000", b"t"), "t/q": b"q"}, {"f": None, "f/g": b"y"}),
    "folder to symlink": ({"f/g": b"y", "t/q": b"q"}, {"f/g": None, "f": ("120000", b"t")}),
    "nested new folders": ({"f": b"x"}, {"n/m/l/k": b"k", "n/m/j": b"j"}),
    "last file of a folder deleted": ({"d/e/f": b"x", "k": b"k"}, {"d/e/f": None}),
    "one file of a folder replaced by another": ({"d/e": b"x"}, {"d/e": None, "d/g": b"y"}),
    "rename": ({"old/name": b"long enough\n" * 9}, {"old/name": None, "new/name": b"long enough\n" * 9}),
    "rename by case only": ({"name": b"x"}, {"name": None, "NAME": b"x"}),
    "empty file": ({"f": b"x"}, {"f": b"", "g": b""}),
    "binary": ({"f": b"\0\xff"}, {"f": bytes(range(256)) * 300}),
    "dangling and odd link targets": ({"f": b"x"}, {"l": ("120000", b"no/where\n"), "m": ("120000", b"..")}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_lands_as_a_clone_would_have_it(tmp_path: Path, kind: str) -> None:
    before, change = KINDS[kind]
    scene = make_scene(tmp_path, before)
    commit = scene.propose(change)
    assert isinstance(scene.land(scene.request(commit)), Landed)
    scene.git("clone", "-q", str(scene.root), str(tmp_path / "clone"))
    assert files_of(scene.root) == files_of(tmp_path / "clone")
    assert status(scene) == ""
    assert leftovers(scene) == []


ODD_NAMES = [
    "tab\there", "new\nline", 'quo"te', "back\\slash", "-dash", "--option", " space ", "\udcff\udcfe", "ü", "*", "[a]",
    ":(top)x", "#", "'", "$(x)", "\r", "%s", "a b/c d", '"starts',
]  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES, ids=[ascii(name) for name in ODD_NAMES])
def test_odd_names_land(tmp_path: Path, name: str) -> None:
    scene = make_scene(tmp_path, {name: b"one\r\n", f"{name}.gone": b"x\n", ".gitattributes": b"* text\n"})
    commit = scene.propose({name: b"two\n", f"{name}.gone": None, f"{name}.new": b"new\n"})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert (scene.root / name).read_bytes() == b"two\n"
    assert (scene.root / f"{name}.new").read_bytes() == b"new\n"
    assert not (scene.root / f"{name}.gone").exists()
    assert status(scene) == ""


def test_folders_with_the_users_files_stay(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"d/e/f": b"x", "d/g": b"y", "k": b"k"})
    scene.write("d/mine", b"m")
    commit = scene.propose({"d/e/f": None, "d/g": None})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert [path.name for path in (scene.root / "d").iterdir()] == ["mine"]


def test_the_folder_the_user_stands_in_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = make_scene(tmp_path, {"d/e/f": b"x", "k": b"k"})
    request = scene.request(scene.propose({"d/e/f": None}))
    monkeypatch.chdir(scene.root / "d" / "e")
    assert isinstance(scene.land(request), Landed)
    assert (scene.root / "d" / "e").is_dir()


def test_line_endings_come_from_the_attributes_in_the_change_itself(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"a.txt": b"one\n"})
    commit = scene.propose({".gitattributes": b"*.txt text eol=crlf\n", "a.txt": b"two\n", "n.txt": b"new\n"})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert (scene.root / "a.txt").read_bytes() == b"two\r\n"
    assert (scene.root / "n.txt").read_bytes() == b"new\r\n"
    assert status(scene) == ""


@pytest.mark.parametrize("ending", ["eol=crlf attribute", "autocrlf"])
def test_files_with_converted_line_endings_are_clean_and_stay_converted(tmp_path: Path, ending: str) -> None:
    scene = make_scene(tmp_path, {"k": b"k\n"})
    if ending == "autocrlf":
        scene.git("config", "core.autocrlf", "true")
    else:
        scene.commit({".gitattributes": b"*.txt text eol=crlf\n"})
    scene.commit({"a.txt": b"one\r\n"})
    assert scene.git("cat-file", "blob", "HEAD:a.txt") == "one"
    commit = scene.propose({"a.txt": b"two\n"})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert (scene.root / "a.txt").read_bytes() == b"two\r\n"
    assert status(scene) == ""


def test_a_mixed_line_ending_that_git_would_not_undo_is_dirty(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {".gitattributes": b"*.txt text eol=crlf\n", "a.txt": b"one\r\n"})
    scene.write("a.txt", b"one\r\nmine\r\n")
    outcome = scene.land(scene.request(scene.propose({"a.txt": b"two\n"})))
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.DIRTY_OVERLAP
    assert (scene.root / "a.txt").read_bytes() == b"one\r\nmine\r\n"


def test_crlf_kept_in_the_repository_under_autocrlf_is_no_false_dirt(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"a.txt": b"one\r\n"})
    scene.git("config", "core.autocrlf", "true")
    assert isinstance(scene.land(scene.request(scene.propose({"a.txt": b"two\r\n"}))), Landed)
    assert (scene.root / "a.txt").read_bytes() == b"two\r\n"


def test_another_blob_with_the_same_bytes_on_disk_moves_the_index_only(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"a.txt": b"one\r\n"})
    commit = scene.propose({".gitattributes": b"*.txt text eol=crlf\n", "a.txt": b"one\n"})
    inode = (scene.root / "a.txt").stat().st_ino
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert (scene.root / "a.txt").stat().st_ino == inode
    assert (scene.root / "a.txt").read_bytes() == b"one\r\n"
    assert status(scene) == ""


def test_clean_and_smudge_filters_are_obeyed(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"k": b"k\n"})
    scene.git("config", "filter.shout.clean", "tr A-Z a-z")
    scene.git("config", "filter.shout.smudge", "tr a-z A-Z")
    scene.commit({".gitattributes": b"*.loud filter=shout\n"})
    scene.commit({"a.loud": b"HELLO\n"})
    commit = scene.propose({"a.loud": b"goodbye\n", "b.loud": b"new\n"})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert (scene.root / "a.loud").read_bytes() == b"GOODBYE\n"
    assert (scene.root / "b.loud").read_bytes() == b"NEW\n"
    assert status(scene) == ""


INDEX_FORMATS: dict[str, list[list[str]]] = {
    "version 4": [["update-index", "--index-version", "4"]],
    "split": [["config", "core.splitIndex", "true"], ["update-index", "--split-index"]],
    "untracked cache": [["config", "core.untrackedCache", "true"], ["status"]],
    "packed refs": [["pack-refs", "--all"]],
    "sparse, untouched by the change": [["sparse-checkout", "set", "d"]],
    "sparse index": [["sparse-checkout", "set", "--sparse-index", "d"]],
    "no reflogs": [["config", "core.logAllRefUpdates", "false"]],
}


@pytest.mark.parametrize("name", INDEX_FORMATS)
def test_every_format_of_index_and_refs_goes_through_git_and_stays(tmp_path: Path, name: str) -> None:
    scene = make_scene(tmp_path, {"top": b"t\n", "d/a": b"one\n", "d/b": b"x\n", "other/c": b"c\n"})
    for command in INDEX_FORMATS[name]:
        scene.git(*command)
    hidden = scene.git("ls-files", "-t")
    commit = scene.propose({"d/a": b"two\n", "d/b": None, "d/n": b"n\n"})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert status(scene) == ""
    assert (scene.root / "d" / "a").read_bytes() == b"two\n"
    assert [row for row in scene.git("ls-files", "-t").splitlines() if row.startswith("S")] == [
        row for row in hidden.splitlines() if row.startswith("S")
    ]
    assert sorted(path.name for path in (scene.root / ".git").glob("sharedindex*.lock")) == []


def test_sha256_repositories_land(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"a": b"one\n", "b": b"x\n"}, "--object-format=sha256")
    commit = scene.git("rev-parse", "HEAD")
    (tmp_path / "i").unlink(missing_ok=True)
    env = {"GIT_INDEX_FILE": str(tmp_path / "i")}
    scene.git("read-tree", "HEAD", env=env)
    blob = scene.git("hash-object", "-w", "--stdin", stdin=b"two\n")
    scene.git("update-index", "--cacheinfo", f"100644,{blob},a", env=env)
    commit = scene.git("commit-tree", scene.git("write-tree", env=env), "-p", "HEAD", "-m", "m")
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert (scene.root / "a").read_bytes() == b"two\n"
    assert status(scene) == ""


@pytest.mark.parametrize(
    ("old", "mode", "executable", "expected"),
    [
        ("private stays private", 0o600, False, 0o600),
        ("group writable stays so", 0o664, False, 0o664),
        ("private becomes executable", 0o600, True, 0o700),
        ("readable becomes executable", 0o644, True, 0o755),
    ],
)
def test_mode_bits_of_the_replaced_file_are_kept(
    tmp_path: Path, old: str, mode: int, executable: bool, expected: int
) -> None:
    scene = make_scene(tmp_path, {"f": b"x\n"})
    (scene.root / "f").chmod(mode)
    commit = scene.propose({"f": ("100755" if executable else "100644", b"y\n")})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert stat.S_IMODE((scene.root / "f").stat().st_mode) == expected, old


def test_new_files_obey_the_umask(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"f": b"x\n"})
    request = scene.request(scene.propose({"n/g": b"y\n", "n/h": ("100755", b"z\n")}))
    old = os.umask(0o027)
    try:
        assert isinstance(scene.land(request), Landed)
    finally:
        os.umask(old)
    modes = [stat.S_IMODE((scene.root / name).stat().st_mode) for name in ("n", "n/g", "n/h")]
    assert modes == [0o750, 0o640, 0o750]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_leaves_everything_to_the_user_it_belongs_to(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"f": b"x\n", "d/g": b"g\n"})
    scene.git("config", "--file", str(scene.home / ".gitconfig"), "safe.directory", "*")
    scene.environ.pop("GIT_CONFIG_GLOBAL")
    request = scene.request(scene.propose({"f": b"y\n", "n/m/h": b"z\n", "d/g": None, "l": ("120000", b"f")}))
    for folder, names, files in os.walk(scene.root):
        for name in [".", *names, *files]:
            os.chown(Path(folder, name), 12345, 12346, follow_symlinks=False)
    assert isinstance(scene.land(request), Landed)
    owners = {
        name: ((scene.root / name).lstat().st_uid, (scene.root / name).lstat().st_gid)
        for name in (
            "f",
            "n",
            "n/m",
            "n/m/h",
            "l",
            ".git/index",
            ".git/refs/heads/main",
            ".git/logs/HEAD",
            ".git/dev-agent",
        )
    }
    assert set(owners.values()) == {(12345, 12346)}, owners


def test_without_x_bits_on_the_file_system_a_mode_is_no_dirt(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"f": b"x\n"})
    scene.git("config", "core.fileMode", "false")
    (scene.root / "f").chmod(0o755)
    assert isinstance(scene.land(scene.request(scene.propose({"f": b"y\n"}))), Landed)
    assert status(scene) == ""


def test_without_symlinks_on_the_file_system_links_are_files(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"l": ("120000", b"target")})
    scene.git("config", "core.symlinks", "false")
    scene.write("l", b"target")
    commit = scene.propose({"l": ("120000", b"elsewhere")})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert (scene.root / "l").read_bytes() == b"elsewhere"
    assert not (scene.root / "l").is_symlink()


def test_an_untouched_submodule_is_no_obstacle(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"f": b"x\n"})
    scene.git("update-index", "--add", "--cacheinfo", f"160000,{scene.head()},sub")
    scene.git("commit", "-q", "-m", "sub")
    (scene.root / "sub").mkdir()
    commit = scene.propose({"f": b"y\n"})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert (scene.root / "f").read_bytes() == b"y\n"


def test_hard_links_are_broken_as_git_breaks_them(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {"f": b"x\n"})
    (tmp_path / "other").hardlink_to(scene.root / "f")
    commit = scene.propose({"f": b"y\n"})
    assert isinstance(scene.land(scene.request(commit)), Landed)
    assert (tmp_path / "other").read_bytes() == b"x\n"
