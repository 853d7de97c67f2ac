"""The parts on their own: names, the journal's text, moves without overwriting, the land lock, rebasing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.cancel import Cancel
from dev_agent.errors import GitFailed
from dev_agent.repository.landing.content import Content, Kind, content_of, has_writer
from dev_agent.repository.landing.folders import opened
from dev_agent.repository.landing.journal import (
    Action,
    Change,
    Folder,
    Journal,
    Step,
    read_journal,
    write_journal,
)
from dev_agent.repository.landing.names import clashes, folded, forbidden
from dev_agent.repository.landing.outcome import Code, refusal_for, refusal_in
from dev_agent.repository.lock import LandLockBusy, land_lock_held
from dev_agent.repository.rebase import Conflicted, Rebased, rebase
from dev_agent.repository.rename import Moves, Place, exists, probe
from tests.repository.landing.landing_scene import make_scene, snapshot
from tests.testing.children import in_child

NATIVE = Moves(exchange=True, noreplace=True)
LINKS = Moves(exchange=False, noreplace=False)

# names

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)


@given(st.lists(NAMES, min_size=1, max_size=4).map("/".join))
def test_a_forbidden_component_is_forbidden_in_every_case_and_at_every_depth(path: str) -> None:
    """Law: forbidden(p) implies forbidden for upper and lower case, and below any folder."""
    if forbidden(path):
        assert forbidden(f"folder/{path}")
        assert forbidden(path.upper()) or path.upper().casefold() != path.casefold()
    assert forbidden(f"{path}/.git/config")
    assert forbidden(f"{path}/../x")


@given(st.sets(NAMES, max_size=6), st.sets(NAMES, max_size=6))
def test_a_clash_is_two_names_that_fold_to_one(added: set[str], present: set[str]) -> None:
    """Law: an added name clashes if and only if another name folds to the same."""
    everything = added | present
    expected = {name for name in added if any(folded(name) == folded(o) and name != o for o in everything)}
    assert set(clashes(added, everything)) == expected


def test_what_is_forbidden_and_what_only_looks_like_it() -> None:
    for path in (
        "a\0b",
        "",
        "a//b",
        "./a",
        "a/..",
        "x/.GIT/y",
        "GIT~1",
        ".git . .",
        ".git::$DATA",
        ".\u200cgit",
    ):
        assert forbidden(path), path
    for path in (".gitignore", ".github/x", "git", "a.git", "git~2", ".git2", "..."):
        assert not forbidden(path), path


# the journal

HEX = st.text("0123456789abcdef", min_size=1, max_size=8)
PATHS = st.text(st.characters(exclude_characters="\0"), max_size=8) | st.binary(max_size=6).map(os.fsdecode)
MAYBE = st.none() | HEX
CONTENTS = st.none() | st.builds(Content, kind=st.sampled_from(Kind), sha256=HEX)
NUMBERS = st.integers(0, 2**31)
JOURNALS = st.builds(
    Journal,
    id=HEX,
    run=PATHS,
    ref=PATHS,
    expected=MAYBE,
    commit=HEX,
    tree=HEX,
    has_work_tree=st.booleans(),
    exchange=st.booleans(),
    noreplace=st.booleans(),
    durable=st.booleans(),
    changes=st.lists(
        st.builds(Change, path=PATHS, old_mode=MAYBE, old_id=MAYBE, new_mode=MAYBE, new_id=MAYBE), max_size=3
    ).map(tuple),
    steps=st.lists(
        st.builds(
            Step,
            n=NUMBERS,
            action=st.sampled_from(Action),
            path=PATHS,
            old=CONTENTS,
            new=CONTENTS,
            beside=PATHS,
        ),
        max_size=3,
    ).map(tuple),
    made=st.lists(PATHS, max_size=3).map(tuple),
    folders=st.lists(st.builds(Folder, path=PATHS, mode=NUMBERS, uid=NUMBERS, gid=NUMBERS), max_size=3).map(
        tuple
    ),
)


@pytest.mark.law
@given(JOURNALS)
def test_a_journal_reads_back_as_it_was_written(tmp_path: Path, journal: Journal) -> None:
    """Law: read(write(j)) == j, for every path that a file system can hold."""
    write_journal(tmp_path / "journal", journal)
    assert read_journal(tmp_path / "journal") == journal
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]


# moves

MOVES = pytest.mark.parametrize("moves", [NATIVE, LINKS], ids=["native", "links"])


@MOVES
def test_a_move_never_overwrites(tmp_path: Path, moves: Moves) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    with opened(tmp_path) as fd:
        first, second, third = (Place(folder=fd, name=name) for name in "abc")
        with pytest.raises(FileExistsError):
            moves.move(first, second)
        with pytest.raises(FileExistsError):
            moves.take(first, second)
        moves.move(first, third)
        moves.take(second, first)
        assert not exists(second)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"b", "c": b"a"}


def test_a_swap_exchanges_even_a_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").mkdir()
    with opened(tmp_path) as fd:
        NATIVE.swap(Place(folder=fd, name="a"), Place(folder=fd, name="b"))
        with pytest.raises(FileNotFoundError):
            NATIVE.swap(Place(folder=fd, name="a"), Place(folder=fd, name="c"))
    assert (tmp_path / "a").is_dir()
    assert (tmp_path / "b").read_bytes() == b"a"


def test_a_probe_finds_what_works_and_leaves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as fd:
        found = probe(fd)
    assert found is not None
    assert list(tmp_path.iterdir()) == []


def test_a_probe_where_nothing_works_says_so() -> None:
    proc = Path("/proc/self/task")
    with opened(proc) as fd, pytest.raises(OSError, match=r".*"):
        probe(fd)


# contents


def test_a_writer_is_seen_and_a_reader_is_none(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x")
    with opened(tmp_path) as fd:
        place = Place(folder=fd, name="f")
        with path.open("rb"):
            assert has_writer(place) is False
        with path.open("ab"):
            assert has_writer(place) is True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_where_a_lease_is_not_to_be_had_the_answer_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    tmp_path.chmod(0o755)

    def as_somebody_else(fd: int) -> None:
        os.setuid(65534)
        assert has_writer(Place(folder=fd, name="f")) is None

    with opened(tmp_path) as fd:
        assert in_child(lambda: as_somebody_else(fd)) == 0


def test_every_kind_of_thing_has_a_content(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "p")
    (tmp_path / "l").symlink_to("nowhere")
    with opened(tmp_path) as fd:
        kinds = {}
        for name in "dplz":
            found = content_of(Place(folder=fd, name=name))
            kinds[name] = found.kind if found else None
    assert kinds == {"d": Kind.FOLDER, "p": Kind.OTHER, "l": Kind.LINK, "z": None}


# errors


def test_errors_of_the_system_and_of_git_become_the_same_refusals() -> None:
    full = refusal_for(OSError(28, "No space left on device", b"name"))
    assert full is not None
    assert (full.outcome.code, full.outcome.text) == (Code.DISK_FULL, "name: No space left on device")  # type: ignore[union-attr]
    said = refusal_in("fatal: unable to write: Permission denied\n")
    assert said is not None
    assert said.outcome.code is Code.NO_WRITE_PERMISSION  # type: ignore[union-attr]
    assert refusal_for(OSError(5, "Input/output error")) is None
    assert refusal_in("fatal: something else") is None


# the land lock


def test_the_second_holder_waits_and_then_names_the_first(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    with land_lock_held(scene.repository, "landing for run one", timeout_s=0):
        with (
            pytest.raises(LandLockBusy, match="landing for run one") as raised,
            land_lock_held(scene.repository, "two", timeout_s=0),
        ):
            pass
        assert raised.value.hint
    with land_lock_held(scene.repository, "three", timeout_s=0):
        pass


def test_a_lock_file_removed_by_somebody_excludes_nobody_and_is_made_again(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    path = scene.repository.state_dir / "land.lock"
    with land_lock_held(scene.repository, "one", timeout_s=0):
        path.unlink()
        with land_lock_held(scene.repository, "two", timeout_s=0):
            assert "two" in path.read_text()
            with pytest.raises(LandLockBusy), land_lock_held(scene.repository, "three", timeout_s=0):
                pass


def test_waiting_for_the_lock_can_be_stopped(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    cancel = Cancel()
    cancel.request()
    with (
        land_lock_held(scene.repository, "one", timeout_s=0),
        pytest.raises(KeyboardInterrupt),
        land_lock_held(scene.repository, "two", timeout_s=60, cancel=cancel),
    ):
        pass


def test_a_holder_that_said_nothing_is_still_a_holder(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    with land_lock_held(scene.repository, "one", timeout_s=0) as fd:
        os.ftruncate(fd, 0)
        with (
            pytest.raises(LandLockBusy, match="did not say"),
            land_lock_held(scene.repository, "two", timeout_s=0),
        ):
            pass


# rebasing


def test_a_change_is_carried_over_in_memory(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    base = scene.head()
    commit = scene.propose({"a.txt": b"ours\n"})
    tip = scene.commit({"b.txt": b"theirs\n"})
    before = snapshot(scene)
    carried = rebase(scene.repository, base=base, commit=commit, onto=tip)
    assert isinstance(carried, Rebased)
    assert scene.git("cat-file", "blob", f"{carried.tree}:a.txt") == "ours"
    assert scene.git("cat-file", "blob", f"{carried.tree}:b.txt") == "theirs"
    assert snapshot(scene) == before


def test_a_conflict_names_its_paths(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    base = scene.head()
    commit = scene.propose({"a.txt": b"ours\n", "b.txt": b"fine\n"})
    tip = scene.commit({"a.txt": b"theirs\n"})
    carried = rebase(scene.repository, base=base, commit=commit, onto=tip)
    assert carried == Conflicted(paths=("a.txt",), text="the change conflicts")


def test_a_rewritten_born_or_deleted_branch_is_not_followed(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    first = scene.head()
    base = scene.commit({"b.txt": b"second\n"})
    commit = scene.propose({"a.txt": b"ours\n"})
    rewound = rebase(scene.repository, base=base, commit=commit, onto=first)
    assert isinstance(rewound, Conflicted)
    assert "rewritten" in rewound.text
    for old, new in ((None, base), (base, None)):
        assert isinstance(rebase(scene.repository, base=old, commit=commit, onto=new), Conflicted)


def test_a_commit_that_is_not_there_is_an_error_not_a_conflict(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    base = scene.head()
    with pytest.raises(GitFailed, match="merge-tree"):
        rebase(scene.repository, base=base, commit="0" * 39 + "1", onto=base)
