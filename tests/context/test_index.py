"""What is remembered costs nothing again, and never changes an answer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.context.folder import BATCH, IndexFolder
from dev_agent.context.kept import Kept
from dev_agent.context.written import WrittenRows, written_rows
from tests.context.conftest import SHOP, MemorySource, ranked

TASK = "the total of a bill in `round_half_even`"


def segments(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.segment"))


def test_a_second_question_reads_nothing(tmp_path: Path) -> None:
    first = ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path))
    source = MemorySource(SHOP)
    assert ranked(source, TASK, IndexFolder(tmp_path)) == first
    assert source.read == []


def test_only_the_changed_blob_is_asked_for(tmp_path: Path) -> None:
    ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path))
    source = MemorySource({**SHOP, "src/shop/stock.py": b"def total(): ...\n"})
    ranked(source, TASK, IndexFolder(tmp_path))
    assert source.read == [source.files()["src/shop/stock.py"][1]]


contents = st.sampled_from(
    [
        b"def total(): ...\n",
        b"class Bill: ...\n",
        b"# bill\n",
        b"",
        b"\xff\xfe total",
        b"x = 'bill total'\n",
        b"import b\n",
    ]
)
trees = st.dictionaries(
    st.sampled_from(["a.py", "b.py", "pkg/__init__.py", "pkg/bill.py", "c.md", "t.js"]), contents
)


@pytest.mark.law
@given(st.lists(trees, min_size=1, max_size=14))
def test_incremental_is_full(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, bytes]]
) -> None:
    """Law: however the index came about, an answer is that of an index made at once."""
    folder = IndexFolder(tmp_path_factory.mktemp("index"))
    for tree in history:
        source = MemorySource(tree)
        assert ranked(source, "fix bill.total in b.py", folder) == ranked(source, "fix bill.total in b.py")


@pytest.mark.law
@given(st.data())
def test_a_damaged_index_is_made_again(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Law: any byte changed or cut off, the answer is the same."""
    folder = tmp_path_factory.mktemp("index")
    wanted = ranked(MemorySource(SHOP), TASK, IndexFolder(folder))
    path = data.draw(st.sampled_from([*segments(folder), *folder.rglob("*.table")]))
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        whole[at] ^= data.draw(st.integers(1, 255))
    else:
        del whole[at:]
    path.write_bytes(whole)
    assert ranked(MemorySource(SHOP), TASK, IndexFolder(folder)) == wanted
    assert ranked(MemorySource(SHOP), TASK, IndexFolder(folder)) == wanted


def test_a_damaged_segment_is_replaced_by_a_whole_one(tmp_path: Path) -> None:
    ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path))
    (path,) = segments(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(b"garbage")
    ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path))
    assert path.read_bytes() == whole


def test_a_table_whose_segment_is_gone_is_made_again(tmp_path: Path) -> None:
    wanted = ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path))
    segments(tmp_path)[0].unlink()
    source = MemorySource(SHOP)
    assert ranked(source, TASK, IndexFolder(tmp_path)) == wanted
    assert source.read


def test_a_tree_asked_about_before_is_not_even_listed(tmp_path: Path) -> None:
    class Unlisted(MemorySource):
        def files(self) -> Mapping[str, tuple[str, str]]:
            raise AssertionError("a listing was made")

    wanted = ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path))
    assert ranked(Unlisted(SHOP), TASK, IndexFolder(tmp_path)) == wanted


def test_tables_of_old_trees_go(tmp_path: Path) -> None:
    for number in range(40):
        ranked(MemorySource({**SHOP, "a.py": b"x = %d\n" % number}), TASK, IndexFolder(tmp_path))
    assert len(list(tmp_path.rglob("*.table"))) <= 16


@pytest.mark.law
@given(st.binary(max_size=60), st.data())
def test_what_is_kept_is_whole_or_gone(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, data: st.DataObject
) -> None:
    """Law: what was put is got; any byte changed or cut off, nothing is."""
    folder = tmp_path_factory.mktemp("kept")
    Kept(folder).put("some", body)
    assert Kept(folder).get("some") == body
    path = folder / "so" / "some"
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        whole[at] ^= data.draw(st.integers(1, 255))
    else:
        del whole[at:]
    path.write_bytes(whole)
    assert Kept(folder).get("some") is None


@pytest.mark.law
@given(st.dictionaries(st.text(), st.lists(st.integers(0, 999))), st.text())
def test_rows_that_are_written_down_are_the_rows(rows: dict[str, list[int]], other: str) -> None:
    """Law: whatever the terms are, each finds its own row and no other's."""
    written = WrittenRows(written_rows(rows))
    assert dict(written) == rows
    assert written.get(other) == rows.get(other)


def test_what_a_killed_writer_left_is_no_segment(tmp_path: Path) -> None:
    wanted = ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path))
    (path,) = segments(tmp_path)
    path.with_name(".new-abc").write_bytes(path.read_bytes()[:100])
    path.unlink()
    assert ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path)) == wanted


def test_many_changes_do_not_leave_many_files(tmp_path: Path) -> None:
    files = dict(SHOP)
    for number in range(40):
        files[f"src/new{number}.py"] = b"x = %d\n" % number
        ranked(MemorySource(files), TASK, IndexFolder(tmp_path))
    assert len(segments(tmp_path)) < 12


def test_what_nobody_asks_for_any_more_goes(tmp_path: Path) -> None:
    for number in range(40):
        ranked(MemorySource({"a.py": b"x = %d\n" % number}), TASK, IndexFolder(tmp_path))
    assert len(segments(tmp_path)) < 12


def test_a_folder_that_cannot_be_made_is_an_index_that_forgets(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    source = MemorySource(SHOP)
    assert ranked(source, TASK, IndexFolder(tmp_path / "file" / "index")) == ranked(MemorySource(SHOP), TASK)


def test_a_link_in_the_place_of_a_segment_is_not_followed(tmp_path: Path) -> None:
    ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path / "index"))
    (path,) = segments(tmp_path / "index")
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    source = MemorySource(SHOP)
    ranked(source, TASK, IndexFolder(tmp_path / "index"))
    assert source.read
    assert elsewhere.exists()


def test_a_file_that_vanishes_between_two_questions_is_read_again(tmp_path: Path) -> None:
    wanted = ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path))
    os.unlink(segments(tmp_path)[0])  # noqa: PTH108 - as a collection of the cache does
    assert ranked(MemorySource(SHOP), TASK, IndexFolder(tmp_path)) == wanted


def test_progress_is_told_batch_by_batch(tmp_path: Path) -> None:
    files = {f"m{number}.py": b"x = %d\n" % number for number in range(BATCH + 1)}
    told: list[tuple[int, int]] = []
    ranked(MemorySource(files), "x", IndexFolder(tmp_path, lambda done, of: told.append((done, of))))
    assert told == [(BATCH, BATCH + 1), (BATCH + 1, BATCH + 1)]
    assert len(segments(tmp_path)) == 2


def test_a_huge_file_is_known_by_its_name_only() -> None:
    source = MemorySource({"huge.py": b"total = 1\n" * 200_000, "small.py": b"total = 1\n"})
    found = ranked(source, "total in huge.py")
    assert "huge.py" in [one.path for one in found]
    assert source.files()["huge.py"][1] not in source.read
