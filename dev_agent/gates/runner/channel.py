"""The way out for what the runner saw: sealed, numbered records on descriptor 4.

A record is a 4-byte big-endian length, a 16-byte seal and the JSON text. The seal is a keyed blake2b over the
record's number and its text; the key came on descriptor 3, which is at its end before any foreign code loads.
So whoever else writes to descriptor 4, or reads our records back from it and swallows some, is found out by
the reader. Code in this same process that walks the heap for the key is beyond this file: the comparison with
the base's results stands behind it. Standard library only, Python 3.8+.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from typing import Any, Callable, Dict

Send = Callable[[Dict[str, Any]], None]

REPORT_FD = 4


def open_channel(key: bytes, descriptor: int = REPORT_FD) -> Send:
    """A function that sends one record (a dict of JSON values)."""
    state = hashlib.blake2b(key=key, digest_size=16)
    count = [0]
    owner = os.getpid()

    def send(record: Dict[str, Any]) -> None:
        # A forked child of a test inherits this function; its copies would repeat our numbers.
        if os.getpid() != owner:
            return
        text = json.dumps(record).encode("ascii")
        seal = state.copy()
        seal.update(struct.pack(">Q", count[0]) + text)
        count[0] += 1
        _write(descriptor, struct.pack(">I", len(text)) + seal.digest() + text)

    return send


def _write(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except OSError:
            # The reader is gone or the descriptor was closed on us: the missing records are the message.
            return
