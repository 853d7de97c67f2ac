"""When a landing waits for the disk: before BEGIN, before the branch moves, before the journal goes, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.repository.landing.land import land_request
from dev_agent.repository.landing.outcome import Landed
from dev_agent.runtime import durability
from dev_agent.runtime.durability import Barrier
from tests.repository.landing.landing_scene import make_scene
from tests.testing.flushes import after_each_flush


@pytest.mark.parametrize("files", [1, 30])
def test_each_flush_stands_where_the_order_needs_it_whatever_the_number_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    scene = make_scene(tmp_path)
    home = scene.root / ".git" / "dev-agent"
    commit = scene.propose({f"new/{number}.txt": b"ours\n" for number in range(files)} | {"a.txt": b"ours\n"})
    seen: list[tuple[bool, bool, bool, bool]] = []

    def flushed() -> None:
        seen.append(
            (
                any(home.glob("tx-*/journal")),
                (scene.root / "a.txt").read_bytes() == b"ours\n",
                scene.head() == commit,
                (scene.root / ".git" / "index.lock").exists(),
            )
        )

    request = scene.request(commit, durable=True)
    monkeypatch.setattr(durability, "reaches_the_disk", lambda _descriptor: True)
    after_each_flush(monkeypatch, flushed)
    assert isinstance(scene.land(request), Landed)
    assert seen == [
        (False, False, False, False),  # everything BEGIN speaks of
        (True, False, False, False),  # BEGIN itself
        (True, True, False, True),  # the files, before the branch
        (True, True, True, False),  # the branch, before the journal goes
    ]


def test_what_the_caller_wants_on_the_disk_is_there_before_begin(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose({"a.txt": b"ours\n"}), durable=True)
    begun: list[bool] = []

    def flush_trace(_barrier: Barrier) -> None:
        begun.append(any((scene.root / ".git" / "dev-agent").glob("tx-*/journal")))

    assert isinstance(land_request(scene.repository, request, Cancel(), flush_trace=flush_trace), Landed)
    assert begun == [False]
