"""A cluster that is handed to children by a folder: who may join it, and what is said when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev_agent.cluster.address import ClusterAddress, parse_address
from dev_agent.cluster.shared import join, read_trouble, share, tell_trouble
from dev_agent.errors import EnvironmentFault

URL = "tls://127.0.0.1:4711"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "own"
    made.mkdir(mode=0o700)
    return made


def test_who_is_told_the_word_finds_address_workers_certificate_and_trouble(folder: Path) -> None:
    address = parse_address(share(folder, url=URL, workers=3))
    assert address == ClusterAddress(folder=folder)
    assert (str(address), address.is_local, address.is_exposed) == (f"shared:{folder}", False, False)
    there = join(folder)
    assert (there.url, there.workers, there.tls.key, there.trouble()) == (URL, 3, folder / "key.pem", "")
    tell_trouble(folder, "local-1 ended")
    assert there.trouble() == read_trouble(folder) == "its workers end by themselves: local-1 ended"


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o777])
def test_a_folder_that_others_may_enter_is_nobodys_cluster(folder: Path, mode: int) -> None:
    share(folder, url=URL, workers=1)
    folder.chmod(mode)
    with pytest.raises(EnvironmentFault, match="not yours alone"):
        join(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_the_cluster_of_another_user_is_not_joined_whatever_its_rights(folder: Path) -> None:
    share(folder, url=URL, workers=1)
    os.chown(folder, 65534, 65534)
    with pytest.raises(EnvironmentFault, match="not yours alone"):
        join(folder)


def test_a_link_that_somebody_put_in_the_folders_place_is_not_followed(folder: Path) -> None:
    share(folder, url=URL, workers=1)
    link = folder.parent / "link"
    link.symlink_to(folder)
    with pytest.raises(EnvironmentFault, match="it is no folder"):
        join(link)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"url": "tls://127.0.0.1:1"}',
        '{"url": "tcp://127.0.0.1:1", "workers": 1}',
        '{"url": "tls://10.0.0.7:8786", "workers": 1}',
        '{"url": "tls://127.0.0.1:1\\n", "workers": 1}',
        '{"url": "tls://127.0.0.1:1", "workers": 0}',
        '{"url": "tls://127.0.0.1:1", "workers": true}',
        '{"url": "tls://127.0.0.1:1", "workers": 65}',
    ],
)
def test_what_names_no_cluster_of_this_machine_is_none(folder: Path, said: str) -> None:
    (folder / "cluster.json").write_text(said)
    with pytest.raises(EnvironmentFault, match="no cluster is shared"):
        join(folder)


def test_a_cluster_that_has_ended_is_said_to_have(folder: Path) -> None:
    with pytest.raises(EnvironmentFault) as gone:
        join(folder / "gone")
    assert "no cluster is shared" in gone.value.message
    assert "ended with the command" in gone.value.hint
