"""What the documentation says is tried: examples are parsed by the code, links lead somewhere, lists are whole."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_type_hints

import pytest

from dev_agent.cli.app import COMMANDS
from dev_agent.cli.apply import apply
from dev_agent.cli.campaign import campaign
from dev_agent.cli.check import check
from dev_agent.cli.demonstration.material import demo_material
from dev_agent.cli.failure import ExitCode
from dev_agent.cli.premerge import premerge
from dev_agent.cli.run import run
from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.jsonedits import OPERATIONS
from dev_agent.edits.parse import parse
from dev_agent.edits.resolve import resolve
from dev_agent.edits.trees import DictTree
from dev_agent.forges.check_runs import Conclusion
from dev_agent.gates.config import parse_config
from dev_agent.policy.analysis import remarks_on
from dev_agent.policy.catalogue import CATALOGUE
from dev_agent.policy.examples import run_examples
from dev_agent.policy.policy import load_policy
from dev_agent.policy.shipped import shipped, shipped_names
from dev_agent.policy.vocabulary import vocabulary
from dev_agent.programs.campaigning.listing import SETTINGS
from dev_agent.programs.campaigning.model import Fate
from dev_agent.programs.conditions import CONDITIONS
from dev_agent.programs.guard import CHOICES, KEYS
from dev_agent.programs.report import Outcome, RunReport

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def demo_tree() -> DictTree:
    project = demo_material() / "project"
    files = [path for path in project.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return DictTree({path.relative_to(project).as_posix(): path.read_bytes() for path in files})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not link.startswith("https://"):
            assert (page.parent / link).exists(), link


@pytest.mark.parametrize("fence", ["diff", ""])
def test_the_examples_of_formats_fit_the_demo_project(fence: str) -> None:
    marks = "````" if not fence else "```"
    example = text("docs/formats.md").split(f"\n{marks}{fence}\n")[1].split(f"\n{marks}\n")[0]
    proposal = parse(example.encode())
    change = resolve(proposal.edits, demo_tree(), max_level=MatchLevel.EXACT)
    assert [one.path for one in change.changes] == ["src/invoices/discounts.py"]
    assert b"quantity >= BULK_FROM" in (change.changes[0].after or b"")


@pytest.mark.parametrize(
    ("section", "fence", "form"),
    [
        ("apply_patch envelopes", "```text", "apply_patch"),
        ("Text editor operations", "```json", "text editor"),
        ("Edit operations", "```json", "edit operations"),
    ],
)
def test_the_example_of_each_further_format_makes_the_same_change(
    section: str, fence: str, form: str
) -> None:
    page = text("docs/formats.md").split(f"## {section}\n")[1]
    proposal = parse(page.split(f"\n{fence}\n")[1].split("\n```\n")[0].encode())
    assert proposal.format == form
    change = resolve(proposal.edits, demo_tree(), max_level=MatchLevel.EXACT)
    assert [one.path for one in change.changes] == ["src/invoices/discounts.py"]
    assert b"quantity >= BULK_FROM" in (change.changes[0].after or b"")


def test_the_example_of_a_whole_file_makes_one() -> None:
    page = text("docs/formats.md").split("## Whole files\n")[1]
    proposal = parse((page.split("\n````text\n")[1].split("\n````\n")[0] + "\n").encode())
    change = resolve(proposal.edits, demo_tree())
    assert {one.path: one.after for one in change.changes} == {"src/invoices/rounding.py": b"PLACES = 2\n"}


def test_every_operation_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? \|", text("docs/formats.md"), re.MULTILINE)
    assert {name for row in rows for name in row if name} == {"op", *OPERATIONS}


def test_the_short_form_of_search_replace_is_understood() -> None:
    assert "`<<<SEARCH` … `===`\n… `>>>REPLACE`" in text("docs/formats.md")
    short = (
        b'src/invoices/money.py\n<<<SEARCH\nCENT = Decimal("0.01")\n===\nCENT = Decimal("0.1")\n>>>REPLACE\n'
    )
    assert len(parse(short).edits) == 1


def test_every_match_level_is_in_the_table() -> None:
    rows = re.findall(r"^\| (\d) \| ", text("docs/formats.md"), re.MULTILINE)
    assert [int(row) for row in rows] == [int(level) for level in MatchLevel]


def test_the_example_of_settings_is_accepted_whole() -> None:
    example = text("docs/configuration.md").split("```toml\n")[1].split("\n```")[0]
    config = parse_config(tomllib.loads(example)["tool"]["dev-agent"], source="pyproject.toml")
    assert (config.python, config.policy) == (".venv/bin/python", "strict")


def test_every_key_of_a_policy_is_in_the_table() -> None:
    page = text("docs/configuration.md")
    document = tomllib.loads(shipped("default"))
    for table, values in document.items():
        keys = values if isinstance(values, dict) and table != "on" else {table: None}
        assert all(f"`{key}" in page or f"`[{key}]`" in page for key in keys), table
    assert all(f"`{name}`" in page for name in shipped_names())


def test_every_option_of_apply_and_its_variable_is_in_the_table() -> None:
    page = text("docs/configuration.md")
    hints = get_type_hints(apply, include_extras=True)
    options = [hint.__metadata__[0] for name, hint in hints.items() if name not in {"task", "return"}]
    assert len(options) == 25
    for option in options:
        # In an annotation typer keeps the first name where a default would stand.
        assert f"`{option.default}" in page
        assert f"`{option.envvar}`" in page


def test_every_option_of_check_is_in_its_table() -> None:
    table = text("docs/configuration.md").split("## What `check` judges")[1].split("\n## ")[0]
    hints = get_type_hints(check, include_extras=True)
    own = {name: hint.__metadata__[0] for name, hint in hints.items() if name != "return"}
    assert "`BASE..HEAD`" in table
    for name in ("patch", "staged", "worktree", "untracked", "policy", "must_pass", "sandbox", "cluster"):
        assert f"`{own[name].default}" in table, name


def test_every_option_of_premerge_and_its_variable_is_in_its_table() -> None:
    table = text("docs/configuration.md").split("## What `premerge` judges")[1].split("\n## ")[0]
    hints = get_type_hints(premerge, include_extras=True)
    shared = {"policy", "must_pass", "sandbox", "cluster", "directory", "as_json", "quiet"}
    own = [hint.__metadata__[0] for name, hint in hints.items() if name not in {"return", "pushed", *shared}]
    assert len(own) == 11
    for option in own:
        assert f"`{option.default}" in table
        assert not option.envvar or f"`{option.envvar}`" in table, option.envvar
    assert all(f"`{hints[name].__metadata__[0].default}" in table for name in shared)


def test_every_option_of_campaign_and_its_variable_is_on_its_page() -> None:
    page = text("docs/campaign.md").split("## Options\n")[1].split("\n## ")[0]
    for name, hint in get_type_hints(campaign, include_extras=True).items():
        if name not in {"return", "context", "task", "as_json", "quiet"}:
            option = hint.__metadata__[0]
            assert f"`{option.default.partition('/')[0]}" in page, option.default
    own = re.findall(r"`(DEV_AGENT_\w+)`", page)
    hints = get_type_hints(campaign, include_extras=True)
    said = {
        getattr(hint.__metadata__[0], "envvar", None)
        for name, hint in hints.items()
        if name not in {"return", "context"}
    }
    assert set(own) <= said


def test_every_setting_and_every_fate_of_a_campaign_is_in_its_table() -> None:
    page = text("docs/campaign.md")
    assert set(re.findall(r"^\| `(\w+)=", page, re.MULTILINE)) == set(SETTINGS)
    fates = page.split("| fate | | exit code |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", fates)) == {one.value for one in Fate}


def test_every_setting_of_the_guard_is_in_its_table_with_its_values() -> None:
    page = text("docs/premerge.md")
    rows = dict(re.findall(r"^\| `dev-agent\.(\w+)` \| ([^|]*) \|", page, re.MULTILINE))
    assert set(rows) == set(KEYS)
    for key, values in CHOICES.items():
        assert re.findall(r"`([a-z]+)`", rows[key]) == list(values), key


def test_every_outcome_of_a_merge_is_in_the_table() -> None:
    page = text("docs/premerge.md")
    told = set(re.findall(r"`([a-z_]+)`", page.split("| it ends with |")[1].split("\n\n")[0]))
    assert told >= {one.value for one in Conclusion}
    assert told >= {one.value for one in Outcome} - {"interrupted", "running"}


def test_the_hooks_for_pre_commit_are_commands_with_options_that_are_there() -> None:
    entries = re.findall(
        r"^  entry: dev-agent (\w+) (--[\w-]+)$", text(".pre-commit-hooks.yaml"), re.MULTILINE
    )
    assert entries == [("check", "--staged"), ("premerge", "--pre-push")]
    known = {"check": check, "premerge": premerge}
    for command, option in entries:
        hints = get_type_hints(known[command], include_extras=True)
        assert option in {hint.__metadata__[0].default for name, hint in hints.items() if name != "return"}


def test_every_option_of_run_is_in_its_table() -> None:
    table = text("docs/configuration.md").split("## What `run` runs")[1].split("\n## ")[0]
    hints = get_type_hints(run, include_extras=True)
    for name in ("task", "network", "profile", "dry_run", "branch", "policy", "must_pass"):
        assert f"`{hints[name].__metadata__[0].default}" in table, name


def test_every_exit_code_is_in_the_table() -> None:
    rows = {int(row) for row in re.findall(r"^\| (\d+) \| ", text("docs/configuration.md"), re.MULTILINE)}
    blank = RunReport(
        run="", task="", outcome=Outcome.FAILED, reason="", explanation="", advice="", base="", commit=None,
        tree=None, branch=None, files=(), policy={}, gates=(), cost={}, receipt=None, trace="",
    )  # fmt: skip
    assert rows >= {int(code) for code in ExitCode} | {0, 1, 4, 5, 6, blank.exit_code}
    assert all(f"`{key}`" in text("docs/configuration.md") for key in blank.to_json())


def test_every_command_is_in_the_changelog() -> None:
    page = text("CHANGELOG.md")
    assert all(re.search(rf"`(?:dev-agent )?{name}", page) for name in COMMANDS)


def fact_rows() -> str:
    """The table of facts as docs/policy.md has it, made from the code."""
    rows = [
        f"| `{word.name}` | {word.kind} | {word.meaning} "
        f"| {CATALOGUE[word.name].careful if word.name in CATALOGUE else ''} |"
        for word in vocabulary().values()
    ]
    return "\n".join(["| fact | type | meaning | `default` says |", "|---|---|---|---|", *rows, ""])


def test_the_table_of_facts_is_the_code_s() -> None:
    table = text("docs/policy.md").split("<!-- facts -->\n")[1].split("<!-- /facts -->")[0]
    assert table == fact_rows()


def test_the_example_of_a_policy_is_sound_and_its_tests_hold() -> None:
    example = text("docs/policy.md").split("```toml\n")[1].split("```")[0]
    policy = load_policy(example, source="docs/policy.md", conditions=CONDITIONS)
    assert remarks_on(policy) == ()
    results = run_examples(policy)
    assert {one.rule for one in results} == {rule.name for rule in policy.rules}
    assert [one for one in results if not one.holds] == []


def test_the_rule_in_a_comment_of_the_default_policy_is_sound() -> None:
    comment = shipped("default").partition("#   [[rules]]")[2]
    rule = "[[rules]]" + comment.replace("\n#   ", "\n")
    policy = load_policy(f'name = "x"\nversion = 1\n{rule}', source="x", conditions=CONDITIONS)
    assert all(one.holds for one in run_examples(policy))
    assert policy.rules
