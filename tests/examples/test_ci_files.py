"""Files that users copy into their CI: pinned, with least rights, and nothing of an event inside a script.

Read as text, line by line, because that is what a reviewer does; `make ci-files` runs the linters of the formats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from dev_agent.cli.init import init
from dev_agent.cli.queue import queue

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "examples/ci/github").glob("*.yml"))
ACTION = ROOT / "action.yml"
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
"""An action by its full commit, with the release it is, for the eye and for update bots."""


def scripts(text: str) -> Iterator[str]:
    """The content of every `run:`."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        found = re.match(r"^(\s*(?:- )?)run: ?(.*)$", line)
        if not found:
            continue
        inside = [found[2]]
        for below in lines[number + 1 :]:
            if below.strip() and len(below) - len(below.lstrip()) <= len(found[1]):
                break
            inside.append(below)
        yield "\n".join(inside)


def unpinned(text: str) -> list[str]:
    """Actions that are neither pinned by commit nor the folder that was checked out by commit."""
    used = re.findall(r"^\s*(?:- )?uses: (.+)$", text, re.MULTILINE)
    return [one for one in used if not PINNED.match(one) and one.split(" #")[0] != "./.dev-agent"]


def jobs(text: str) -> dict[str, str]:
    """Job name → its text."""
    parts = re.split(r"^  (\w[\w-]*):\n", text.split("\njobs:\n")[1], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def permissions(job: str) -> set[str]:
    """What a job's token may do, as `scope: right`."""
    block = re.search(r"^    permissions:\n((?:      .*\n)+)", job, re.MULTILINE)
    return {line.split("#")[0].strip() for line in block[1].splitlines()} if block else {"everything"}


def test_the_readers_below_see_what_is_wrong() -> None:
    bad = "jobs:\n  - run: |\n      echo ${{ github.event.issue.title }}\n  - uses: actions/checkout@v4\n"
    assert any("${{" in script for script in scripts(bad))
    assert unpinned(bad) == ["actions/checkout@v4"]
    assert permissions("    runs-on: ubuntu-24.04\n") == {"everything"}


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS], ids=lambda file: file.name)
def test_every_action_is_pinned_by_its_full_commit(file: Path) -> None:
    assert unpinned(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS], ids=lambda file: file.name)
def test_no_expression_stands_in_a_script(file: Path) -> None:
    found = list(scripts(file.read_text(encoding="utf-8")))
    assert found
    assert [script for script in found if "${{" in script] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_gives_nothing_and_each_job_what_it_needs(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "\npermissions: {}\n" in text
    assert "\nconcurrency:\n  group: " in text
    for name, job in jobs(text).items():
        assert "everything" not in permissions(job), name
        assert "contents: read" in permissions(job) or name == "publish"
        assert re.search(r"^    timeout-minutes: \d+$", job, re.MULTILINE), name
        # The job's token must not lie in the checkout's configuration, where code of the project could find it.
        assert job.count("uses: actions/checkout@") == job.count("persist-credentials: false") > 0


def test_no_job_has_both_a_secret_and_a_token_that_writes() -> None:
    found = [(file.name, name, job) for file in WORKFLOWS for name, job in jobs(file.read_text()).items()]
    secret = {(file, name) for file, name, job in found if "secrets." in job}
    writes = {
        (file, name) for file, name, job in found if any(one.endswith("write") for one in permissions(job))
    }
    assert secret == {("dev-agent-issue.yml", "propose")}
    assert writes == {("dev-agent-issue.yml", "publish"), ("dev-agent-report.yml", "report")}
    assert "secrets: inherit" not in "".join(job for _, _, job in found)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_the_commit_of_dev_agent_is_checked_before_anything_is_fetched(file: Path) -> None:
    for name, job in jobs(file.read_text(encoding="utf-8")).items():
        checked, fetched = job.index("^[0-9a-f]{40}$"), job.index("uses: ")
        assert checked < fetched, name


@pytest.mark.parametrize("name", ["dev-agent-premerge.yml", "dev-agent-gate.yml"])
def test_the_head_is_left_before_anything_of_the_checkout_is_used(name: str) -> None:
    text = (ROOT / "examples/ci/github" / name).read_text(encoding="utf-8")
    left = text.index('checkout --quiet --force --detach "$BASE"')
    assert left < text.index("uses: ./.dev-agent")
    assert left < text.index("-m venv .venv")
    assert "pull_request_target" not in text


def test_the_reporter_runs_nothing_of_the_pull_request() -> None:
    text = (ROOT / "examples/ci/github/dev-agent-report.yml").read_text(encoding="utf-8")
    assert "pip install" not in text
    assert "head.sha" not in text
    assert "head_branch" not in text


def test_the_reporter_waits_for_the_workflow_that_judges() -> None:
    judging = (ROOT / "examples/ci/github/dev-agent-premerge.yml").read_text(encoding="utf-8")
    reporting = (ROOT / "examples/ci/github/dev-agent-report.yml").read_text(encoding="utf-8")
    name = re.search(r"^name: (.+)$", judging, re.MULTILINE)
    assert name
    assert f"    workflows: [{name[1]}]\n" in reporting
    uploaded = re.search(r"name: (dev-agent-premerge)\n", judging)
    assert uploaded
    assert f"          name: {uploaded[1]}\n" in reporting


def test_every_artifact_and_command_is_one_the_action_knows() -> None:
    known = set(
        re.findall(r"^          ([a-z-]+)\) words=", ACTION.read_text(encoding="utf-8"), re.MULTILINE)
    )
    used = {
        one
        for file in WORKFLOWS
        for one in re.findall(r"^\s+command: (\S+)$", file.read_text(), re.MULTILINE)
    }
    assert used == known


# ---- what the documents say of them


def rows(page: str, heading: str) -> list[str]:
    """The table rows below a heading."""
    below = (ROOT / page).read_text(encoding="utf-8").split(f"{heading}\n", 1)[1]
    section = re.split(r"^#+ ", below, flags=re.MULTILINE)[0]
    return [line for line in section.splitlines() if line.startswith("|")]


def test_the_table_of_permissions_is_the_workflows() -> None:
    """docs/ci.md names each permission of each job, and no other."""
    told: set[tuple[str, str]] = set()
    job = ""
    for row in rows("docs/ci.md", "### Each permission, and why")[2:]:
        first, permission = (cell.strip().strip("`") for cell in row.split("|")[1:3])
        job = first or job
        told.add((job, permission))
    names = {
        "propose": "issue, `propose",
        "publish": "issue, `publish",
        "premerge": "premerge",
        "report": "report",
    }
    given = {
        (names[job], permission)
        for file in WORKFLOWS
        if file.name != "dev-agent-gate.yml"
        for job, text in jobs(file.read_text(encoding="utf-8")).items()
        for permission in permissions(text)
    }
    assert told == given


@pytest.mark.parametrize(
    ("command", "heading", "left_out"),
    [
        (queue, "## What `queue` lands", {"heads", "policy", "sandbox", "cluster", "directory", "as_json", "quiet"}),
        (init, "## What `init` writes", {"directory", "as_json"}),
    ],
    ids=["queue", "init"],
)
def test_every_option_and_its_variable_is_in_its_table(
    command: Callable[..., int], heading: str, left_out: set[str]
) -> None:
    table = "\n".join(rows("docs/configuration.md", heading))
    hints = get_type_hints(command, include_extras=True)
    own = {name: hint.__metadata__[0] for name, hint in hints.items() if name not in {"return", *left_out}}
    assert own
    for option in own.values():
        assert f"`{option.default}" in table
        assert option.envvar is None or f"`{option.envvar}`" in table
