"""Watching, or breaking, every way the program flushes to the disk: one descriptor, or a whole file system."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from dev_agent.runtime import durability


def after_each_flush(monkeypatch: pytest.MonkeyPatch, seen: Callable[[], None]) -> None:
    """Call `seen` after every flush that succeeded."""
    one, whole = os.fsync, durability.flush_file_system

    def fsync(descriptor: int) -> None:
        one(descriptor)
        seen()

    def flush(descriptor: int) -> bool:
        flushed = whole(descriptor)
        if flushed:
            seen()
        return flushed

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(durability, "flush_file_system", flush)


def instead_of_each_flush(monkeypatch: pytest.MonkeyPatch, happens: Callable[..., None]) -> None:
    """Let `happens` happen (an exception, say) where a flush would."""
    monkeypatch.setattr(os, "fsync", happens)
    monkeypatch.setattr(durability, "flush_file_system", happens)


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system of which it is not known that one call flushes all of it."""
    monkeypatch.setattr(durability, "reaches_the_disk", lambda _descriptor: False)
