"""A policy file: every fault at once, careful defaults, a digest of what it means."""

from __future__ import annotations

import contextlib
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.policy import schema
from dev_agent.policy.catalogue import CATALOGUE
from dev_agent.policy.errors import PolicyError
from dev_agent.policy.facts import Facts, compute_facts
from dev_agent.policy.policy import Policy
from dev_agent.policy.settings import FactSettings
from dev_agent.policy.shipped import shipped, shipped_names
from dev_agent.policy.verdict import Verdict
from tests.policy.support import load_policy

MINIMAL = 'name = "team"\nversion = 1\n'


def _faults(text: str) -> dict[str, str]:
    with pytest.raises(PolicyError) as caught:
        load_policy(text, source="team.toml")
    assert "team.toml" in caught.value.message
    assert caught.value.hint
    return {fault.field: f"{fault.problem}; {fault.remedy}" for fault in caught.value.faults}


def test_everything_but_name_and_version_may_be_left_out() -> None:
    policy = load_policy(MINIMAL, source="team.toml")
    assert policy.name == "team"
    assert policy.on == {name: fact.careful for name, fact in CATALOGUE.items()}
    assert (policy.gates.types, policy.hooks, policy.sandbox, policy.on_denied) == (
        "delta",
        "run",
        "optional",
        "repair",
    )


EVERY_KEY = """
[scope]
write = ["src/**"]
deny = ["vendor/**"]
protected = ["LICENSE"]
[paths]
tests = ["checks/*.py"]
gate_configuration = ["quality.toml"]
ci = ["ci/**"]
hooks = ["hooks/**"]
own = ["governance/**"]
dependencies = ["deps.txt"]
[limits]
files = 1
lines = 2
bytes = 3
deletions = 0
[on]
tests_changed = "deny"
[gates]
types = "strict"
tests = "off"
flaky = "deny"
no_tests = "deny"
no_types = "deny"
changed_tests = "ask"
[edits]
max_match_level = 0
[hooks]
run = "skip"
[sandbox]
confinement = "required"
[denied]
then = "reject"
"""


def test_every_key_reaches_the_policy() -> None:
    policy = load_policy(MINIMAL + EVERY_KEY, source="team.toml")
    settings = policy.settings
    assert (settings.write, settings.deny, settings.protected) == (("src/**",), ("vendor/**",), ("LICENSE",))
    assert settings.tests[-1] == settings.collected[-1] == "checks/*.py"
    assert (settings.gates[-1], settings.ci[-1], settings.hooks[-1]) == ("quality.toml", "ci/**", "hooks/**")
    assert (settings.own[-1], settings.dependencies[-1]) == ("governance/**", "deps.txt")
    limits = policy.limits
    assert (limits.max_files, limits.max_lines, limits.max_bytes, limits.max_deletions) == (1, 2, 3, 0)
    assert policy.on["tests_changed"] is Verdict.DENY
    gates = policy.gates
    assert (gates.types, gates.tests, gates.flaky) == ("strict", "off", "deny")
    assert (gates.no_tests, gates.no_types, gates.changed_tests) == ("deny", "deny", "ask")
    assert (policy.max_match_level, policy.hooks) == (0, "skip")
    assert (policy.sandbox, policy.on_denied) == ("required", "reject")


@pytest.mark.parametrize("word", ["optional", "required", "namespaces"])
def test_how_much_confinement_a_policy_can_want(word: str) -> None:
    policy = load_policy(MINIMAL + f'[sandbox]\nconfinement = "{word}"\n', source="team.toml")
    assert policy.sandbox == word


def test_added_paths_never_replace_the_built_in_ones() -> None:
    policy = load_policy(MINIMAL + '[paths]\nci = ["ci/**"]\n', source="team.toml")
    assert set(policy.settings.ci) == {*FactSettings().ci, "ci/**"}


def test_the_files_a_run_was_loaded_from_join_the_judges() -> None:
    policy = load_policy(MINIMAL, source="team.toml")
    assert policy.settings_with(own=("team.toml",)).own == (*FactSettings().own, "team.toml")


FAULTY = """
name = "Team Policy"
version = 2
surprise = 1
limits = 3
[scop]
[scope]
write = ["/abs"]
deny = "vendor"
protected = [1]
[on]
tests_removd = "deny"
any_added = "never"
casts_added = 3
[edits]
max_match_level = 9
[gates]
zzz = 1
types = true
"""


def test_all_faults_are_told_at_once_with_their_field_and_a_remedy() -> None:
    faults = _faults(FAULTY)
    assert set(faults) == {
        "name", "version", "surprise", "limits", "scop", "scope.write", "scope.deny", "scope.protected",
        "on.tests_removd", "on.any_added", "on.casts_added", "edits.max_match_level", "gates.zzz", "gates.types",
    }  # fmt: skip
    assert 'did you mean "tests_removed"?' in faults["on.tests_removd"]
    assert 'did you mean "scope"?' in faults["scop"]
    assert "known here: types, tests" in faults["gates.zzz"]
    assert 'write "allow" or "ask" or "deny"' in faults["on.any_added"]
    assert "from 0 to 4" in faults["edits.max_match_level"]
    assert "drop the leading" in faults["scope.write"]
    assert "not a table" in faults["limits"]


def test_a_missing_name_or_version_is_told() -> None:
    faults = _faults("")
    assert "is missing" in faults["name"]
    assert "version = 1" in faults["version"]
    assert "version" in _faults('name = "a"\nversion = true\n')


@pytest.mark.parametrize("value", ["true", "-1", "1.5", '"1"', "9007199254740992"])
def test_a_limit_is_a_whole_number(value: str) -> None:
    assert "limits.files" in _faults(MINIMAL + f"[limits]\nfiles = {value}\n")


def test_broken_toml_names_line_and_column() -> None:
    faults = _faults(MINIMAL + "[on]\ntests_removed 'deny'\n")
    assert "line 4, column" in faults[""]


def test_a_policy_that_is_no_page_of_rules_is_refused() -> None:
    assert _faults(MINIMAL + "a = " + "[" * 100_000) is not None
    with pytest.raises(PolicyError, match="larger"):
        load_policy("#" * 300_000, source="x")


def test_a_loaded_policy_cannot_be_changed() -> None:
    policy = load_policy(MINIMAL, source="team.toml")
    with pytest.raises(TypeError):
        policy.on["tests_removed"] = Verdict.ALLOW  # type: ignore[index]
    with pytest.raises(AttributeError):
        policy.name = "other"  # type: ignore[misc]


# --- digest


def _digest(text: str) -> str:
    return load_policy(text, source="x").digest


def test_a_default_written_out_is_the_same_policy() -> None:
    assert _digest(MINIMAL) == _digest(
        MINIMAL + '[on]\ntests_removed = "deny"\n[scope]\nwrite = ["**", "**"]\n'
    )


@pytest.mark.parametrize(
    "other",
    [
        '[on]\ntests_removed = "allow"\n',
        "[limits]\nfiles = 1\n",
        '[gates]\ntypes = "off"\n',
        '[paths]\nci = ["x"]\n',
        '[scope]\ndeny = ["x"]\n',
    ],
)
def test_what_a_policy_means_is_in_its_digest(other: str) -> None:
    assert _digest(MINIMAL + other) != _digest(MINIMAL)
    assert _digest(MINIMAL.replace("team", "crew")) != _digest(MINIMAL)


_WORDS = (
    "allow", "ask", "deny", "delta", "strict", "off", "run", "skip", "required", "optional", "repair", "reject",
)  # fmt: skip


def _values(key: schema.Key) -> st.SearchStrategy[object]:
    if isinstance(key.default, int):
        return st.integers(0, 4)
    if isinstance(key.default, str):
        return st.sampled_from([word for word in _WORDS if key.check(word) is None])
    return st.lists(st.sampled_from(["a/**", "b", "*.py"]), unique=True, max_size=3)


def _documents() -> st.SearchStrategy[dict[str, dict[str, object]]]:
    values = {
        f"{table}.{name}": _values(key) for table, keys in schema.SCHEMA.items() for name, key in keys.items()
    }

    def nested(flat: dict[str, object]) -> dict[str, dict[str, object]]:
        tables: dict[str, dict[str, object]] = {}
        for path, value in flat.items():
            table, _, name = path.partition(".")
            tables.setdefault(table, {})[name] = value
        return tables

    return st.fixed_dictionaries({}, optional=values).map(nested)


def _written(document: dict[str, dict[str, object]], layout: random.Random) -> str:
    lines = ["# a comment", 'name="team"', "version  =  1 # one"]
    layout.shuffle(lines)
    tables = list(document.items())
    layout.shuffle(tables)
    for table, keys in tables:
        lines.append(f"[ {table} ]" if layout.random() < 0.5 else f"\n[{table}]")
        pairs = list(keys.items())
        layout.shuffle(pairs)
        for name, value in pairs:
            items = layout.sample(value, len(value)) if isinstance(value, list) else value
            comment = " # why" * layout.randrange(2)
            lines.append(f"{name}{' ' * layout.randrange(3)}= {json.dumps(items)}{comment}")
    return "\n".join(lines) + "\n"


@pytest.mark.law
@given(document=_documents(), one=st.integers(), two=st.integers())
def test_law_the_digest_does_not_see_how_a_policy_is_written(
    document: dict[str, dict[str, object]], one: int, two: int
) -> None:
    """digest(layout(x)) == digest(other_layout(x)): comments, order of tables, keys and patterns, spaces."""
    first, second = random.Random(one), random.Random(two)  # noqa: S311
    assert _digest(_written(document, first)) == _digest(_written(document, second))


@pytest.mark.law
@given(st.text(max_size=200))
def test_law_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    """load_policy raises nothing but PolicyError."""
    with contextlib.suppress(PolicyError):
        assert load_policy(text, source="x").digest


# --- shipped


def _shipped(name: str) -> Policy:
    return load_policy(shipped(name), source=name)


def _verdicts(policy: Policy) -> dict[str, int]:
    return {fact: verdict.strictness for fact, verdict in policy.on.items()}


def test_three_policies_come_along_and_bear_their_names() -> None:
    assert shipped_names() == ("ci", "default", "strict")
    assert [_shipped(name).name for name in shipped_names()] == ["ci", "default", "strict"]


def test_the_default_file_spells_out_what_holds_without_one() -> None:
    assert _shipped("default").digest == _digest('name = "default"\nversion = 1\n')


@pytest.mark.parametrize("name", ["ci", "default", "strict"])
def test_a_shipped_file_writes_out_every_key(name: str) -> None:
    text = shipped(name)
    for table, keys in schema.SCHEMA.items():
        assert f"\n[{table}]\n" in text
        for key in keys:
            assert f"\n{key} = " in text, f"{table}.{key}"


def test_default_refuses_what_would_let_a_change_judge_itself() -> None:
    on = _shipped("default").on
    for fact in (
        "tests_removed", "tests_skipped", "tests_weakened", "secrets_added", "gate_configuration", "ci_files",
        "hooks_and_editors", "policy_files",
    ):  # fmt: skip
        assert on[fact] is Verdict.DENY
    for fact in ("dependencies_changed", "type_ignores_added", "conftest_changed"):
        assert on[fact] is Verdict.ASK
    for fact in ("tests_changed", "tests_added", "any_added", "public_api_removed"):
        assert on[fact] is Verdict.ALLOW


@pytest.mark.parametrize("name", ["ci", "strict"])
def test_the_others_are_nowhere_milder_than_default(name: str) -> None:
    default, other = _shipped("default"), _shipped(name)
    ours, theirs = _verdicts(default), _verdicts(other)
    assert all(theirs[fact] >= ours[fact] for fact in ours)
    for field in ("max_files", "max_lines", "max_bytes", "max_deletions"):
        assert getattr(other.limits, field) < getattr(default.limits, field)
    assert other.sandbox == "required"
    assert other.gates.flaky == "deny"


def test_strict_wants_everything_green_and_a_person_for_every_edited_test() -> None:
    strict = _shipped("strict")
    assert (strict.gates.types, strict.gates.tests, strict.gates.changed_tests) == ("strict", "strict", "ask")
    assert strict.on["tests_changed"] is Verdict.ASK
    assert strict.on["any_added"] is strict.on["type_ignores_added"] is Verdict.DENY


def test_nothing_waits_for_a_person_in_ci() -> None:
    ci = _shipped("ci")
    assert Verdict.ASK not in ci.on.values()
    assert ci.gates.changed_tests == "deny"
    assert ci.on["public_api_removed"] is Verdict.DENY
    assert ci.on_denied == "reject"


def test_an_unknown_shipped_policy_names_the_known_ones() -> None:
    with pytest.raises(PolicyError) as caught:
        shipped("../secrets")
    assert "ci, default, strict" in caught.value.hint


def test_a_policy_says_what_facts_need_to_know() -> None:
    policy = load_policy(MINIMAL + '[scope]\nwrite = ["src/**"]\n', source="x")
    assert isinstance(compute_facts([], settings=policy.settings), Facts)
