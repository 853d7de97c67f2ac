"""Runs one job for `Lab`: reads what to do pickled on stdin, writes the outcome pickled to stdout."""

from __future__ import annotations

import sys

from tests.sandbox.lab import heard_from_another, run_here, told_to_another

if __name__ == "__main__":
    ended = run_here(*heard_from_another(sys.stdin.buffer))
    sys.stdout.buffer.write(told_to_another(ended))
