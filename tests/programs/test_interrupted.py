"""A run that is stopped anywhere leaves the user's repository before or after, and can be gone on with."""

from __future__ import annotations

import os
import signal

import pytest

from dev_agent.programs.folders import all_runs, find_run
from dev_agent.programs.recovery import recover_everything
from dev_agent.programs.report import Outcome
from dev_agent.programs.runs import read_run
from dev_agent.programs.verify import verify_run
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.errors import JournalBusy
from tests.programs.conftest import HARMLESS, TESTS_ONLY, Shop, Watching, replacing
from tests.testing.children import in_child

STATES = ("begin", "patch", "stage", "hooks", "check_policy", "check", "consent", "land")


class Dying(Reporter):
    """Kills its own process when a state is entered or left."""

    def __init__(self, state: str, *, when: str) -> None:
        self.state = state
        self.when = when

    def entered(self, state: str, attempt: int) -> None:
        if (state, self.when) == (self.state, "entered"):
            os.kill(os.getpid(), signal.SIGKILL)

    def left(self, state: str, outcome: str, ms: int) -> None:
        if (state, self.when) == (self.state, "left"):
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.kill
@pytest.mark.parametrize("when", ["entered", "left"])
@pytest.mark.parametrize("state", STATES)
def test_killed_in_any_state_the_run_can_be_resumed(shop: Shop, state: str, when: str) -> None:
    before = shop.project.snapshot()
    status = in_child(lambda: shop.apply(HARMLESS, reporter=Dying(state, when=when)))
    assert os.WIFSIGNALED(status)
    (folder,) = all_runs(shop.repository())
    if (state, when) == ("land", "left"):
        assert shop.project.git("log", "-1", "--format=%s") == "Change something"
        recover_everything(shop.repository())
        assert read_run(folder).report.outcome is Outcome.COMMITTED
    else:
        assert shop.project.snapshot() == before
        assert read_run(folder).report.outcome is Outcome.INTERRUPTED
    report = shop.resume(folder.run)
    assert report.outcome is Outcome.COMMITTED, report
    assert shop.project.git("rev-list", "--count", "HEAD") == "2"
    assert shop.status() == ""
    assert verify_run(shop.repository(), folder).ok


@pytest.mark.parametrize("state", STATES)
def test_a_signal_in_any_state_leaves_nothing_behind(shop: Shop, state: str) -> None:
    before = shop.project.snapshot()

    def press_control_c() -> None:
        shop.cancel.on_signal(signal.SIGINT, None)

    report = shop.apply(HARMLESS, reporter=Watching(state, press_control_c))
    assert (report.outcome, report.exit_code) == (Outcome.INTERRUPTED, 130)
    assert shop.project.snapshot() == before
    assert shop.resume(report.run).outcome is Outcome.COMMITTED
    assert shop.status() == ""


def test_a_landing_the_trace_does_not_know_is_written_down_by_recovery(shop: Shop) -> None:
    """Killed between the branch's move and the trace's next line: recovery tells the run what happened."""
    hook = shop.project.git_dir / "hooks/post-merge"
    marker = shop.project.git_dir / "dying"
    hook.write_text(f"#!/bin/sh\nkill -9 $(cat {marker})\n")
    hook.chmod(0o755)

    def work() -> None:
        marker.write_text(str(os.getpid()))
        shop.apply(HARMLESS)

    assert os.WIFSIGNALED(in_child(work))
    (folder,) = all_runs(shop.repository())
    assert read_run(folder).report.outcome is Outcome.INTERRUPTED
    assert shop.project.git("log", "-1", "--format=%s") == "Change something"

    done = recover_everything(shop.repository())
    assert any(folder.run in action for action in done.actions)
    report = read_run(folder).report
    assert report.outcome is Outcome.COMMITTED
    assert report.commit == shop.head()
    assert verify_run(shop.repository(), folder).ok
    assert recover_everything(shop.repository()).actions == ()


def test_what_recovery_did_is_told_before_the_next_run_begins(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    find_run(shop.repository(), report.run).receipt.unlink()
    said: list[str] = []

    class Listening(Reporter):
        def noted(self, text: str) -> None:
            said.append(text)

    shop.apply(replacing("notes.txt", "one\n", "1\n"), reporter=Listening())
    assert any(report.run in text for text in said)


def test_a_run_that_ended_without_its_receipt_gets_it_from_recovery(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    folder = find_run(shop.repository(), report.run)
    written = folder.receipt.read_bytes()
    folder.receipt.unlink()
    recover_everything(shop.repository())
    assert folder.receipt.read_bytes() == written


def test_a_landing_whose_receipt_cannot_be_attached_is_still_a_landing(shop: Shop) -> None:
    in_the_way = "refs/dev-agent/receipts/in-the-way"
    shop.project.git("update-ref", in_the_way, "HEAD")
    report = shop.apply(HARMLESS)
    assert (report.outcome, report.exit_code) == (Outcome.COMMITTED, 0)
    assert "dev-agent recover" in report.warnings[-1]
    assert report.receipt is None
    shop.project.git("update-ref", "-d", in_the_way)
    recover_everything(shop.repository())
    folder = find_run(shop.repository(), report.run)
    assert verify_run(shop.repository(), folder).ok
    assert folder.receipt.exists()


def test_two_processes_cannot_drive_one_run(shop: Shop) -> None:
    seen: list[str] = []

    def resume_meanwhile() -> None:
        with pytest.raises(JournalBusy) as caught:
            shop.resume("last")
        seen.append(caught.value.message)

    report = shop.apply(HARMLESS, reporter=Watching("check_policy", resume_meanwhile))
    assert report.outcome is Outcome.COMMITTED
    assert report.run in seen[0]


def test_two_runs_at_once_both_land(shop: Shop) -> None:
    inner: list[Outcome] = []
    other = b"--- /dev/null\n+++ b/second.txt\n@@ -0,0 +1 @@\n+second\n"

    def run_another() -> None:
        inner.append(shop.apply(other, policy=TESTS_ONLY).outcome)

    report = shop.apply(HARMLESS, policy=TESTS_ONLY, reporter=Watching("check", run_another))
    assert inner == [Outcome.COMMITTED]
    assert report.outcome is Outcome.COMMITTED
    assert shop.project.git("rev-list", "--count", "HEAD") == "3"
    assert shop.status() == ""
    assert (shop.root / "second.txt").exists()


def test_the_user_edits_during_the_run_and_loses_nothing(shop: Shop) -> None:
    def edit() -> None:
        shop.project.write("notes.txt", b"mine, typed just now\n")

    report = shop.apply(HARMLESS, reporter=Watching("consent", edit))
    assert (report.outcome, report.reason) == (Outcome.KEPT, "dirty-overlap")
    assert (shop.root / "notes.txt").read_bytes() == b"mine, typed just now\n"
