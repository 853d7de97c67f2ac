"""Runs one job for `Lab`: reads what to do pickled on stdin, writes the outcome pickled to stdout."""

from __future__ import annotations

import pickle
import sys

from tests.sandbox.lab import run_here

if __name__ == "__main__":
    ended = run_here(*pickle.load(sys.stdin.buffer))  # noqa: S301 - from our own test
    sys.stdout.buffer.write(pickle.dumps(ended))
