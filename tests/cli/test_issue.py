"""The issue bot as a workflow runs it: two commands, two tokens, an event file, a folder in between."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from dev_agent.cli.issue import propose, publish
from tests.forges.fake import BOT, READER, SLUG, WRITER, Fake, serving, user
from tests.testing.repos import Project, clone, isolated_environ, make_repository

POLICY = b'name = "quick"\nversion = 1\n[gates]\ntypes = "off"\n[on]\n'
FILES = {
    "pyproject.toml": b'[project]\nname = "tiny"\nversion = "1"\n[tool.dev-agent]\npolicy = "policy.toml"\n',
    "policy.toml": POLICY,
    "tiny.py": b"def double(number: int) -> int:\n    return number + number\n",
    "test_tiny.py": b"from tiny import double\n\n\ndef test_double() -> None:\n    assert double(2) == 4\n",
}
GOOD = """\
--- a/tiny.py
+++ b/tiny.py
@@ -1,2 +1,2 @@
 def double(number: int) -> int:
-    return number + number
+    return 2 * number
"""


class Workflow:
    """One repository on the fake host, and the jobs of a workflow in fresh checkouts of it."""

    def __init__(self, fake: Fake, bare: Project, folder: Path) -> None:
        self.fake, self.bare, self.folder = fake, bare, folder
        self.jobs = 0

    def event(self, name: str, action: str, **more: Any) -> dict[str, str]:
        payload = {
            "action": action,
            "issue": self.fake.issues[12],
            "repository": {"full_name": SLUG},
            "sender": user("maintainer"),
            **more,
        }
        path = self.folder / f"event-{self.jobs}.json"
        path.write_text(json.dumps(payload))
        return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)}

    def job(
        self, event: dict[str, str], token: str, *args: str, **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        """A step in a checkout of its own, as the runner would start it: no user, no identity, no other secrets."""
        self.jobs += 1
        checkout = clone(self.bare, self.folder / f"checkout-{self.jobs}")
        inherited = {k: v for k, v in isolated_environ(self.folder / "runner").items() if "AUTHOR" not in k}
        inherited = {k: v for k, v in inherited.items() if "COMMITTER" not in k}
        output = self.folder / f"output-{self.jobs}"
        return subprocess.run(
            [sys.executable, "-m", "dev_agent", "issue", *args],
            cwd=checkout.root,
            env={
                **inherited,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "VIRTUAL_ENV": sys.prefix,
                "GITHUB_ACTIONS": "true",
                "GITHUB_API_URL": self.fake.url,
                "GITHUB_REPOSITORY": SLUG,
                "GITHUB_OUTPUT": str(output),
                "GITHUB_TOKEN": token,
                **event,
                **environ,
            },
            capture_output=True,
            timeout=300,
            check=False,
        )

    def outputs(self) -> dict[str, str]:
        """What the last step told the next one."""
        lines = (self.folder / f"output-{self.jobs}").read_text().split("\n")
        return {lines[at].partition("<<")[0]: lines[at + 1] for at in range(0, len(lines) - 2, 3)}


@pytest.fixture
def workflow(tmp_path: Path) -> Iterator[Workflow]:
    origin = make_repository(tmp_path, FILES, name="origin")
    bare = clone(origin, tmp_path / "bare.git", "--bare")
    with serving(Fake(remote=bare.root)) as fake:
        fake.open_issue(12, "Doubling is slow", "It adds.")
        yield Workflow(fake, bare, tmp_path)


def test_a_comment_becomes_a_draft_pull_request_through_two_jobs(workflow: Workflow, tmp_path: Path) -> None:
    patch = tmp_path / "good.diff"
    patch.write_text(GOOD)
    artifact = tmp_path / "artifact"
    fake = workflow.fake
    said = fake.comments[fake.comment(12, "/dev-agent --patch /etc/passwd; $(id) @all")]
    event = workflow.event("issue_comment", "created", comment=said)

    done = workflow.job(
        event, READER, "propose", "--artifact", str(artifact), "--json", "--", "--patch", str(patch)
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    assert done.stderr.startswith(b"::stop-commands::"), (
        "the runner obeys nothing that is printed from here on"
    )
    assert json.loads(done.stdout)["outcome"] == "proposed"
    assert workflow.outputs()["artifact"] == str(artifact)
    assert not fake.writes()

    done = workflow.job(event, WRITER, "publish", str(artifact), "--json")
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    answer = json.loads(done.stdout)
    assert answer["outcome"] == "published"
    assert workflow.outputs()["pull-request"] == str(answer["pull_request"])
    (pull,) = (fake.pull_json(number) for number in fake.pulls)
    assert (pull["head"]["sha"], pull["draft"]) == (answer["commit"], True)
    assert workflow.bare.git("show", f"{answer['commit']}:tiny.py").endswith("return 2 * number")
    assert workflow.bare.git("log", "-1", "--format=%an", answer["commit"]) == "github-actions[bot]"
    assert f"#{pull['number']}" in fake.ours()[0]["body"]
    assert not list(tmp_path.glob("checkout-*/id")), "nothing of the request was run"
    both = done.stdout + done.stderr
    assert WRITER.encode() not in both
    for path in (*artifact.rglob("*"), *tmp_path.glob("checkout-*/.git/**/*")):
        assert not path.is_file() or (WRITER.encode() not in path.read_bytes()), path


def test_a_job_without_its_event_or_token_says_what_is_missing(workflow: Workflow) -> None:
    event = workflow.event("push", "x")
    done = workflow.job(event, READER, "propose", "--json")
    assert (done.returncode, "means nothing" in json.loads(done.stdout)["error"]["message"]) == (2, True)
    event = workflow.event("issues", "labeled", label={"name": "dev-agent"})
    done = workflow.job(event, "", "propose", "--json")
    assert (done.returncode, "no token" in json.loads(done.stdout)["error"]["message"]) == (2, True)
    workflow.fake.label(12, "dev-agent")
    event = workflow.event("issues", "labeled", label={"name": "dev-agent"})
    done = workflow.job(event, READER, "propose", "--json", "--", "--branch", "main")
    assert (done.returncode, "--branch" in json.loads(done.stdout)["error"]["message"]) == (2, True)
    assert not workflow.fake.writes()


def test_a_task_nobody_understands_is_told_on_the_issue(workflow: Workflow, tmp_path: Path) -> None:
    fake = workflow.fake
    fake.label(12, "dev-agent")
    event = workflow.event("issues", "labeled", label={"name": "dev-agent"})
    artifact = tmp_path / "artifact"
    done = workflow.job(event, READER, "propose", "--artifact", str(artifact), "--", "--proposer", "recipes")
    assert done.returncode == 2, done.stderr.decode()
    done = workflow.job(event, WRITER, "publish", str(artifact))
    assert done.returncode == 1, done.stderr.decode()
    (comment,) = fake.ours()
    assert "no recipe understands this task" in comment["body"].replace("&#45;", "-")
    assert comment["user"]["login"] == BOT
    assert not fake.pulls


def test_every_option_is_in_its_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
    table = page.split("| option of `issue propose`, `issue publish` |")[1].split("\n\n")[0]
    shared = {"-C", "--json", "--quiet", "--policy", "--must-pass", "--sandbox"}
    found = set()
    for command in (propose, publish):
        hints = get_type_hints(command, include_extras=True)
        for option in (hint.__metadata__[0] for name, hint in hints.items() if name != "return"):
            # In an annotation typer keeps the first name where a default would stand; an argument has none.
            if isinstance(option.default, str) and option.default not in shared:
                found.add(option.default)
                assert f"| `{option.default}" in table
                assert option.envvar is None or f"| `{option.envvar}` |" in table
    assert len(found) == 8
