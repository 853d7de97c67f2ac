"""The command `campaign` as a user runs it: troubles beside each other, killed and taken up, stopped, published."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dev_agent.cli.campaign_request import Words, read_entries, read_job
from dev_agent.cli.campaign_watching import PlainWatcher
from dev_agent.cli.output.terminal import Terminal
from dev_agent.cli.pages.campaign import campaign_page, table_lines
from dev_agent.errors import UsageFault
from dev_agent.policy.errors import PolicyError
from dev_agent.programs.campaigning.campaign import CampaignReport, Use
from dev_agent.programs.campaigning.events import Ended, Opened
from dev_agent.programs.campaigning.model import Fate
from dev_agent.programs.campaigning.step import opened, step
from dev_agent.programs.campaigning.work import Job
from dev_agent.programs.choosing import Who
from dev_agent.programs.cost import Cost
from dev_agent.programs.solving.forms import question_for
from tests.cli.conftest import written
from tests.forges.fake import SLUG, WRITER, Fake, serving
from tests.forges.world import FILES, NO_GATES, TWO
from tests.testing.model_server import serving as serving_model
from tests.testing.repos import Project, clone, isolated_environ, make_repository
from tests.testing.scripted_model import edits, plan, replacing

HOSTILE = "repos/\x1b[2Jname\u202e"


class Campaigns:
    """A folder with repositories, a list of them, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **isolated_environ(folder / "home"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "VIRTUAL_ENV": sys.prefix,
        }
        (folder / "policy.toml").write_text(NO_GATES)
        (folder / "change.patch").write_bytes(TWO)

    def listed(self, *lines: str) -> None:
        (self.folder / "list.txt").write_text("\n".join(lines) + "\n")

    def start(self, *words: str, **environ: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "dev_agent", *words],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def campaign(self, *words: str, **environ: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the object of a campaign that is waited for."""
        process = self.start("campaign", *words, "--json", **environ)
        out, err = process.communicate(timeout=300)
        assert out, err.decode()
        return process.returncode, json.loads(out)


@pytest.fixture
def campaigns(tmp_path: Path) -> Campaigns:
    return Campaigns(tmp_path)


def by_name(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in answer["repositories"]}


def test_killed_in_the_middle_and_taken_up_every_repository_has_its_own_end(campaigns: Campaigns) -> None:
    folder = campaigns.folder
    good = [make_repository(folder, FILES, name=name) for name in ("a", "b", "dirty", "far")]
    good[2].write("notes.txt", b"the only copy of somebody's work\n")
    make_repository(folder, {"other.txt": b"1\n"}, name="without")
    clone(good[0], folder / "bare", "--bare")
    at_work = make_repository(folder, FILES, name="at-work")
    at_work.git("checkout", "--quiet", "-b", "dev-agent/write-digits")
    before = {one.root.name: one.snapshot() for one in good}
    campaigns.listed(
        "a", "missing", "b", "at-work", "dirty", "without", "bare", f"file://{folder}/far  # cloned"
    )
    process = campaigns.start(
        "campaign", "Write digits", "--repos", "list.txt", "--patch", "change.patch",
        "--policy", "policy.toml", "--jobs", "2", "--json",
    )  # fmt: skip
    assert process.stderr
    assert process.stdout
    for row in process.stderr:
        if json.loads(row)["event"] == "ended":
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    process.stdout.close()

    code, answer = campaigns.campaign("--resume")
    rows = by_name(answer)
    assert {name: row["fate"] for name, row in rows.items()} == {
        "a": "landed",
        "missing": "trouble",
        "at-work": "trouble",
        "b": "landed",
        "dirty": "landed",
        "without": "rejected",
        "bare": "trouble",
        f"file://{folder}/far": "landed",
    }
    assert (code, answer["exit_code"], answer["finished"]) == (3, 3, True)
    assert "there is no folder" in rows["missing"]["reason"]
    assert "bare" in rows["bare"]["reason"]
    assert "is checked out here" in rows["at-work"]["reason"]
    assert at_work.git("rev-list", "--count", "HEAD") == "1"
    for project in good[:3]:
        # One commit beside what is checked out, and nothing of the user's is touched.
        assert project.git("rev-list", "--count", "main..dev-agent/write-digits") == "1"
        branch = ".git/refs/heads/dev-agent/write-digits"
        after = {
            k: v
            for k, v in project.snapshot().items()
            if k != branch and not k.startswith(".git/logs/refs/heads/dev-agent")
        }
        assert after == before[project.root.name]
    assert good[3].snapshot() == before["far"]
    copy = Project(root=Path(rows[f"file://{folder}/far"]["folder"]), environ=campaigns.environ)
    assert copy.git("show", "dev-agent/write-digits:notes.txt") == "one\n2\nthree"

    again, same = campaigns.campaign("--resume", "--retry", "failed", "--only", "a")
    assert (again, by_name(same)["a"]) == (3, rows["a"])
    undone = campaigns.start("undo", rows["a"]["run"], "-C", rows["a"]["folder"], "--json")
    assert json.loads(undone.communicate(timeout=300)[0])["outcome"] == "committed"
    assert good[0].tree("dev-agent/write-digits") == good[0].tree("main")


def test_where_no_cluster_can_be_started_it_stops_once_and_is_taken_up_later(campaigns: Campaigns) -> None:
    for name in ("one", "two", "three"):
        make_repository(campaigns.folder, FILES, name=name)
    campaigns.listed("one", "two", "three")
    (campaigns.folder / "kept").mkdir()
    in_the_way = campaigns.folder / "kept/judges"
    in_the_way.write_text("no folder\n")
    words = ("--repos=list.txt", "--patch=change.patch", "--policy=policy.toml", "--campaigns=kept")
    process = campaigns.start("campaign", "Two", *words, "--cluster=local:1")
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out) == (3, b"")
    said = err.decode()
    assert said.count("the campaign stopped, with 0 of 3 repositories decided") == 1, said
    assert "trouble" not in said
    in_the_way.unlink()
    code, answer = campaigns.campaign("--resume", "--campaigns=kept")
    assert (code, {row["fate"] for row in answer["repositories"]}) == (0, {"landed"})


def test_stopped_every_child_ends_and_what_is_left_is_said(campaigns: Campaigns) -> None:
    for name in ("a", "b", "c"):
        make_repository(campaigns.folder, FILES, name=name)
    campaigns.listed("a", "b", "c")
    process = campaigns.start(
        "campaign", "--repos", "list.txt", "--policy", "policy.toml", "--jobs", "2", "--json",
        "--", "sh", "-c", "sleep 600",
    )  # fmt: skip
    assert process.stderr
    patching = 0
    for row in process.stderr:
        patching += json.loads(row).get("doing") == "patch"
        if patching == 2:
            break
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=300)
    answer = json.loads(out)
    assert {"event": "stopping", "rows": [0, 1]} in map(json.loads, err.splitlines())
    assert (process.returncode, answer["interrupted"], answer["finished"]) == (130, True, False)
    assert {row["fate"] for row in answer["repositories"]} == {None}
    assert answer["task"] == "sh -c 'sleep 600'"


def test_what_landed_is_published_when_it_is_asked_for_and_never_twice(campaigns: Campaigns) -> None:
    folder = campaigns.folder
    bare = clone(make_repository(folder, FILES, name="origin"), folder / "bare.git", "--bare")
    url = f"https://github.com/{SLUG}"
    with (folder / "home/.gitconfig").open("a") as file:
        # The user's own git leads the host's address to a folder of this test.
        file.write(f'[url "file://{bare.root}"]\n\tinsteadOf = {url}\n[protocol "file"]\n\tallow = always\n')
    campaigns.listed(f"{url} branch=agent/digits")
    words = ("--patch", "change.patch", "--policy", "policy.toml")
    with serving(Fake(remote=bare.root)) as fake:
        host = {"GITHUB_API_URL": fake.url, "GITHUB_TOKEN": WRITER}
        code, answer = campaigns.campaign(
            "Digits", "--repos", "list.txt", *words, "--dry-run", "--publish", **host
        )
        (row,) = answer["repositories"]
        assert (code, row["fate"], row["would_land_on"], row["pull_request"]) == (
            0,
            "verified",
            "agent/digits",
            None,
        )
        assert (fake.asked, "agent/digits" in bare.git("branch")) == ([], False)

        code, answer = campaigns.campaign("Digits", "--repos", "list.txt", *words)
        assert (code, answer["repositories"][0]["fate"], fake.asked) == (0, "landed", [])
        refused, said = campaigns.campaign("--resume", "--publish")
        assert (refused, "there is no token" in said["error"]["message"]) == (2, True)
        code, answer = campaigns.campaign("--resume", "--publish", **host)
        assert (code, answer["repositories"][0]["fate"]) == (0, "published")
        code, same = campaigns.campaign("--resume", "--publish", **host)
        assert (code, same["repositories"]) == (0, answer["repositories"])
        (pull,) = fake.pulls.values()
        assert (pull["branch"], pull["draft"]) == ("agent/digits", True)
        assert bare.git("rev-parse", "agent/digits") == answer["repositories"][0]["commit"]
        assert bare.git("rev-parse", "agent/digits~1") == bare.git("rev-parse", "main")


def test_models_in_two_repositories_at_once_stay_within_one_budget(campaigns: Campaigns) -> None:
    for name in "abcd":
        make_repository(campaigns.folder, FILES, name=name)
    campaigns.listed(*"abcd")
    task = "Write the numbers as digits"
    question = {"question": question_for(task)}
    script = [
        {"do": "answer", "content": {**question, **plan("notes.txt")}, "when": {"form": "plan"}, "times": 0},
        {"do": "answer", "content": {**question, **edits(replacing("notes.txt", "two", "2"))}, "times": 0},
    ]
    with serving_model(script) as server:
        model = {"ANTHROPIC_API_KEY": "sk-ant-api03-AAAABBBBCCCC", "ANTHROPIC_BASE_URL": server.url}
        code, answer = campaigns.campaign(
            task, "--repos", "list.txt", "--policy", "policy.toml", "--max-calls", "5", "--jobs", "2", **model
        )
        assert len(server.asked) == answer["used"]["model_calls"] == 5
        rows = answer["repositories"]
        assert (code, [row["fate"] for row in rows]) == (
            3,
            ["landed", "landed", "out_of_budget", "not_started"],
        )
        assert [row["used"]["model_calls"] for row in rows] == [2, 2, 1, 0]
        code, answer = campaigns.campaign("--resume", "--max-calls", "9", "--retry", "failed", **model)
        assert (code, {row["fate"] for row in answer["repositories"]}) == (0, {"landed"})
        assert len(server.asked) == answer["used"]["model_calls"] == 9


def words(**more: Any) -> Words:
    said: dict[str, Any] = {
        "task": "convert to f-strings",
        "task_file": None,
        "command": None,
        "patch": None,
        "proposer": Who.AUTO,
        "model": None,
        "base_url": None,
        "effort": None,
        "candidates": "1",
        "reproduce": None,
        "paths": (),
        "network": False,
        "profile": None,
        "branch": None,
        "policy": None,
        "must_pass": (),
        "sandbox": "auto",
        "dry_run": False,
        "publish": False,
    }
    return Words(**{**said, **more})


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"task": "make it nicer"}, "no recipe understands this task"),
        ({"task": None}, "the task is missing"),
        ({"task": " "}, "the task is empty"),
        ({"task": "x", "command": ()}, "no command behind --"),
        ({"task": None, "command": ()}, "no command behind --"),
        ({"command": ("x",), "patch": "change.patch"}, "something else is to make it too"),
        ({"command": ("x",), "model": "m"}, "something else is to make it too"),
        ({"command": ("x",), "sandbox": "off"}, "something else is to make it too"),
        ({"network": True}, "are for a command"),
        ({"patch": "nowhere.patch"}, "cannot be read"),
        ({"branch": "-x"}, "not a usable branch name"),
        ({"patch": "change.patch", "proposer": Who.RECIPES}, "a patch is given"),
    ],
)
def test_what_no_repository_could_do_is_refused_once_before_anything_is_begun(
    campaigns: Campaigns, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(campaigns.folder)
    with pytest.raises(UsageFault, match=message):
        read_job(words(**said), (), Use(), source="list.txt", environ=campaigns.environ)


def test_a_policy_that_is_none_is_refused_and_one_by_path_goes_with_the_children(
    campaigns: Campaigns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(campaigns.folder)
    with pytest.raises((PolicyError, UsageFault)):
        read_job(words(policy="list.txt"), (), Use(), source="list.txt", environ=campaigns.environ)
    job, _ = read_job(words(policy="policy.toml"), (), Use(), source="list.txt", environ=campaigns.environ)
    assert job.options == (f"--policy={campaigns.folder}/policy.toml",)
    job, _ = read_job(
        words(policy="strict", must_pass=("t",)), (), Use(), source="list.txt", environ=campaigns.environ
    )
    assert job.options == ("--must-pass=t", "--policy=strict")


def test_a_list_that_cannot_be_read_is_refused(campaigns: Campaigns) -> None:
    for repos in (None, str(campaigns.folder / "nowhere"), str(campaigns.folder)):
        with pytest.raises(UsageFault):
            read_entries(repos, campaigns.environ)
    (campaigns.folder / "list.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageFault, match="no UTF-8"):
        read_entries(str(campaigns.folder / "list.txt"), campaigns.environ)
    campaigns.listed("a repository=../../x")
    with pytest.raises(UsageFault, match="not the name of a repository"):
        read_entries(str(campaigns.folder / "list.txt"), campaigns.environ)


def report(tmp_path: Path, *fates: Fate, dry_run: bool = False) -> CampaignReport:
    names = (HOSTILE, *(f"r{number}" for number in range(1, len(fates))))
    everything = tuple(range(len(fates)))
    event = Opened(names=names, chosen=everything, jobs=len(fates), limits=Use().limits, publish=False)
    state, _ = opened(event)
    for row, fate in enumerate(fates):
        ended = Ended(
            row=row, fate=fate, ms=1, why="\x1b]0;x\x07because", place="/a b", run="20261122-1", cost=Cost()
        )
        state, _ = step(state, ended)
    job = Job(task="t", branch="b", asked=False, dry_run=dry_run)
    return CampaignReport(campaign="c", folder=tmp_path, job=job, state=state, interrupted=False)


@pytest.mark.parametrize(
    ("fates", "code"),
    [
        ((Fate.LANDED, Fate.NO_CHANGE, Fate.VERIFIED), 0),
        ((Fate.LANDED, Fate.REJECTED), 1),
        ((Fate.WAITING,), 1),
        ((Fate.KEPT,), 1),
        ((Fate.REJECTED, Fate.TROUBLE), 3),
        ((Fate.OUT_OF_BUDGET,), 3),
    ],
)
def test_the_exit_code_says_whether_all_are_good_some_are_not_or_some_are_unknown(
    tmp_path: Path, fates: tuple[Fate, ...], code: int
) -> None:
    assert report(tmp_path, *fates).exit_code == code


def test_names_and_reasons_of_others_do_not_act_on_a_terminal(
    tmp_path: Path, screen: Callable[..., Terminal]
) -> None:
    terminal = screen(NO_COLOR="1", COLUMNS="200")
    made = report(tmp_path, Fate.REJECTED, Fate.LANDED)
    for one in (*campaign_page(made).lines, *table_lines(made.state, {})):
        terminal.write_line(one)
    PlainWatcher(terminal).happened(Ended(row=0, fate=Fate.REJECTED, ms=1), made.state)
    shown = written(terminal)
    assert not {"\x1b", "\u202e", "\x07"} & set(shown)
    assert shown.count("\\x1b[2J") == 3
    assert "dev-agent undo 20261122-1 -C '/a b'" in shown
    assert "--retry failed" in shown


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"command": ("true",)}, "path=src is for a recipe or a model, and a command makes the change"),
        ({"task": "t", "patch": "list.txt"}, "path=src is for a recipe or a model, and a patch is given"),
        ({"task": "t", "proposer": Who.RECIPES}, "line 4: path=a[ is no pattern"),
    ],
)
def test_a_path_that_this_work_cannot_heed_is_refused_with_file_line_and_remedy(
    campaigns: Campaigns, said: dict[str, Any], expected: str
) -> None:
    listed = campaigns.folder / "list.txt"
    listed.write_text("one\n# with a path\ntwo path=src\nthree path=a[\n")
    entries = read_entries(str(listed), campaigns.environ)
    with pytest.raises(UsageFault) as caught:
        read_job(words(**said), entries, Use(), source=str(listed), environ=campaigns.environ)
    assert caught.value.message.startswith(f"the list {listed} cannot be used:\n  line ")
    assert expected in caught.value.message
    assert "line 4: path=a[" in caught.value.message
    assert "line 1" not in caught.value.message
    assert "nothing was begun" in caught.value.hint


def test_a_name_the_code_host_cannot_have_is_refused_with_its_line(campaigns: Campaigns) -> None:
    listed = campaigns.folder / "list.txt"
    listed.write_text("one\n\ntwo repository=nobody\n")
    with pytest.raises(UsageFault, match=r"(?s)the list .*list\.txt cannot be used:.*line 3: nobody"):
        read_entries(str(listed), campaigns.environ)
