"""A replay does everything again but land, and finds the first place where the second time differs."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

import dev_agent
from dev_agent.cancel import Cancel
from dev_agent.errors import UsageFault
from dev_agent.programs.builtin import apply_program
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.comparison import Comparison, DifferenceKind, compare
from dev_agent.programs.folders import find_run
from dev_agent.programs.proposers import Command
from dev_agent.programs.replay import replay
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.run import run
from dev_agent.runtime.canonical import thaw
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.events import RUN_STARTED, Event
from dev_agent.runtime.trace import Journal, read_trace
from tests.programs.conftest import (
    BETTER,
    BREAKS_A_TEST,
    HARMLESS,
    NO_GATES,
    TESTS_ONLY,
    Shop,
    Watching,
    replacing,
)

ASKING = NO_GATES + '[scope]\nprotected = ["notes.txt"]\n'


def replayed(shop: Shop, report: RunReport) -> Comparison:
    """Replay, and see that nothing of the repository but the state folder's caches moved."""
    before = outside(shop)
    found = replay(
        shop.repository(),
        find_run(shop.repository(), report.run),
        environ=shop.project.environ,
        reporter=Reporter(),
        cancel=Cancel(),
    )
    assert outside(shop) == before
    return found


def outside(shop: Shop) -> dict[str, object]:
    """Every file of the work tree, the index, every ref, and the recorded runs."""
    git = shop.root / ".git"
    runs = git / "dev-agent" / "runs"
    return {
        "files": {
            str(p): p.read_bytes()
            for p in sorted(shop.root.rglob("*"))
            if p.is_file() and git not in p.parents
        },
        "index": (git / "index").read_bytes(),
        "refs": shop.project.git("for-each-ref"),
        "runs": {str(p): p.read_bytes() for p in sorted(runs.rglob("*")) if p.is_file()},
        "left": sorted(path.name for path in git.glob("dev-agent/tmp/*")),
    }


@pytest.mark.parametrize(
    ("patch", "policy", "outcome"),
    [
        (BETTER, TESTS_ONLY, Outcome.COMMITTED),
        (BREAKS_A_TEST, TESTS_ONLY, Outcome.REJECTED),
        (replacing("notes.txt", "nowhere\n", "x\n"), NO_GATES, Outcome.REJECTED),
        (
            replacing("pyproject.toml", 'pythonpath = ["src"]\n', "pythonpath = []\n"),
            NO_GATES,
            Outcome.REJECTED,
        ),
    ],
)
def test_a_run_ends_the_same_way_again(shop: Shop, patch: bytes, policy: str, outcome: Outcome) -> None:
    report = shop.apply(patch, policy=policy)
    assert report.outcome is outcome
    found = replayed(shop, report)
    assert (found.same, found.difference) == (True, None)
    assert found.outcome == report.outcome.value
    if report.tree:
        assert found.tree == report.tree


def test_gates_run_anew_and_are_not_read_from_the_verdict_cache(shop: Shop) -> None:
    report = shop.apply(BETTER, policy=TESTS_ONLY)
    state = shop.root / ".git" / "dev-agent"
    remembered: list[Path] = []

    def look() -> None:
        remembered.extend(path for path in state.glob("tmp/*/cache/**/*") if path.is_file())

    found = replay(
        shop.repository(),
        find_run(shop.repository(), report.run),
        environ=shop.project.environ,
        reporter=Watching("consent", look),
        cancel=Cancel(),
    )

    assert found.same
    # A cache of its own, which was empty before, holds the verdict that was given now.
    assert any(path.parents[1].name == "tests-verdict" for path in remembered), sorted(map(str, remembered))


def test_a_command_is_not_run_again_its_tree_is_taken(shop: Shop, tmp_path: Path) -> None:
    request = ApplyRequest(task="Work", patch=b"", policy=shop.policy(NO_GATES))
    counting = Command(argv=("sh", "-c", "date +%N > notes.txt"))
    report = run(
        shop.repository(),
        request,
        command=counting,
        environ=shop.project.environ,
        reporter=Reporter(),
        cancel=Cancel(),
    )
    assert report.outcome is Outcome.COMMITTED
    found = replayed(shop, report)
    assert (found.same, found.tree) == (True, report.tree)


def test_the_persons_word_is_taken_from_the_trace(shop: Shop) -> None:
    waiting = shop.apply(HARMLESS, policy=ASKING)
    assert waiting.outcome is Outcome.SUSPENDED
    assert shop.decide(waiting.run, approved=True).outcome is Outcome.COMMITTED
    assert replayed(shop, waiting).same


def test_a_landing_that_was_rebased_is_replayed_onto_the_recorded_tip(shop: Shop) -> None:
    def somebody_commits() -> None:
        shop.project.write("other.txt", b"theirs\n")
        shop.project.git("add", "other.txt")
        shop.project.git("commit", "-qm", "Theirs")

    report = shop.apply(HARMLESS, reporter=Watching("land", somebody_commits))
    assert report.outcome is Outcome.COMMITTED
    found = replayed(shop, report)
    assert (found.same, found.tree) == (True, report.tree)


def test_an_undo_is_replayed(shop: Shop) -> None:
    report = shop.undo(shop.apply(HARMLESS).run)
    assert report.outcome is Outcome.COMMITTED
    found = replayed(shop, report)
    assert (found.same, found.program) == (True, "undo")


def test_it_works_after_the_branch_and_the_tree_went_on(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    shop.apply(BETTER)
    shop.project.write("notes.txt", b"dirty\n")
    shop.project.git("checkout", "-q", "-b", "elsewhere")
    assert replayed(shop, report).tree == report.tree


def test_a_run_that_has_not_ended_is_refused(shop: Shop) -> None:
    waiting = shop.apply(HARMLESS, policy=ASKING)
    with pytest.raises(UsageFault, match="has not ended: it is in approve"):
        replayed(shop, waiting)


def test_an_erased_proposal_is_refused_and_named(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    folder = find_run(shop.repository(), report.run).path
    with Journal.open(folder, SystemClock()) as journal:
        blobs = [blob for event in journal.events for blob in event.blobs if blob.role == "proposal"]
        journal.erase(blobs[0].commitment, "asked to")
    with pytest.raises(UsageFault, match="cannot be replayed: what it recorded is not there any more"):
        replayed(shop, report)


def test_a_trace_that_was_changed_is_refused(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    trace = find_run(shop.repository(), report.run).path / "trace.jsonl"
    trace.write_bytes(trace.read_bytes().replace(b'"outcome":"staged"', b'"outcome":"spoken"'))
    with pytest.raises(UsageFault, match="is not what was written"):
        replayed(shop, report)


def test_another_tree_from_the_same_proposal_is_found(shop: Shop, tmp_path: Path) -> None:
    hook = shop.root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ndate +%s%N > stamp.txt\ngit add stamp.txt\n")
    hook.chmod(0o755)
    report = shop.apply(HARMLESS)
    assert report.outcome is Outcome.COMMITTED
    found = replayed(shop, report)
    assert found.difference is not None
    assert (found.difference.kind, found.difference.state) == (DifferenceKind.TREE, "hooks")
    assert found.difference.recorded == report.tree
    assert found.exit_code == 1


Change = Callable[[dict[str, Any]], None]


def retold(events: tuple[Event, ...], place: Path, change: Change) -> tuple[Event, ...]:
    """The same trace with some events' content changed, as a second execution might have written it."""
    with Journal.create(place, "other", {"program": apply_program().digest}, SystemClock()) as journal:
        for event in events:
            if event.type == RUN_STARTED:
                continue
            content = {"type": event.type, "data": copy.deepcopy(thaw(event.data))}
            change(content)
            journal.append(str(content["type"]), cast("dict[str, object]", content["data"]))
        return journal.events


def _verdict(content: dict[str, Any]) -> dict[str, Any] | None:
    if content["type"] == "branch-left" and content["data"]["branch"] == "tests":
        verdict: dict[str, Any] = content["data"]["data"]["verdicts"][0]
        return verdict
    return None


def _fails(content: dict[str, Any]) -> None:
    """The tests fail the second time."""
    verdict = _verdict(content)
    if verdict is not None:
        content["data"]["outcome"] = "failed"
        verdict["new_failures"] = [
            {
                "id": "tests/test_cart.py::test_total",
                "path": "",
                "line": None,
                "code": "",
                "message": "",
                "detail": "",
            }
        ]
    if content["type"] == "left" and content["data"]["state"] == "check":
        content["data"].update({"outcome": "failed", "next": "repair"})


def _fails_with_another_tool(content: dict[str, Any]) -> None:
    _fails(content)
    verdict = _verdict(content)
    if verdict is not None:
        verdict["tool_version"] = "99"


def _fails_elsewhere(content: dict[str, Any]) -> None:
    _fails(content)
    verdict = _verdict(content)
    if verdict is not None:
        verdict["environment"] = "0" * 64


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (_fails, DifferenceKind.FLAKY_GATE, "tests/test_cart.py::test_total"),
        (_fails_with_another_tool, DifferenceKind.TOOL, "now by pytest 99"),
        (_fails_elsewhere, DifferenceKind.ENVIRONMENT, "another environment"),
    ],
)
def test_why_a_gate_answers_differently_is_told_apart(
    shop: Shop, tmp_path: Path, change: Change, kind: DifferenceKind, said: str
) -> None:
    report = shop.apply(BETTER, policy=TESTS_ONLY)
    events = read_trace(find_run(shop.repository(), report.run).path)

    found = compare(events, retold(events, tmp_path / "other", change), apply_program())

    assert found.difference is not None
    assert (found.difference.kind, found.difference.state) == (kind, "check.tests")
    assert said in found.difference.explanation
    assert (found.difference.recorded, found.difference.replayed) == ("passed", "failed")


def test_the_command_line_says_it_in_one_line_and_as_json(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    words = [sys.executable, "-m", "dev_agent", "replay", "-C", str(shop.root)]
    environ = {**shop.project.environ, "PYTHONPATH": str(Path(dev_agent.__file__).parents[1])}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Same: ")
    said = json.loads(subprocess.run([*words, "--json"], env=environ, capture_output=True, check=True).stdout)
    assert (said["run"], said["same"], said["difference"]) == (report.run, True, None)
