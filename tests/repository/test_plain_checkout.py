"""A slot is moved without git where git would write bytes as they are, and by git everywhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dev_agent.repository.slots import Slot, Slots
from tests.repository.test_slots import Tree, fresh, look, slot
from tests.testing.repos import Project, make_repository
from tests.testing.traced_git import TracedGit, traced

_BODY = b"one $Id$\ntwo\n"


@pytest.fixture
def seen(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TracedGit:
    """A project whose git children are noted; no setting is too young to be remembered."""
    monkeypatch.setattr("dev_agent.repository.settings._TICK_NS", -(10**18))
    return traced(project, tmp_path)


def moved(seen: TracedGit, old: Tree, new: Tree) -> list[str]:
    """Move a slot from `old` to `new`; which children of git that took. It is as git makes it from nothing."""
    one, other = seen.project.make_tree(old), seen.project.make_tree(new)
    with slot(seen.project) as leased:
        leased.checkout(one)
        seen.forget()
        leased.checkout(other)
        asked = seen.asked()
        assert look(leased.path) == fresh(seen.project, other)
        assert leased.altered() == ()
    return asked


def with_text(attributes: Mapping[str, bytes], body: bytes) -> Tree:
    files = {"d/x.txt": ("100644", body), "y.txt": ("100644", body), "keep.txt": ("100644", _BODY)}
    return files | {path: ("100644", data) for path, data in attributes.items()}


# Without git


def test_a_move_of_plain_files_starts_no_child(seen: TracedGit) -> None:
    old = {
        "same": ("100644", b"0"),
        "a": ("100644", b"1"),
        "run": ("100644", b"2"),
        "d/e/gone": ("100644", b"3"),
        "file": ("100644", b"4"),
        "folder/x": ("100644", b"5"),
        "was-link": ("120000", b"a"),
    }
    new = {
        "same": ("100644", b"0"),
        "a": ("100644", b"1\r\n\0\xff"),
        "run": ("100755", b"2"),
        "file/now/deep": ("100644", b"6"),
        "folder": ("100644", b""),
        "was-link": ("100644", b"7"),
        "link": ("120000", b"../\xff"),
        "\udcff\n/ ": ("100644", b"8"),
    }
    assert moved(seen, old, new) == []
    assert moved(seen, new, old) == []


def test_a_move_of_packed_files_starts_no_child(seen: TracedGit) -> None:
    project = seen.project
    first, second = project.tree(), ""
    project.commit("second", {"pkg/b.py": b"B = 3\n"})
    second = project.tree()
    project.git("gc", "--quiet", "--prune=now")
    with slot(project) as leased:
        leased.checkout(first)
        seen.forget()
        leased.checkout(second)
        assert seen.asked() == []
        assert look(leased.path) == fresh(project, second)


@pytest.mark.parametrize(
    "attributes",
    [
        {".gitattributes": b"* text=auto\n"},
        {".gitattributes": b"*.txt text eol=lf\n*.bin binary\n"},
        {".gitattributes": b"*.png filter=lfs diff=lfs merge=lfs -text\n*.txt diff=words\n"},
        {"other/.gitattributes": b"* text eol=crlf\n"},
        {"d/.gitattributes": b"# * ident\n*.ps1 eol=crlf\n"},
    ],
)
def test_attributes_that_change_no_bytes_of_these_files_need_no_git(
    seen: TracedGit, attributes: Mapping[str, bytes]
) -> None:
    assert moved(seen, with_text(attributes, _BODY), with_text(attributes, _BODY + b"three\n")) == []


@pytest.mark.parametrize(
    "setting", ["core.autocrlf=false", "core.autocrlf=input", "core.eol=lf", "core.eol=native"]
)
def test_settings_that_convert_nothing_need_no_git(seen: TracedGit, setting: str) -> None:
    seen.project.git("config", *setting.split("="))
    text = {".gitattributes": b"* text=auto\n"}
    assert moved(seen, with_text(text, _BODY), with_text(text, _BODY + b"three\n")) == []


# By git


@pytest.mark.parametrize(
    "attributes",
    [
        {".gitattributes": b"*.txt text eol=crlf\n"},
        {".gitattributes": b"*.txt filter=shout\n"},
        {".gitattributes": b"*.txt text working-tree-encoding=UTF-16LE\n"},
        {".gitattributes": b"*.txt ident\n"},
        {".gitattributes": b"*.txt crlf eol=crlf\n"},
        {".gitattributes": b"[attr]windows text eol=crlf\n*.txt windows\n"},
        {".gitattributes": b'"*.txt" text eol=crlf\n'},
        {".gitattributes": b"d/* ident\ny* ident\n"},
        {"d/.gitattributes": b"* text eol=crlf\n", ".gitattributes": b"y.txt ident\n"},
        {"d/.gitattributes": b"x.txt -text\n", ".gitattributes": b"* text eol=crlf\n"},
    ],
)
def test_files_an_attribute_of_the_tree_may_change_are_written_by_git(
    seen: TracedGit, attributes: Mapping[str, bytes]
) -> None:
    seen.project.git("config", "filter.shout.smudge", "tr a-z A-Z")

    asked = moved(seen, with_text(attributes, _BODY), with_text(attributes, _BODY + b"three\n"))

    assert "checkout-index" in asked


@pytest.mark.parametrize("where", ["info", "home", "named", "named at home"])
def test_files_an_attribute_of_the_machine_may_change_are_written_by_git(seen: TracedGit, where: str) -> None:
    project = seen.project
    place = {
        "info": project.git_dir / "info" / "attributes",
        "home": Path(project.environ["XDG_CONFIG_HOME"], "git", "attributes"),
        "named": project.root.parent / "mine",
        "named at home": Path(project.environ["HOME"], "mine"),
    }[where]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"*.txt text eol=crlf\n")
    if where.startswith("named"):
        project.git("config", "core.attributesFile", str(place) if where == "named" else "~/mine")

    assert "checkout-index" in moved(seen, with_text({}, _BODY), with_text({}, _BODY + b"three\n"))
    with slot(project) as leased:
        assert (leased.path / "d/x.txt").read_bytes().endswith(b"three\r\n")


@pytest.mark.parametrize(
    "setting", ["core.autocrlf=true", "core.eol=crlf", "core.symlinks=false", "attr.tree=HEAD"]
)
def test_settings_that_may_convert_anything_leave_it_all_to_git(seen: TracedGit, setting: str) -> None:
    seen.project.git("config", *setting.split("="))
    text = {".gitattributes": b"* text=auto\n"}
    old, new = with_text(text, _BODY), {**with_text(text, _BODY + b"three\n"), "link": ("120000", b"x")}
    assert "checkout-index" in _asked_to_move(seen, old, new)


def _asked_to_move(seen: TracedGit, old: Tree, new: Tree) -> list[str]:
    """As `moved`, where a slot without symlinks is not to be audited."""
    one, other = seen.project.make_tree(old), seen.project.make_tree(new)
    with slot(seen.project) as leased:
        leased.checkout(one)
        seen.forget()
        leased.checkout(other)
        asked = seen.asked()
        assert look(leased.path) == fresh(seen.project, other)
    return asked


def test_an_attribute_file_where_another_git_would_look_is_heeded(seen: TracedGit, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "gitattributes").write_bytes(b"* text eol=crlf\n")

    assert "checkout-index" in moved(seen, with_text({}, _BODY), with_text({}, _BODY + b"three\n"))


def test_an_attribute_file_that_is_a_link_is_left_to_git(seen: TracedGit) -> None:
    link = {".gitattributes": ("120000", b"keep.txt")}
    asked = moved(seen, {**with_text({}, _BODY), **link}, {**with_text({}, _BODY + b"three\n"), **link})
    assert "checkout-index" in asked


def test_only_the_files_that_need_git_are_written_by_it(seen: TracedGit) -> None:
    attributes = {".gitattributes": b"*.txt text eol=crlf\n"}
    old = {**with_text(attributes, _BODY), "a.py": ("100644", b"1")}
    new = {**with_text(attributes, b"new\n"), "a.py": ("100644", b"2"), "z/b.py": ("100755", b"3")}
    assert "checkout-index" in moved(seen, old, new)


def test_a_large_file_is_written_by_git(seen: TracedGit) -> None:
    large = os.urandom(1 << 20) * 5
    assert "checkout-index" in moved(seen, {"a": ("100644", b"1")}, {"a": ("100644", large)})


def test_many_files_are_written_by_git(seen: TracedGit) -> None:
    many = {f"d/{number}": ("100644", b"1") for number in range(150)}
    assert "checkout-index" in moved(seen, {"a": ("100644", b"1")}, many)


def test_a_symlink_that_leads_nowhere_on_any_system_is_left_to_git(seen: TracedGit) -> None:
    """Git cuts a target at a zero byte, and refuses one that is empty."""
    asked = moved(seen, {"a": ("100644", b"1")}, {"a": ("120000", b"b\0c")})
    assert "checkout-index" in asked


# Work that was done in the slot behind our back


def _link_for_a_folder(leased: Slot, outside: Path) -> None:
    (leased.path / "d" / "x").unlink()
    (leased.path / "d").rmdir()
    (leased.path / "d").symlink_to(outside)


def _link_for_a_file(leased: Slot, outside: Path) -> None:
    (leased.path / "a").unlink()
    (leased.path / "a").symlink_to(outside / "precious")


def _another_name_of_a_file_outside(leased: Slot, outside: Path) -> None:
    (leased.path / "a").unlink()
    (leased.path / "a").hardlink_to(outside / "precious")


def _pipe_for_a_file(leased: Slot, outside: Path) -> None:
    del outside
    (leased.path / "a").unlink()
    os.mkfifo(leased.path / "a")


def _full_folder_for_a_file(leased: Slot, outside: Path) -> None:
    (leased.path / "a").unlink()
    (leased.path / "a").mkdir()
    (leased.path / "a" / "way").symlink_to(outside)


def _file_for_a_folder(leased: Slot, outside: Path) -> None:
    del outside
    (leased.path / "d" / "x").unlink()
    (leased.path / "d").rmdir()
    (leased.path / "d").write_bytes(b"in the way")


def _link_for_everything(leased: Slot, outside: Path) -> None:
    leased.path.rename(leased.folder / "elsewhere")
    leased.path.symlink_to(outside)


def _new_file_where_one_arrives(leased: Slot, outside: Path) -> None:
    (leased.path / "new").symlink_to(outside / "precious")


@pytest.mark.parametrize(
    "harm",
    [
        _link_for_a_folder,
        _link_for_a_file,
        _another_name_of_a_file_outside,
        _pipe_for_a_file,
        _full_folder_for_a_file,
        _file_for_a_folder,
        _link_for_everything,
        _new_file_where_one_arrives,
    ],
)
def test_nothing_planted_leads_a_move_out_of_the_slot(
    project: Project, tmp_path: Path, harm: Callable[[Slot, Path], object]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("precious", "x"):
        (outside / name).write_bytes(b"precious")
        os.utime(outside / name, (5, 5))
    before = look(outside)
    wanted = project.make_tree({"a": ("100755", b"2"), "d/x": ("100644", b"3"), "new": ("100644", b"4")})
    with slot(project) as leased:
        leased.checkout(project.make_tree({"a": ("100644", b"1"), "d/x": ("100644", b"1")}))
        harm(leased, outside)

        assert look(leased.checkout(wanted)) == fresh(project, wanted)

    assert look(outside) == before


def test_modes_and_times_do_not_depend_on_the_umask(project: Project) -> None:
    wanted = project.make_tree({"a": ("100644", b"2"), "d/e": ("100755", b"3")})
    with slot(project) as leased:
        leased.checkout(project.tree())
        old = os.umask(0o777)
        try:
            leased.checkout(wanted)
        finally:
            os.umask(old)
        assert look(leased.path) == fresh(project, wanted)


def test_a_failed_write_is_cured_by_a_fill(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the disk is full for a moment, with one file written and not the other."""
    wanted = project.make_tree({"a": ("100644", b"2"), "b": ("120000", b"a")})
    with slot(project) as leased:
        leased.checkout(project.tree())
        with monkeypatch.context() as broken:
            broken.setattr(os, "symlink", _no_space)
            assert look(leased.checkout(wanted)) == fresh(project, wanted)


def _no_space(*_: object, dir_fd: int) -> None:
    del dir_fd
    raise OSError(28, "No space left on device")


def test_the_tree_of_a_slot_of_another_repository_is_not_taken_for_ours(tmp_path: Path) -> None:
    """What is remembered of a tree in one repository does not make another one have it."""
    here = make_repository(tmp_path / "here", {"a": b"1"})
    there = make_repository(tmp_path / "there", {"a": b"1"})
    only = there.make_tree({"only": ("100644", b"there")})
    with slot(there) as leased:
        leased.checkout(there.tree())
        leased.checkout(only)
    with Slots(here.repository()).lease("types") as leased:
        leased.checkout(here.tree())
        with pytest.raises(Exception, match=only[:7]):
            leased.checkout(only)
