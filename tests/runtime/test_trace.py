"""The journal: what was written is found again, and every change to it is found out."""

from __future__ import annotations

import errno
import fcntl
import gc
import os
import shutil
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.runtime import durability, files, trace
from dev_agent.runtime.blobs import Blobs
from dev_agent.runtime.canonical import canonical, parse_canonical
from dev_agent.runtime.chain import TRACE_NAME
from dev_agent.runtime.errors import (
    BlobUnavailable,
    JournalBusy,
    JournalFailed,
    NotCanonical,
    RuntimeFault,
    TraceCorrupt,
)
from dev_agent.runtime.events import MAX_LINE, Event, new_event
from dev_agent.runtime.trace import Anchor, Journal, Verification, read_trace, verify
from tests.runtime.worlds import CountedSalts, FixedClock
from tests.testing.flushes import after_each_flush, instead_of_each_flush, one_by_one

CLOCK = FixedClock()


def written(folder: Path) -> Path:
    """A run of five events, two of them with blobs."""
    with Journal.create(
        folder, "r-1", {"base": "abc", "program": "def"}, CLOCK, salt=CountedSalts()
    ) as journal:
        journal.append("noted", {"text": "grüße"})
        journal.append(
            "logged", {"n": 1}, blobs={"stdout": b"out", "stderr": b""}, actor="tool", durable=True
        )
        journal.append("noted", {"list": [1, None, True]})
        journal.append("logged", {}, blobs={"stdout": b"more"})
    return folder


def lines(folder: Path) -> list[bytes]:
    return (folder / TRACE_NAME).read_bytes().splitlines(keepends=True)


def replaced(folder: Path, content: bytes) -> Verification:
    (folder / TRACE_NAME).write_bytes(content)
    return verify(folder)


def test_a_trace_verifies_and_reads_back_as_written(tmp_path: Path) -> None:
    written(tmp_path)

    events = read_trace(tmp_path)

    assert [event.type for event in events] == ["run-started", "noted", "logged", "noted", "logged"]
    assert events[1].data == {"text": "grüße"}
    assert events[2].actor == "tool"
    assert [blob.role for blob in events[2].blobs] == ["stdout", "stderr"]
    assert verify(tmp_path) == Verification(ok=True, events=5, head=events[-1].hash)


def test_an_event_tells_its_line_by_field(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "r-1", {}, FixedClock()) as journal:
        event = journal.append("noted", {"deep": [{"text": "\u00e9"}], "n": 1}, blobs={"stdout": b"said"})
    line = (tmp_path / TRACE_NAME).read_bytes().splitlines()[-1]

    assert canonical(event.to_json()) == line


def test_the_same_run_twice_is_the_same_bytes(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a"), written(tmp_path / "b")
    assert (first / TRACE_NAME).read_bytes() == (second / TRACE_NAME).read_bytes()


@pytest.mark.law
def test_every_flipped_bit_of_every_byte_is_found_in_its_line(tmp_path: Path) -> None:
    folder = written(tmp_path)
    original = (folder / TRACE_NAME).read_bytes()
    for at, byte in enumerate(original):
        line = original[:at].count(b"\n")
        for flip in (1, byte ^ 0x0A):
            if flip == 0:
                continue
            changed = original[:at] + bytes([byte ^ flip]) + original[at + 1 :]
            result = replaced(folder, changed)
            assert not result.ok, (at, flip)
            assert result.first_bad in (line, line + 1), (at, flip, result)
            assert result.reason


@pytest.mark.law
def test_every_deleted_and_every_inserted_byte_is_found(tmp_path: Path) -> None:
    folder = written(tmp_path)
    original = (folder / TRACE_NAME).read_bytes()
    for at in range(len(original)):
        assert not replaced(folder, original[:at] + original[at + 1 :]).ok, at
        byte = b"\n" if at % 2 else b"0"
        assert not replaced(folder, original[:at] + byte + original[at:]).ok, (at, byte)


@pytest.mark.law
def test_every_removed_repeated_or_swapped_event_is_found(tmp_path: Path) -> None:
    folder = written(tmp_path)
    original = lines(folder)
    for at in range(len(original) - 1):
        assert replaced(folder, b"".join(original[:at] + original[at + 1 :])).first_bad == at
        assert replaced(folder, b"".join([*original[: at + 1], *original[at:]])).first_bad == at + 1
        for other in range(at + 1, len(original)):
            swapped = list(original)
            swapped[at], swapped[other] = swapped[other], swapped[at]
            assert replaced(folder, b"".join(swapped)).first_bad == at


@pytest.mark.law
def test_every_truncation_below_an_anchor_is_found(tmp_path: Path) -> None:
    folder = written(tmp_path)
    original = (folder / TRACE_NAME).read_bytes()
    whole = verify(folder)
    anchor = Anchor(run="r-1", events=5, head=whole.head)
    assert verify(folder, [anchor]).ok
    for at in range(len(original)):
        (folder / TRACE_NAME).write_bytes(original[:at])
        assert not verify(folder, [anchor]).ok, at


def test_a_chain_cut_between_events_looks_whole_without_an_anchor(tmp_path: Path) -> None:
    folder = written(tmp_path)
    anchor = Anchor(run="r-1", events=5, head=verify(folder).head)
    (folder / TRACE_NAME).write_bytes(b"".join(lines(folder)[:3]))

    assert verify(folder).ok
    result = verify(folder, [anchor])

    assert (result.first_bad, result.reason) == (3, "truncated: anchored with 5 events, 3 are left")


def test_a_chain_written_anew_contradicts_its_anchors(tmp_path: Path) -> None:
    first = read_trace(written(tmp_path / "a"))
    with Journal.create(tmp_path / "b", "r-1", {"base": "abc", "program": "def"}, CLOCK) as journal:
        journal.append("noted", {"text": "forged"})
        journal.append("noted", {"text": "forged"})
    anchors = [
        Anchor(run="r-1", events=3, head=first[2].hash),
        Anchor(run="r-1", events=2, head=first[1].hash),
    ]

    result = verify(tmp_path / "b", anchors)

    assert (result.ok, result.first_bad) == (False, 1)
    assert "rewritten" in result.reason


def test_an_anchor_of_another_run_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    assert "the anchor is for run r-2" in verify(folder, [Anchor(run="r-2", events=1, head="x")]).reason
    assert "at least one" in verify(folder, [Anchor(run="r-1", events=0, head="")]).reason


def test_the_binding_is_part_of_the_chain(tmp_path: Path) -> None:
    folder = written(tmp_path)
    assert read_trace(folder)[0].data["binding"] == {"base": "abc", "program": "def"}
    forged, _ = rebuilt(lines(folder)[0], {"binding": {"base": "evil", "program": "def"}})
    assert "prev does not follow" in replaced(folder, forged).reason


def rebuilt(line: bytes, data: dict[str, Any], **changes: Any) -> tuple[bytes, str]:
    """A line with other content and a hash that fits it, as a forger would write it."""
    value = parse_canonical(line.rstrip(b"\n"))
    assert isinstance(value, dict)
    fields: dict[str, Any] = {**value, "data": data, "blobs": (), **changes}
    event, made = new_event(**{key: item for key, item in fields.items() if key not in ("v", "hash")})
    return made, event.hash


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"run": "r-2"}, "belongs to run r-2"),
        ({"prev": "0" * 64}, "prev is not the hash"),
        ({"seq": 7}, "seq is 7, expected 2"),
        ({"type": "run-started"}, "may only be the first"),
    ],
)
def test_a_forged_event_with_a_fitting_hash_is_found(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    folder = written(tmp_path)
    original = lines(folder)
    forged, _ = rebuilt(original[2], {}, **changes)

    result = replaced(folder, b"".join([*original[:2], forged]))

    assert (result.first_bad, result.events) == (2, 2)
    assert reason in result.reason


def signed(value: dict[str, Any]) -> bytes:
    """Any object at all, as a line whose hash is right."""
    body = {key: item for key, item in value.items() if key != "hash"}
    digest = sha256(b"dev-agent/trace/v1\0" + canonical(body)).hexdigest()
    return canonical({**body, "hash": digest}) + b"\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"v": 2}, "format version 2; this reader knows 1"),
        ({"v": True}, "format version True"),
        ({"extra": 1}, "missing or unknown fields: extra"),
        ({"seq": "1"}, "seq is not a count"),
        ({"seq": True}, "seq is not a count"),
        ({"data": []}, "data is not an object"),
        ({"blobs": {}}, "blobs is not a list"),
        ({"blobs": [1]}, "a blob is not"),
        ({"blobs": [{"role": "x", "len": -1, "commit": "0" * 64}]}, "len is not a count"),
        ({"blobs": [{"role": "x", "len": 1, "commit": "../../etc/passwd"}]}, "commit is not well formed"),
        ({"run": "../x"}, "run is not well formed"),
        ({"type": "A\x1b[2J"}, "type is not well formed"),
        ({"at": "yesterday"}, "at is not well formed"),
        ({"actor": "root"}, "unknown actor 'root'"),
        ({"actor": 1}, "unknown actor '1'"),
        ({"prev": None}, "prev is not well formed"),
    ],
)
def test_a_line_of_another_form_is_refused_whatever_its_hash(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    folder = written(tmp_path)
    original = lines(folder)
    value = parse_canonical(original[1].rstrip(b"\n"))
    assert isinstance(value, dict)

    result = replaced(folder, original[0] + signed({**value, **change}))

    assert result.first_bad == 1
    assert reason in result.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no complete event"),
        (b"\n", "not JSON"),
        (b"[]\n", "not an object"),
        (b'{"v":1}\n', "missing or unknown fields"),
        (bytes(range(256)), "not JSON"),
        (b"\0" * 4096, "no complete event"),
        (b"x" * (MAX_LINE + 10), "longer than"),
        (b"x" * (MAX_LINE + 10) + b"\n", "longer than"),
        (b'{"a":1,"a":2}\n', "same key twice"),
        (b"\xff\xfe\n", "not JSON"),
        (b"[" * 200_000 + b"\n", "nested deeper"),
    ],
)
def test_junk_is_named_not_raised(tmp_path: Path, content: bytes, reason: str) -> None:
    result = replaced(tmp_path, content)
    assert (result.ok, result.events, result.head, result.first_bad) == (False, 0, "", 0)
    assert reason in result.reason


@pytest.mark.law
@given(content=st.binary(max_size=300))
def test_verification_never_raises(tmp_path: Path, content: bytes) -> None:
    assert not replaced(tmp_path, content).ok


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_nothing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("make", [make_folder, make_pipe, make_link, make_nothing])
def test_a_trace_that_is_no_file_is_named_not_opened(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / TRACE_NAME)

    result = verify(tmp_path)

    assert (result.ok, result.first_bad) == (False, 0)
    assert "cannot be read" in result.reason
    with pytest.raises(JournalFailed):
        read_trace(tmp_path)
    with pytest.raises(JournalFailed):
        Journal.open(tmp_path, CLOCK)


def test_a_path_no_system_has_is_named_not_raised() -> None:
    assert "cannot be read" in verify(Path("a\0b")).reason


def test_a_first_event_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    second = rebuilt(lines(folder)[1], {}, seq=0)[0]
    assert "the first event is noted" in replaced(folder, second).reason


@pytest.mark.parametrize(
    ("data", "reason"), [({}, "has no binding"), ({"binding": {"a": 1}}, "values must be text")]
)
def test_a_first_event_without_a_binding_is_refused(
    tmp_path: Path, data: dict[str, Any], reason: str
) -> None:
    folder = written(tmp_path)
    assert reason in replaced(folder, rebuilt(lines(folder)[0], data)[0]).reason


@pytest.mark.law
def test_a_run_killed_at_any_byte_of_an_append_opens_again(tmp_path: Path) -> None:
    folder = written(tmp_path)
    original = lines(folder)
    before, last = b"".join(original[:4]), original[4]
    for at in range(1, len(last)):
        (folder / TRACE_NAME).write_bytes(before + last[:at])
        torn = verify(folder)
        assert (torn.ok, torn.first_bad) == (False, 4)
        assert "torn last line" in torn.reason
        assert len(read_trace(folder)) == 4

        with Journal.open(folder, CLOCK) as journal:
            assert [event.type for event in journal.events[4:]] == ["recovered"]
            assert journal.events[4].data == {"droppedBytes": at}
            journal.append("noted", {})

        assert verify(folder).ok


def test_a_bad_line_before_the_last_is_damage_not_a_torn_tail(tmp_path: Path) -> None:
    folder = written(tmp_path)
    content = (folder / TRACE_NAME).read_bytes().replace(b'"n":1', b'"n":2') + b"torn"
    (folder / TRACE_NAME).write_bytes(content)

    with pytest.raises(TraceCorrupt) as caught:
        Journal.open(folder, CLOCK)

    assert caught.value.seq == 2
    assert (folder / TRACE_NAME).read_bytes() == content


def test_an_empty_trace_file_is_no_run(tmp_path: Path) -> None:
    (tmp_path / TRACE_NAME).write_bytes(b"")
    with pytest.raises(TraceCorrupt) as caught:
        Journal.open(tmp_path, CLOCK)
    assert "no complete event" in caught.value.reason


def test_one_writer_at_a_time_and_the_error_says_which_run(tmp_path: Path) -> None:
    folder = tmp_path / "r-9"
    with Journal.create(folder, "r-9", {}, CLOCK):
        with pytest.raises(JournalBusy) as caught:
            Journal.open(folder, CLOCK)
        assert "run r-9 is in use" in caught.value.message
        with pytest.raises(JournalBusy):
            Journal.create(folder, "r-9", {}, CLOCK)
    Journal.open(folder, CLOCK).close()


def test_a_folder_with_a_run_is_never_begun_again(tmp_path: Path) -> None:
    folder = written(tmp_path)
    before = (folder / TRACE_NAME).read_bytes()
    with pytest.raises(JournalFailed) as caught:
        Journal.create(folder, "r-1", {}, CLOCK)
    assert "already holds a run" in caught.value.message
    assert (folder / TRACE_NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("run", "binding"), [("../x", {}), ("", {}), ("r", {"a": 1}), ("r", {"ä": "x"}), ("r", {"a": "\ud800"})]
)
def test_a_run_that_could_not_be_read_back_is_not_begun(tmp_path: Path, run: str, binding: Any) -> None:
    with pytest.raises(NotCanonical):
        Journal.create(tmp_path / "x", run, binding, CLOCK)
    assert not (tmp_path / "x").exists()


def test_a_folder_that_cannot_be_made_is_a_failure_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalFailed) as caught:
        Journal.create(tmp_path / "file" / "run", "r", {}, CLOCK)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"type": "Bad", "data": {}}, "type is not well formed"),
        ({"type": "x", "data": {"a": 0.5}}, "float"),
        ({"type": "x", "data": {}, "actor": "root"}, "unknown actor"),
        ({"type": "x", "data": {"a": "x" * MAX_LINE}}, "too long"),
        ({"type": "x", "data": {}, "blobs": {"BAD ROLE": b""}}, "role is not well formed"),
    ],
)
def test_an_event_that_could_not_be_read_back_is_not_written(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        before = (tmp_path / TRACE_NAME).read_bytes()
        with pytest.raises(NotCanonical) as caught:
            journal.append(**arguments)
        assert message in caught.value.message
        assert (tmp_path / TRACE_NAME).read_bytes() == before
        journal.append("noted", {})
    assert verify(tmp_path).ok


def test_a_recorded_value_does_not_follow_its_original(tmp_path: Path) -> None:
    data: dict[str, Any] = {"deep": {"list": [1]}}
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        event = journal.append("noted", data)
        data["deep"]["list"].append(2)
        assert event.data == {"deep": {"list": (1,)}}
    assert read_trace(tmp_path)[1].data == {"deep": {"list": (1,)}}


def test_a_full_disk_leaves_whole_lines_and_a_journal_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        real = os.write
        with monkeypatch.context() as full:
            full.setattr(os, "write", lambda fd, data: real(fd, data[: len(data) // 2]))
            with pytest.raises(JournalFailed) as caught:
                journal.append("noted", {})
            assert "only a part was written" in caught.value.message
        assert verify(tmp_path).ok
        journal.append("noted", {"n": 2})
    assert [event.type for event in read_trace(tmp_path)] == ["run-started", "noted"]


def raising(*_arguments: object) -> None:
    raise OSError(errno.EIO, "input/output error")


def test_after_a_failed_sync_nothing_more_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        with monkeypatch.context() as broken:
            instead_of_each_flush(broken, raising)
            with pytest.raises(JournalFailed) as caught:
                journal.append("noted", {}, durable=True)
            assert "did not reach the disk" in caught.value.message
        with pytest.raises(JournalFailed) as caught:
            journal.append("noted", {})
        assert "closed or an earlier write failed" in caught.value.message
        with pytest.raises(JournalFailed):
            journal.flush()


def watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What reaches the disk from now on, in order, where each thing has to be flushed by itself."""
    flushed: list[Path] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(folder))

    one_by_one(monkeypatch)
    monkeypatch.setattr(os, "fsync", fsync)
    return flushed


def test_a_durable_event_takes_everything_before_it_to_the_disk_names_and_blobs_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = watched(tmp_path, monkeypatch)
    with Journal.create(tmp_path / "r", "r", {}, CLOCK) as journal:
        (logged,) = journal.append("logged", {}, blobs={"log": b"x"}).blobs
        assert flushed == []
        journal.append("noted", {}, durable=True)
        run = Path("r")
        blob = {run / "blobs" / logged.commitment, run / "salts" / logged.commitment}
        folders = {run, run / "blobs", run / "salts", Path()}
        assert set(flushed) == {*blob, run / TRACE_NAME, *folders}
        assert set(flushed[:2]) == blob  # before the line that names them
        flushed.clear()
        journal.append("noted", {}, durable=True)
        assert flushed == [run / TRACE_NAME]


def test_a_blob_that_was_erased_before_it_reached_the_disk_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one(monkeypatch)
    with Journal.create(tmp_path / "r", "r", {}, CLOCK) as journal:
        (logged,) = journal.append("logged", {}, blobs={"log": b"x"}).blobs
        for folder in ("blobs", "salts"):
            (tmp_path / "r" / folder / logged.commitment).unlink()
        journal.append("noted", {}, durable=True)


def test_a_group_of_files_reaches_the_disk_by_one_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes: list[int] = []
    with Journal.create(tmp_path / "r", "r", {}, CLOCK) as journal:
        after_each_flush(monkeypatch, lambda: flushes.append(1))
        with (tmp_path / "r" / TRACE_NAME).open("rb") as trace:
            if not durability.reaches_the_disk(trace.fileno()):
                pytest.skip("this file system is flushed file by file")
        journal.append("noted", {}, blobs={f"log{n}": b"x" for n in range(9)}, durable=True)
    assert len(flushes) == 1


def test_a_torn_line_that_cannot_be_cut_stops_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        with monkeypatch.context() as broken:
            broken.setattr(os, "write", raising)
            broken.setattr(os, "ftruncate", raising)
            with pytest.raises(JournalFailed):
                journal.append("noted", {})
        with pytest.raises(JournalFailed):
            journal.append("noted", {})


def test_an_interruption_between_file_and_memory_cannot_fork_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        with monkeypatch.context() as broken:
            instead_of_each_flush(broken, interrupted)
            with pytest.raises(KeyboardInterrupt):
                journal.append("noted", {}, durable=True)
        with pytest.raises(JournalFailed):
            journal.append("noted", {})
    assert verify(tmp_path).events == 2


def test_a_failed_creation_leaves_no_trace_and_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(os, "rename", raising)
        broken.setattr(os, "replace", raising)
        with pytest.raises(JournalFailed):
            Journal.create(tmp_path / "r", "r", {}, CLOCK)
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["lock"]
    Journal.create(tmp_path / "r", "r", {}, CLOCK).close()


def test_a_trace_without_write_rights_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path)
    real = os.open

    def only_reading(path: Any, flags: int, *rest: Any) -> int:
        if flags & os.O_APPEND:
            raise PermissionError(errno.EACCES, "permission denied")
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", only_reading)
    with pytest.raises(JournalFailed) as caught:
        Journal.open(folder, CLOCK)
    assert "for writing" in caught.value.message


def test_a_trace_behind_a_link_is_not_opened(tmp_path: Path) -> None:
    folder = written(tmp_path / "r")
    (folder / TRACE_NAME).rename(tmp_path / "elsewhere")
    (folder / TRACE_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalFailed) as caught:
        Journal.open(folder, CLOCK)
    assert "cannot read the trace" in caught.value.message


def test_a_file_system_without_locks_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", raising)
    with pytest.raises(JournalFailed) as caught:
        Journal.create(tmp_path, "r", {}, CLOCK)
    assert "cannot lock" in caught.value.message


def test_events_from_many_threads_make_one_chain(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:

        def append() -> None:
            for number in range(50):
                journal.append("noted", {"n": number}, blobs={"log": b"x"} if number % 10 == 0 else {})

        threads = [threading.Thread(target=append) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert verify(tmp_path).events == 201


def test_a_blob_is_read_back_by_its_commitment(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        blob = journal.append("logged", {}, blobs={"stdout": b"hello"}).blob("stdout")
        assert blob is not None
        assert journal.blob(blob.commitment) == b"hello"
        assert journal.events[-1].blob("other") is None
        with pytest.raises(BlobUnavailable) as caught:
            journal.blob("0" * 64)
        assert "no event of run r names" in caught.value.message


def test_equal_payloads_have_different_commitments(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        event = journal.append("logged", {}, blobs={"a": b"yes", "b": b"yes"})
    assert event.blobs[0].commitment != event.blobs[1].commitment


def damage_content(folder: Path, name: str) -> None:
    (folder / "blobs" / name).write_bytes(b"OUT")


def damage_length(folder: Path, name: str) -> None:
    (folder / "blobs" / name).write_bytes(b"out and more")


def damage_salt(folder: Path, name: str) -> None:
    (folder / "salts" / name).write_bytes(b"s" * 32)


def damage_link(folder: Path, name: str) -> None:
    (folder / "blobs" / name).unlink()
    (folder / "blobs" / name).symlink_to("/dev/zero")


def damage_by_removal(folder: Path, name: str) -> None:
    (folder / "blobs" / name).unlink()


@pytest.mark.parametrize(
    "damage", [damage_content, damage_length, damage_salt, damage_link, damage_by_removal]
)
def test_a_damaged_or_missing_blob_is_found_and_named(
    tmp_path: Path, damage: Callable[[Path, str], None]
) -> None:
    folder = written(tmp_path)
    name = read_trace(folder)[2].blobs[0].commitment

    damage(folder, name)

    result = verify(folder)
    assert (result.ok, result.first_bad, result.events) == (False, 2, 2)
    assert "no event says it was erased" in result.reason
    with Journal.open(folder, CLOCK) as journal, pytest.raises(BlobUnavailable):
        journal.blob(name)


def test_an_erased_blob_is_gone_and_the_chain_still_verifies(tmp_path: Path) -> None:
    folder = written(tmp_path)
    with Journal.open(folder, CLOCK) as journal:
        name = journal.events[2].blobs[0].commitment
        head = journal.anchor()
        journal.erase(name, "asked to")
        with pytest.raises(BlobUnavailable):
            journal.blob(name)

    assert not (folder / "blobs" / name).exists()
    assert not (folder / "salts" / name).exists()
    assert verify(folder, [head]).ok
    assert b"out" not in (folder / TRACE_NAME).read_bytes().replace(b"stdout", b"")


def test_an_erasure_killed_before_the_deletion_is_finished_by_the_next_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path)
    with Journal.open(folder, CLOCK) as journal, monkeypatch.context() as killed:
        name = journal.events[2].blobs[0].commitment
        killed.setattr(Journal, "_delete", raising)
        with pytest.raises(OSError, match="input/output"):
            journal.erase(name, "asked to")
    noted = verify(folder)
    assert noted.ok
    assert "still there" in noted.notes[0]

    Journal.open(folder, CLOCK).close()

    assert verify(folder).notes == ()
    assert not (folder / "blobs" / name).exists()


def test_only_a_blob_of_this_run_can_be_erased(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        with pytest.raises(BlobUnavailable):
            journal.erase("../lock", "mischief")
        assert len(journal.events) == 1
    assert (tmp_path / "lock").exists()


def test_an_erased_event_naming_no_blob_deletes_nothing(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        journal.append("erased", {"commit": "../lock"})
    Journal.open(tmp_path, CLOCK).close()
    assert (tmp_path / "lock").exists()


def test_a_blob_that_cannot_be_written_fails_the_append_and_leaves_no_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal, monkeypatch.context() as full:
        full.setattr(Path, "replace", raising)
        with pytest.raises(JournalFailed):
            journal.append("logged", {}, blobs={"stdout": b"x"})
        assert len(journal.events) == 1
    assert list((tmp_path / "blobs").iterdir()) + list((tmp_path / "salts").iterdir()) == []


def test_a_folder_removed_under_a_run_is_a_failure_with_a_remedy(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "run", "r", {}, CLOCK) as journal:
        shutil.rmtree(tmp_path / "run")
        with pytest.raises(JournalFailed, match="cannot make") as failed:
            journal.append("logged", {}, blobs={"text": b"x"})
    assert failed.value.hint


def test_a_commitment_is_checked_before_it_becomes_a_path(tmp_path: Path) -> None:
    with pytest.raises(BlobUnavailable) as caught:
        Blobs(tmp_path).read("../../etc/passwd", 1)
    assert "not a commitment" in caught.value.message


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        files.open_regular(tmp_path)


def test_every_fault_says_what_failed_and_what_to_do(tmp_path: Path) -> None:
    fault = JournalBusy("r")
    assert isinstance(fault, RuntimeFault)
    assert str(fault) == fault.message
    assert fault.hint


def test_a_long_run_is_read_from_its_file_and_no_event_of_it_stays_in_memory(tmp_path: Path) -> None:
    run = "long-run"
    with Journal.create(tmp_path, run, {"program": "p"}, CLOCK) as journal:
        for number in range(trace.KEPT - 1):
            journal.append("noted", {"n": number})
        assert len(journal.events) == trace.KEPT
        last = journal.append("noted", {"n": -1})
        assert journal.events == read_trace(tmp_path)
        held = [event for event in gc.get_objects() if type(event) is Event and event.run == run]
        assert {event.seq for event in held} <= {0, last.seq}
        assert (journal.run, journal.binding, journal.head) == (run, {"program": "p"}, last.hash)
    with Journal.open(tmp_path, CLOCK) as journal:
        assert len(journal.events) == trace.KEPT + 1
        assert journal.append("noted", {}).prev == last.hash
    assert verify(tmp_path).events == trace.KEPT + 2


def test_events_that_were_read_are_kept_and_only_later_ones_are_read(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "r", {"program": "p"}, CLOCK) as journal:
        journal.append("noted", {"n": 1})
        early = journal.events
        assert journal.events is early
        journal.append("noted", {"n": 2}, blobs={"out": b"\xff"})
        journal.append("noted", {"n": 3})
        late = journal.events
        assert late == read_trace(tmp_path)
        assert [mine is theirs for mine, theirs in zip(early, late, strict=False)] == [True, True]
    with Journal.open(tmp_path, CLOCK) as journal:
        assert journal.events == late
        journal.append("noted", {"n": 4})
        assert journal.events == read_trace(tmp_path)


def test_an_event_that_somebody_changed_meanwhile_is_not_told(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        assert len(journal.events) == 1
        journal.append("noted", {"n": 1})
        file = tmp_path / TRACE_NAME
        file.write_bytes(file.read_bytes().replace(b'"n":1', b'"n":7'))
        with pytest.raises(TraceCorrupt, match="hash"):
            _ = journal.events


def test_a_long_runs_events_end_where_its_journal_does_not_where_its_file_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "KEPT", 1)

    def interrupted(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        journal.append("noted", {"n": 1})
        with monkeypatch.context() as broken:
            instead_of_each_flush(broken, interrupted)
            with pytest.raises(KeyboardInterrupt):
                journal.append("noted", {"n": 2}, durable=True)
        assert [event.seq for event in journal.events] == [0, 1]
    assert verify(tmp_path).events == 3


def test_a_long_run_whose_file_is_gone_is_a_failure_with_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "KEPT", 1)
    with Journal.create(tmp_path, "r", {}, CLOCK) as journal:
        journal.append("noted", {})
        (tmp_path / TRACE_NAME).unlink()
        with pytest.raises(JournalFailed, match="cannot read"):
            _ = journal.events


def test_several_payloads_are_erased_once_all_of_it_is_on_record(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "run", "r-1", {"base": "abc"}, CLOCK) as journal:
        event = journal.append("note", {}, blobs={"one": b"1", "two": b"2"})
        first, second = (blob.commitment for blob in event.blobs)
        with pytest.raises(BlobUnavailable):
            journal.erase_all([first, "0" * 64], "asked", by="rita")
        assert journal.blob(first) == b"1", "nothing was recorded, nothing is gone"
        journal.erase_all([first, second], "asked", by="rita")
        said = [event.data for event in journal.events if event.type == "erased"]
        assert said == [{"commit": one, "reason": "asked", "by": "rita"} for one in (first, second)]
        journal.erase_all([], "asked", by="rita")
    assert list((tmp_path / "run" / "blobs").iterdir()) == []
    assert verify(tmp_path / "run").ok
