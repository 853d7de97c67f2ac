"""What a campaign clones: whole or not at all, from where the user said, and nobody is asked for a password."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault
from dev_agent.programs.campaigning.address import Address, parse_address
from dev_agent.programs.campaigning.cloning import clone_folder, cloned
from tests.testing.repos import Project, isolated_environ, make_repository


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = make_repository(tmp_path_factory.mktemp("origin"), {"a.txt": b"1\n"})
    made.commit("second", {"a.txt": b"2\n"})
    made.git("branch", "stable", "HEAD~1")
    return made


def address_of(origin: Project) -> Address:
    return parse_address(f"file://{origin.root}", folder="/", home="/")


def clone(origin: Project, folder: Path, start: str | None = None) -> Project:
    place = cloned(folder, address_of(origin), start=start, environ=origin.environ, cancel=Cancel())
    return Project(root=place, environ=origin.environ)


def test_a_clone_has_one_commit_and_is_made_once(origin: Project, tmp_path: Path) -> None:
    made = clone(origin, tmp_path)
    assert (made.git("rev-list", "--count", "HEAD"), made.git("status", "--porcelain")) == ("1", "")
    (made.root / "mine.txt").touch()
    assert clone(origin, tmp_path).root == made.root
    assert (made.root / "mine.txt").exists()


def test_it_begins_at_the_branch_that_is_named(origin: Project, tmp_path: Path) -> None:
    assert clone(origin, tmp_path, "stable").git("rev-parse", "HEAD") == origin.git("rev-parse", "stable")
    with pytest.raises(EnvironmentFault, match="at the branch nowhere"):
        clone(origin, tmp_path / "other", "nowhere")
    assert list((tmp_path / "other/clones").iterdir()) == []


def test_what_a_killed_try_left_is_removed_and_never_taken_for_a_clone(
    origin: Project, tmp_path: Path
) -> None:
    place = clone_folder(tmp_path, address_of(origin))
    part = place.with_name(place.name + ".part")
    part.mkdir(parents=True)
    (part / "half").touch()
    assert not (clone(origin, tmp_path).root / "half").exists()
    assert not part.exists()


def test_a_stop_leaves_no_clone(origin: Project, tmp_path: Path) -> None:
    cancel = Cancel()
    cancel.request()
    with pytest.raises(KeyboardInterrupt):
        cloned(tmp_path, address_of(origin), start=None, environ=origin.environ, cancel=cancel)
    assert not clone_folder(tmp_path, address_of(origin)).exists()


def test_two_urls_with_one_name_have_two_folders(tmp_path: Path) -> None:
    first, second = (parse_address(f"https://h.test/{owner}/tools", folder="/", home="/") for owner in "ab")
    assert clone_folder(tmp_path, first) != clone_folder(tmp_path, second)
    odd = parse_address("https://h.test/o/..%2f..", folder="/", home="/")
    assert clone_folder(tmp_path, odd).parent == tmp_path / "clones"


class _Closed(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="closed"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def closed() -> Iterator[str]:
    """A server that wants a password of everybody."""
    with HTTPServer(("127.0.0.1", 0), _Closed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_url_that_wants_credentials_is_a_trouble_with_a_remedy_and_asks_nobody(
    closed: str, tmp_path: Path
) -> None:
    environ = isolated_environ(tmp_path / "home")
    asked = tmp_path / "asked"
    program = tmp_path / "ask"
    program.write_text(f"#!/bin/sh\ntouch {asked}\necho secret\n")
    program.chmod(0o755)
    # The user's own git leads this address to the server of the test, and would ask through a program.
    configuration = (
        f'[url "{closed}"]\n\tinsteadOf = https://closed.test/\n[protocol "http"]\n\tallow = always\n'
    )
    configuration += f'[core]\n\taskPass = "{program}"\n'
    with (tmp_path / "home/.gitconfig").open("a") as file:
        file.write(configuration)
    address = parse_address("https://closed.test/o/tools", folder="/", home="/")
    with pytest.raises(EnvironmentFault, match=r"closed.test wants credentials") as fault:
        cloned(
            tmp_path, address, start=None, environ={**environ, "GIT_ASKPASS": str(program)}, cancel=Cancel()
        )
    assert "ssh key" in fault.value.hint
    assert not asked.exists()


def test_a_server_s_words_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    environ = isolated_environ(tmp_path / "home")
    address = parse_address("file:///nowhere-%1b[2Jat-all", folder="/", home="/")
    with pytest.raises(EnvironmentFault) as fault:
        cloned(tmp_path, address, start=None, environ=environ, cancel=Cancel())
    assert fault.value.message.isprintable()


def test_no_transport_but_the_one_that_was_written_is_used(origin: Project, tmp_path: Path) -> None:
    environ = isolated_environ(tmp_path / "home")
    with (tmp_path / "home/.gitconfig").open("a") as file:
        file.write(f'[url "file://{origin.root}"]\n\tinsteadOf = https://closed.test/\n')
    address = parse_address("https://closed.test/x", folder="/", home="/")
    with pytest.raises(EnvironmentFault, match="transport 'file' not allowed"):
        cloned(tmp_path, address, start=None, environ=environ, cancel=Cancel())
