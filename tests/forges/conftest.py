"""The fake host, and the real client talking to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.forges.github import GitHub
from dev_agent.forges.http import Http
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.token import Token
from tests.forges.fake import NAME, OWNER, WRITER, Fake, Minutes, serving
from tests.forges.world import FILES, World
from tests.testing.repos import Project, clone, isolated_environ, make_repository

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


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A remote with one commit and a clone of it, to be copied; what the first job made in earlier tests."""
    folder = tmp_path_factory.mktemp("built")
    origin = make_repository(folder, FILES, name="origin")
    bare = clone(origin, folder / "bare.git", "--bare")
    project = clone(bare, folder / "checkout")
    project.git("remote", "set-url", "origin", "../bare.git")
    (folder / "made").mkdir()
    return folder


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str, bytes], Path]:
    """Artifacts of the first job, by what they are for."""
    return {}


@pytest.fixture
def world(tmp_path: Path, built: Path, made: dict[tuple[str, str, bytes], Path]) -> Iterator[World]:
    """An open issue 12, a remote with one commit, and a clone of it."""
    for name in ("bare.git", "checkout"):
        shutil.copytree(built / name, tmp_path / name, symlinks=True)
    environ = isolated_environ(tmp_path / "home")
    bare = Project(root=tmp_path / "bare.git", environ=environ)
    project = Project(root=tmp_path / "checkout", environ=environ)
    folder = tmp_path / "artifacts"
    folder.mkdir()
    with serving(Fake(remote=bare.root)) as fake:
        fake.open_issue(12, "Write the numbers as digits", "All of them.")
        running = World(fake=fake, project=project, bare=bare, folder=folder, store=built / "made", made=made)
        yield running
        for client in running.clients.values():
            client.__exit__()
