"""Streams that stand for a pipe and for a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from dev_agent.cli.output.terminal import Terminal, terminal_for


class FakeTerminal(io.TextIOWrapper):
    """A text stream that says it is a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True


def written(terminal: Terminal) -> str:
    """What arrived on the stream."""
    raw = terminal.stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode(terminal.stream.encoding)


@pytest.fixture
def pipe() -> Callable[..., Terminal]:
    """A terminal object over a pipe, in an environment given by keywords."""

    def make(**environ: str) -> Terminal:
        return terminal_for(io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True), environ)

    return make


@pytest.fixture
def screen() -> Callable[..., Terminal]:
    """A terminal object over something that says it is a terminal, 80 columns wide."""

    def make(**environ: str) -> Terminal:
        return terminal_for(FakeTerminal(), environ)

    return make
