"""The pre-merge bot against a stateful host: what is told, about which commit, and what an artifact cannot do."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dev_agent.cancel import Cancel
from dev_agent.cli.app import run
from dev_agent.errors import UsageFault
from dev_agent.forges.github import GitHub
from dev_agent.forges.merge_artifact import read_merge_artifact, write_merge_artifact
from dev_agent.forges.premerge import Files, head_lines, judged_head, publish, subject_of, tell, write_files
from dev_agent.programs.folders import find_run
from dev_agent.programs.merge_report import MergeReport
from dev_agent.programs.premerge import MergeRequest, judge_merge
from dev_agent.programs.recheck import doubt_about
from dev_agent.programs.report import Outcome
from dev_agent.repository.discovery import discover
from dev_agent.runtime.engine import Reporter
from tests.forges.fake import READER, SLUG, WRITER, Fake, user
from tests.forges.world import World
from tests.programs.conftest import NO_GATES

LENIENT = NO_GATES.replace("[on]", '[on]\nci_files = "allow"')


class Bot:
    """A pull request from `topic` with what it changes, and the two jobs."""

    def __init__(self, world: World) -> None:
        self.world, self.fake, self.project = world, world.fake, world.project
        self.number = 0
        self.head = ""

    def pull(self, files: dict[str, bytes], *, message: str = "topic") -> int:
        self.project.git("checkout", "--quiet", "-B", "topic", "origin/main")
        self.head = self.project.commit(message, dict(files))
        self.project.git("push", "--quiet", "--force", "origin", "topic")
        self.project.git("checkout", "--quiet", "main")
        self.number = self.number or self.fake.open_pull("topic", login="stranger")
        return self.number

    def policy(self, text: str = NO_GATES) -> str:
        path = self.world.folder / "policy.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def judge(self, *, policy: str = NO_GATES, **more: Any) -> MergeReport:
        request = MergeRequest(
            base="origin/main",
            head=self.head,
            head_ref=f"refs/pull/{self.number}/head",
            policy=self.policy(policy),
            **more,
        )
        return judge_merge(
            self.project.repository(),
            request,
            environ=self.project.environ,
            reporter=Reporter(),
            cancel=Cancel(),
        )

    def tell(self, report: MergeReport) -> MergeReport:
        lines = head_lines(self.project.repository(), report)
        return tell(report, forge=self.client(), number=self.number, lines=lines)

    def client(self) -> GitHub:
        return self.world.client(WRITER)

    def artifact(self, report: MergeReport) -> Path:
        folder = self.world.folder / "judged"
        write_merge_artifact(folder, find_run(self.project.repository(), report.run.run))
        return folder

    def publish(self, folder: Path, *, head: str = "", policy: str = NO_GATES) -> MergeReport:
        return publish(
            self.project.repository(),
            folder,
            forge=self.client(),
            head=head or self.head,
            policy=self.policy(policy),
        )

    def check(self) -> dict[str, Any]:
        return list(self.fake.checks.values())[-1]

    def comments(self) -> list[str]:
        return [str(one["body"]) for one in self.fake.ours(self.number)]


@pytest.fixture
def bot(world: World) -> Bot:
    return Bot(world)


def test_a_green_merge_is_a_success_on_the_head_and_one_comment(bot: Bot) -> None:
    bot.pull({"notes.txt": b"other\n"})
    bot.tell(bot.judge())
    made = bot.check()
    assert (made["head_sha"], made["name"], made["status"], made["conclusion"]) == (
        bot.head,
        "dev-agent/verify",
        "completed",
        "success",
    )
    (comment,) = bot.comments()
    assert comment.startswith("<!-- dev-agent:premerge -->\n## ✅")


def test_told_again_it_is_the_same_comment_edited_in_place(bot: Bot) -> None:
    bot.pull({"notes.txt": b"other\n"})
    bot.tell(bot.judge())
    bot.pull({".github/workflows/x.yml": b"on: push\n"})
    report = bot.judge()
    bot.tell(report)
    bot.tell(report)
    (comment,) = bot.comments()
    assert "## ❌" in comment
    assert "`.github/workflows/x.yml" in comment
    assert len(bot.fake.checks) == 2


def test_findings_are_annotations_on_the_lines_of_the_head_in_batches(bot: Bot) -> None:
    files = {f"sub/.github/workflows/{number:03d}.yml": b"on: push\n" for number in range(3)}
    secrets = "\n".join(f'AWS_KEY_{number} = "AKIAIOSFODNN7EXAMPL{number % 10}"' for number in range(70))
    bot.pull({**files, "src/keys.py": secrets.encode() + b"\n"})
    report = bot.tell(bot.judge())
    assert report.run.reason == "policy_denied"
    told = [one for one in bot.fake.asked if "check-runs" in one.path and one.method != "GET"]
    sizes = [len(one.body["output"].get("annotations", ())) for one in told]
    assert all(size <= 50 for size in sizes)
    placed = [note for one in told for note in one.body["output"].get("annotations", ())]
    assert {note["path"] for note in placed} >= {"src/keys.py"}
    assert all(note["start_line"] >= 1 for note in placed)


def test_a_head_that_moved_meanwhile_is_cancelled_and_its_comment_left_alone(bot: Bot) -> None:
    bot.pull({"notes.txt": b"other\n"})
    report = bot.judge()
    old = bot.head
    bot.pull({"notes.txt": b"newer\n"})
    told = bot.tell(report)
    assert (told.exit_code, told.passed) == (130, False)
    assert (bot.check()["head_sha"], bot.check()["conclusion"]) == (old, "cancelled")
    assert bot.comments() == []


def test_hostile_names_reach_the_host_only_as_text(bot: Bot) -> None:
    path = ".github/@maintainer ![x](https://evil.example) `|`.yml"
    bot.pull({path: b"on: push\n"}, message="@everyone ::error::x")
    bot.tell(bot.judge())
    (comment,) = bot.comments()
    assert "@maintainer" not in comment
    assert "](https:" not in comment.replace("<code>", "")


# -- an artifact of another job


def test_a_good_artifact_is_believed_after_everything_was_done_again(bot: Bot) -> None:
    bot.pull({"notes.txt": b"other\n"})
    folder = bot.artifact(bot.judge())
    report = bot.publish(folder)
    assert (report.run.outcome, report.exit_code) == (Outcome.VERIFIED, 0)
    assert (bot.check()["head_sha"], bot.check()["conclusion"]) == (bot.head, "success")


def test_a_red_artifact_is_told_as_it_is(bot: Bot) -> None:
    bot.pull({".github/workflows/x.yml": b"on: push\n"})
    assert bot.publish(bot.artifact(bot.judge())).exit_code == 1
    assert bot.check()["conclusion"] == "failure"


def test_a_head_that_could_have_written_its_own_verdict_needs_a_person(bot: Bot) -> None:
    """A fork's job runs the workflow of the merge: one that changes it can hand over any trace that holds together."""
    bot.pull({".github/workflows/judge.yml": b"on: pull_request\n"})
    folder = bot.artifact(bot.judge(policy=LENIENT))
    report = bot.publish(folder, policy=LENIENT)
    assert (report.run.outcome, report.run.reason, report.exit_code) == (Outcome.SUSPENDED, "not_believed", 5)
    assert bot.check()["conclusion"] == "action_required"


def test_a_verdict_under_a_softer_policy_is_not_believed(bot: Bot) -> None:
    bot.pull({"notes.txt": b"other\n"})
    folder = bot.artifact(bot.judge(policy=LENIENT))
    report = bot.publish(folder, policy=NO_GATES)
    assert report.run.explanation == "it was judged by another policy than the base's"
    assert bot.check()["conclusion"] == "action_required"


def test_an_artifact_about_another_head_is_refused(bot: Bot) -> None:
    bot.pull({"notes.txt": b"harmless\n"})
    folder = bot.artifact(bot.judge())
    bot.pull({".github/workflows/x.yml": b"on: push\n"})
    with pytest.raises(UsageFault, match="not about the pull request head"):
        bot.publish(folder)
    assert bot.fake.writes() == []


def test_an_artifact_that_a_newer_push_overtook_is_cancelled(bot: Bot) -> None:
    bot.pull({"notes.txt": b"other\n"})
    folder, old = bot.artifact(bot.judge()), bot.head
    bot.pull({"notes.txt": b"newer\n"})
    assert bot.publish(folder, head=old).exit_code == 130
    assert bot.check()["conclusion"] == "cancelled"


def test_a_base_that_is_not_on_the_base_branch_is_refused(bot: Bot) -> None:
    """Judged against a base of the attacker's own, where policy and tests are what they like."""
    bot.pull({"notes.txt": b"other\n"})
    bot.project.git("checkout", "--quiet", "--detach")
    bot.project.commit("soft base", {"dev-agent.toml": b"[gates.tests]\nenabled = false\n"})
    bot.project.git("push", "--quiet", "origin", "HEAD:refs/heads/soft")
    bot.project.git("update-ref", "refs/remotes/origin/main", "HEAD")
    folder = bot.artifact(bot.judge())
    with pytest.raises(UsageFault, match="not on the base branch"):
        bot.publish(folder)
    assert bot.fake.writes() == []


def forge_trace(folder: Path) -> None:
    (run,) = folder.iterdir()
    trace = run / "trace.jsonl"
    trace.write_bytes(trace.read_bytes().replace(b'"verdict":"deny"', b'"verdict":"allow"', 1))


def link_out(folder: Path) -> None:
    (run,) = folder.iterdir()
    (run / "receipt.json").unlink()
    (run / "receipt.json").symlink_to("/etc/passwd")


def two_runs(folder: Path) -> None:
    (run,) = folder.iterdir()
    shutil.copytree(run, folder / "another")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize("attack", [forge_trace, link_out, two_runs, pipe, shutil.rmtree])
def test_an_artifact_that_does_not_hold_is_refused_and_nothing_is_told(
    bot: Bot, attack: Callable[[Path], None]
) -> None:
    bot.pull({".github/workflows/x.yml": b"on: push\n"})
    folder = bot.artifact(bot.judge())
    attack(folder)
    with pytest.raises(UsageFault, match="the artifact cannot be used"):
        bot.publish(folder)
    assert bot.fake.writes() == []


def test_a_report_whose_tree_is_not_the_merge_is_doubted(bot: Bot) -> None:
    """What `as_is` judges is the head alone, which may lack what the base has."""
    bot.pull({"notes.txt": b"other\n"})
    bot.project.commit("main goes on", {"main.txt": b"1\n"})
    bot.project.git("update-ref", "refs/remotes/origin/main", "main")
    report = bot.judge(as_is=True)
    assert report.passed
    assert "not the tree that was judged" in doubt_about(
        bot.project.repository(), report, policy=bot.policy()
    )


def test_a_report_that_names_another_tree_or_lacks_a_verdict_is_doubted(bot: Bot) -> None:
    bot.pull({"notes.txt": b"other\n"})
    report, repository, policy = bot.judge(), bot.project.repository(), bot.policy()
    assert doubt_about(repository, report, policy=policy) == ""

    def doubt(**run: Any) -> str:
        return doubt_about(repository, replace(report, run=replace(report.run, **run)), policy=policy)

    assert "not the tree that was judged" in doubt(tree=bot.project.tree("main"))
    assert "no verdict of tests, types" in doubt(gates=())
    types, tests = ({"name": name, "verdict": "passed"} for name in ("types", "tests"))
    assert "not that tests did" in doubt(gates=(types, {**tests, "verdict": "failed"}))
    assert "policy, asked again here, says allow" in doubt(policy={**report.run.policy, "verdict": "ask"})


def test_a_clone_without_the_head_cannot_check_and_says_what_to_fetch(bot: Bot) -> None:
    bot.pull({"notes.txt": b"other\n"})
    folder = bot.artifact(bot.judge())
    report = read_merge_artifact(folder)
    empty = bot.world.folder / "empty.git"
    bot.project.git("init", "--quiet", "--bare", str(empty))
    with pytest.raises(UsageFault) as told:
        doubt_about(discover(empty, bot.project.environ), report)
    assert "git fetch origin refs/pull/N/head" in told.value.hint


# -- events and files


def event_of(tmp_path: Path, name: str, payload: object) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload), encoding="utf-8")
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)}


def test_a_pull_request_event_names_both_ends(bot: Bot, tmp_path: Path) -> None:
    number = bot.pull({"notes.txt": b"other\n"})
    payload = {
        "action": "synchronize",
        "pull_request": bot.fake.pull_json(number),
        "repository": {"full_name": SLUG},
        "sender": user("stranger"),
    }
    found = subject_of(bot.project.repository(), event_of(tmp_path, "pull_request", payload))
    assert (found.base, found.head, found.head_ref, found.number) == (
        "refs/remotes/origin/main",
        bot.head,
        f"refs/pull/{number}/head",
        number,
    )


def test_a_merge_group_is_judged_as_the_queue_made_it(bot: Bot, tmp_path: Path) -> None:
    main = bot.project.git("rev-parse", "main")
    group = {
        "head_sha": "a" * 40,
        "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-x",
        "base_sha": main,
        "base_ref": "refs/heads/main",
    }
    payload = {
        "action": "checks_requested",
        "merge_group": group,
        "repository": {"full_name": SLUG},
        "sender": user("x"),
    }
    found = subject_of(bot.project.repository(), event_of(tmp_path, "merge_group", payload))
    assert (found.base, found.head, found.number) == (main, "a" * 40, None)


def test_an_event_that_is_about_no_merge_is_refused(bot: Bot, tmp_path: Path) -> None:
    payload = {"repository": {"full_name": SLUG}, "sender": user("x"), "ref": "refs/heads/main"}
    with pytest.raises(UsageFault, match="about no merge"):
        subject_of(bot.project.repository(), event_of(tmp_path, "workflow_dispatch", payload))


@pytest.mark.parametrize(
    ("run_of", "fault"),
    [
        ({"event": "pull_request", "head_sha": "a" * 40}, ""),
        ({"event": "push", "head_sha": "a" * 40}, "started by 'push'"),
        ({"event": "pull_request", "head_sha": "--all"}, "started by"),
        ({"event": "pull_request"}, "cannot be understood"),
    ],
)
def test_whose_report_it_is_comes_from_the_host(tmp_path: Path, run_of: dict[str, str], fault: str) -> None:
    environ = event_of(tmp_path, "workflow_run", {"workflow_run": run_of})
    if not fault:
        assert judged_head(environ) == "a" * 40
        return
    with pytest.raises(UsageFault, match=fault):
        judged_head(environ)


def test_reports_are_written_and_a_summary_is_added_to_what_stands_there(bot: Bot, tmp_path: Path) -> None:
    bot.pull({"notes.txt": b"other\n"})
    files = Files(sarif=tmp_path / "s.sarif", junit=tmp_path / "j.xml", summary=tmp_path / "s.md")
    (tmp_path / "s.md").write_text("before\n", encoding="utf-8")
    write_files(bot.judge(), files)
    assert json.loads((tmp_path / "s.sarif").read_bytes())["version"] == "2.1.0"
    assert (tmp_path / "j.xml").read_bytes().startswith(b"<?xml")
    assert (tmp_path / "s.md").read_text(encoding="utf-8").startswith("before\n## ✅")


def test_from_the_shell_as_a_job_would(
    bot: Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Event in, check run and artifact out; then the second job publishes that artifact."""
    number = bot.pull({"notes.txt": b"other\n"})
    payload = {
        "action": "opened",
        "pull_request": bot.fake.pull_json(number),
        "repository": {"full_name": SLUG},
        "sender": user("stranger"),
    }
    told = {
        **bot.project.environ,
        **event_of(tmp_path, "pull_request", payload),
        "GITHUB_API_URL": bot.fake.url,
        "GITHUB_TOKEN": WRITER,
        "GITHUB_REPOSITORY": SLUG,
        "GITHUB_SERVER_URL": "https://github.test",
        "GITHUB_RUN_ID": "77",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    where = ["-C", str(bot.project.root), "--policy", bot.policy()]
    artifact = tmp_path / "artifact"
    assert run(["premerge", "--report", "github", "--artifact", str(artifact), *where]) == 0
    assert "reported to octo/shop" in capsys.readouterr().out
    assert bot.check()["conclusion"] == "success"
    told_check = next(
        one for one in bot.fake.asked if one.path.endswith("/check-runs") and one.method == "POST"
    )
    assert told_check.body["details_url"] == f"https://github.test/{SLUG}/actions/runs/77"
    again = event_of(
        tmp_path, "workflow_run", {"workflow_run": {"event": "pull_request", "head_sha": bot.head}}
    )
    for name, value in again.items():
        monkeypatch.setenv(name, value)
    assert run(["premerge", "--publish", str(artifact), "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out)["head"] == bot.head
    assert len(bot.fake.checks) == 1


def test_where_the_host_cannot_be_told_the_files_are_written_and_the_job_fails(
    bot: Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = bot.pull({"notes.txt": b"other\n"})
    payload = {
        "action": "opened",
        "pull_request": bot.fake.pull_json(number),
        "repository": {"full_name": SLUG},
        "sender": user("stranger"),
    }
    told = {
        **bot.project.environ,
        **event_of(tmp_path, "pull_request", payload),
        "GITHUB_API_URL": bot.fake.url,
    }
    for name, value in {**told, "GITHUB_TOKEN": READER}.items():
        monkeypatch.setenv(name, value)
    where = ["-C", str(bot.project.root), "--policy", bot.policy(), "--junit", str(tmp_path / "j.xml")]
    assert run(["premerge", "--report", "github", *where]) == 3
    assert "Resource not accessible" in capsys.readouterr().err
    assert (tmp_path / "j.xml").exists()
    assert bot.fake.checks == {}


def test_it_says_what_is_missing_at_a_shell(bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    for argv, said in (
        (["premerge"], "a merge has two ends"),
        (["premerge", "--base", "main"], "a merge has two ends"),
        (["premerge", "--pre-push", "--pre-receive"], "three things"),
        (["premerge", "--pre-push", "--base", "x"], "told by git"),
        (["premerge", "--report", "gitlab"], "it can be: github, none"),
        (["premerge", "--report", "github", "--base", "main", "--head", "main"], "needs the event of a job"),
        (["premerge", "topic"], "means nothing here"),
    ):
        assert run([*argv, "-C", str(bot.project.root)]) == 2
        assert said in capsys.readouterr().err
    assert isinstance(bot.fake, Fake)
