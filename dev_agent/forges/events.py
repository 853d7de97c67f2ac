"""What happened, as GitHub tells a job: the payload in the file `GITHUB_EVENT_PATH`, named by `GITHUB_EVENT_NAME`.

Five events mean something to us, with whatever action; every other one is refused by its name. The payload is a
snapshot of a moment: what it says about labels, text and commits may have changed since, so whoever acts asks the host
again (`trust`). Branch names of the payload are what others chose; they are refused here if git could take them for
anything but a branch, and still are data everywhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from dev_agent.errors import UsageFault
from dev_agent.forges import shapes
from dev_agent.forges.accounts import Actor
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.shapes import Shape, ShapeError
from dev_agent.forges.text import is_ref_name
from dev_agent.forges.threads import Branch, Comment, Issue, PullRequest
from dev_agent.values import dataclass

MAX_PAYLOAD = 32 * 1024 * 1024
"""Bytes of a payload we read; GitHub delivers at most 25 MB."""

_HEADS = "refs/heads/"


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuesEvent:
    """`issues`: something was done to an issue. `label` is the one that was added or removed, if that was it."""

    action: str
    repository: RepositoryName
    sender: Actor
    issue: Issue
    label: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueCommentEvent:
    """`issue_comment`: somebody said something on an issue or a pull request, or changed what they said."""

    action: str
    repository: RepositoryName
    sender: Actor
    issue: Issue
    comment: Comment


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequestEvent:
    """`pull_request`: something was done to a pull request, a push to it among others (`synchronize`)."""

    action: str
    repository: RepositoryName
    sender: Actor
    pull_request: PullRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeGroupEvent:
    """`merge_group`: GitHub's queue wants `head` judged on top of `base`; both are short branch names and commits."""

    action: str
    repository: RepositoryName
    sender: Actor
    head: Branch
    base: Branch


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowDispatchEvent:
    """`workflow_dispatch`: somebody who may write started a workflow by hand, with these words."""

    repository: RepositoryName
    sender: Actor
    ref: str
    inputs: Mapping[str, str]


Event = IssuesEvent | IssueCommentEvent | PullRequestEvent | MergeGroupEvent | WorkflowDispatchEvent


def read_event(environ: Mapping[str, str]) -> Event:
    """The event this job runs for. Raises UsageFault if there is none, or none we know."""
    name, path = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_EVENT_PATH", "")
    if not name or not path:
        raise UsageFault(
            "no event is given: GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are not both set",
            hint="run this in a GitHub Actions job, or say what to work on by options",
        )
    try:
        with Path(path).open("rb") as stream:
            payload = stream.read(MAX_PAYLOAD + 1)
    except OSError as error:
        raise UsageFault(
            f"the event's payload cannot be read: {error.strerror}: {path}",
            hint="GITHUB_EVENT_PATH names the file",
        ) from error
    return parse_event(name, payload)


def parse_event(name: str, payload: bytes) -> Event:
    """The event in `payload`. Raises UsageFault for one we do not handle, and for a payload that is not its shape."""
    reader = _READERS.get(name)
    if reader is None:
        raise UsageFault(
            f"the event {name[:60]!r} means nothing to dev-agent",
            hint=f"events it acts on: {', '.join(_READERS)}; see `on:` in the workflow",
        )
    try:
        if len(payload) > MAX_PAYLOAD:
            raise ShapeError(f"{name} has more than {MAX_PAYLOAD} bytes")
        return reader(Shape.of(json.loads(payload), name))
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, ShapeError) else "it is not JSON"
        raise UsageFault(
            f"the payload of the event {name} cannot be understood: {said}"[:400],
            hint="it has to be what GitHub delivered, unchanged",
        ) from error


def _issues(shape: Shape) -> IssuesEvent:
    label = shape.child_or_none("label")
    return IssuesEvent(
        action=shape.text("action"),
        repository=_repository(shape),
        sender=_sender(shape),
        issue=shapes.issue(shape.child("issue")),
        label=label.text("name") if label else None,
    )


def _issue_comment(shape: Shape) -> IssueCommentEvent:
    return IssueCommentEvent(
        action=shape.text("action"),
        repository=_repository(shape),
        sender=_sender(shape),
        issue=shapes.issue(shape.child("issue")),
        comment=shapes.comment(shape.child("comment")),
    )


def _pull_request(shape: Shape) -> PullRequestEvent:
    pull = shapes.pull_request(shape.child("pull_request"))
    _require_ref(pull.head.ref, "pull_request.head.ref")
    _require_ref(pull.base.ref, "pull_request.base.ref")
    return PullRequestEvent(
        action=shape.text("action"), repository=_repository(shape), sender=_sender(shape), pull_request=pull
    )


def _merge_group(shape: Shape) -> MergeGroupEvent:
    group = shape.child("merge_group")
    repository = _repository(shape)
    return MergeGroupEvent(
        action=shape.text("action"),
        repository=repository,
        sender=_sender(shape),
        head=_end(group, "head", repository),
        base=_end(group, "base", repository),
    )


def _end(group: Shape, name: str, repository: RepositoryName) -> Branch:
    ref = group.text(f"{name}_ref").removeprefix(_HEADS)
    _require_ref(ref, group.at(f"{name}_ref"))
    return Branch(ref=ref, sha=group.text(f"{name}_sha"), repository=str(repository))


def _workflow_dispatch(shape: Shape) -> WorkflowDispatchEvent:
    given = shape.child_or_none("inputs")
    inputs = {name: _input(given, name) for name in given.data} if given else {}
    return WorkflowDispatchEvent(
        repository=_repository(shape), sender=_sender(shape), ref=shape.text("ref"), inputs=inputs
    )


def _input(given: Shape, name: str) -> str:
    """GitHub passes all kinds of inputs as strings, but booleans and numbers have been seen as what they are."""
    value = given.data[name]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else given.text_or(name)


def _repository(shape: Shape) -> RepositoryName:
    full_name = shape.child("repository").text("full_name")
    try:
        return RepositoryName.parse(full_name)
    except UsageFault as error:
        raise ShapeError(f"{shape.path}.repository.full_name: {error.message}") from error


def _sender(shape: Shape) -> Actor:
    return shapes.actor(shape.child_or_none("sender"))


def _require_ref(name: str, path: str) -> None:
    if not is_ref_name(name):
        raise ShapeError(f"{path} is not the name of a branch")


_READERS: Mapping[str, Callable[[Shape], Event]] = {
    "issues": _issues,
    "issue_comment": _issue_comment,
    "pull_request": _pull_request,
    "merge_group": _merge_group,
    "workflow_dispatch": _workflow_dispatch,
}
"""Every event we act on, by GitHub's name for it."""
