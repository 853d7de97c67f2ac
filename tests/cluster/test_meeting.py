"""Meeting a scheduler: nobody, somebody else, another version, wrong certificates. Each is said within seconds."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev_agent.cluster.dask_greeting import security_of
from dev_agent.cluster.dask_link import Link
from dev_agent.cluster.dask_local import local_cluster
from dev_agent.cluster.dask_sharing import Sharing
from dev_agent.cluster.opening import opened
from dev_agent.cluster.security import Tls, _by_program, temporary_tls
from dev_agent.cluster.watching import Patience
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.repository.discovery import Repository
from tests.testing.cluster import CALM, cluster, command_lines, eventually, own_port, processes, started
from tests.testing.repos import make_repository

HASTY = Patience(connect_s=2)
OTHER_VERSION = """\
import distributed.versions as versions
def other(name, real=versions._version_cached):
    return "2020.1.0" if name == "distributed" else real(name)
versions._version_cached = other
"""


def refusal(url: str, tls: Tls | None = None, patience: Patience = CALM) -> EnvironmentFault:
    """Why no link to `url` can be had. To be hasty is for where nobody will ever answer."""
    with pytest.raises(EnvironmentFault) as refused:
        Link.open(url, security_of(url, tls), patience)
    return refused.value


@contextmanager
def saying(said: bytes) -> Iterator[str]:
    """Somebody who accepts connections, says this to each, and listens on."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                kept.append(peer)
                peer.sendall(said)

        threading.Thread(target=accept, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for peer in kept:
        peer.close()


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return made_tls(tmp_path / "own")


def made_tls(folder: Path) -> Tls:
    folder.mkdir(mode=0o700)
    return temporary_tls(folder)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return make_repository(tmp_path / "here", {"a.txt": b"a\n"}).repository()


def test_nobody_is_there() -> None:
    with own_port() as port:
        url = f"tcp://127.0.0.1:{port}"
        fault = refusal(url, patience=HASTY)
    assert f"no scheduler answers at {url}" in fault.message
    assert "dask scheduler" in fault.hint
    assert f"if it wants certificates: tls://127.0.0.1:{port}" in fault.hint


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x01" + b"\0" * 7 + b"\x04" + b"\0" * 7 + b"\xc1\xc1\xc1\xc1",
    ],
)
def test_somebody_else_is_there(said: bytes) -> None:
    with saying(said) as url:
        fault = refusal(url, patience=HASTY)
    assert url in fault.message
    assert "dask scheduler" in fault.hint


def test_a_worker_is_no_scheduler(tmp_path: Path) -> None:
    with cluster(tmp_path / "cluster", "anvil") as made:
        link = made.link()
        view = made.wait_for(link, "anvil")
        link.close()
        fault = refusal(next(iter(view.workers)))
    assert "no scheduler" in fault.message


def test_a_scheduler_of_another_version_is_refused_with_both_named(tmp_path: Path) -> None:
    import distributed  # noqa: PLC0415 - only here

    other = tmp_path / "other.py"
    other.write_text(OTHER_VERSION)
    with cluster(
        tmp_path / "cluster", variables={"DASK_DISTRIBUTED__SCHEDULER__PRELOAD": str(other)}
    ) as made:
        fault = refusal(made.url)
    assert f"distributed {distributed.__version__} here, 2020.1.0 there" in fault.message


def test_without_a_certificate_or_with_another_one_nobody_gets_in(tmp_path: Path, tls: Tls) -> None:
    with cluster(tmp_path / "cluster", tls=tls) as made:
        link = made.link()
        link.close()
        stranger = refusal(made.url, made_tls(tmp_path / "stranger"))
        plain = refusal(made.url.replace("tls://", "tcp://"))
    assert "certificates" in stranger.message
    assert "tcp://" in plain.message


def test_tls_without_certificates_is_said_before_anybody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageFault) as refused:
        security_of("tls://host:1")
    assert "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in refused.value.hint


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    import dask  # noqa: PLC0415 - only here

    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    settings = {
        "distributed.comm.tls.ca-file": str(empty),
        "distributed.comm.tls.client.cert": str(empty),
        "distributed.comm.tls.client.key": str(empty),
    }
    with dask.config.set(settings), pytest.raises(UsageFault) as refused:
        security_of("tls://host:1")
    assert "cannot be used" in refused.value.message


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the other way needs the program")
def test_both_ways_to_make_a_certificate_make_one_that_works(tmp_path: Path) -> None:
    folder = tmp_path / "program"
    folder.mkdir(mode=0o700)
    key, cert = folder / "key.pem", folder / "cert.pem"
    _by_program(key, cert)
    assert key.stat().st_mode & 0o077 == 0
    by_program = Tls(ca=cert, cert=cert, key=key)
    with cluster(tmp_path / "cluster", tls=by_program) as made:
        made.link().close()


def test_nobody_else_on_this_machine_gets_into_a_cluster_of_ones_own(
    tmp_path: Path, repository: Repository
) -> None:
    """A loopback port is open to every user; whoever may talk to the scheduler runs code as its owner."""
    with local_cluster(repository, 1, os.environ) as own:
        port = own.url.rpartition(":")[2]
        Link.open(own.url, security_of(own.url, own.tls), CALM).close()
        assert "certificates" in refusal(own.url, made_tls(tmp_path / "stranger")).message
        refusal(f"tcp://127.0.0.1:{port}")
        assert own.tls.key.stat().st_mode & 0o077 == 0
        assert own.tls.key.parent.stat().st_mode & 0o077 == 0


def test_a_cluster_of_ones_own_ends_with_the_block_and_leaves_no_key(repository: Repository) -> None:
    with local_cluster(repository, 1, os.environ) as own:
        key = own.tls.key
        eventually(lambda: processes(rf"dev_agent worker {own.url}"), "its worker starts")
        url = own.url
    eventually(lambda: not processes(rf"dev_agent worker {url}"), "its worker ends with it")
    assert not key.exists()


def test_two_commands_at_a_time_do_not_share_a_workers_folder(repository: Repository) -> None:
    kept = str(repository.state_dir / "cluster")
    with local_cluster(repository, 1, os.environ) as one, local_cluster(repository, 1, os.environ) as two:
        lines: list[list[str]] = []
        for each in (one, two):
            eventually(lambda url=each.url: command_lines(rf"worker {url}"), "it has a worker")  # type: ignore[misc]
            lines += [*command_lines(rf"worker {each.url}").values()][:1]
    folders = [line[line.index("--folder") + 1] for line in lines]
    assert folders[0].startswith(kept)
    assert not folders[1].startswith(kept)


def test_why_a_worker_of_ones_own_does_not_start_is_known(repository: Repository) -> None:
    kept = repository.state_dir / "cluster"
    kept.mkdir(parents=True)
    (kept / "worker-1").write_text("in the way\n")
    with local_cluster(repository, 1, os.environ) as own:
        eventually(own.trouble, "the host says it")
        assert "local-1 ended with status" in own.trouble()


def test_a_cluster_that_is_shared_is_one_for_all_and_another_once_its_host_is_dead(
    tmp_path: Path, repository: Repository
) -> None:
    with Sharing(tmp_path / "state", workers=1, environ=os.environ) as sharing:
        words = {sharing.word(), sharing.word()}
        (host,) = started(rf"dask_host .*{tmp_path}/state/")
        (word,) = words
        with opened(word, repository, os.environ) as judge:
            assert (judge.width, "neither encrypted" in judge.notice) == (1, False)
        os.kill(host, signal.SIGKILL)
        eventually(lambda: not processes(rf"(dask_host|worker) .*{tmp_path}/state/"), "its worker ends too")
        eventually(lambda: sharing.word() != word, "another is started")
        with (
            pytest.raises(EnvironmentFault, match="no cluster is shared"),
            opened(word, repository, os.environ),
        ):
            pass
        with opened(sharing.word(), repository, os.environ):
            pass
    assert not processes(rf"(dask_host|worker) .*{tmp_path}/state/")
    assert not list((tmp_path / "state/tmp").iterdir())


def test_a_machine_that_can_have_no_cluster_is_tried_once(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way\n")
    with Sharing(tmp_path / "state", workers=1, environ=os.environ) as sharing:
        said = set()
        for _ in range(5):
            with pytest.raises(EnvironmentFault) as refused:
                sharing.word()
            said.add(refused.value.message)
            (tmp_path / "state").unlink(missing_ok=True)
    assert len(said) == 1
    assert not (tmp_path / "state").exists()
    with pytest.raises(EnvironmentFault):
        sharing.word()
