"""Files by their content: what is whole is what it says, whatever was sent and whatever died."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev_agent.cluster.store import BadPiece, Store
from tests.testing.jobs import digest

DATA = b"0123456789" * 1000


def test_a_file_in_pieces_is_there_when_all_of_it_is(tmp_path: Path) -> None:
    store, name = Store(tmp_path), digest(DATA)
    assert store.take(name, "ann", 0, len(DATA), DATA[:4000]) == 4000
    assert store.lacking([name]) == (name,)
    assert store.take(name, "ann", 4000, len(DATA), DATA[4000:]) == len(DATA)
    found = store.find(name)
    assert found is not None
    assert found.read_bytes() == DATA


def test_a_piece_that_comes_twice_or_too_early_changes_nothing(tmp_path: Path) -> None:
    store, name = Store(tmp_path), digest(DATA)
    store.take(name, "ann", 0, len(DATA), DATA[:4000])
    assert store.take(name, "ann", 0, len(DATA), DATA[:4000]) == 4000
    assert store.take(name, "ann", 8000, len(DATA), DATA[8000:]) == 4000
    assert store.take(name, "ann", 4000, len(DATA), DATA[4000:]) == len(DATA)
    assert store.take(name, "ann", 0, len(DATA), DATA[:4000]) == len(DATA)


def test_two_senders_of_one_file_do_not_meet(tmp_path: Path) -> None:
    store, name = Store(tmp_path), digest(DATA)
    store.take(name, "ann", 0, len(DATA), DATA[:4000])
    store.take(name, "bob", 0, len(DATA), DATA[:6000])
    assert store.take(name, "ann", 4000, len(DATA), DATA[4000:]) == len(DATA)
    assert store.take(name, "bob", 6000, len(DATA), DATA[6000:]) == len(DATA)


def test_another_content_than_was_announced_is_dropped(tmp_path: Path) -> None:
    store, name = Store(tmp_path), digest(DATA)
    with pytest.raises(BadPiece):
        store.take(name, "eve", 0, 4, b"evil")
    assert store.find(name) is None
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(("name", "sender"), [("../x", "ann"), (digest(DATA), "../x"), (digest(DATA), "")])
def test_a_name_that_is_none_touches_nothing(tmp_path: Path, name: str, sender: str) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(BadPiece):
        store.take(name, sender, 0, 1, b"x")
    assert files_in(tmp_path) == []


def test_pieces_of_a_dead_process_are_gone_and_whole_files_stay(tmp_path: Path) -> None:
    store, name = Store(tmp_path), digest(DATA)
    whole = store.add(b"whole")
    store.take(name, "ann", 0, len(DATA), DATA[:4000])
    again = Store(tmp_path)
    assert again.find(whole) is not None
    assert again.take(name, "ann", 4000, len(DATA), DATA[4000:]) == 0


def test_a_file_the_disk_damaged_is_not_believed(tmp_path: Path) -> None:
    name = Store(tmp_path).add(DATA)
    path = next(one for one in files_in(tmp_path) if one.name == name)
    path.chmod(0o644)
    path.write_bytes(DATA[:-1] + b"x")
    assert Store(tmp_path).find(name) is None
    assert not path.exists()


def test_what_is_in_use_is_not_dropped(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, two = store.add(b"one"), store.add(b"two")
    with store.kept([one]):
        assert [held.sha256 for held in store.held()] == [two]
        assert not store.drop(one)
        assert store.drop(two)
    assert store.find(two) is None
    assert store.drop(one)


def test_a_use_counts_by_this_machines_order_even_if_a_file_is_from_the_future(tmp_path: Path) -> None:
    store = Store(tmp_path)
    name = store.add(DATA)
    path = store.find(name)
    assert path is not None
    os.utime(path, (2**33, 2**33))
    assert store.find(name) == path
    assert path.stat().st_mtime < 2**33


def files_in(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file()]
