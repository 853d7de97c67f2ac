"""The quick look at a line of a trace: it takes the lines most traces are made of, and nothing the close look refuses.

Every forged line here has a hash that fits its bytes: somebody who rewrites a trace computes that too.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dev_agent.runtime import chain
from dev_agent.runtime.chain import TRACE_NAME
from dev_agent.runtime.errors import NotCanonical, TraceCorrupt
from dev_agent.runtime.events import MAX_LINE, Event, following, genesis, new_event, parse_line
from dev_agent.runtime.trace import Journal, verify
from tests.runtime.test_written import OBJECTS, OTHER_SPELLINGS
from tests.runtime.worlds import FixedClock

pytestmark = pytest.mark.law

AT = "2026-11-22T10:00:00.000Z"
FIRST, FIRST_LINE = new_event(
    run="r-1", seq=0, prev=genesis("r-1", {}), type="run-started", at=AT, actor="agent", data={"binding": {}}, blobs=()
)  # fmt: skip
PLAIN = {
    "actor": '"agent"', "at": f'"{AT}"', "blobs": "[]", "data": '{"a":1}', "prev": f'"{FIRST.hash}"', "run": '"r-1"',
    "seq": "1", "type": '"noted"', "v": "1",
}  # fmt: skip


def forged(fields: dict[str, str], *, ends: str = "}", space: str = "", **changes: str) -> bytes:
    """A line put together from spelled fields, with the hash of just these bytes."""
    spelled = {**fields, **changes}
    before = ",".join(f'"{key}":{space}{spelled[key]}' for key in ("actor", "at", "blobs", "data"))
    after = ",".join(
        f'"{key}":{spelled[key]}' for key in spelled if key not in ("actor", "at", "blobs", "data")
    )
    covered = f"{{{before},{after}{ends}".encode("utf-8", "surrogatepass")
    digest = sha256(b"dev-agent/trace/v1\0" + covered).hexdigest()
    return f'{{{before},"hash":"{digest}",{after}{ends}'.encode("utf-8", "surrogatepass")


def closely(line: bytes, previous: Event) -> Event | None:
    """What the close look says of a line, without the quick one."""
    try:
        event = parse_line(line)
        chain._check_link(event, previous, previous.seq + 1)
    except NotCanonical:
        return None
    return event


def refused(folder: Path, line: bytes) -> None:
    """Assert that a trace with this second line is damaged there, and that the quick look does not take it."""
    (folder / TRACE_NAME).write_bytes(FIRST_LINE + line + b"\n")
    result = verify(folder)
    assert (result.ok, result.first_bad, result.events) == (False, 1, 1), line
    assert result.reason
    assert following(line, FIRST) is None


def test_the_quick_look_takes_what_a_journal_writes(tmp_path: Path) -> None:
    with Journal.create(tmp_path, "r-1", {}, FixedClock()) as journal:
        for number in range(5):
            journal.append("noted", {"n": number, "deep": [{"text": "plain", "none": None}]}, actor="tool")
        known = journal.events
    lines = (tmp_path / TRACE_NAME).read_bytes().splitlines()

    read = [following(line, previous) for line, previous in zip(lines[1:], known, strict=False)]

    assert read == list(known[1:])
    assert [one.data for one in read if one] == [one.data for one in known[1:]]


def test_a_line_put_together_by_hand_is_taken_if_it_is_the_one_spelling(tmp_path: Path) -> None:
    line = forged(PLAIN)
    (tmp_path / TRACE_NAME).write_bytes(FIRST_LINE + line + b"\n")
    assert following(line, FIRST) == parse_line(line)
    assert verify(tmp_path).ok


@pytest.mark.parametrize("data", OTHER_SPELLINGS)
def test_data_in_another_spelling_are_refused_whatever_their_hash(tmp_path: Path, data: str) -> None:
    refused(tmp_path, forged(PLAIN, data=data).replace(b"\n", b" "))


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": '"root"'}, {"actor": '"\\u0061gent"'}, {"actor": '"agent" '}, {"actor": "null"},
        {"at": f'"{AT[:-1]}"'}, {"at": f'"{AT}\\n"'}, {"at": f'"{AT.replace("T", " ")}"'},
        {"at": '"٢٠٢٦-11-22T10:00:00Z"'},
        {"blobs": "[ ]"}, {"blobs": "{}"}, {"blobs": "null"},
        {"seq": "01"}, {"seq": "1.0"}, {"seq": "1e0"}, {"seq": "-1"}, {"seq": "2"}, {"seq": "true"}, {"seq": '"1"'},
        {"type": '"Noted"'}, {"type": '"n' + "o" * 64 + '"'}, {"type": '""'}, {"type": '"run-started"'},
        {"type": '"a","type":"b"'},
        {"v": "2"}, {"v": "1.0"}, {"v": "true"}, {"v": '1,"w":1'},
        {"prev": f'"{FIRST.hash.upper()}"'}, {"prev": f'"{"0" * 64}"'}, {"prev": f'"{FIRST.hash}" '},
        {"run": '"r-2"'}, {"run": '"r\\u002d1"'},
        {"data": '{"a":1},"data":{"a":1}'}, {"data": '{"a":1},"extra":1'}, {"data": '{"a":"' + "é" + '"} '},
    ],
)  # fmt: skip
def test_an_envelope_in_another_spelling_is_refused_whatever_its_hash(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    refused(tmp_path, forged(PLAIN, **changes))


@pytest.mark.parametrize(
    "line",
    [
        forged(PLAIN, space=" "), forged(PLAIN, ends="}\r"), forged(PLAIN, ends=" }"), forged(PLAIN, ends="},"),
        forged(dict(reversed(PLAIN.items()))), b"\xef\xbb\xbf" + forged(PLAIN), b" " + forged(PLAIN), b"",
        forged(PLAIN).replace(b'"hash":"', b'"hash": "'), forged(PLAIN).replace(b'"hash"', b'"Hash"'),
        forged(PLAIN, data='{"a":"' + "x" * MAX_LINE + '"}'),
    ],
)  # fmt: skip
def test_a_line_in_another_spelling_is_refused_whatever_its_hash(tmp_path: Path, line: bytes) -> None:
    refused(tmp_path, line)


def test_a_link_that_stands_in_the_data_too_misleads_nobody(tmp_path: Path) -> None:
    link = f'","prev":"{FIRST.hash}","run":"r-1","seq":1,"type":"'
    for text in (link, link + 'noted","v":1}', '","hash":"' + "ab" * 32 + link + 'noted","v":1}'):
        line = forged(PLAIN, data=json.dumps({"a": text}, separators=(",", ":")))
        assert following(line, FIRST) == parse_line(line)
        (tmp_path / TRACE_NAME).write_bytes(FIRST_LINE + line + b"\n")
        assert verify(tmp_path).ok
        refused(tmp_path, line + link.encode() + b'noted","v":1}')


@given(OBJECTS, st.binary(max_size=3), st.integers(0, 600), st.integers(0, 3))
@example({"a": 1}, b"\n", 500, 0)
def test_the_quick_look_and_the_close_one_agree_about_every_line(
    data: dict[str, Any], noise: bytes, at: int, gone: int
) -> None:
    _, written = new_event(
        run="r-1", seq=1, prev=FIRST.hash, type="noted", at=AT, actor="user", data=data, blobs=()
    )
    line = written[:-1]
    at %= len(line)
    for one in (line, line[:at] + noise + line[at + gone :]):
        quick, close = following(one, FIRST), closely(one, FIRST)
        assert quick is None or (close is not None and quick == close and quick.data == close.data)
    assert closely(line, FIRST) is not None


def test_a_trace_at_the_last_possible_seq_is_left_to_the_close_look() -> None:
    last = FIRST._replace(seq=2**53 - 1)
    _, line = new_event(
        run="r-1", seq=2**53, prev=FIRST.hash, type="noted", at=AT, actor="user", data={}, blobs=()
    )
    assert following(line[:-1], last) is None
    with pytest.raises(NotCanonical):
        parse_line(line[:-1])


def test_damage_is_named_where_it_is_read(tmp_path: Path) -> None:
    (tmp_path / TRACE_NAME).write_bytes(FIRST_LINE + forged(PLAIN, data='{"a": 1}') + b"\n")
    with pytest.raises(TraceCorrupt, match="not in canonical form"):
        list(chain.Chain(tmp_path))
