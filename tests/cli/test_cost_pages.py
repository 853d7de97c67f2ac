"""What models cost, wherever a person or a program looks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from dev_agent.cli.output.human import HumanOutput
from dev_agent.cli.output.json import JsonOutput
from dev_agent.cli.output.live import LiveReporter
from dev_agent.cli.output.terminal import Terminal
from dev_agent.cli.pages.report import report_page
from dev_agent.cli.pages.runs import runs_page, show_page
from dev_agent.programs.cost import Call, Cost, Spending
from dev_agent.programs.runs import RunSummary
from dev_agent.runtime.engine import Reporter
from tests.cli.conftest import written
from tests.cli.test_pages import RECORD, REPORT, RUN, shown

Maker = Callable[..., Terminal]
SPENT = Cost(calls=2, tokens=1_300, micro_usd=4_200, unpriced=1)
CALL = Call(
    state="patch", purpose="patch", model="m-\x1b[1", request="r", outcome="end", read=1_200, written=100,
    micro_usd=4_200, unpriced=False, ms=900,
)  # fmt: skip
SPENDING = Spending(
    total=SPENT, states=(("patch", SPENT),), calls=(CALL, replace(CALL, micro_usd=None, unpriced=True))
)
PAID = {"model_calls": 1, "tokens": 700, "unpriced_calls": 1}
SUM = {"model_calls": 2, "tokens": 1_300, "money": 4_200, "unpriced_calls": 1}


def pays(reporter: Reporter) -> None:
    reporter.entered("patch", 1)
    reporter.spent("patch", PAID, SUM)
    reporter.retried("patch", "busy", 2_000)
    reporter.entered("patch", 2)
    reporter.spent("patch", SUM, SUM)
    reporter.left("patch", "proposed", 900)
    reporter.left("stage", "staged", 0)


def test_a_line_of_progress_says_what_its_state_cost_and_the_run_so_far(pipe: Maker) -> None:
    err = pipe()
    with HumanOutput(stdout=pipe(), stderr=err, quiet=False).watching() as reporter:
        pays(reporter)

    first, second, third = written(err).splitlines()
    assert first.endswith("1 model call, 700 tokens, price unknown (so far at least $0.0042)")
    assert second.endswith("900 ms  2 model calls, 1,300 tokens, at least $0.0042")
    assert third.rstrip().endswith("staged")


def test_for_programs_a_price_that_is_not_known_is_null(pipe: Maker) -> None:
    err = pipe()
    with JsonOutput(stdout=pipe(), stderr=err).watching() as reporter:
        pays(reporter)

    spent = [json.loads(row) for row in written(err).splitlines() if '"spent"' in row]
    assert [one["cost"]["money"] for one in spent] == [None, None]
    assert spent[0]["total"] == {
        "model_calls": 2, "tokens": 1_300, "money": None, "money_known": 4_200, "unpriced_calls": 1,
    }  # fmt: skip


def test_on_a_terminal_the_sum_stays_in_sight_while_something_runs() -> None:
    reporter = LiveReporter()
    pays(reporter)
    idle = _drawn(reporter)
    reporter.entered("check", 1)

    assert "so far" not in idle.splitlines()[-1]
    assert _drawn(reporter).splitlines()[-1].strip() == "2 model calls, 1,300 tokens, at least $0.0042 so far"


def test_the_report_and_the_list_of_runs_say_it() -> None:
    report = report_page(replace(REPORT, spent=SPENT))
    summary = RunSummary(
        run=RUN, started="2026-11-22T10:00:00.000Z", task="x", outcome="committed", reason="", commit=None, files=1,
        ms=5, spent=SPENT,
    )  # fmt: skip
    free = replace(summary, spent=Cost())

    assert "2 model calls, 1,300 tokens, at least $0.0042" in shown(report)
    assert "model call" not in shown(report_page(REPORT))
    assert "COST" in shown(runs_page([summary, free]))
    assert "at least $0.0042" in shown(runs_page([summary, free]))
    assert "COST" not in shown(runs_page([free]))
    assert json.loads(json.dumps(runs_page([summary]).data))["runs"][0]["spent"]["money"] is None


def test_show_tells_every_call_and_escapes_what_a_service_says() -> None:
    page = show_page(replace(RECORD, spending=SPENDING))
    text = shown(page)

    assert "\x1b" not in text
    assert "m-\\x1b[1" in text
    assert "unknown" in text
    assert "1,200" in text
    assert page.data["cost"]["calls"][1]["micro_usd"] is None
    assert page.data["cost"]["states"]["patch"]["model_calls"] == 2
    assert "Cost" not in shown(show_page(RECORD))
    assert "cost" not in show_page(RECORD).data


def test_a_run_of_very_many_calls_is_cut_for_people_and_whole_for_programs() -> None:
    many = replace(SPENDING, calls=(CALL,) * 50)
    page = show_page(replace(RECORD, spending=many))

    assert "… and 10 more" in shown(page)
    assert len(page.data["cost"]["calls"]) == 50


def _drawn(reporter: LiveReporter) -> str:
    from rich.console import Console  # noqa: PLC0415 - what draws on a terminal only

    console = Console(width=120)
    with console.capture() as drawn:
        console.print(reporter)
    return drawn.get()
