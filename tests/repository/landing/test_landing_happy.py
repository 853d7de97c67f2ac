"""What lands, and that everything else of the user's stays bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.repository.landing.land import land
from dev_agent.repository.landing.outcome import Landed, Moved
from dev_agent.repository.landing.target import find_target
from dev_agent.repository.rename import Moves
from tests.repository.landing.landing_scene import (
    FULL_CHANGE,
    File,
    Scene,
    files_of,
    leftovers,
    make_scene,
    snapshot,
    status,
    unfinished_work,
)


def landed(scene: Scene, change: dict[str, File], moves: Moves | None = None) -> Landed:
    commit = scene.propose(change)
    outcome = scene.land(scene.request(commit, moves=moves))
    assert isinstance(outcome, Landed), outcome
    assert scene.head() == commit
    return outcome


NO_EXCHANGE = Moves(exchange=False, noreplace=True)
ONLY_LINKS = Moves(exchange=False, noreplace=False)
ALL_MOVES = pytest.mark.parametrize(
    "moves", [None, NO_EXCHANGE, ONLY_LINKS], ids=["native", "no exchange", "only links"]
)


@ALL_MOVES
def test_a_change_of_every_kind_lands_as_a_checkout_would_make_it(
    tmp_path: Path, moves: Moves | None
) -> None:
    scene = make_scene(tmp_path)
    landed(scene, dict(FULL_CHANGE), moves)
    clone = tmp_path / "clone"
    scene.git("clone", "-q", str(scene.root), str(clone))
    assert files_of(scene.root) == files_of(clone)
    assert status(scene) == ""
    assert leftovers(scene) == []


@ALL_MOVES
def test_unfinished_work_outside_the_change_survives_bit_for_bit(tmp_path: Path, moves: Moves | None) -> None:
    scene = make_scene(tmp_path)
    unfinished_work(scene)
    before = files_of(scene.root)
    state = status(scene)
    entries = {row for row in scene.git("ls-files", "-s", "-v").splitlines() if "mine/" in row}
    landed(scene, dict(FULL_CHANGE), moves)
    after = files_of(scene.root)
    assert {path: after[path] for path in before if path.startswith(("mine", "some"))} == {
        path: before[path] for path in before if path.startswith(("mine", "some"))
    }
    assert status(scene) == state
    assert {row for row in scene.git("ls-files", "-s", "-v").splitlines() if "mine/" in row} == entries


def test_the_public_call_lands_durably_and_names_the_transaction(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    repository = scene.repository
    commit = scene.propose(dict(FULL_CHANGE))
    outcome = land(
        repository,
        base=scene.head(),
        commit=commit,
        verified_tree=scene.git("rev-parse", f"{commit}^{{tree}}"),
        target=find_target(repository),
        run="run-1",
        cancel=Cancel(),
    )
    assert isinstance(outcome, Landed)
    assert (outcome.ref, outcome.commit, outcome.warnings) == ("refs/heads/main", commit, ())
    assert f"dev-agent: land {outcome.tx}" in scene.git("reflog", "-1")
    assert status(scene) == ""


def test_a_branch_that_moved_is_reported_with_its_tip_and_nothing_changes(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    base = scene.head()
    commit = scene.propose({"a.txt": b"ours\n"})
    tip = scene.commit({"b.txt": b"theirs\n"})
    before = snapshot(scene)
    assert scene.land(scene.request(commit, base=base)) == Moved(tip=tip)
    assert snapshot(scene) == before
