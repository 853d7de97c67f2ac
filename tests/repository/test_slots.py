from __future__ import annotations

import os
import select
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dev_agent.errors import GitFailed
from dev_agent.repository.plain_checkout import content_time
from dev_agent.repository.slots import Slot, Slots
from tests.testing.children import killed_at_call, start_child, wait_until_unlocked
from tests.testing.repos import Project, make_repository

Tree = Mapping[str, tuple[str, bytes]]


def look(folder: Path) -> dict[str, tuple[str, bytes, int]]:
    """Everything in `folder`: path → (kind and mode, content, modification time of what is not a folder)."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        name = path.relative_to(folder).as_posix()
        if stat.S_ISDIR(status.st_mode):
            found[name] = (stat.filemode(status.st_mode), b"", 0)
        elif stat.S_ISLNK(status.st_mode):
            found[name] = ("symlink", os.fsencode(path.readlink()), status.st_mtime_ns)
        else:
            found[name] = (stat.filemode(status.st_mode), path.read_bytes(), status.st_mtime_ns)
    return found


def fresh(project: Project, tree: str) -> dict[str, tuple[str, bytes, int]]:
    """What a slot filled with `tree` from nothing looks like."""
    with slot(project, "fresh") as other:
        other.drop()
        return look(other.checkout(tree))


@contextmanager
def slot(project: Project, purpose: str = "types") -> Iterator[Slot]:
    with Slots(project.repository()).lease(purpose) as leased:
        yield leased


def tree(project: Project, **files: bytes) -> str:
    return project.make_tree({path: ("100644", data) for path, data in files.items()})


# Leasing


def test_two_leases_never_share_a_slot(project: Project) -> None:
    with slot(project) as first, slot(project) as second, slot(project, "tests") as third:
        assert [each.folder.name for each in (first, second, third)] == ["types-1", "types-2", "tests-1"]


def test_a_slot_is_used_again_once_free(project: Project) -> None:
    with slot(project) as first:
        first.checkout(project.tree())
    with slot(project) as again:
        assert again.folder == first.folder
        assert again.at == project.tree()


@pytest.mark.parametrize("purpose", ["", "../x", "a/b", "Types", "a b", "-x", "x" * 33, "a\n"])
def test_a_purpose_that_is_not_a_plain_word_never_becomes_a_folder(project: Project, purpose: str) -> None:
    with pytest.raises(ValueError, match="not a purpose"), slot(project, purpose):
        pass
    assert not (project.git_dir / "dev-agent").exists()


def test_a_git_child_that_outlives_a_killed_agent_keeps_the_slot(project: Project, tmp_path: Path) -> None:
    started, go_on = tmp_path / "started", tmp_path / "go-on"
    for pipe in (started, go_on):
        os.mkfifo(pipe)
    wanted = project.make_tree({".gitattributes": ("100644", b"x filter=slow\n"), "x": ("100644", b"1")})
    project.git("config", "filter.slow.smudge", f"echo > {started}; read line < {go_on}; cat")
    with open(started, "r+b", buffering=0) as is_started, open(go_on, "r+b", buffering=0) as may_go_on:
        agent = start_child(lambda: _checkout(project, wanted))
        assert select.select([is_started], [], [], 60)[0], "the filter never ran"
        os.kill(agent, signal.SIGKILL)
        os.waitpid(agent, 0)

        with slot(project) as second:
            assert second.folder.name == "types-2"
        may_go_on.write(b"\n")
    wait_until_unlocked(second.folder.with_name("types-1") / "lock")

    project.git("config", "filter.slow.smudge", "cat")
    with slot(project) as third:
        assert third.folder.name == "types-1"
        assert look(third.checkout(wanted)) == fresh(project, wanted)


def _checkout(project: Project, wanted: str) -> None:
    with slot(project) as leased:
        leased.checkout(wanted)


def test_a_lock_somebody_inherited_keeps_the_slot(project: Project) -> None:
    with slot(project) as first:
        inherited = os.dup(first._git.pass_fds[0])  # as a git child has it
    with slot(project) as second:
        assert second.folder != first.folder
    os.close(inherited)
    with slot(project) as third:
        assert third.folder == first.folder


def test_git_knows_nothing_of_slots(project: Project) -> None:
    before = project.snapshot()
    with slot(project) as leased:
        leased.checkout(project.tree())
        leased.checkout(tree(project, a=b"1"))

    assert project.snapshot() == before
    assert project.git("worktree", "list", "--porcelain").count("worktree ") == 1
    assert project.git("status", "--porcelain") == ""


# What a checkout looks like


def test_a_checkout_holds_exactly_the_tree(project: Project) -> None:
    with slot(project) as leased:
        found = look(leased.checkout(project.tree()))

    blob = project.git("rev-parse", "HEAD:a.py")
    assert found["a.py"] == ("-rw-r--r--", b"A = 1\n", content_time(blob) * 10**9)
    assert found["pkg/run.sh"][0] == "-rwxr-xr-x"
    assert found["link"][:2] == ("symlink", b"a.py")
    assert found["pkg"][0] == "drwxr-xr-x"
    assert sorted(found) == ["a.py", "link", "pkg", "pkg/b.py", "pkg/run.sh"]


def test_equal_content_has_equal_times_and_other_content_has_others() -> None:
    one, other = "0000001" + "0" * 33, "fffffff" + "0" * 33

    assert content_time(one) == 10**9 + 1
    assert content_time(other) == 10**9 + 0xFFFFFFF


def test_modes_do_not_depend_on_the_umask(project: Project) -> None:
    old = os.umask(0o077)
    try:
        with slot(project) as leased:
            folder = leased.checkout(tree(project, a=b"1"))
            leased.checkout(project.make_tree({"a": ("100644", b"2"), "d/e/f": ("100755", b"3")}))
    finally:
        os.umask(old)

    assert {name: mode for name, (mode, _, _) in look(folder).items()} == {
        "a": "-rw-r--r--",
        "d": "drwxr-xr-x",
        "d/e": "drwxr-xr-x",
        "d/e/f": "-rwxr-xr-x",
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_filled_slot_has_readable_folders_whatever_the_umask(project: Project) -> None:
    old = os.umask(0o077)
    try:
        with slot(project) as leased:
            folder = leased.checkout(project.tree())
    finally:
        os.umask(old)

    assert stat.S_IMODE((folder / "pkg").stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "pkg/b.py").stat().st_mode) == 0o644


def test_symlinks_are_kept_and_never_followed(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_bytes(b"precious")
    with_link = project.make_tree({"d": ("120000", os.fsencode(outside)), "g": ("100644", b"")})
    with_folder = project.make_tree({"d/f": ("100644", b"ours"), "g": ("100644", b"")})
    with slot(project) as leased:
        for wanted in (with_link, with_folder, with_link, with_folder):
            assert look(leased.checkout(wanted)) == fresh(project, wanted)

    assert look(outside)["f"][1] == b"precious"
    assert list(outside.iterdir()) == [outside / "f"]


def test_a_symlink_put_in_the_way_is_not_followed(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.py").write_bytes(b"precious")
    with slot(project) as leased:
        folder = leased.checkout(project.tree())
        for name in ("b.py", "run.sh"):
            (folder / "pkg" / name).unlink()
        (folder / "pkg").rmdir()
        (folder / "pkg").symlink_to(outside)
        wanted = project.make_tree({"pkg/b.py": ("100644", b"evil"), "pkg/new": ("100644", b"evil")})

        assert look(leased.checkout(wanted)) == fresh(project, wanted)

    assert {name: data for name, (_, data, _) in look(outside).items()} == {"b.py": b"precious"}


def test_a_submodule_is_an_empty_folder(project: Project) -> None:
    head = project.git("rev-parse", "HEAD").encode()
    trees = [
        project.make_tree({"x": ("100644", b"1"), "s/y": ("100644", b"2")}),
        project.make_tree({"x": ("160000", head), "s": ("160000", head)}),
        project.make_tree({"x/deep": ("160000", head), "s": ("120000", b"x")}),
        project.make_tree({"x": ("100644", b"1")}),
    ]
    with slot(project) as leased:
        for wanted in [*trees, *reversed(trees)]:
            assert look(leased.checkout(wanted)) == fresh(project, wanted)


@pytest.mark.parametrize(
    "attributes",
    [
        b"*.txt text eol=crlf\n",
        b"*.txt filter=shout\n",
        b"*.txt text working-tree-encoding=UTF-16LE\n",
        b"*.txt ident\n",
    ],
)
def test_files_have_the_form_their_own_attributes_give_them(project: Project, attributes: bytes) -> None:
    project.git("config", "filter.shout.smudge", "tr a-z A-Z")
    body = b"one $Id$\ntwo\n"
    plain = project.make_tree({"d/x.txt": ("100644", body), "keep.txt": ("100644", body)})
    converted = project.make_tree(
        {".gitattributes": ("100644", attributes), "d/x.txt": ("100644", body), "keep.txt": ("100644", body)}
    )
    more = project.make_tree(
        {
            ".gitattributes": ("100644", attributes),
            "d/x.txt": ("100644", body + b"three\n"),
            "keep.txt": ("100644", body),
            "d/.gitattributes": ("100644", b"y.txt -text -filter -working-tree-encoding -ident\n"),
            "d/y.txt": ("100644", body),
        }
    )
    with slot(project) as leased:
        for wanted in (plain, converted, more, converted, plain):
            assert look(leased.checkout(wanted)) == fresh(project, wanted)
        assert look(leased.checkout(more))["keep.txt"][1] != body
        assert look(leased.path)["d/y.txt"][1] == body


def test_moving_writes_changed_files_under_the_new_trees_attributes(project: Project) -> None:
    attributes = ("100644", b"*.txt text eol=crlf\n")
    first = project.make_tree({".gitattributes": attributes, "x.txt": ("100644", b"1\n")})
    second = project.make_tree({".gitattributes": attributes, "x.txt": ("100644", b"2\n")})
    with slot(project) as leased:
        leased.checkout(first)

        assert look(leased.checkout(second))["x.txt"][1] == b"2\r\n"


@pytest.mark.parametrize("where", ["config", "info", "home", "named"])
def test_a_change_of_the_users_checkout_settings_makes_the_slot_anew(project: Project, where: str) -> None:
    wanted = project.make_tree({"x.txt": ("100644", b"1\n")})
    rule = "*.txt text eol=crlf\n"
    with slot(project) as leased:
        assert look(leased.checkout(wanted))["x.txt"][1] == b"1\n"
        match where:
            case "config":
                project.git("config", "core.autocrlf", "true")
            case "info":
                (project.git_dir / "info").mkdir(exist_ok=True)
                (project.git_dir / "info" / "attributes").write_text(rule)
            case "home":
                attributes = Path(project.environ["XDG_CONFIG_HOME"]) / "git" / "attributes"
                attributes.parent.mkdir(parents=True)
                attributes.write_text(rule)
            case "named":
                project.git("config", "core.attributesFile", "~/mine")
                Path(project.environ["HOME"], "mine").write_text(rule)

        assert leased.at is None
        assert look(leased.checkout(wanted))["x.txt"][1] == b"1\r\n"


def test_the_users_index_settings_do_not_reach_a_slot(project: Project) -> None:
    other = tree(project, a=b"1")
    project.git("config", "core.splitIndex", "true")
    project.git("config", "core.sparseCheckout", "true")
    (project.git_dir / "info" / "sparse-checkout").write_text("/a.py\n")
    before = project.snapshot()
    with slot(project) as leased:
        leased.checkout(other)
        folder = leased.checkout(project.tree())

    assert (folder / "pkg" / "b.py").exists()
    assert project.snapshot() == before


def test_sha256_repositories_have_slots(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a": b"1", "d/b": b"2"}, object_format="sha256")
    with slot(project) as leased:
        leased.checkout(project.tree())
        wanted = project.make_tree({"a": ("100644", b"3")})

        assert look(leased.checkout(wanted)) == fresh(project, wanted)


def test_a_linked_work_tree_shares_the_slots(project: Project, tmp_path: Path) -> None:
    project.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = replace(project, root=tmp_path / "linked")
    with slot(project) as first, slot(linked) as second:
        assert second.folder == first.folder.with_name("types-2")
        assert look(second.checkout(project.tree())) == look(first.checkout(project.tree()))

    assert linked.git("status", "--porcelain") == ""


# Moving


def test_moving_leaves_alone_what_does_not_change(project: Project) -> None:
    with slot(project) as leased:
        folder = leased.checkout(project.tree())
        untouched = (folder / "pkg" / "b.py").stat()
        wanted = project.make_tree({"a.py": ("100644", b"new"), "pkg/b.py": ("100644", b"B = 2\n")})
        leased.checkout(wanted)

        assert os.path.samestat((folder / "pkg" / "b.py").stat(), untouched)
        assert (folder / "pkg" / "b.py").stat().st_ctime_ns == untouched.st_ctime_ns


def test_being_there_already_starts_no_checkout(project: Project) -> None:
    with slot(project) as leased:
        folder = leased.checkout(project.tree())
        before = {path: path.lstat().st_ctime_ns for path in leased.folder.rglob("*")}

        assert leased.checkout(project.tree()) == folder
        assert {path: path.lstat().st_ctime_ns for path in leased.folder.rglob("*")} == before


def test_leftovers_in_a_folder_that_becomes_a_file_are_removed(project: Project) -> None:
    with slot(project) as leased:
        folder = leased.checkout(project.tree())
        (folder / "pkg" / "__pycache__").mkdir()
        (folder / "pkg" / "__pycache__" / "x.pyc").write_bytes(b"")
        wanted = project.make_tree({"pkg": ("100644", b"a file now")})

        assert look(leased.checkout(wanted)) == fresh(project, wanted)


def test_a_tree_that_is_not_there_is_refused_and_the_slot_heals(project: Project) -> None:
    with slot(project) as leased:
        leased.checkout(project.tree())
        with pytest.raises(GitFailed):
            leased.checkout("1" * 40)

        assert leased.at is None
        assert look(leased.checkout(project.tree())) == fresh(project, project.tree())


def test_a_required_filter_that_fails_is_refused_and_the_slot_heals(project: Project) -> None:
    project.git("config", "filter.lfs.smudge", "false")
    project.git("config", "filter.lfs.required", "true")
    broken = project.make_tree({".gitattributes": ("100644", b"* filter=lfs\n"), "x": ("100644", b"pointer")})
    with slot(project) as leased:
        with pytest.raises(GitFailed):
            leased.checkout(broken)
        assert leased.at is None

        assert look(leased.checkout(project.tree())) == fresh(project, project.tree())


def test_an_old_tree_that_was_collected_does_not_matter(project: Project) -> None:
    unnamed = project.make_tree({"only": ("100644", b"here")})
    with slot(project) as leased:
        leased.checkout(unnamed)
        project.git("prune", "--expire=now")

        assert look(leased.checkout(project.tree())) == fresh(project, project.tree())


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda slot: (slot.folder / "index.lock").touch(), id="index lock left behind"),
        pytest.param(lambda slot: (slot.folder / "index").write_bytes(b"junk"), id="index damaged"),
        pytest.param(lambda slot: slot._index.replace({"a.py": None}, "0" * 40), id="index of another tree"),
        pytest.param(lambda slot: (slot.folder / "index.lock").write_bytes(b""), id="index lock left"),
        pytest.param(lambda slot: (slot.folder / "state.json").write_bytes(b"{"), id="state torn"),
        pytest.param(lambda slot: (slot.folder / "state.json").write_bytes(b"{}"), id="state empty"),
        pytest.param(lambda slot: (slot.folder / "state.json").unlink(), id="state gone"),
        pytest.param(lambda slot: (slot.path).rename(slot.folder / "elsewhere"), id="files gone"),
        pytest.param(lambda slot: (slot.folder / "incoming").mkdir(), id="incoming left"),
    ],
)
def test_a_harmed_slot_heals(project: Project, harm: Callable[[Slot], object]) -> None:
    wanted = tree(project, other=b"1")
    with slot(project) as leased:
        leased.checkout(project.tree())
        harm(leased)

        assert look(leased.checkout(wanted)) == fresh(project, wanted)


def test_an_index_that_is_not_the_old_tree_does_not_decide_the_form_of_files(project: Project) -> None:
    attributes = ("100644", b"*.txt text eol=crlf\n")
    first = project.make_tree({".gitattributes": attributes, "x.txt": ("100644", b"1\n")})
    second = project.make_tree({".gitattributes": attributes, "x.txt": ("100644", b"2\n")})
    with slot(project) as leased:
        leased.checkout(first)
        leased._index.replace({".gitattributes": None}, "0" * 40)

        assert look(leased.checkout(second))["x.txt"][1] == b"2\r\n"


def test_files_that_vanished_are_noticed_even_if_the_tree_is_the_same(project: Project) -> None:
    with slot(project) as leased:
        folder = leased.checkout(project.tree())
        folder.rename(leased.folder / "elsewhere")

        assert look(leased.checkout(project.tree())) == fresh(project, project.tree())


def test_a_slot_from_before_a_reboot_is_made_anew(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with slot(project) as leased:
        folder = leased.checkout(project.tree())
        (folder / "a.py").write_bytes(
            b""
        )  # what a power loss can do to a file that was not forced to the disk
        boot = project.root.parent / "boot"
        boot.write_text("another boot\n")
        monkeypatch.setattr("dev_agent.repository.slot_state._BOOT_ID", boot)

        assert leased.at is None
        assert look(leased.checkout(project.tree())) == fresh(project, project.tree())


def test_a_system_that_does_not_tell_its_boot_still_has_slots(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dev_agent.repository.slot_state._BOOT_ID", Path("/nonexistent"))
    with slot(project) as leased:
        leased.checkout(project.tree())
        assert leased.at == project.tree()


# Trust


def test_a_distrusted_slot_starts_from_nothing(project: Project) -> None:
    with slot(project) as leased:
        folder = leased.checkout(project.tree())
        leased.distrust()
        leased.distrust()
        (folder / "a.py").write_bytes(b"written by a test\n")
        (folder / "dropping").mkdir()
        (folder / "dropping").chmod(0)

        assert look(leased.checkout(project.tree())) == fresh(project, project.tree())


def test_a_dropped_slot_holds_nothing(project: Project) -> None:
    with slot(project) as leased:
        leased.checkout(project.tree())
        (leased.folder / "planted").write_bytes(b"by nobody of ours")
        (leased.folder / "more" / "deep").mkdir(parents=True)
        (leased.folder / "link").symlink_to("lock")
        leased.drop()

        assert leased.at is None
        assert [path.name for path in leased.folder.iterdir()] == ["lock"]
        assert look(leased.checkout(project.tree())) == fresh(project, project.tree())


def test_what_was_altered_is_named(project: Project) -> None:
    head = project.git("rev-parse", "HEAD").encode()
    wanted = project.make_tree(
        {
            "a": ("100644", b"1"),
            "b": ("100755", b"2"),
            "d/c": ("100644", b"3"),
            "gone": ("100644", b"4"),
            "kept": ("120000", b"a"),
            "link": ("120000", b"a"),
            "pipe": ("100644", b"5"),
            "sub": ("160000", head),
        }
    )
    with slot(project) as leased:
        folder = leased.checkout(wanted)
        assert leased.altered() == ()
        (folder / "a").write_bytes(b"x")
        (folder / "b").chmod(0o644)
        (folder / "d" / "new").write_bytes(b"")
        (folder / "gone").unlink()
        (folder / "link").unlink()
        (folder / "link").symlink_to("a")
        seconds = (folder / "pipe").stat().st_mtime
        (folder / "pipe").unlink()
        os.mkfifo(folder / "pipe")
        (folder / "pipe").chmod(0o644)
        os.utime(folder / "pipe", (seconds, seconds))
        (folder / "sub" / "inside").mkdir()

        assert leased.altered() == ("a", "b", "d/new", "gone", "link", "pipe", "sub/inside")


# Laws

_NAMES = st.sampled_from(["a", "b", "A", "new\nline", "t\tb", 'q"', "\udcff", "-x", " "])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_ENTRIES = st.one_of(
    st.tuples(st.sampled_from(["100644", "100755"]), st.sampled_from([b"", b"1\n", b"1\r\n2", b"\0\xff"])),
    st.tuples(st.just("120000"), st.sampled_from([b"a", b"../..", b"/etc/passwd", b"."])),
    st.tuples(st.just("160000"), st.just(b"1" * 40)),
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from([".gitattributes", "a/.gitattributes"]),
    st.tuples(
        st.just("100644"), st.sampled_from([b"* text eol=crlf\n", b"* -text\n", b"a ident\nb eol=crlf\n"])
    ),
    max_size=1,
)


@st.composite
def _trees(draw: st.DrawFn) -> Tree:
    """A tree of a few files in which nothing is both a file and a folder."""
    wanted = draw(st.dictionaries(_PATHS, _ENTRIES, max_size=5)) | draw(_ATTRIBUTES)
    return {
        path: entry
        for path, entry in wanted.items()
        if not any(other != path and other.startswith(path + "/") for other in wanted)
    }


@pytest.mark.law
@settings(max_examples=25)
@given(sequence=st.lists(_trees(), min_size=2, max_size=4))
def test_after_any_sequence_of_checkouts_a_slot_equals_a_fresh_one(sequence: list[Tree]) -> None:
    """Law: what a slot holds depends on the tree only, never on where it came from."""
    with tempfile.TemporaryDirectory() as folder:
        project = make_repository(Path(folder))
        with slot(project) as leased:
            for files in sequence:
                wanted = project.make_tree(files)
                assert look(leased.checkout(wanted)) == fresh(project, wanted)
                assert leased.altered() == ()


# Killed at any line


@pytest.mark.kill
@pytest.mark.parametrize("way", ["fill", "move", "move, and back"])
def test_a_checkout_killed_at_any_call_heals(project: Project, way: str) -> None:
    old = project.make_tree(
        {
            "gone": ("100644", b"0"),
            "same": ("100644", b"1"),
            "d/x": ("100644", b"2"),
            "k": ("120000", b"same"),
        }
    )
    new = project.make_tree({"same": ("100644", b"1"), "d": ("100755", b"3"), "k/y": ("100644", b"4")})
    wanted = old if way == "move, and back" else new
    expected = fresh(project, wanted)
    slots = Slots(project.repository())

    def prepare() -> None:
        with slots.lease("kill") as leased:
            leased.drop()
            if way != "fill":
                leased.checkout(old)

    def work() -> None:
        with slots.lease("kill") as leased:
            leased.checkout(new)

    number = 0
    while True:
        prepare()
        killed = killed_at_call(number, work)
        wait_until_unlocked(slots.folder / "kill-1" / "lock")
        with slots.lease("kill") as leased:
            assert look(leased.checkout(wanted)) == expected, f"killed before call {number}"
            assert leased.folder.name == "kill-1"
        if not killed:
            break
        number += 1
    assert number > 10


def test_an_emptied_slot_is_filled_again_and_one_in_use_is_left(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a": b"a\n"})
    slots = Slots(project.repository())
    with slots.lease("tests") as slot:
        slot.checkout(project.tree())
        assert not slots.empty("tests-1")
        assert (slot.path / "a").read_bytes() == b"a\n"
    assert slots.empty("tests-1")
    assert [entry.name for entry in (slots.folder / "tests-1").iterdir()] == ["lock"]
    with slots.lease("tests") as slot:
        assert slot.at is None
        assert (slot.checkout(project.tree()) / "a").read_bytes() == b"a\n"
