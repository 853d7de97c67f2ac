"""`stats` as a user runs it, and its pictures: whatever a trace says, a page stays a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.cli.pages.drawing import Graph, drawing
from dev_agent.cli.pages.stats import stats_page
from dev_agent.cli.pages.stats_html import stats_html, stats_svg
from dev_agent.programs.builtin import builtin_program
from dev_agent.programs.stats import Stats, StatsRequest, stats
from dev_agent.runtime.health import edges_of
from dev_agent.runtime.trace import Journal
from dev_agent.runtime.walk import Edge
from tests.cli.test_scenarios import GOOD, TINY, answered, dev_agent, tiny
from tests.runtime.worlds import FixedClock
from tests.testing.repos import Project

__all__ = ["tiny"]  # the fixture

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "</text><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]><!--",
    "&lt;b&gt;",
    "'; DROP",
    "\x00\x1b[2J\x08",
    "\u202egnp.exe",
    "a" * 5000,
    "\ud800".encode("utf-8", "replace").decode(),
    "javascript:alert(1)",
    "",
]


def hostile_run(folder: Path, text: str) -> Path:
    """A loop in a foreign trace whose every name is `text`."""
    with Journal.create(folder, "r", {"program": text}, FixedClock()) as journal:
        journal.append("request", {"program": text})
        for name in [text, f"{text}2"] * 20:
            data = {"attempt": 1, "outcome": text, "data": {}, "ms": 1, "cost": {}}
            after = text if name != text else f"{text}2"
            journal.append("entered", {"state": name, "attempt": 1})
            branch = {"state": name, "branch": text, "action": text, "outcome": text, "data": {}, "ms": 1}
            journal.append("branch-left", {**branch, "cost": {}})
            journal.append("left", {"state": name, "next": after, **data})
    return folder


def measured(folder: Path) -> Stats:
    found = stats(None, StatsRequest(runs=(str(folder),)))
    assert found.alarms
    return found


def parsed(text: str) -> ET.Element:
    """The root of a document that has to be well formed."""
    return ET.fromstring(text)  # noqa: S314 - made here a moment ago


class Tags(HTMLParser):
    """Every element and attribute of a page, as a browser would build them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


KNOWN = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "strong", "div", "table", "thead"),
    *("tbody", "tr", "th", "td", "svg", "rect", "path", "g", "text"),
}


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_trace_says_a_page_has_only_our_elements(tmp_path: Path, text: str) -> None:
    page = stats_html(measured(hostile_run(tmp_path / "r", text)))
    seen = Tags()
    seen.feed(page)
    assert seen.tags <= KNOWN
    assert not [
        name for name, _ in seen.attributes if name.startswith("on") or name in {"href", "src", "style"}
    ]
    assert "\x1b" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_trace_says_a_drawing_is_one_well_formed_document(tmp_path: Path, text: str) -> None:
    root = parsed(stats_svg(measured(hostile_run(tmp_path / "r", text))))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "path", "g", "text"}


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_trace_says_a_terminal_gets_only_ink(tmp_path: Path, text: str) -> None:
    page = stats_page(measured(hostile_run(tmp_path / "r", text)))
    assert all(one.text.isprintable() for one in page.lines)
    json.dumps(page.data)


@pytest.mark.law
@given(
    st.lists(
        st.tuples(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.integers(0, 9)),
        max_size=8,
    )
)
def test_every_graph_becomes_one_well_formed_drawing(rows: list[tuple[str, str, str, int]]) -> None:
    edges = {Edge(source=source, outcome=out, target=target): count for source, out, target, count in rows}
    graph = Graph(title="any", start=rows[0][0] if rows else "", edges=edges, alarmed=frozenset(edges))
    root = parsed(drawing(graph))
    states = {name for source, _, target, _ in rows for name in (source, target)}
    assert len(root.findall(f"{SVG}g")) == len(states)


def test_a_drawing_is_loaded_from_nowhere(tmp_path: Path) -> None:
    found = measured(hostile_run(tmp_path / "r", "x"))
    for text in (stats_html(found), stats_svg(found)):
        addresses = set(re.findall(r"[a-z]+://[^\s\"'<>)]+", text))
        assert addresses == {"http://www.w3.org/2000/svg"}
        assert "url(" not in text
        assert "@import" not in text
        assert "prefers-color-scheme: dark" in text


def test_edges_grow_with_their_count_and_those_of_an_alarm_stand_out() -> None:
    program = builtin_program("apply")
    edges = dict.fromkeys(sorted(edges_of(program), key=lambda edge: (edge.source, edge.outcome)), 0)
    often = Edge(source="stage", outcome="staged", target="hooks")
    once = Edge(source="hooks", outcome="passed", target="check_policy")
    drawn = drawing(
        Graph(title="apply", start="begin", edges={**edges, often: 100, once: 1}, alarmed=frozenset({often}))
    )
    lines = {
        title.text.partition(":")[0]: (path.get("class"), float(path.get("stroke-width", "0")))
        for path in parsed(drawn).findall(f"{SVG}path")
        if (title := path.find(f"{SVG}title")) is not None and title.text
    }
    assert lines["stage → hooks"] == ("edge alarm", 6.0)
    assert lines["hooks → check_policy"] == ("edge", 1.5)
    assert lines["begin → patch"] == ("edge unused", 1.0)
    for name in program.states:
        assert f"<title>{name}</title>" in drawn


def test_states_do_not_lie_on_one_another() -> None:
    program = builtin_program("apply")
    graph = Graph(title="x", start="begin", edges=dict.fromkeys(edges_of(program), 1), alarmed=frozenset())
    boxes = parsed(drawing(graph)).findall(f"{SVG}g/{SVG}rect")
    places = [(int(box.get("x", "0")), int(box.get("y", "0"))) for box in boxes]
    assert len(places) == len(program.states) == len(set(places))
    for x, y in places:
        near = [(a, b) for a, b in places if b == y and 0 < abs(a - x) < 150]
        assert near == []


def test_a_user_sees_how_runs_went_and_gets_pictures(tiny: Project, tmp_path: Path) -> None:
    assert dev_agent(tiny, "apply", "Double faster", "--patch", "-", stdin=GOOD).returncode == 0
    html, svg = tmp_path / "runs.html", tmp_path / "runs.svg"

    done = dev_agent(tiny, "stats", "--html", str(html), "--svg", str(svg), "--fail-on-alarm")

    assert done.returncode == 0, done.stderr.decode()
    said = done.stdout.decode()
    assert "Healthy: no alarm." in said
    assert "check.tests" in said
    assert "land" in html.read_text(encoding="utf-8")
    parsed(svg.read_text(encoding="utf-8"))
    assert tiny.git("status", "--porcelain") == ""

    data = answered(dev_agent(tiny, "stats", "last", "--json"))
    assert set(data) == {"programs", "alarms", "warnings"}
    (program,) = data["programs"]
    (run,) = program["runs"]
    assert (run["outcome"], run["health"]["stretch"], run["health"]["alarms"]) == ("committed", 0, [])
    assert run["health"]["seed_alarms"] == ["transition_entropy"]
    assert {edge["count"] for edge in program["edges"]} == {1}


def test_an_alarm_fails_only_where_it_is_asked_to(tiny: Project, tmp_path: Path) -> None:
    folder = str(hostile_run(tmp_path / "r", "x"))
    calm = dev_agent(tiny, "stats", folder)
    assert calm.returncode == 0
    assert "Look at this: " in calm.stdout.decode()
    assert "20×  x -x→ x2" in calm.stdout.decode()
    assert dev_agent(tiny, "stats", folder, "--fail-on-alarm").returncode == 1
    (run,) = answered(dev_agent(tiny, "stats", folder, "--json"))["programs"][0]["runs"]
    assert run["health"]["alarms"][0]["edges"][0] == {
        "from": "x",
        "outcome": "x",
        "to": "x2",
        "count": 20,
        "expected": 1,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "soon"), "neither a date nor an age"),
        (("last", "--since", "7d"), "do not go together"),
        (("--html", "/nowhere/x.html"), "cannot be written"),
        (("nothing",), "no runs yet"),
    ],
)
def test_wrong_words_are_usage_errors_with_a_hint(
    tiny: Project, arguments: tuple[str, ...], said: str
) -> None:
    done = dev_agent(tiny, "stats", *arguments)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert "hint: " in done.stderr.decode()
    assert (tiny.root / "tiny.py").read_bytes() == TINY


def test_nothing_to_measure_is_no_failure(tiny: Project) -> None:
    done = dev_agent(tiny, "stats", "--fail-on-alarm")
    assert (done.returncode, done.stdout.decode().strip()) == (0, "There is no run to measure.")
