"""Payloads as GitHub delivers them become values; anything else is refused by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dev_agent.errors import UsageFault
from dev_agent.forges.events import (
    IssueCommentEvent,
    IssuesEvent,
    MergeGroupEvent,
    PullRequestEvent,
    WorkflowDispatchEvent,
    parse_event,
    read_event,
)
from dev_agent.forges.threads import OpenState

FOLDER = Path(__file__).parents[1] / "data" / "webhooks"
KINDS = {
    "issues": IssuesEvent,
    "issue_comment": IssueCommentEvent,
    "pull_request": PullRequestEvent,
    "merge_group": MergeGroupEvent,
    "workflow_dispatch": WorkflowDispatchEvent,
}
EXAMPLES = [
    (name, index, example)
    for name in KINDS
    for index, example in enumerate(json.loads((FOLDER / f"{name}.json").read_text("ascii")))
]


def example(name: str, action: str = "") -> Any:
    return next(one for kind, _, one in EXAMPLES if kind == name and one.get("action", "") == action)


@pytest.mark.parametrize(("name", "index", "payload"), EXAMPLES, ids=[f"{n}-{i}" for n, i, _ in EXAMPLES])
def test_every_example_of_github_is_understood(name: str, index: int, payload: Any) -> None:
    event = parse_event(name, json.dumps(payload).encode())
    assert isinstance(event, KINDS[name])
    assert str(event.repository) == payload["repository"]["full_name"]
    assert event.sender.login == payload["sender"]["login"]
    assert getattr(event, "action", "") == payload.get("action", "")


def test_there_are_as_many_examples_as_there_were() -> None:
    counts = {name: sum(kind == name for kind, _, _ in EXAMPLES) for name in KINDS}
    assert counts == {
        "issues": 29,
        "issue_comment": 9,
        "pull_request": 29,
        "merge_group": 2,
        "workflow_dispatch": 2,
    }


def test_what_a_labelled_issue_says() -> None:
    event = parse_event("issues", json.dumps(example("issues", "labeled")).encode())
    assert isinstance(event, IssuesEvent)
    assert event.label is not None
    assert event.label in event.issue.labels
    assert event.issue.state is OpenState.OPEN
    assert not event.issue.is_pull_request


def test_a_merge_group_names_branches_and_commits() -> None:
    event = parse_event("merge_group", json.dumps(example("merge_group", "checks_requested")).encode())
    assert isinstance(event, MergeGroupEvent)
    assert event.base.ref == "main"
    assert not event.head.ref.startswith("refs/")
    assert len(event.head.sha) == 40


def test_a_pull_request_tells_its_ends_and_whether_it_is_a_forks() -> None:
    event = parse_event("pull_request", json.dumps(example("pull_request", "synchronize")).encode())
    assert isinstance(event, PullRequestEvent)
    assert event.pull_request.is_fork is False
    gone = json.loads(json.dumps(example("pull_request", "synchronize")))
    gone["pull_request"]["head"]["repo"] = None
    event = parse_event("pull_request", json.dumps(gone).encode())
    assert isinstance(event, PullRequestEvent)
    assert event.pull_request.is_fork


@pytest.mark.parametrize("name", ["push", "pull_request_target", "workflow_run", "issues ", "", "x" * 500])
def test_another_event_is_refused_by_name(name: str) -> None:
    with pytest.raises(UsageFault, match="means nothing") as raised:
        parse_event(name, b"{}")
    assert name[:60] in raised.value.message
    assert "merge_group" in raised.value.hint


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b"", "not JSON"),
        (b"[]", "issues is not an object"),
        (b"{}", "issues.action is not a string"),
        (b'{"action": "x"}', "issues.repository is not an object"),
        (b'{"action": "x", "repository": {"full_name": "a"}}', "full_name"),
        (b'{"action": "x", "repository": {"full_name": "../x"}}', "full_name"),
        (b'{"action": 1, "repository": {"full_name": "a/b"}}', "issues.action is not a string"),
        (
            b'{"action": "x", "repository": {"full_name": "a/b"}, "issue": {"number": -1}}',
            "issues.issue.number",
        ),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_a_payload_of_another_shape_names_the_place(broken: bytes, said: str) -> None:
    with pytest.raises(UsageFault) as raised:
        parse_event("issues", broken)
    assert said in raised.value.message


@pytest.mark.parametrize(
    "ref", ["--upload-pack=x", "a..b", "a b", "x.lock", "", "@{-1}", "a:b", "a\nb", "\u202ex"]
)
def test_a_branch_that_git_could_misread_is_refused(ref: str) -> None:
    payload = json.loads(json.dumps(example("pull_request", "synchronize")))
    payload["pull_request"]["head"]["ref"] = ref
    with pytest.raises(UsageFault, match=r"head.ref is not the name of a branch"):
        parse_event("pull_request", json.dumps(payload).encode())


def test_inputs_of_a_dispatch_are_words(tmp_path: Path) -> None:
    payload = {
        **example("workflow_dispatch"),
        "inputs": {"issue": 12, "dry": True, "none": None, "text": "x"},
    }
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload))
    event = read_event({"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_EVENT_PATH": str(path)})
    assert isinstance(event, WorkflowDispatchEvent)
    assert event.inputs == {"issue": "12", "dry": "true", "none": "", "text": "x"}


def test_a_job_without_an_event_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="no event"):
        read_event({})
    with pytest.raises(UsageFault, match="cannot be read"):
        read_event({"GITHUB_EVENT_NAME": "issues", "GITHUB_EVENT_PATH": str(tmp_path / "none")})
