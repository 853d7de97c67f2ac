"""A team's own rules: what they may say, how they are judged, and that silence is never consent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.policy import schema
from dev_agent.policy.conditions import WordKind
from dev_agent.policy.decision import Verdict, decide, decide_on
from dev_agent.policy.errors import ConditionFailed, PolicyError
from dev_agent.policy.examples import run_examples
from dev_agent.policy.policy import Policy
from dev_agent.policy.policy import load_policy as load_bound
from dev_agent.policy.rule_reading import RuleReader
from dev_agent.policy.rules import Evidence
from dev_agent.policy.shipped import shipped, shipped_names
from dev_agent.policy.vocabulary import vocabulary
from dev_agent.programs.conditions import CONDITIONS
from tests.policy.support import added, deleted, edited, facts_of, load_policy

HEAD = 'name = "team"\nversion = 1\n'


def rule(when: str, then: str = "ask", *, name: str = "r", more: str = "") -> str:
    return f'[[rules]]\nname = "{name}"\nwhen = "{when}"\nthen = "{then}"\nbecause = "Because."\n{more}\n'


def _faults(text: str) -> dict[str, str]:
    with pytest.raises(PolicyError) as caught:
        load_policy(HEAD + text)
    return {fault.field: f"{fault.problem}; {fault.remedy}" for fault in caught.value.faults}


def _policy(text: str) -> Policy:
    return load_policy(HEAD + text)


def test_a_rule_fires_with_its_reason_and_the_facts_it_looked_at() -> None:
    policy = _policy(rule("lines_added > 2 and not touches_tests"))
    facts = facts_of(added("src/a.py", "a = 1\nb = 2\nc = 3\n"), settings=policy.settings)
    decision = decide(policy, facts)
    (finding,) = decision.findings
    assert (decision.verdict, finding.rule, finding.because) == (Verdict.ASK, "rules.r", "Because.")
    assert finding.facts == (("lines_added", 3), ("touches_tests", False))
    assert finding.to_json() == {
        "rule": "rules.r",
        "verdict": "ask",
        "because": "Because.",
        "places": [],
        "facts": {"lines_added": 3, "touches_tests": False},
        "when": "lines_added > 2 and not touches_tests",
    }


def test_a_rule_shows_the_places_of_the_facts_it_looked_at() -> None:
    policy = _policy('[on]\ntype_ignores_added = "allow"\n' + rule("type_ignores_added > 0 and files > 0"))
    decision = decide(policy, facts_of(added("a.py", "x = f()  # type: ignore\n")))
    assert [(place.path, place.line) for place in decision.findings[0].places] == [("a.py", 1)]


def test_paths_named_by_a_condition_are_compared_whole() -> None:
    policy = _policy(rule("'src/a.py' in paths.modified and 'src/b.py' not in paths.changed"))
    hit, miss = edited("src/a.py", "x = 1\n", "x = 2\n"), edited("other/src/a.py", "x = 1\n", "x = 2\n")
    assert decide(policy, facts_of(hit)).verdict is Verdict.ASK
    assert decide(policy, facts_of(miss)).verdict is Verdict.ALLOW
    assert decide(policy, facts_of(hit, deleted("src/b.py", "x = 1\n"))).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("paths", "touches", "only"),
    [
        (["docs/a.md"], True, True),
        (["docs/a.md", "src/a.py"], True, False),
        (["src/a.py"], False, False),
        (["DOCS/a.md"], True, False),
        ([], False, False),
    ],
)
def test_a_path_set_errs_on_the_side_that_sees_more(paths: list[str], touches: bool, only: bool) -> None:
    policy = _policy('[paths]\ndocs = ["docs/**"]\n' + rule("touches_docs or only_docs"))
    words = facts_of(*(added(path, "x\n") for path in paths), settings=policy.settings).words()
    assert (words["touches_docs"], words["only_docs"]) == (touches, only)


def test_both_paths_of_a_rename_are_in_or_out_of_a_set() -> None:
    policy = _policy('[paths]\ndocs = ["docs/**"]\n' + rule("touches_docs or only_docs"))
    text = "alpha beta\ngamma delta\nepsilon zeta\n"
    words = facts_of(deleted("docs/a.txt", text), added("src/a.txt", text), settings=policy.settings).words()
    assert words["files_renamed"] == 1
    assert (words["touches_docs"], words["only_docs"]) == (True, False)


def test_a_rule_that_allows_is_noted_and_lifts_nothing() -> None:
    policy = _policy(rule("files > 0", "allow"))
    fine = decide(policy, facts_of(added("a.txt", "x\n")))
    assert (fine.verdict, [one.rule for one in fine.findings]) == (Verdict.ALLOW, ["rules.r"])
    denied = decide(policy, facts_of(added("a.txt", "key = 'AKIAIOSFODNN7EXAMPLQ'\n")))
    assert denied.verdict is Verdict.DENY
    assert [one.rule for one in denied.findings] == ["on.secrets_added", "rules.r"]


@given(
    words=st.fixed_dictionaries({"lines_added": st.integers(0, 5), "touches_tests": st.booleans()}),
    then=st.sampled_from(["allow", "ask", "deny"]),
)
def test_another_rule_never_makes_a_decision_milder(words: Mapping[str, int], then: str) -> None:
    """decide(policy + rule) >= decide(policy), in strictness."""
    ground = rule("lines_added > 3", "ask", name="ground")
    more = rule("lines_added > 1 and not touches_tests", then, name="more")
    unseen = {name: False if word.kind is WordKind.BOOL else 0 for name, word in vocabulary().items()}
    evidence = Evidence(words={**unseen, **words})
    without, with_more = (decide_on(_policy(text), evidence) for text in (ground, ground + more))
    assert with_more.verdict.strictness >= without.verdict.strictness


class _Broken:
    """An engine whose conditions cannot be evaluated."""

    names = ("files",)
    literals = ()

    def compile(self, source: str, declared: Mapping[str, WordKind]) -> _Broken:
        return self

    def holds(self, words: Mapping[str, object]) -> bool:
        raise ConditionFailed("files was never recorded", "")


def test_a_condition_that_cannot_be_evaluated_denies() -> None:
    policy = load_bound(HEAD + rule("files > 0", "allow"), source="x", conditions=_Broken())
    decision = decide(policy, facts_of(added("a.txt", "x\n")))
    assert decision.verdict is Verdict.DENY
    assert "could not be evaluated: files was never recorded" in decision.findings[0].because


def test_a_word_without_a_value_denies() -> None:
    words = {
        name: value for name, value in facts_of(added("a.txt", "x\n")).words().items() if name != "lines"
    }
    policy = _policy(rule("files > 0 and lines > 0", "allow"))
    finding = next(one for one in decide_on(policy, _Partial(words=words)).findings if one.rule == "rules.r")
    assert finding.verdict is Verdict.DENY
    assert "lines was never recorded" in finding.because


class _Partial(Evidence):
    """Evidence in which a word is missing; the built-in rules see it as not seen."""

    def count(self, name: str) -> int:
        return int(self.words.get(name, 0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ('rules = "x"', "rules", "write [[rules]]"),
        (rule("files >").replace('then = "ask"', ""), "rules[0].then", 'write "allow" or "ask" or "deny"'),
        (rule("fiels > 1"), "rules[0].when", "unknown fact 'fiels'"),
        (rule("fiels > 1"), "rules[0].when", "did you mean 'files'?"),
        (rule("files"), "rules[0].when", "int is not a condition"),
        (rule("touches_tests == 1"), "rules[0].when", "true and false are no numbers"),
        (rule("touches_docs"), "rules[0].when", "unknown fact 'touches_docs'"),
        (rule("paths.changed contains 'x'"), "rules[0].when", "write 'error' in text"),
        (rule("'files' == 'files'"), "rules[0].when", "in quotes is text, not the fact"),
        (rule("1 < 2"), "rules[0].when", "compares two constants"),
        (rule(" "), "rules[0].when", "is not a condition"),
        (rule("files > 1", "maybe"), "rules[0].then", "is not one of its words"),
        (rule("files > 1").replace("Because.", ""), "rules[0].because", "write one line"),
        (rule("files > 1").replace('because = "Because."', ""), "rules[0].because", "is missing"),
        (rule("files > 1", name="A b"), "rules[0].name", "is not a name"),
        (rule("files > 1") * 2, "rules[1].name", "names rules[0] already"),
        (rule("files > 1", more='unless = "x"'), "rules[0].unless", "is unknown"),
        (rule("files > 1", more="test = 3"), "rules[0].test", "write [[rules.test]]"),
        (rule("files > 1", more="[[rules.test]]\nfires = true"), "rules[0].test[0].given", "is missing"),
        (rule("files > 1", more="[[rules.test]]\ngiven = {}"), "rules[0].test[0].fires", "is missing"),
        (
            rule("files > 1", more="[[rules.test]]\ngiven = { fiels = 1 }\nfires = true"),
            "rules[0].test[0].given.fiels",
            'did you mean "files"?',
        ),
        (
            rule("files > 1", more="[[rules.test]]\ngiven = { files = true }\nfires = true"),
            "rules[0].test[0].given.files",
            "is not of type int",
        ),
        (
            rule("files > 1", more="[[rules.test]]\ngiven = { files = -1 }\nfires = true"),
            "rules[0].test[0].given.files",
            "whole number from 0",
        ),
        (
            rule("files > 1", more='[[rules.test]]\ngiven = { paths.added = "x" }\nfires = true'),
            "rules[0].test[0].given.paths.added",
            "is not of type list",
        ),
        (
            rule("files > 1", more='[[rules.test]]\ngiven = {}\nfires = true\nverdict = "no"'),
            "rules[0].test[0].verdict",
            "is not one of its words",
        ),
        ('[paths]\ntest = ["spec/**"]', "paths.test", 'did you mean "tests"?'),
        ('[paths]\nmanuals = ["docs/**"]', "paths.manuals", "use touches_manuals or only_manuals"),
        ('[paths]\nDocs = ["docs/**"]', "paths.Docs", "is no name for a path set"),
        ('[paths]\nnot = ["docs/**"]', "paths.not", "is no name for a path set"),
        ("[paths]\ndocs = []", "paths.docs", "is an empty path set"),
        ('[paths]\ndocs = ["/docs"]', "paths.docs", "holds a bad pattern"),
        ('[paths]\ndocs = "docs"', "paths.docs", "is not a list of path patterns"),
        (rule("files > 1") * 201, "rules", "write at most 200"),
    ],
)
def test_a_faulty_rule_is_told_with_its_field_and_a_remedy(text: str, field: str, said: str) -> None:
    faults = _faults(text)
    assert said in faults[field], faults


def test_every_fault_of_a_file_is_told_at_once_in_its_order_with_its_line() -> None:
    text = HEAD + '[on]\ntests_remove = "deny"\n' + rule("fiels > 1", "askk") + "[paths]\ntest = 1\n"
    with pytest.raises(PolicyError) as caught:
        load_policy(text, source="team.toml")
    assert [(fault.line, fault.field) for fault in caught.value.faults] == [
        (4, "on.tests_remove"),
        (7, "rules[0].when"),
        (8, "rules[0].then"),
        (12, "paths.test"),
    ]
    assert (
        "  team.toml:7: rules[0].when: unknown fact 'fiels'\n      fiels > 1\n      ^\n"
        in caught.value.message
    )


def test_the_digest_covers_what_rules_mean_and_nothing_else() -> None:
    test = "[[rules.test]]\ngiven = {}\nfires = false\n"
    one, two = rule("files > 1", name="one"), rule("files > 2", name="two")
    digest = _policy(one + two).digest
    assert _policy(two + one).digest == digest
    assert _policy(rule("files > 1", name="one", more=test) + "# why\n" + two).digest == digest
    assert _policy(rule("  files > 1 ", name="one") + two).digest == digest
    others = {
        _policy(one).digest,
        _policy(one + rule("files > 3", name="two")).digest,
        _policy(one + rule("files > 2", "deny", name="two")).digest,
        _policy(one + rule("files > 2", name="three")).digest,
        _policy(one + two.replace("Because.", "Or so.")).digest,
    }
    assert len({digest, *others}) == 6


def test_the_digest_covers_path_sets() -> None:
    text = '[paths]\ndocs = ["{}/**"]\n' + rule("only_docs")
    assert _policy(text.format("docs")).digest != _policy(text.format("doc")).digest


def test_a_policy_without_rules_has_the_digest_it_had_before_there_were_rules() -> None:
    """A run that waits across an upgrade still finds its policy."""
    values, _, _ = schema.read({"name": "team", "version": 1})
    later = {"plan", "reproduce"}
    first = {table: dict(keys) for table, keys in values.items() if table not in later}
    content = {"name": "team", "version": 1, **first}
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert _policy("").digest == hashlib.sha256(plain.encode("ascii")).hexdigest()


def test_a_policy_that_asks_for_a_reproduction_is_another() -> None:
    digests = {_policy(f'[reproduce]\nbugs = "{word}"\n').digest for word in ("off", "try", "require")}

    assert len(digests) == 3
    assert _policy("").digest in digests
    assert _policy('[reproduce]\nbugs = "require"\n').reproduce == "require"


def test_in_file_tests_say_what_is_not_so() -> None:
    tests = (
        "[[rules.test]]\ngiven = { files = 2 }\nfires = true\nverdict = 'ask'\n"
        "[[rules.test]]\ngiven = { files = 2 }\nfires = false\n"
        "[[rules.test]]\ngiven = { files = 2, secrets_added = 1 }\nfires = true\nverdict = 'ask'\n"
        "[[rules.test]]\ngiven = {}\nfires = true\n"
    )
    results = run_examples(_policy(rule("files > 1", more=tests)))
    assert [one.wrong for one in results] == [
        "",
        "the rule fires",
        'the policy says "deny" (on.secrets_added), not "ask"',
        "the rule does not fire",
    ]


@pytest.mark.parametrize("name", shipped_names())
def test_the_in_file_tests_of_the_shipped_policies_hold(name: str) -> None:
    policy = load_policy(shipped(name), source=name)
    assert all(rule.examples for rule in policy.rules)
    assert [one for one in run_examples(policy) if not one.holds] == []


def test_shipped_rules_have_tests_at_all() -> None:
    assert all(load_policy(shipped(name), source=name).rules for name in ("ci", "strict"))


def test_every_word_has_a_value_of_its_type_for_every_change() -> None:
    policy = _policy('[paths]\ndocs = ["docs/**"]\n' + rule("only_docs"))
    words = facts_of(added("docs/a.py", "x = 1\n"), settings=policy.settings).words()
    declared = vocabulary(policy.settings.sets)
    assert words.keys() == declared.keys()
    types = {WordKind.BOOL: bool, WordKind.INT: int, WordKind.LIST: tuple}
    assert all(type(words[name]) is types[word.kind] for name, word in declared.items())


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["files > 1", "ask"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "when", "then", "because", "test", "given", "fires", "verdict", "paths", "x"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@pytest.mark.law
@given(content=JUNK)
def test_law_reading_rules_is_total(content: object) -> None:
    """Whatever stands under `rules`: rules, or faults that each name a field and a remedy."""
    reader = RuleReader((), CONDITIONS)
    rules = reader.read(content)
    assert reader.faults or len(rules) == len(content)  # type: ignore[arg-type]  # read without fault: a list
    assert all(fault.field.startswith("rules") and fault.problem and fault.remedy for fault in reader.faults)
