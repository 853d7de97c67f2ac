"""Every page of the console on a real repository: what the traces say, and no text of a run is markup there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dev_agent.console.app import PAGES
from dev_agent.console.place import place_in
from dev_agent.console.views.compliance import compliance_material
from dev_agent.programs.folders import all_runs
from dev_agent.repository.discovery import discover
from dev_agent.surfaces.looking import VARIABLE, told
from tests.cli.test_scenarios import GOOD, WRONG, dev_agent, tiny
from tests.mcp.test_server import ASKING
from tests.testing.repos import Project

__all__ = ["tiny"]  # the fixture
HOSTILE = "<script>alert(1)</script> **b** ![x](https://evil.example/x) :red[c] $$e$$"


def shown_page(name: str, query: dict[str, str]) -> None:
    """Runs inside Streamlit, with nothing of this module around it: one page, as the address names it."""
    import streamlit as st  # noqa: PLC0415

    from dev_agent.console.app import show_page  # noqa: PLC0415

    for key, value in query.items():
        st.query_params[key] = value
    show_page(name)


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Streamlit puts the page's script in the place of `__main__`, where `multiprocessing` would look for ours."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def console(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Shows a page of the console on the repository `tiny`."""
    for name, value in tiny.environ.items():
        monkeypatch.setenv(name, value)
    place_in.cache_clear()

    def show(name: str, *, approvals: bool = False, **query: str) -> AppTest:
        monkeypatch.setenv(VARIABLE, told(tiny.root, approvals=approvals))
        page = AppTest.from_function(shown_page, default_timeout=600, kwargs={"name": name, "query": query})
        return page.run()

    return show


def words(page: AppTest) -> str:
    """All that a page says, tables and fragments included."""
    tables = [frame.value.to_string() for frame in page.dataframe]
    parts = [*page.markdown, *page.code, *page.error, *page.success, *page.info, *page.caption, *page.metric]
    return "\n".join([*(str(one.value) for one in parts), *tables, *html_of(page)])


def html_of(page: AppTest) -> list[str]:
    return [str(one.proto.body) for one in page.get("html")]


def test_every_page_shows_on_a_repository_with_runs_and_on_one_without(
    tiny: Project, console: Callable[..., AppTest]
) -> None:
    for name in PAGES:
        assert not console(name).exception, name
    assert "There is no run here yet" in words(console("runs"))
    dev_agent(tiny, "apply", "Double by product", "--patch", "-", stdin=GOOD)
    pages = {name: console(name) for name in PAGES}
    for name, page in pages.items():
        assert not page.exception, name
        assert not page.error, (name, words(page))
    assert "Double by product" in words(pages["runs"])
    assert "The proof holds." in words(pages["verify"])
    assert "The answer is: allow" in words(pages["policy"])


def test_a_run_is_told_with_its_failing_test_and_its_diff_and_nothing_of_it_is_markup(
    tiny: Project, console: Callable[..., AppTest]
) -> None:
    dev_agent(tiny, "apply", HOSTILE, "--patch", "-", stdin=WRONG)
    (folder,) = all_runs(discover(tiny.root, tiny.environ))
    page = console("run", run=folder.run)
    said = words(page)
    for expected in ("Rejected", "test_tiny.py::test_double", "3 * number", "check_policy", "recomputed"):
        assert expected in said
    assert "<script" not in "".join(html_of(page))
    assert "&lt;script&gt;" in "".join(html_of(page))
    assert "evil.example" not in "".join(str(one.value) for one in [*page.markdown, *page.caption])
    for name in ("runs", "compare", "health", "policy"):
        other = console(name, run=folder.run)
        assert not other.exception
        assert "<script" not in "".join(html_of(other))
        assert "evil.example" not in "".join(str(one.value) for one in [*other.markdown, *other.caption])


def test_an_edited_trace_does_not_hold_and_the_first_bad_event_is_named(
    tiny: Project, console: Callable[..., AppTest]
) -> None:
    dev_agent(tiny, "apply", "Double by product", "--patch", "-", stdin=GOOD)
    (folder,) = all_runs(discover(tiny.root, tiny.environ))
    trace = folder.path / "trace.jsonl"
    lines = trace.read_bytes().splitlines(keepends=True)
    lines[5] = lines[5].replace(b'"attempt":1', b'"attempt":2')
    trace.write_bytes(b"".join(lines))
    page = console("verify", run=folder.run)
    assert "does not hold" in page.error[0].value
    assert "number 5" in page.error[0].value
    assert "damaged" in words(console("runs"))
    told_so = console("run", run=folder.run)
    assert not told_so.exception
    assert "cannot be shown" in told_so.error[0].value


def test_a_run_that_is_not_there_and_a_repository_that_went_away_are_said(
    tiny: Project, console: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    dev_agent(tiny, "apply", "Double by product", "--patch", "-", stdin=GOOD)
    app = str(Path(place_in.__wrapped__.__code__.co_filename).with_name("app.py"))
    monkeypatch.setenv(VARIABLE, told(tiny.root, approvals=False))
    page = AppTest.from_file(app, default_timeout=600).run()
    assert not page.exception
    assert page.title[0].value == "Runs"
    monkeypatch.setenv(VARIABLE, told(tiny.root.parent / "gone", approvals=False))
    gone = AppTest.from_file(app, default_timeout=600).run()
    assert not gone.exception
    assert "cannot be shown" in gone.error[0].value
    monkeypatch.delenv(VARIABLE)
    alone = AppTest.from_file(app, default_timeout=600).run()
    assert "started by `dev-agent console`" in alone.error[0].value


def test_a_person_answers_on_the_page_only_where_that_was_allowed(
    tiny: Project, console: Callable[..., AppTest]
) -> None:
    (tiny.root / "policy.toml").write_text(ASKING)
    with (tiny.root / "pyproject.toml").open("a") as config:
        config.write('[tool.dev-agent]\npolicy = "policy.toml"\n')
    tiny.git("add", "-A")
    tiny.git("commit", "-qm", "ask")
    dev_agent(tiny, "apply", "Double by product", "--patch", "-", stdin=GOOD)
    assert not console("run").button
    page = console("run", approvals=True)
    assert page.button(key="approve").disabled
    page.text_input(key="reason").set_value("read it").run()
    page.button(key="approve").click().run()
    assert not page.exception
    assert "Committed" in words(page)
    assert tiny.git("log", "-1", "--format=%s").strip() == "Double by product"


def test_the_laboratory_makes_the_real_attack_and_its_negative_control(
    console: Callable[..., AppTest],
) -> None:
    page = console("laboratory")
    page.selectbox(key="attack").set_value("gdpr_erase").run()
    page.button(key="make").click().run()
    page.button(key="control").click().run()
    rows: Any = page.dataframe[0].value
    assert list(rows["defence"]) == ["off", "on"]
    assert list(rows["as promised"]) == [True, True]
    assert len(set(rows["after"])) == 2


def test_a_compliance_review_waits_for_a_person_and_its_proof_shows_every_injection(
    tiny: Project, console: Callable[..., AppTest]
) -> None:
    assert (compliance_material() / "cases" / "baltic-pearl.json").is_file()
    page = console("compliance")
    page.selectbox(key="case").set_value("baltic-pearl.json").run()
    page.button(key="review").click().run()
    assert "human_approval" in page.subheader[0].value
    for injector in ("edit", "cut", "drop", "swap"):
        page.radio(key="injector").set_value(injector).run()
        assert "does not hold" in page.error[0].value, injector
    page.radio(key="injector").set_value("nothing").run()
    page.text_input(key="given-reviewer").set_value("ana").run()
    page.text_input(key="given-reason").set_value("looked").run()
    page.button(key="answer-rejected").click().run()
    assert not page.exception
    assert "declined" in page.subheader[0].value
    assert "The proof holds" in page.success[0].value
