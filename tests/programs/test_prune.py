"""Dropping what nobody needs any more: listed first, never what waits or works, never the proof."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.programs import dropping
from dev_agent.programs import prune as pruning
from dev_agent.programs.folders import all_runs, runs_dir
from dev_agent.programs.prune import PruneRequest, Pruning, parse_age, plan_pruning, prune
from dev_agent.programs.recovery import recover_everything
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.repository import receipts
from dev_agent.repository.anchors import anchors_of
from dev_agent.repository.slots import Slots
from dev_agent.runtime.trace import read_trace
from tests.programs.conftest import BETTER, HARMLESS, NO_GATES, TESTS_ONLY, Shop, Watching, replacing
from tests.testing.children import in_child

LATER = datetime.now(UTC) + timedelta(days=40)
ASKED = NO_GATES + '[scope]\nprotected = ["notes.txt"]\n'
REFUSED = replacing("nowhere.txt", "two\n", "2\n")


def refs(shop: Shop) -> dict[str, str]:
    lines = shop.project.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {line.split()[0]: line.split()[1] for line in lines}


def state(shop: Shop) -> list[tuple[str, int]]:
    """Every file of ours with its size: what a dry run must not change."""
    folder = shop.repository().state_dir
    return sorted((str(path), path.stat().st_size) for path in folder.rglob("*") if path.is_file())


def left(shop: Shop) -> list[str]:
    return [folder.run for folder in all_runs(shop.repository())]


def dropped(done: Pruning) -> list[str]:
    return [one.run for one in done.runs]


def kept_run(shop: Shop) -> RunReport:
    shop.project.write("notes.txt", b"mine\n")
    report = shop.apply(HARMLESS)
    assert report.outcome is Outcome.KEPT
    return report


def test_a_plan_changes_nothing_and_tells_all(shop: Shop) -> None:
    old = shop.apply(REFUSED)
    before = shop.project.snapshot(), state(shop), refs(shop)
    plan = plan_pruning(shop.repository(), PruneRequest(older_than=timedelta(days=30)), now=LATER)
    assert (dropped(plan), plan.done) == ([old.run], False)
    assert plan.bytes == plan.runs[0].bytes > 0
    assert (shop.project.snapshot(), state(shop), refs(shop)) == before


def test_only_what_is_old_enough_goes(shop: Shop) -> None:
    shop.apply(REFUSED)
    month = PruneRequest(older_than=timedelta(days=30))
    assert dropped(prune(shop.repository(), month)) == []
    assert dropped(prune(shop.repository(), month, now=LATER)) != []
    assert left(shop) == []


def test_the_newest_are_kept_by_count(shop: Shop) -> None:
    reports = [shop.apply(REFUSED) for _ in range(3)]
    newest_first = left(shop)
    done = prune(shop.repository(), PruneRequest(keep=2))
    assert (dropped(done), left(shop)) == (newest_first[2:], newest_first[:2])
    assert {one.run for one in reports} == set(newest_first)


def test_criteria_narrow_each_other(shop: Shop) -> None:
    shop.apply(HARMLESS, dry_run=True)
    rejected = shop.apply(REFUSED)
    request = PruneRequest(older_than=timedelta(days=1), outcome="rejected")
    assert dropped(plan_pruning(shop.repository(), request)) == []
    assert dropped(prune(shop.repository(), request, now=LATER)) == [rejected.run]


def test_a_dropped_run_takes_its_private_refs_along_and_leaves_the_proof(shop: Shop) -> None:
    rejected = shop.apply(HARMLESS, dry_run=True)
    landed = shop.apply(HARMLESS)
    assert landed.commit
    proof = receipts.read(shop.repository(), landed.commit)
    before = shop.project.snapshot()
    assert any(rejected.run in name for name in refs(shop))
    done = prune(shop.repository(), PruneRequest(keep=0))
    assert (set(dropped(done)), left(shop)) == ({rejected.run, landed.run}, [])
    assert set(refs(shop)) == {"refs/heads/main", "refs/dev-agent/anchors", "refs/dev-agent/receipts"}
    assert receipts.read(shop.repository(), landed.commit) == proof is not None
    assert len(anchors_of(shop.repository(), landed.run)) == 3
    assert shop.project.snapshot() == before


def test_what_waits_is_spared_unless_it_is_named(shop: Shop) -> None:
    suspended = shop.apply(HARMLESS, policy=ASKED)
    kept = kept_run(shop)
    held = refs(shop)
    done = prune(shop.repository(), PruneRequest(keep=0))
    assert (dropped(done), {one.name for one in done.spared}) == ([], {suspended.run, kept.run})
    assert refs(shop) == held
    named = prune(shop.repository(), PruneRequest(runs=(suspended.run, kept.run)))
    assert set(dropped(named)) == {suspended.run, kept.run}
    assert not any("/kept/" in name or "/staged/" in name for name in refs(shop))
    assert (shop.root / "notes.txt").read_bytes() == b"mine\n"


def test_a_run_that_is_driven_is_spared_even_if_it_is_named(shop: Shop) -> None:
    seen: list[Pruning] = []

    def look() -> None:
        (run,) = left(shop)
        seen.append(prune(shop.repository(), PruneRequest(runs=(run,), keep=0)))

    report = shop.apply(HARMLESS, reporter=Watching("check", look))
    assert report.outcome is Outcome.COMMITTED, report
    assert [(one.name, one.reason) for one in seen[0].spared] == [(report.run, "is being driven now")]
    assert left(shop) == [report.run]


def test_a_run_taken_up_between_plan_and_deed_is_spared(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    run = shop.apply(REFUSED).run
    lock = os.open(runs_dir(shop.repository()) / run / "lock", os.O_RDWR)
    real = pruning.plan_pruning

    def planned_then_taken(*args: object, **more: object) -> Pruning:
        plan = real(*args, **more)  # type: ignore[arg-type]
        fcntl.flock(lock, fcntl.LOCK_EX)
        return plan

    monkeypatch.setattr(pruning, "plan_pruning", planned_then_taken)
    done = prune(shop.repository(), PruneRequest(keep=0))
    os.close(lock)
    assert (dropped(done), [one.name for one in done.spared]) == ([], [run])
    assert left(shop) == [run]


def test_a_damaged_trace_may_be_evidence_and_goes_only_by_name(shop: Shop) -> None:
    run = shop.apply(REFUSED).run
    trace = runs_dir(shop.repository()) / run / "trace.jsonl"
    trace.write_bytes(trace.read_bytes().replace(b"rejected", b"accepted"))
    done = prune(shop.repository(), PruneRequest(keep=0))
    assert (dropped(done), [one.name for one in done.spared]) == ([], [run])
    assert dropped(prune(shop.repository(), PruneRequest(runs=(run,)))) == [run]


@pytest.mark.kill
@pytest.mark.parametrize("step", ["drop_ref", "remove_all"])
def test_killed_at_any_step_recovery_finishes_it(
    shop: Shop, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shop.apply(HARMLESS, dry_run=True).run

    def dies(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patched:
        patched.setattr(dropping, step, dies)
        status = in_child(lambda: prune(shop.repository(), PruneRequest(keep=0)))
    assert os.WIFSIGNALED(status)
    assert left(shop) == []
    assert recover_everything(shop.repository()).actions == (f"run {run}: finished dropping it",)
    assert recover_everything(shop.repository()).actions == ()
    assert not any(run in name for name in refs(shop))
    assert list((shop.repository().state_dir / "dropped").iterdir()) == []


def test_a_half_removed_run_is_finished_by_the_next(shop: Shop) -> None:
    run = shop.apply(HARMLESS, dry_run=True).run
    grave = shop.repository().state_dir / "dropped"
    grave.mkdir()
    (runs_dir(shop.repository()) / run).rename(grave / run)
    (grave / run / "trace.jsonl").unlink()
    prune(shop.repository(), PruneRequest(cache=True))
    assert (list(grave.iterdir()), any(run in name for name in refs(shop))) == ([], False)


def test_what_somebody_drops_right_now_is_left_to_him(shop: Shop) -> None:
    run = shop.apply(HARMLESS, dry_run=True).run
    grave = shop.repository().state_dir / "dropped"
    grave.mkdir()
    (runs_dir(shop.repository()) / run).rename(grave / run)
    his = os.open(grave, os.O_RDONLY)
    fcntl.flock(his, fcntl.LOCK_EX)
    before = state(shop), refs(shop)
    assert recover_everything(shop.repository()).actions == ()
    assert (state(shop), refs(shop)) == before
    os.close(his)
    assert recover_everything(shop.repository()).actions == (f"run {run}: finished dropping it",)


def test_slots_and_cache_are_freed_and_made_again(shop: Shop) -> None:
    shop.apply(BETTER, policy=TESTS_ONLY, dry_run=True)
    request = PruneRequest(cache=True, slots=True)
    plan = plan_pruning(shop.repository(), request)
    assert plan.slots
    assert plan.cache is not None
    assert plan.bytes > 0
    with Slots(shop.repository()).lease("tests") as held:
        before = sorted(str(path) for path in held.folder.rglob("*"))
        busy = prune(shop.repository(), request)
        assert f"slot {held.folder.name}" in {one.name for one in busy.spared}
        assert sorted(str(path) for path in held.folder.rglob("*")) == before
    prune(shop.repository(), request)
    assert plan_pruning(shop.repository(), request).bytes == 0
    assert left(shop) != []
    again = shop.apply(BETTER, policy=TESTS_ONLY)
    assert again.outcome is Outcome.COMMITTED, again


def test_the_last_run_can_be_dropped_and_a_new_one_made(shop: Shop) -> None:
    shop.apply(REFUSED)
    prune(shop.repository(), PruneRequest(runs=("last",)))
    report = shop.apply(HARMLESS)
    assert (report.outcome, left(shop)) == (Outcome.COMMITTED, [report.run])
    assert read_trace(runs_dir(shop.repository()) / report.run)


def test_a_repository_without_state_has_nothing_to_prune(shop: Shop) -> None:
    shutil.rmtree(Path(shop.repository().state_dir), ignore_errors=True)
    done = prune(shop.repository(), PruneRequest(keep=0, cache=True, slots=True))
    assert (done.runs, done.slots, done.bytes) == ((), (), 0)


def test_a_request_that_cannot_be_is_refused_with_a_hint() -> None:
    for make in (
        PruneRequest,
        lambda: PruneRequest(keep=-1),
        lambda: PruneRequest(outcome="sideways"),
        lambda: parse_age("soon"),
        lambda: parse_age("-3d"),
    ):
        with pytest.raises(UsageFault) as caught:
            make()
        assert caught.value.hint
    assert parse_age("8w") == timedelta(weeks=8)


def test_a_named_run_that_is_not_there_is_refused_before_anything_goes(shop: Shop) -> None:
    run = shop.apply(REFUSED).run
    with pytest.raises(UsageFault, match="no run"):
        prune(shop.repository(), PruneRequest(keep=0, runs=("20010101",)))
    assert left(shop) == [run]
