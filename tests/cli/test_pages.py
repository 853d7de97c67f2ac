"""Pages: what people read and what programs get, from the same values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dev_agent.cli.output.page import Page, seconds
from dev_agent.cli.pages.doctor import doctor_page
from dev_agent.cli.pages.program import check_page, checks_page, graph_page, graphs_page
from dev_agent.cli.pages.recipes import recipe_page, recipes_page
from dev_agent.cli.pages.recovery import recovery_page
from dev_agent.cli.pages.report import report_page
from dev_agent.cli.pages.runs import runs_page, show_page
from dev_agent.cli.pages.verify import verify_page
from dev_agent.programs.builtin import APPLY, builtin_program
from dev_agent.programs.finding import Finding
from dev_agent.programs.proof import Check, Mark, VerifyReport
from dev_agent.programs.recovery import Recovered
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.runs import RunRecord, RunSummary
from dev_agent.programs.story import PathStep
from dev_agent.recipes.model import Place
from tests.testing.recipes import SMALL

RUN = "20261122-100000-1f3a9c2b"
VERDICT: dict[str, Any] = {
    "gate": "tests",
    "result": "failed",
    "reason": "new-failures",
    "tool": "pytest",
    "tool_version": "9.2.0",
    "passed": 11,
    "preexisting": 2,
    "fixed": [],
    "flaky": ["a::b"],
    "superseded": ["tests/test_m.py::test_old"],
    "notes": ["base tests over staged source"],
    "hint": "look at the first one",
    "ms": 1500,
    "cached": False,
    "new_failures": [
        {
            "id": "tests/test_a.py::test_x",
            "path": "tests/test_a.py",
            "line": 3,
            "code": "failed",
            "message": "assert 1 == 2\nmore",
            "detail": "E  assert \x1b[31m1 == 2",
        }
    ],
}
REPORT = RunReport(
    run=RUN,
    task="Fix the total",
    outcome=Outcome.REJECTED,
    reason="tests_failed",
    explanation="1 new test failure.",
    advice="See: dev-agent show last",
    base="a" * 40,
    commit=None,
    tree="b" * 40,
    branch="main",
    files=("src/a.py",),
    policy={
        "verdict": "ask",
        "name": "default",
        "digest": "c" * 64,
        "findings": [
            {
                "rule": "dynamic_code",
                "verdict": "ask",
                "because": "eval appears",
                "places": [{"path": "src/a.py", "line": 4, "text": "eval(x)"}],
            },
            {"rule": "tests_added", "verdict": "allow", "because": "fine", "places": []},
        ],
    },
    gates=({"name": "tests", "verdict": "failed", "new_failures": VERDICT["new_failures"], "ms": 1500},),
    cost={"ms": 2000},
    receipt=None,
    trace="/x/trace.jsonl",
    warnings=("mind the gap",),
)
RECORD = RunRecord(
    report=REPORT,
    started="2026-11-22T10:00:00.000Z",
    ended="2026-11-22T10:00:02.000Z",
    path=(
        PathStep(state="stage", attempt=1, outcome="staged", ms=12),
        PathStep(state="check", attempt=2, outcome="failed", ms=1500),
    ),
    verdicts=(VERDICT,),
    findings=tuple(REPORT.policy["findings"]),
    receipt=None,
    patch=b"",
    outputs={},
)


def shown(page: Page) -> str:
    return "\n".join(one.text for one in page.lines)


def test_a_rejection_names_its_failures_and_closes_with_what_to_do() -> None:
    text = shown(report_page(REPORT))
    assert "tests/test_a.py::test_x: assert 1 == 2  [failed]" in text
    assert "E  assert \\x1b[31m1 == 2" in text
    assert "warning: mind the gap" in text
    assert text.endswith("Rejected: 1 new test failure. See: dev-agent show last")


def test_a_landing_says_where_it_is_and_how_to_look_at_it() -> None:
    green = {"name": "tests", "verdict": "passed", "new_failures": [], "ms": 1}
    landed = replace(
        REPORT, outcome=Outcome.COMMITTED, commit="d" * 40, explanation="", advice="", gates=(green,)
    )
    assert shown(report_page(landed)).endswith(
        "Committed: dddddddddddd on main, 1 file. Look at it with: git show dddddddddddd"
    )


def test_a_gate_that_was_skipped_for_a_reason_to_know_about_says_it() -> None:
    skipped = {
        "name": "types",
        "verdict": "skipped",
        "new_failures": [],
        "ms": 0,
        "reason": "nothing_checked",
    }
    told = shown(report_page(replace(REPORT, gates=({**skipped, "hint": "mypy stops at a.py:1"},))))
    silent = shown(report_page(replace(REPORT, gates=(skipped,))))

    assert "About types:" in told
    assert "mypy stops at a.py:1" in told
    assert "About types:" not in silent


def test_a_change_that_no_gate_judged_is_not_said_to_have_passed_one() -> None:
    skipped = {"name": "tests", "verdict": "skipped", "new_failures": [], "ms": 0}
    alone = replace(REPORT, gates=(skipped,), commit="d" * 40, explanation="", advice="")
    verified = shown(report_page(replace(alone, outcome=Outcome.VERIFIED)))
    landed = shown(report_page(replace(alone, outcome=Outcome.COMMITTED)))
    assert "passed policy; no gate judged it; nothing was landed" in verified
    assert "1 file, judged by policy alone" in landed


def test_the_rest_of_an_explanation_is_quoted_in_both_places() -> None:
    long = "1 edit could not be resolved\nline 3: \x1b no\n     1  def f()"
    report = replace(REPORT, explanation=long)
    for page in (report_page(report), show_page(replace(RECORD, report=report))):
        assert "\nline 3: \\x1b no\n     1  def f()\n" in "\n" + shown(page)
        assert "Rejected: 1 edit could not be resolved. See:" in shown(page).splitlines()[-1]


def test_a_closing_line_is_one_line_whatever_a_hint_quotes() -> None:
    quoting = replace(REPORT, advice="it said:\nINTERNALERROR\nmore")
    assert shown(report_page(quoting)).splitlines()[-1] == "Rejected: 1 new test failure. It said"


def test_a_question_of_policy_is_told_with_its_place_and_an_allowance_is_not() -> None:
    text = shown(report_page(REPORT))
    assert "ask  dynamic_code: eval appears" in text
    assert "src/a.py:4  eval(x)" in text
    assert "tests_added" not in text


def test_a_type_error_is_told_by_its_place() -> None:
    failure = {
        "id": "src/a.py|f|return-value|...",
        "path": "src/a.py",
        "line": 7,
        "code": "return-value",
        "message": "Incompatible return",
    }
    gate = {"name": "types", "verdict": "failed", "new_failures": [failure], "ms": 1}
    text = shown(report_page(replace(REPORT, gates=(gate,))))
    assert "src/a.py:7: Incompatible return  [return-value]" in text


def test_many_failures_are_counted_not_poured_out() -> None:
    failures = [{"id": f"t::{number}", "message": "no"} for number in range(25)]
    gate = {"name": "tests", "verdict": "failed", "new_failures": failures, "ms": 1}
    text = shown(report_page(replace(REPORT, gates=(gate,))))
    assert "t::9" in text
    assert "t::10" not in text
    assert "… and 15 more" in text


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_closing_line(outcome: Outcome) -> None:
    text = shown(report_page(replace(REPORT, outcome=outcome)))
    assert f"{outcome.value.replace('_', ' ').capitalize()}: " in text.splitlines()[-1]


def test_the_json_of_a_run_has_exactly_the_keys_of_the_contract() -> None:
    assert set(report_page(REPORT).data) == {
        *("run", "outcome", "reason", "base", "commit", "tree", "branch"),
        *("files", "policy", "gates", "cost", "receipt", "trace"),
    }


def test_a_list_of_runs_is_aligned_and_newest_first_as_given() -> None:
    first = RunSummary(
        run=RUN,
        started="2026-11-22T10:00:00.000Z",
        task="Fix\nmore",
        outcome="committed",
        reason="",
        commit="d" * 40,
        files=1,
        ms=1,
    )
    second = replace(first, outcome="no_change", commit=None, task="\x1b[31mred")
    lines = shown(runs_page((first, second))).splitlines()
    assert lines[0].split() == ["RUN", "STARTED", "OUTCOME", "COMMIT", "TASK"]
    assert lines[1].split() == [RUN, "2026-11-22", "10:00", "committed", "d" * 9, "Fix"]
    assert lines[2].endswith("no change  -          \\x1b[31mred")
    assert (
        len({line.index(word) for line, word in zip(lines[1:], ("committed", "no change"), strict=True)}) == 1
    )


def test_no_runs_say_how_to_make_one() -> None:
    page = runs_page(())
    assert page.data == {"runs": []}
    assert "dev-agent apply" in shown(page)


def test_a_story_tells_path_gates_policy_files_and_proof() -> None:
    text = shown(show_page(RECORD))
    for part in (
        "check (attempt 2)",
        "1.5 s",
        "1 flaky, 1 in their new form only",
        "2 failing before and after",
        "pytest 9.2.0",
    ):
        assert part in text
    for title in ("Path", "Gates", "Policy", "1 file", "Proof"):
        assert f"\n{title}\n" in text
    assert "base tests over staged source" in text
    assert "/x/trace.jsonl" in text


def test_a_story_as_json_holds_the_contract_object_and_the_path() -> None:
    data = show_page(RECORD).data
    assert data["report"] == REPORT.to_json()
    assert data["path"][1] == {"state": "check", "attempt": 2, "outcome": "failed", "ms": 1500}


@pytest.mark.parametrize(
    ("mark", "said", "ok"),
    [
        (Mark.OK, "The proof holds: run r.", True),
        (Mark.UNCHECKED, "The proof holds: run r; 1 check could not be made (see above).", True),
        (Mark.BAD, "The proof does not hold: do not rely on run r. The first bad event is number 3.", False),
    ],
)
def test_a_verification_closes_with_its_meaning(mark: Mark, said: str, *, ok: bool) -> None:
    report = VerifyReport(
        run="r",
        events=5,
        head="h",
        first_bad=None if ok else 3,
        checks=(Check(name="chain", mark=mark, detail="d"),),
    )
    page = verify_page(report)
    assert shown(page).splitlines()[-1] == said
    assert page.data["ok"] is ok


def test_the_doctor_says_what_to_do_about_a_lack() -> None:
    findings = (
        Finding(topic="git", status="ok", detail="2.39"),
        Finding(topic="identity", status="lack", detail="unknown", remedy="git config user.name"),
    )
    page = doctor_page(findings)
    assert page.data["ready"] is False
    assert shown(page).splitlines() == [
        "ok    git       2.39",
        "lack  identity  unknown",
        "                git config user.name",
        "",
        "Not ready: 1 thing missing; see above.",
    ]


def test_a_healthy_machine_is_ready() -> None:
    page = doctor_page((Finding(topic="git", status="ok", detail="2.39"),))
    assert page.data["ready"] is True
    assert shown(page).endswith("Ready: everything is in place.")


def test_a_recovery_tells_what_it_did_and_what_to_look_at() -> None:
    assert "Nothing to recover" in shown(recovery_page(Recovered()))
    text = shown(recovery_page(Recovered(actions=("rolled back",), kept=("/kept",))))
    assert "rolled back" in text
    assert "/kept holds files of yours" in text


def test_a_proved_program_and_its_drawing() -> None:
    program = builtin_program(APPLY)
    assert shown(check_page(program)).startswith("Proved: program apply may run (")
    assert shown(checks_page([program, program])).count("may run") == 2
    assert shown(graph_page("a\n  b\x1b")).splitlines() == ["a", "  b\\x1b"]
    assert shown(graphs_page({"x": "a\n", "y": "b\n"}, mark="%% ")).splitlines() == [
        *("%% x", "a", "", "%% y", "b"),
    ]


def test_places_are_aligned_escaped_and_counted_where_they_are_too_many() -> None:
    places = tuple(Place(path=f"p{number}.py", line=number, text="  x\x1b = 1") for number in range(30))
    report = replace(REPORT, places=places, places_more=5, gates=())
    rows = shown(report_page(report)).splitlines()
    assert "  p0.py:      x\\x1b = 1" in rows
    assert "  p10.py:10:  x\\x1b = 1" in rows
    assert "  … and 15 more" in rows
    assert not any("p20.py" in row for row in rows)
    assert len(report_page(report).data["places"]) == 30
    record = replace(RECORD, report=report)
    assert "  p29.py:29:  x\\x1b = 1" in shown(show_page(record)).splitlines()


def test_recipes_are_listed_with_an_example_to_paste() -> None:
    assert shown(recipes_page(tuple(SMALL.values()))).splitlines()[:7] == [
        "replace  for tests",
        "move     for tests",
        "write    for tests",
        "mend     for tests",
        "",
        "For example",
        "  dev-agent apply 'replace total by amount'",
    ]
    one = SMALL["replace"]
    assert "dev-agent apply 'replace total by amount'" in shown(recipe_page(one))
    data = {"name": "replace", "summary": "for tests", "examples": ["replace total by amount"]}
    assert recipe_page(one).data == data
    assert recipes_page((one,)).data == {"recipes": [data]}


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (59_940, "59.9 s"), (185_000, "3 min 05 s")],
)
def test_durations_read_well(ms: int, text: str) -> None:
    assert seconds(ms) == text
