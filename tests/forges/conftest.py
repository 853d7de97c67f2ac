"""The fake host, and the real client talking to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from dev_agent.cancel import Cancel
from dev_agent.forges.forge import RepositoryName
from dev_agent.forges.github import GitHub
from dev_agent.forges.http import Http
from dev_agent.forges.token import Token
from tests.forges.fake import NAME, OWNER, WRITER, Fake, Minutes, serving

Connect = Callable[..., GitHub]


@pytest.fixture
def fake() -> Iterator[Fake]:
    with serving(Fake()) as running:
        yield running


@pytest.fixture
def clock() -> Minutes:
    return Minutes()


@pytest.fixture
def connect(fake: Fake, clock: Minutes) -> Iterator[Connect]:
    """A client of the fake, with one token or another."""
    with ExitStack() as open_clients:

        def made(token: str = WRITER, cancel: Cancel | None = None, patience_s: float = 600) -> GitHub:
            http = Http(fake.url, Token(token), cancel=cancel or Cancel(), clock=clock, patience_s=patience_s)
            return open_clients.enter_context(GitHub(http, RepositoryName(owner=OWNER, name=NAME)))

        yield made


@pytest.fixture
def client(connect: Connect) -> GitHub:
    return connect()
