"""Reading back what the trusted runner sealed (`runner/channel.py` is the writing side).

Every record is numbered and sealed with the run's key: a record that somebody else wrote, that is missing in
the middle or that was changed breaks the chain, and then the whole report is bad. A report that just stops is
readable up to there; that it has no end record is for the caller to judge.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from collections.abc import Mapping
from typing import Any

_SEAL = 16
_LENGTH = struct.Struct(">I")
_NUMBER = struct.Struct(">Q")


class BadReport(Exception):
    """Something wrote to the report that was not the runner."""


def read_records(report: bytes, key: bytes) -> tuple[Mapping[str, Any], ...]:
    """The records of a report, in order. Raises BadReport for a broken seal; a torn last record is left out."""
    records: list[Mapping[str, Any]] = []
    position = 0
    while position + _LENGTH.size + _SEAL <= len(report):
        (length,) = _LENGTH.unpack_from(report, position)
        start = position + _LENGTH.size + _SEAL
        seal, text = report[position + _LENGTH.size : start], report[start : start + length]
        if len(text) < length:
            break
        wanted = hashlib.blake2b(_NUMBER.pack(len(records)) + text, key=key, digest_size=_SEAL).digest()
        if not hmac.compare_digest(seal, wanted):
            raise BadReport(f"record {len(records)} was not written by the runner")
        record = json.loads(text)
        if not isinstance(record, dict):
            raise BadReport(f"record {len(records)} is no object")
        records.append(record)
        position = start + length
    return tuple(records)
