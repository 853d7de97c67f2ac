"""`show --html`: one page that tells a run, needs nothing from anywhere, and obeys nothing that stands in the run."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dev_agent.cli.pages.run_html import RunView, run_html
from dev_agent.programs.exchange import Said, exchange_of
from dev_agent.programs.folders import RunFolder, find_run
from dev_agent.programs.runs import RunRecord, read_run
from dev_agent.programs.stats import StatsRequest, stats
from dev_agent.programs.verify import verify_run
from dev_agent.repository.discovery import discover
from dev_agent.runtime.trace import Journal
from tests.cli.test_scenarios import GOOD, dev_agent, tiny, tiny_project
from tests.cli.test_stats import HOSTILE
from tests.runtime.worlds import FixedClock
from tests.testing.repos import Project

__all__ = ["tiny"]  # the fixture


class Seen(HTMLParser):
    """The elements and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(text: str) -> Seen:
    seen = Seen()
    seen.feed(text)
    return seen


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> RunView:
    """What is shown of one run. It is only looked at: tests that want another one replace what they want in it."""
    tiny = tiny_project(tmp_path_factory.mktemp("shown"))
    dev_agent(tiny, "apply", "Change the answer", "--patch", "-", stdin=GOOD)
    repository = discover(tiny.root, tiny.environ)
    folder = find_run(repository, "last")
    return RunView(
        record=read_run(folder),
        stats=stats(repository, StatsRequest(runs=(folder.run,))),
        proof=verify_run(repository, folder),
        exchange=exchange_of(folder),
    )


def test_a_run_is_told_on_one_page_that_loads_nothing(tiny: Project, tmp_path: Path) -> None:
    dev_agent(tiny, "apply", "Change the answer", "--patch", "-", stdin=GOOD)
    page = tmp_path / "run.html"

    done = dev_agent(tiny, "show", "--html", str(page))

    assert done.returncode == 0
    text = page.read_text(encoding="utf-8")
    said = " ".join(read(text).words)
    for expected in ("Committed", "Change the answer", "Gates", "types", "tests", "Path", "The proof holds."):
        assert expected in said
    assert "src=" not in text
    assert "<script" not in text
    known = text.count("http-equiv") + text.count("http://www.w3.org/2000/svg")
    assert text.count("http") == known + said.count("http")


def test_a_page_that_cannot_be_written_is_exit_2_and_the_run_is_as_it_was(tiny: Project) -> None:
    dev_agent(tiny, "apply", "Change the answer", "--patch", "-", stdin=GOOD)
    done = dev_agent(tiny, "show", "--html", "/nowhere/x.html")
    assert done.returncode == 2
    assert b"/nowhere/x.html cannot be written" in done.stderr


@pytest.mark.parametrize("text", HOSTILE)
def test_what_stands_in_a_run_adds_no_element_and_no_attribute(view: RunView, text: str) -> None:
    hostile = replace(view, record=hostile_record(view.record, text), exchange=said_twice(text))
    harmless = replace(view, record=hostile_record(view.record, "x"), exchange=said_twice("x"))

    page, plain = read(run_html(hostile)), read(run_html(harmless))

    assert set(page.tags) <= set(plain.tags) | {"i", "p"}
    assert {name for name, _ in page.attributes} == {name for name, _ in plain.attributes}
    assert not any("\x1b" in words or "\u202e" in words for words in page.words)


def hostile_record(record: RunRecord, text: str) -> RunRecord:
    failure = {"id": text, "path": text, "line": 3, "message": text, "detail": text}
    verdict = {"gate": text, "result": text, "tool": text, "reason": text, "new_failures": [failure, text]}
    finding = {
        "verdict": text,
        "rule": text,
        "because": text,
        "places": [{"path": text, "line": 1}],
        "facts": {text: text},
    }
    report = replace(
        record.report, task=text, files=(text,), notes=(text,), explanation=text, advice=text, branch=text
    )
    patch = f"diff --git a/{text} b/{text}\n+{text}\n-{text}\n{text}\n".encode("utf-8", "replace")
    return replace(
        record,
        report=report,
        verdicts=(verdict,),
        findings=(finding,),
        patch=patch,
        outputs={text: text.encode("utf-8", "replace")},
        receipt=text.encode("utf-8", "replace"),
    )


def said_twice(text: str) -> tuple[Said, ...]:
    return (Said(name=text, event=1, text=text), Said(name=f"{text}.reply", event=2, text=None))


def test_what_a_model_was_told_and_said_is_there_in_order_and_an_erased_reply_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    with Journal.create(folder, "r", {"program": "p"}, FixedClock()) as journal:
        journal.append("request", {"program": "p"})
        data = {"state": "plan", "attempt": 1, "outcome": "planned", "next": "x", "ms": 1}
        data = {**data, "cost": {}, "data": {}}
        journal.append("left", data, blobs={"prompt": b"do it", "reply": b"{}", "other": b"no"})
        reply = next(blob for blob in journal.events[-1].blobs if blob.role == "reply")
        journal.erase(reply.commitment, "asked for")
    found = exchange_of(RunFolder(run="r", path=folder))
    assert [(one.name, one.text) for one in found] == [("plan.prompt", "do it"), ("plan.reply", None)]
