"""Every form of a report: true about the verdict, well formed, and made of harmless text whatever others wrote."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.forges.check_runs import AnnotationLevel, Conclusion
from dev_agent.forges.forge import MAX_BODY
from dev_agent.forges.reports.annotations import MOST, annotations_of
from dev_agent.forges.reports.check import NAME, check_of
from dev_agent.forges.reports.junit import junit_of
from dev_agent.forges.reports.lines import HeadLines, follow
from dev_agent.forges.reports.markdown import summary_of
from dev_agent.forges.reports.remarks import Weight, remarks_of
from dev_agent.forges.reports.sarif import sarif_of
from dev_agent.forges.reports.verdict import conclusion_of
from dev_agent.programs.merge_report import MergeReport
from dev_agent.programs.report import Outcome
from tests.forges.hostile import HOSTILE
from tests.forges.reports.sample import (
    BASE,
    BROKEN_TEST,
    COMMIT,
    HEAD,
    RED,
    TREE,
    TYPE_ERROR,
    failure,
    finding,
    gate,
    report,
)

EVERY_LINE = HeadLines(same=frozenset({"src/a.py", "tests/test_a.py"}))
TIMED_OUT = (gate("types", "passed"), gate("tests", "error", reason="timed_out"))
CRASHED = (
    gate("types", "passed"),
    gate("tests", "error", reason="sandbox_failed", hint="install bubblewrap"),
)


@pytest.mark.parametrize(
    ("made", "conclusion", "title"),
    [
        (report(), Conclusion.SUCCESS, "verified: exactly this merge passed"),
        (report(Outcome.COMMITTED), Conclusion.SUCCESS, "verified and landed"),
        (
            report(Outcome.NO_CHANGE, explanation="all there"),
            Conclusion.NEUTRAL,
            "nothing to verify: all there",
        ),
        (report(Outcome.REJECTED, gates=RED, explanation="1 new"), Conclusion.FAILURE, "rejected: 1 new"),
        (report(Outcome.REJECTED, gates=(), conflicts=("a", "b")), Conclusion.FAILURE, "conflict in 2 files"),
        (
            report(Outcome.SUSPENDED, explanation="asks"),
            Conclusion.ACTION_REQUIRED,
            "a person has to agree: asks",
        ),
        (
            report(Outcome.KEPT, explanation="busy"),
            Conclusion.ACTION_REQUIRED,
            "verified, but not landed: busy",
        ),
        (
            report(Outcome.REJECTED, gates=TIMED_OUT, explanation="slow"),
            Conclusion.TIMED_OUT,
            "could not verify",
        ),
        (
            report(Outcome.REJECTED, gates=CRASHED, environment_fault=True, explanation="no sandbox"),
            Conclusion.FAILURE,
            "could not verify: no sandbox",
        ),
        (report(Outcome.FAILED, explanation="bug"), Conclusion.FAILURE, "could not verify: bug"),
        (report(Outcome.INTERRUPTED), Conclusion.FAILURE, "could not verify"),
        (report(Outcome.RUNNING), Conclusion.FAILURE, "could not verify"),
        (report(superseded="it moved"), Conclusion.CANCELLED, "superseded: it moved"),
        (report(Outcome.COMMITTED, superseded="it moved"), Conclusion.SUCCESS, "verified and landed"),
    ],
)
def test_what_a_check_concludes(made: MergeReport, conclusion: Conclusion, title: str) -> None:
    judged = conclusion_of(made)
    assert judged.conclusion is conclusion
    assert judged.text.startswith(title)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("superseded", ["", "moved"])
def test_only_what_passed_may_satisfy_a_required_check(outcome: Outcome, superseded: str) -> None:
    """`success`, `neutral` and `skipped` satisfy one; nothing red, unclear or stale may say any of them."""
    made = report(outcome, superseded=superseded)
    satisfied = conclusion_of(made).conclusion in {Conclusion.SUCCESS, Conclusion.NEUTRAL}
    assert satisfied == made.passed


def test_remarks_have_their_places_and_weights() -> None:
    findings = (
        finding("on.ci_files", "deny", ".github/x.yml"),
        finding("on.tests_added", "allow", "tests/test_b.py"),
        finding("on.policy_files", "allow", "dev-agent.toml"),
        finding("large", "ask"),
    )
    found = remarks_of(report(Outcome.REJECTED, gates=RED, findings=findings, conflicts=("c.txt",)))
    assert [(one.rule, one.weight, one.path, one.line) for one in found] == [
        ("merge/conflict", Weight.FAILURE, "c.txt", None),
        ("policy/on.ci_files", Weight.FAILURE, ".github/x.yml", 2),
        ("policy/on.policy_files", Weight.NOTE, "dev-agent.toml", 2),
        ("policy/large", Weight.WARNING, "", None),
        ("types/return-value", Weight.FAILURE, "src/a.py", 7),
        ("tests/failed", Weight.FAILURE, "tests/test_a.py", 3),
    ]


def test_a_gate_that_learned_nothing_is_a_remark_with_what_it_lacked() -> None:
    (one,) = remarks_of(report(Outcome.REJECTED, gates=CRASHED))
    assert (one.rule, one.message, one.detail) == (
        "tests/error",
        "tests could not be judged: sandbox_failed",
        "install bubblewrap",
    )


# -- annotations


def test_annotations_stand_on_the_heads_lines_or_nowhere() -> None:
    """The base added two lines above in one file, and the other file is not the head's at all."""
    lines = HeadLines(same=frozenset(), moved={"src/a.py": {7: 5}})
    (one,) = annotations_of(remarks_of(report(Outcome.REJECTED, gates=RED)), lines)
    assert (one.path, one.start_line, one.end_line, one.level) == ("src/a.py", 5, 5, AnnotationLevel.FAILURE)


def test_a_line_only_the_base_has_gets_no_annotation() -> None:
    lines = HeadLines(same=frozenset(), moved={"src/a.py": {6: 4}})
    assert annotations_of(remarks_of(report(Outcome.REJECTED, gates=RED)), lines) == ()


def test_more_annotations_than_are_sent_keep_the_worst() -> None:
    notes = tuple(finding("on.policy_files", "allow", f"src/a{number}.py") for number in range(MOST))
    gates = (gate("types", "failed", new_failures=[TYPE_ERROR]),)
    remarks = remarks_of(report(Outcome.REJECTED, gates=gates, findings=notes))
    every = HeadLines(same=frozenset(one.path for one in remarks))
    made = annotations_of(remarks, every)
    assert (len(made), made[0].path) == (MOST, "src/a.py")


_LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n"]), max_size=12)


@given(_LINES, _LINES)
@pytest.mark.law
def test_a_followed_line_reads_the_same_in_the_head(merged: list[bytes], head: list[bytes]) -> None:
    """Law: wherever a line of the merge is said to be in the head, the head has that very line there; no two meet."""
    found = follow(b"".join(merged), b"".join(head))
    assert all(merged[ours - 1] == head[theirs - 1] for ours, theirs in found.items())
    assert len(set(found.values())) == len(found)
    if merged == head:
        assert found == {number: number for number in range(1, len(merged) + 1)}


# -- Markdown


def test_the_summary_says_what_was_merged_and_what_counts() -> None:
    text = summary_of(report(Outcome.REJECTED, gates=RED, explanation="1 new type error", advice="mend it"))
    assert text.startswith("## ❌ dev-agent: rejected")
    assert all(f"`{one}`" in text for one in (BASE, HEAD, TREE, "default", "d" * 16))
    assert "| `types` | `failed` | 1 | 0 | 0 |" in text
    assert "`src/a.py:7`" in text
    assert "`tests/test_a.py::test_f`" in text
    assert "What to do" in text
    assert COMMIT not in text
    assert f"`{COMMIT}`" in summary_of(report())


def test_a_change_of_ones_own_judge_is_said_even_if_policy_allows_it() -> None:
    text = summary_of(report(findings=(finding("on.ci_files", "allow", ".github/workflows/x.yml"),)))
    assert "changes what judges this project" in text
    assert "`.github/workflows/x.yml`" in text
    assert "changes what judges" not in summary_of(report())


def test_a_summary_too_long_for_the_host_is_cut_and_says_so() -> None:
    many = [failure(f"t{number}", message="m" * 300, detail="d" * 4000) for number in range(500)]
    gates = (gate("types", "failed", new_failures=many), gate("tests", "failed", new_failures=many))
    text = summary_of(report(Outcome.REJECTED, gates=gates))
    assert len(text) <= MAX_BODY
    short = summary_of(report(Outcome.REJECTED, gates=gates), limit=900)
    assert len(short) <= 900
    assert short.rstrip().endswith("has all of it.*")


def test_a_check_holds_all_of_it() -> None:
    made = check_of(report(Outcome.REJECTED, gates=RED), EVERY_LINE)
    assert (made.name, made.conclusion, made.external_id) == (NAME, Conclusion.FAILURE, report().run.run)
    assert len(made.annotations) == 2


# -- SARIF (OASIS SARIF 2.1.0): the properties the specification requires, by its sections


def require_sarif(log: dict[str, Any]) -> list[dict[str, Any]]:
    """Assert the shape and return the results."""
    assert log["version"] == "2.1.0"  # 3.13.2
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]  # 3.13.4
    driver = run["tool"]["driver"]  # 3.14.6, 3.18.2
    assert driver["name"]  # 3.19.8
    rules = [rule["id"] for rule in driver["rules"]]  # 3.49.3
    assert len(set(rules)) == len(rules)
    for invocation in run["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool)  # 3.20.14
    for result in run["results"]:
        assert result["message"]["text"]  # 3.11.3: not empty
        assert result["level"] in {"none", "note", "warning", "error"}  # 3.27.10
        assert rules[result["ruleIndex"]] == result["ruleId"]  # 3.27.6
        for location in result.get("locations", ()):
            place = location["physicalLocation"]
            uri = place["artifactLocation"]["uri"]  # 3.4.3: RFC 3986, relative
            assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri), uri
            assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
            assert place.get("region", {"startLine": 1})["startLine"] >= 1  # 3.30.5
    results: list[dict[str, Any]] = run["results"]
    return results


def test_sarif_has_the_required_shape_and_every_remark() -> None:
    made = report(Outcome.REJECTED, gates=RED, findings=(finding("on.ci_files", "deny", "a b/ü:1.yml"),))
    results = require_sarif(json.loads(sarif_of(made)))
    assert [one["ruleId"] for one in results] == ["policy/on.ci_files", "types/return-value", "tests/failed"]
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/%C3%BC%3A1.yml"
    assert sarif_of(made) == sarif_of(made)


def test_sarif_tells_a_red_merge_from_one_that_could_not_be_judged() -> None:
    def judged_well(made: MergeReport) -> bool:
        log = json.loads(sarif_of(made))
        require_sarif(log)
        return bool(log["runs"][0]["invocations"][0]["executionSuccessful"])

    assert judged_well(report(Outcome.REJECTED, gates=RED))
    assert not judged_well(report(Outcome.REJECTED, gates=CRASHED, environment_fault=True))


def test_the_fingerprint_stays_when_lines_move() -> None:
    def prints(line: int) -> list[str]:
        gates = (gate("types", "failed", new_failures=[{**TYPE_ERROR, "line": line}]),)
        log = json.loads(sarif_of(report(Outcome.REJECTED, gates=gates)))
        return [one["partialFingerprints"]["devAgent/v1"] for one in log["runs"][0]["results"]]

    assert prints(7) == prints(70)


# -- JUnit XML: the attributes and counts readers rely on


def require_junit(data: bytes) -> Element:
    """Assert the shape and return the top."""
    assert data.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    top = fromstring(data)  # noqa: S314 - our own bytes
    assert top.tag == "testsuites"
    for suite in top:
        assert suite.tag == "testsuite"
        cases = suite.findall("testcase")
        assert len(cases) == len(suite) == int(suite.get("tests", "-1"))
        for total, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(total, "-1")) == sum(len(case.findall(tag)) for case in cases)
        assert all(case.get("name") and case.get("classname") for case in cases)
        assert all(len(case) <= 1 for case in cases)
    assert int(top.get("tests", "-1")) == sum(int(suite.get("tests", "0")) for suite in top)
    return top


def test_junit_has_a_suite_a_gate_and_the_right_counts() -> None:
    top = require_junit(junit_of(report(Outcome.REJECTED, gates=(*RED, gate("lint", "skipped")))))
    assert [suite.get("name") for suite in top] == ["premerge", "types", "tests", "lint"]
    assert (top.get("failures"), top.get("errors"), top.get("skipped")) == ("2", "0", "1")
    case = top[2][0]
    assert (case.get("name"), case.get("file"), case.get("line")) == (
        "tests/test_a.py::test_f",
        "tests/test_a.py",
        "3",
    )
    assert "assert 1 == 2" in (case[0].text or "")


def test_junit_of_a_green_merge_has_no_failure_and_of_an_unjudged_one_an_error() -> None:
    green = require_junit(junit_of(report()))
    assert (green.get("failures"), green.get("errors"), green.get("tests")) == ("0", "0", "3")
    assert require_junit(junit_of(report(Outcome.REJECTED, gates=CRASHED))).get("errors") == "1"
    red = require_junit(junit_of(report(Outcome.REJECTED, gates=(), conflicts=("a",))))
    assert red.get("failures") == "1"


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("superseded", ["", "moved"])
def test_junit_is_green_exactly_if_the_merge_passed(outcome: Outcome, superseded: str) -> None:
    made = report(outcome, gates=(), superseded=superseded)
    top = require_junit(junit_of(made))
    assert (top.get("failures"), top.get("errors")) == ("0", "0" if made.passed else "1")


def test_advice_about_a_run_the_reader_does_not_have_is_left_out() -> None:
    assert "What to do" not in summary_of(report(advice=f"see: dev-agent show {report().run.run}"))


# -- what others wrote

OURS = (
    "@everyone look",
    "fixes #1 and GH-2",
    "![x](https://evil.example/pixel.png)",
    "[click](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</code></pre><b>bold</b>",
    "``` \nbreak out\n```",
    "`code` | cell | cell",
    "a|b\\|c",
    "-->\n<!-- dev-agent:premerge -->",
    "::error file=x::owned",
    "\n::set-output name=x::y",
    "%0A::warning::x",
    "\x1b[2J\x1b]0;title\x07",
    "\u202egnp.exe",
    "zero\u200bwidth",
    "\ud800lone",
    "\udcffbytes",
    "\x00nul",
    "\ufffe\uffff",
    "]]><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    "a" * 100_000,
    "\n\n# heading\n- [ ] task",
    "| --- | --- |",
    "https://evil.example/?q=@admin",
    "www.evil.example",
    "$(touch /tmp/x) ; `id` ${{ github.token }}",
    "../../etc/passwd",
    "-rf",
    "",
)


def everywhere(text: str) -> MergeReport:
    """A report in which every text that comes from others is `text`."""
    one = failure(text, path=text, line=1, code=text, message=text, detail=text)
    gates = (
        gate("types", "failed", new_failures=[one]),
        gate("tests", "error", reason=text, notes=[text], hint=text, new_failures=[one]),
        gate(text or "check", "failed", new_failures=[one]),
    )
    findings = (
        finding("on.ci_files", "deny", text, because=text),
        finding(text, "ask", text, because=text),
    )
    return report(
        Outcome.REJECTED,
        gates=gates,
        findings=findings,
        base_name=text,
        head_name=text,
        explanation=text,
        advice=text,
        conflicts=(text,),
    )


def prose_of(markdown: str) -> str:
    """The Markdown without its code, where a host renders, mentions and links."""
    without = re.sub(r"(?ms)^ *(`{3,})[a-z]*\n.*?\n *\1 *$", "", markdown)
    without = re.sub(r"(?s)<code>[^<]*</code>", "", without)
    return re.sub(r"`[^`\n]*`", "", without)


@pytest.mark.parametrize("text", [*OURS, *HOSTILE])
def test_hostile_text_is_only_text_in_every_form(text: str) -> None:
    made = everywhere(text)
    require_sarif(json.loads(sarif_of(made)))
    require_junit(junit_of(made))
    summary = summary_of(made)
    assert len(summary) <= MAX_BODY
    summary.encode("utf-8")
    said = prose_of(summary)
    assert not re.search(r"[@#](?=[A-Za-z0-9])", said.replace("&#", "")), said
    assert not re.search(r"<(?!/?code>)[A-Za-z!/]|!\[|\]\(|https?:(?=//)|www\.", said), said
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", summary)
    title = conclusion_of(made).title
    assert "\n" not in title
    assert len(title) <= 200
    check = check_of(made, HeadLines(same=frozenset({text})))
    for one in check.annotations:
        assert len((one.message + one.raw_details + one.title).encode("utf-8")) <= 128_000
        assert one.message
        assert "\n" not in one.title


@given(st.text(max_size=300))
@pytest.mark.law
def test_any_text_leaves_every_file_well_formed(text: str) -> None:
    """Law: whatever others write, SARIF and JUnit keep their shape and Markdown stays within bounds."""
    made = everywhere(text)
    require_sarif(json.loads(sarif_of(made)))
    require_junit(junit_of(made))
    assert len(summary_of(made)) <= MAX_BODY


def test_details_of_a_test_are_shown_as_code() -> None:
    text = summary_of(report(Outcome.REJECTED, gates=(gate("tests", "failed", new_failures=[BROKEN_TEST]),)))
    assert "  ```text\n  def test_f():\n  >   assert 1 == 2\n" in text
