"""What is proved about rules: found where it is so, and never claimed where it is not."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dev_agent.policy.analysis import Remark, RemarkKind, remarks_on
from dev_agent.policy.examples import unseen
from dev_agent.policy.shipped import shipped, shipped_names
from tests.policy.support import load_policy

HEAD = 'name = "team"\nversion = 1\n[paths]\ndocs = ["docs/**"]\nvendor = ["vendor/**"]\n'
USES_SETS = ("only_docs and only_vendor and files > 3 and lines > 40_000", "deny")
Rules = list[tuple[str, str]]


def _text(rules: Rules) -> str:
    named = [*((f"r{number}", *rule) for number, rule in enumerate(rules)), ("uses_sets", *USES_SETS)]
    return HEAD + "".join(
        f'[[rules]]\nname = "{name}"\nwhen = "{when}"\nthen = "{then}"\nbecause = "Because."\n'
        for name, when, then in named
    )


def _remarks(*rules: tuple[str, str]) -> list[tuple[str, str, str]]:
    found: tuple[Remark, ...] = remarks_on(load_policy(_text(list(rules))))
    told = [(one.rule, one.kind.value, one.other) for one in found]
    return [one for one in told if "rules.uses_sets" not in one]


@pytest.mark.parametrize(
    "when",
    [
        "lines > 5 and lines < 6",
        "lines < 0",
        "files in [1, 2] and files > 2",
        "touches_docs and not touches_docs",
        "only_docs and not touches_docs",
        "lines_added > lines_removed and lines_removed > lines_added",
        "1 < lines < 3 and lines != 2",
        "lines_added < lines_removed < files < lines_added",
        "'a' in paths.added and 'a' not in paths.added",
        "paths.added == ['b', 'a']",
    ],
)
def test_a_rule_that_can_never_fire_is_found(when: str) -> None:
    assert _remarks((when, "ask")) == [("rules.r0", "unreachable", "")]


@pytest.mark.parametrize("when", ["files >= 0", "only_docs or not only_docs", "lines < 5 or lines >= 5"])
def test_a_rule_that_always_fires_is_found(when: str) -> None:
    assert ("rules.r0", "always", "") in _remarks((when, "ask"))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([("lines > 20", "ask"), ("lines > 10", "ask")], [("rules.r0", "shadowed", "rules.r1")]),
        ([("lines > 20", "ask"), ("lines > 10", "deny")], [("rules.r0", "shadowed", "rules.r1")]),
        ([("lines > 20", "deny"), ("lines > 10", "ask")], []),
        ([("lines > 20", "ask"), ("lines > 10", "allow")], []),
        ([("lines > 20", "allow"), ("lines > 10", "ask")], [("rules.r0", "contradicted", "rules.r1")]),
        ([("lines > 9", "ask"), ("9 < lines", "ask")], [("rules.r1", "shadowed", "rules.r0")]),
        ([("lines > 9", "ask"), ("not lines <= 9", "deny")], [("rules.r0", "contradicted", "rules.r1")]),
        ([("tests_removed > 3", "ask")], [("rules.r0", "shadowed", "on.tests_removed")]),
        ([("files > 250", "ask")], [("rules.r0", "shadowed", "limits.files")]),
        ([("files > 150", "ask")], []),
        ([("files > 250", "deny")], []),
        ([("lines_added > files", "ask"), ("files < lines_added", "ask")], [("rules.r1", "shadowed", "rules.r0")]),
        ([("only_docs", "ask"), ("touches_docs", "ask")], [("rules.r0", "shadowed", "rules.r1")]),
        ([("only_docs", "ask"), ("only_vendor", "ask")], []),
        (
            [("'a' in paths.added and files > 1", "ask"), ("'a' in paths.added", "ask")],
            [("rules.r0", "shadowed", "rules.r1")],
        ),
    ],
)  # fmt: skip
def test_rules_that_shadow_or_contradict_are_found(
    rules: Rules, expected: list[tuple[str, str, str]]
) -> None:
    assert _remarks(*rules) == expected


def test_too_many_situations_are_left_undecided() -> None:
    names = ["files", "lines", "bytes", "lines_added", "lines_removed", "files_added", "files_deleted"]
    wide = " and ".join(f"{name} > {number}" for number, name in enumerate(names, start=3))
    assert _remarks((wide, "ask"), (f"{wide} and tests_added > 3", "ask")) == []


@pytest.mark.parametrize("name", shipped_names())
def test_nothing_is_to_be_remarked_on_the_shipped_policies(name: str) -> None:
    assert remarks_on(load_policy(shipped(name), source=name)) == ()


COMPARISON = st.one_of(
    st.tuples(
        st.sampled_from(["lines", "files", "bytes"]),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.sampled_from(["0", "1", "3", "files", "lines"]),
    ).map(" ".join),
    st.sampled_from(["only_docs", "touches_docs", "not only_docs"]),
)
WHEN = st.recursive(
    COMPARISON,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
        inner.map(lambda part: f"not ({part})"),
    ),
    max_leaves=3,
)
WORLDS = [
    {"lines": lines, "files": files, "bytes": size, "only_docs": only, "touches_docs": touches}
    for lines, files, size in product(range(6), repeat=3)
    for only, touches in [(False, False), (False, True), (True, True)]
]


@pytest.mark.law
@settings(max_examples=50)
@given(rules=st.lists(st.tuples(WHEN, st.sampled_from(["allow", "ask", "deny"])), min_size=1, max_size=2))
def test_every_remark_is_true_of_every_change(rules: Rules) -> None:
    """A remark names a rule that, over a whole box of small changes, behaves as the remark says."""
    policy = load_policy(_text(rules) + '[on]\nlimits_exceeded = "allow"\n')
    ground = dict(unseen(policy))
    fired = [
        {rule.id: rule.then for rule in policy.rules if rule.condition.holds({**ground, **world})}
        for world in WORLDS
    ]
    for remark in remarks_on(policy):
        here = [said for said in fired if remark.rule in said]
        match remark.kind:
            case RemarkKind.UNREACHABLE:
                assert not here
            case RemarkKind.ALWAYS:
                assert len(here) == len(fired)
            case RemarkKind.SHADOWED:
                assert all(said[remark.other].strictness >= said[remark.rule].strictness for said in here)
            case RemarkKind.CONTRADICTED:
                assert all(said[remark.other] is not said[remark.rule] for said in here)


@pytest.mark.law
@settings(max_examples=50)
@given(when=WHEN)
def test_a_rule_without_a_remark_of_its_own_can_both_fire_and_not(when: str) -> None:
    """The other direction: on these small conditions nothing that is so stays unsaid."""
    policy = load_policy(_text([(when, "deny")]))
    ground = dict(unseen(policy))
    holds = {policy.rules[0].condition.holds({**ground, **world}) for world in WORLDS}
    kinds = {one.kind for one in remarks_on(policy) if one.rule == "rules.r0"}
    assert (RemarkKind.UNREACHABLE in kinds) == (holds == {False})
    assert (RemarkKind.ALWAYS in kinds) == (holds == {True})
