"""Several answers to one question: which is chosen, what is recorded, what a kill in the middle costs."""

from __future__ import annotations

from typing import Any

import pytest

from dev_agent.cancel import Cancel
from dev_agent.gates.judge import LOCAL, GateName, Judgement, LocalJudge
from dev_agent.gates.subject import Subject
from dev_agent.programs.candidates.ranking import Standing
from dev_agent.programs.candidates.records import CANDIDATE, recorded_candidates
from dev_agent.programs.folders import find_run
from dev_agent.programs.judging import Judging
from dev_agent.programs.replay import replay
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.verify import verify_run
from dev_agent.proposers.model import Trouble
from dev_agent.repository.refs import PREFIX, list_refs
from dev_agent.runtime.engine import Reporter
from tests.programs.solving.conftest import BETTER, CART, NO_GATES, SUM, TESTS_ONLY, WRONG, Solving
from tests.testing.sampled_model import Sampled
from tests.testing.scripted_model import edits, plan, replacing

RED = edits(replacing(CART, SUM, WRONG))
REDDER = edits(
    replacing(CART, SUM, WRONG), replacing(CART, "    return len(prices)\n", "    return len(prices) + 1\n")
)
GREEN = edits(replacing(CART, SUM, BETTER))
LARGE = edits(replacing(CART, SUM, "    every = list(prices)\n    found = sum(every)\n    return found\n"))
SAME = edits(replacing(CART, SUM, "    # nothing to add\n    return sum(prices, 0)\n"))
UNFIT = edits(replacing(CART, "    nothing like this\n", "    x\n"))
OUTSIDE = edits(replacing(CART, SUM, BETTER), replacing("notes.txt", "two\n", "2\n"))
NO_EDITS = {"answer": "edits"}


def standings(solving: Solving, report: RunReport) -> list[tuple[int, str, bool]]:
    found = recorded_candidates(solving.events(report))
    return [(one.candidate.number, one.candidate.standing.value, one.chosen) for one in found]


def changed(solving: Solving) -> str:
    return (solving.shop.root / CART).read_text()


def refs(solving: Solving) -> set[str]:
    return {
        name.removeprefix(PREFIX).partition("/")[0] for name in list_refs(solving.shop.repository(), PREFIX)
    }


def test_of_four_the_smallest_green_one_lands_and_all_are_on_record(solving: Solving) -> None:
    model = Sampled([plan(CART)], [[RED, LARGE, GREEN, SAME]])
    report = solving.solve(model, policy=TESTS_ONLY, candidates="4")

    assert report.outcome is Outcome.COMMITTED, report
    assert BETTER in changed(solving)
    assert standings(solving, report) == [
        (1, "red", False), (2, "green", False), (3, "green", True), (4, "duplicate", False)
    ]  # fmt: skip
    left = [str(event.data["state"]) for event in solving.events(report) if event.type == "left"]
    assert left[3:8] == ["brief", "widen", "patch", "tryout", "stage"]
    assert report.cost["model_calls"] == 5
    # The winner's verdict was remembered, and nobody else left anything but a diff.
    assert report.gates[-1]["cached"] or any(gate["cached"] for gate in report.gates)
    assert refs(solving) <= {"anchors", "receipts", "bases"}
    repository = solving.shop.repository()
    assert verify_run(repository, find_run(repository, report.run)).ok


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (2, 0, 3, 1)])
def test_the_winner_is_the_same_whoever_answers_first(solving: Solving, order: tuple[int, ...]) -> None:
    model = Sampled([plan(CART)], [[LARGE, GREEN, SAME, RED]], order=order)
    report = solving.solve(model, policy=NO_GATES, candidates="4")

    assert [one.sample for one in model.asked if one.form.name == "patch"] == list(order)
    assert report.outcome is Outcome.COMMITTED
    # Without gates all are green; the smallest of the same size is the one asked for first.
    assert [number for number, _, chosen in standings(solving, report) if chosen] == [2]
    calls = [
        one.data["data"]
        for one in solving.events(report)
        if one.type == "left" and one.data["state"] == "patch"
    ]
    made: Any = calls[0]
    assert [one["sample"] for one in made["calls"]] == [0, 1, 2, 3]


class Wide(LocalJudge):
    """This machine, which says that it can answer more at a time."""

    width: int | None = 16


def test_the_winner_is_the_same_however_many_are_judged_at_a_time(solving: Solving) -> None:
    answers = [RED, LARGE, GREEN, UNFIT, REDDER, SAME]
    found = []
    for judge in (LOCAL, Wide()):
        report = solving.solve(
            Sampled([plan(CART)], [answers]), policy=TESTS_ONLY, candidates="6", dry_run=True, judge=judge
        )
        assert report.outcome is Outcome.VERIFIED
        found.append((report.tree, standings(solving, report)))
    assert found[0] == found[1]


def test_what_cannot_win_is_not_judged(solving: Solving) -> None:
    model = Sampled([plan(CART)], [[UNFIT, OUTSIDE, NO_EDITS, GREEN]])
    report = solving.solve(model, policy=TESTS_ONLY, candidates="4")

    assert report.outcome is Outcome.COMMITTED
    # Sample 3 gave no proposal, and the only one that could still win was judged once, where every change is.
    assert standings(solving, report) == [
        (1, "unresolved", False), (2, "denied", False), (4, "unjudged", True)
    ]  # fmt: skip
    assert not any(gate["cached"] for gate in report.gates)


def test_of_an_all_red_batch_the_best_ones_failures_are_what_the_model_hears(solving: Solving) -> None:
    model = Sampled([plan(CART)], [[REDDER, RED], [UNFIT, edits(replacing(CART, WRONG, BETTER))]])
    report = solving.solve(model, policy=TESTS_ONLY, candidates="2")

    assert report.outcome is Outcome.COMMITTED, report
    assert [one.candidate.standing for one in recorded_candidates(solving.events(report))][:2] == [
        Standing.RED
    ] * 2
    heard = model.asked[-1].changing.text
    assert "test_total" in heard
    assert "len(prices) + 1" not in heard
    assert WRONG.strip() in heard
    assert BETTER in changed(solving)


def test_auto_asks_once_and_widens_while_it_is_red(solving: Solving) -> None:
    model = Sampled([plan(CART)], [[RED], [UNFIT, UNFIT, edits(replacing(CART, WRONG, BETTER)), UNFIT]])
    report = solving.solve(model, policy=TESTS_ONLY, candidates="auto")

    assert report.outcome is Outcome.COMMITTED
    assert len([one for one in model.asked if one.form.name == "patch"]) == 5
    assert {one.round for one in recorded_candidates(solving.events(report))} == {2}


def test_a_green_wave_ends_the_round(solving: Solving) -> None:
    answers = [
        edits(replacing(CART, SUM, f"    return sum(prices, {zero})\n"))
        for zero in ("0", "+0", "-0", "0 + 0", "0 * 1")
    ]
    report = solving.solve(Sampled([plan(CART)], [answers]), policy=TESTS_ONLY, candidates="5")

    assert report.outcome is Outcome.COMMITTED
    assert [one for _, one, _ in standings(solving, report)] == ["green"] * 4 + ["unjudged"]


def test_a_batch_of_which_none_is_a_proposal_is_one_answer_that_cannot_be_used(solving: Solving) -> None:
    model = Sampled([plan(CART)], [[NO_EDITS, Trouble.TRUNCATED], [GREEN, GREEN]])
    report = solving.solve(model, policy=NO_GATES, candidates="2")

    assert report.outcome is Outcome.COMMITTED
    assert "patch.invalid" in solving.path(report)


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets the process die right after the second candidate of a round is on record."""
    from dev_agent.runtime.trace import Journal  # noqa: PLC0415 - where the line is drawn

    left, append = [2], Journal.append

    def dies(self: Journal, type: str, *args: Any, **more: Any) -> Any:  # noqa: A002 - as it is called
        if left[0] == 0:
            raise SystemExit("killed")
        left[0] -= type == CANDIDATE
        return append(self, type, *args, **more)

    monkeypatch.setattr(Journal, "append", dies)
    return left


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The trees that the tests gate was asked about, in order."""
    trees, ask = list[str](), Judging.ask

    def seen(self: Judging, gate: GateName, subject: Subject, cancel: Cancel) -> Judgement:
        if gate is GateName.TESTS:
            trees.append(subject.tree)
        return ask(self, gate, subject, cancel)

    monkeypatch.setattr(Judging, "ask", seen)
    return trees


def test_killed_in_the_middle_nothing_is_asked_or_judged_again(
    solving: Solving, dying: list[int], judged: list[str]
) -> None:
    model = Sampled([plan(CART)], [[RED, LARGE, GREEN]])
    with pytest.raises(SystemExit):
        solving.solve(model, policy=TESTS_ONLY, candidates="3")
    dying[0] = -1
    repository = solving.shop.repository()
    run = find_run(repository, "last").run
    judged.clear()

    report = solving.resume(run, Sampled([], []))

    assert report.outcome is Outcome.COMMITTED, report
    assert BETTER in changed(solving)
    recorded = [event.data["number"] for event in solving.events(report) if event.type == CANDIDATE]
    assert sorted(map(str, recorded)) == ["1", "2", "3"]
    red = next(
        one for one in recorded_candidates(solving.events(report)) if one.candidate.standing is Standing.RED
    )
    assert red.tree not in judged
    # The one that was not on record, and the winner where every change is judged.
    assert len(judged) == 2


def test_a_run_of_candidates_is_replayed_to_the_same_tree(solving: Solving) -> None:
    report = solving.solve(Sampled([plan(CART)], [[RED, LARGE, GREEN]]), policy=TESTS_ONLY, candidates="3")
    repository = solving.shop.repository()

    again = replay(
        repository,
        find_run(repository, report.run),
        environ=solving.shop.project.environ,
        reporter=Reporter(),
        cancel=Cancel(),
    )

    assert again.same, again
