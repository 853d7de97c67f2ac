"""Flushing: one call where a file system is known to keep its promise, one by one elsewhere, never neither."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from dev_agent.runtime import durability
from dev_agent.runtime.durability import Barrier, write_mark
from dev_agent.runtime.errors import JournalFailed
from tests.testing.flushes import after_each_flush, instead_of_each_flush, one_by_one


def files(folder: Path, count: int) -> list[Path]:
    made = [folder / str(number) for number in range(count)]
    for path in made:
        path.write_bytes(b"x")
    return made


def add_all(barrier: Barrier, folder: Path) -> None:
    for path in files(folder, 5):
        barrier.add_file(path)
    barrier.add_folder(folder)


def test_one_flush_serves_all_files_of_a_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes: list[int] = []
    monkeypatch.setattr(durability, "reaches_the_disk", lambda _descriptor: True)
    after_each_flush(monkeypatch, lambda: flushes.append(1))
    add_all(Barrier(), tmp_path)
    assert len(flushes) == 1


def test_where_that_is_not_known_each_file_and_folder_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes: list[int] = []
    one_by_one(monkeypatch)
    after_each_flush(monkeypatch, lambda: flushes.append(1))
    add_all(Barrier(), tmp_path)
    assert len(flushes) == 6


def test_an_unknown_file_system_and_an_unknown_system_are_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "f").open("wb") as file:
        monkeypatch.setattr(durability, "_WHOLE", frozenset())
        assert not durability.reaches_the_disk(file.fileno())
        monkeypatch.undo()
        monkeypatch.setattr("sys.platform", "darwin")
        assert not durability.reaches_the_disk(file.fileno())
        monkeypatch.undo()
        monkeypatch.setattr(durability, "_has_syncfs", lambda: False)
        assert not durability.flush_file_system(file.fileno())
    with Path("/proc/self/status").open("rb") as neither_disk_nor_memory:
        assert not durability.reaches_the_disk(neither_disk_nor_memory.fileno())
    assert not durability.reaches_the_disk(-1)


def test_a_flush_the_system_could_not_do_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_descriptor: int) -> int:
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(durability, "reaches_the_disk", lambda _descriptor: True)
    monkeypatch.setattr(durability, "_library", lambda: SimpleNamespace(syncfs=fails))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as caught:
        Barrier().add_folder(tmp_path)
    assert caught.value.errno == errno.EIO


def test_a_mark_appears_only_after_a_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "mark"
    there: list[bool] = []
    after_each_flush(monkeypatch, lambda: there.append(mark.exists()))
    write_mark(mark, b"done")
    assert there == [False]
    assert mark.read_bytes() == b"done"


def test_a_mark_whose_flush_fails_does_not_appear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    instead_of_each_flush(monkeypatch, fails)
    with pytest.raises(JournalFailed) as caught:
        write_mark(tmp_path / "mark", b"done")
    assert caught.value.message == "cannot write mark: input/output error"
    assert list(tmp_path.iterdir()) == []
