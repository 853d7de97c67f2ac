"""What workers keep from campaign to campaign stays below a size; what a worker has now stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev_agent.cli.campaign_judging import Kept, judged_for_all, read_cache_size
from dev_agent.cli.session import Session
from dev_agent.cluster.collecting import keep_workers_within
from dev_agent.cluster.folder_lock import hold_folder
from dev_agent.errors import UsageFault

SIZE = 50_000


def fill(worker: Path, letter: str, *, used: int) -> Path:
    """A file that was shipped to a worker, used last at that second."""
    file = worker / "store" / "files" / (letter * 2) / (letter * 64)
    file.parent.mkdir(parents=True)
    file.write_bytes(os.urandom(SIZE))
    os.utime(file, (used, used))
    (worker / "lock").touch()
    return file


def test_what_was_used_longest_ago_goes_first_whichever_worker_has_it(tmp_path: Path) -> None:
    old = fill(tmp_path / "worker-1", "a", used=100)
    newest = fill(tmp_path / "worker-1", "b", used=300)
    older = fill(tmp_path / "worker-2", "c", used=200)
    assert keep_workers_within(tmp_path, 10 * SIZE) == 0
    assert keep_workers_within(tmp_path, 2 * SIZE - 1) >= 2 * SIZE
    assert [one.exists() for one in (old, older, newest)] == [False, False, True]
    assert keep_workers_within(tmp_path, 0) >= SIZE
    assert not newest.exists()
    assert (tmp_path / "worker-1" / "lock").exists(), "whoever waits at its name must find the same file"


def test_what_a_worker_has_stays_and_the_others_is_dropped(tmp_path: Path) -> None:
    held = fill(tmp_path / "worker-1", "a", used=100)
    free = fill(tmp_path / "worker-2", "b", used=200)
    lock = hold_folder(tmp_path / "worker-1" / "lock")
    keep_workers_within(tmp_path, 0)
    assert (held.exists(), free.exists()) == (True, False)
    os.close(lock)
    keep_workers_within(tmp_path, 0)
    assert not held.exists()


def test_where_nothing_is_kept_nothing_is_dropped_and_nothing_made(tmp_path: Path) -> None:
    assert keep_workers_within(tmp_path / "none", 0) == 0
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("cluster", ["local:1", "tls://hub:8786", None])
@pytest.mark.parametrize("ends_badly", [False, True])
def test_a_campaign_ends_with_it_whoever_judged_and_however_it_ends(
    tmp_path: Path, *, ends_badly: bool, cluster: str | None
) -> None:
    old = fill(tmp_path / "cluster" / "worker-1", "a", used=100)
    session = Session(directory=tmp_path, as_json=False, quiet=True)
    kept = Kept(state=tmp_path, limit=0)
    try:
        with judged_for_all(cluster, kept, session, sandbox="auto"):
            assert old.exists()
            if ends_badly:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert ends_badly
    assert not old.exists()


def test_a_size_nobody_understands_is_refused() -> None:
    assert read_cache_size("1KiB") == 1024
    with pytest.raises(UsageFault, match="--cache-size: 'much' is not a size"):
        read_cache_size("much")
