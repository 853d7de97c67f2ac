"""The decision: strictest wins, every finding kept with its reason, nothing softens."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.policy.decision import Decision, Finding, Verdict, decide, decision_of
from dev_agent.policy.place import Place
from dev_agent.policy.policy import Policy
from tests.policy.support import added, deleted, edited, facts_of, load_policy


def _policy(rules: str = "") -> Policy:
    return load_policy(f'name = "team"\nversion = 1\n{rules}', source="team.toml")


def test_an_ordinary_change_is_allowed_without_a_word() -> None:
    decision = decide(_policy(), facts_of(edited("src/a.py", "x = 1\n", "x = 2\n")))
    assert decision == Decision(verdict=Verdict.ALLOW, findings=())


def test_the_strictest_finding_wins_and_stands_first() -> None:
    facts = facts_of(
        edited(".github/workflows/a.yml", "a", "b"),
        added("requirements.txt", "a\n"),
        edited(
            "tests/test_a.py", "def test_a():\n    assert f() == 1\n", "def test_a():\n    assert f() == 2\n"
        ),
    )
    decision = decide(_policy(), facts)
    assert decision.verdict is Verdict.DENY
    assert [(one.rule, one.verdict) for one in decision.findings] == [
        ("on.ci_files", Verdict.DENY),
        ("on.dependencies_changed", Verdict.ASK),
        ("on.tests_changed", Verdict.ALLOW),
    ]


def test_a_finding_says_why_and_where() -> None:
    decision = decide(_policy(), facts_of(added("a.py", "x = f()  # type: ignore\n")))
    (finding,) = decision.findings
    assert finding.because == "The change silences type errors."
    assert finding.places == (Place(path="a.py", line=1, text="x = f()  # type: ignore"),)
    assert finding.to_json() == {
        "rule": "on.type_ignores_added",
        "verdict": "ask",
        "because": "The change silences type errors.",
        "places": [{"path": "a.py", "line": 1, "text": "x = f()  # type: ignore"}],
        "facts": {"type_ignores_added": 1},
    }


def test_the_policy_decides_what_a_fact_means() -> None:
    facts = facts_of(added("a.py", "x = f()  # type: ignore\n"))
    for word in Verdict:
        assert decide(_policy(f'[on]\ntype_ignores_added = "{word}"\n'), facts).verdict is word


@pytest.mark.parametrize(("limit", "found"), [("files", 3), ("lines", 4), ("bytes", 4), ("deletions", 1)])
def test_a_change_above_a_limit_and_one_exactly_at_it(limit: str, found: int) -> None:
    facts = facts_of(added("a.txt", "1\n"), edited("b.txt", "1\n", "2\n"), deleted("c.txt", "3\n"))
    assert decide(_policy(f"[limits]\n{limit} = {found}\n"), facts).findings == ()
    (finding,) = decide(_policy(f"[limits]\n{limit} = {found - 1}\n"), facts).findings
    assert (finding.rule, finding.verdict) == (f"limits.{limit}", Verdict.ASK)
    assert finding.because == f"The change has {found} {limit}; the policy's limit is {found - 1}."


def test_how_strictly_a_limit_is_taken_is_the_policys() -> None:
    facts = facts_of(added("a.txt", "1\n"))
    assert (
        decide(_policy('[limits]\nfiles = 0\n[on]\nlimits_exceeded = "deny"\n'), facts).verdict
        is Verdict.DENY
    )


def test_a_decision_is_plain_json() -> None:
    decision = decide(_policy(), facts_of(added("\udcff.sh", "x", mode="100755")))
    text = json.dumps(decision.to_json(), ensure_ascii=False, allow_nan=False)
    assert json.loads(text)["verdict"] == "ask"
    text.encode("utf-8")


_FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["a", "b", "c", "d"]),
    verdict=st.sampled_from(list(Verdict)),
    because=st.just("Because."),
)


@pytest.mark.law
@given(findings=st.lists(_FINDINGS, max_size=6), more=_FINDINGS)
def test_law_a_further_finding_never_weakens_a_decision(findings: list[Finding], more: Finding) -> None:
    """verdict(F) <= verdict(F + one), and the verdict is that of the strictest."""
    before, after = decision_of(findings), decision_of([*findings, more])
    assert after.verdict.strictness >= before.verdict.strictness
    assert after.verdict.strictness == max(before.verdict.strictness, more.verdict.strictness)


@pytest.mark.law
@given(findings=st.lists(_FINDINGS, max_size=6, unique_by=lambda one: one.rule), data=st.data())
def test_law_a_decision_does_not_depend_on_the_order_of_findings(
    findings: list[Finding], data: st.DataObject
) -> None:
    """decision(F) == decision(any permutation of F)."""
    assert decision_of(data.draw(st.permutations(findings))) == decision_of(findings)


@pytest.mark.law
@given(
    fact=st.sampled_from(["tests_changed", "ci_files", "type_ignores_added", "dependencies_changed"]),
    one=st.sampled_from(list(Verdict)),
    two=st.sampled_from(list(Verdict)),
)
def test_law_a_stricter_rule_never_gives_a_milder_decision(fact: str, one: Verdict, two: Verdict) -> None:
    """Raising one answer of a policy never lowers its decision."""
    facts = facts_of(
        added(".github/a.yml", "x"),
        added("requirements.txt", "a"),
        added("a.py", "x = 1  # type: ignore\n"),
        edited("tests/data/a.txt", "a", "b"),
    )
    milder, stricter = sorted((one, two), key=lambda verdict: verdict.strictness)
    low = decide(_policy(f'[on]\n{fact} = "{milder}"\n'), facts)
    high = decide(_policy(f'[on]\n{fact} = "{stricter}"\n'), facts)
    assert high.verdict.strictness >= low.verdict.strictness
