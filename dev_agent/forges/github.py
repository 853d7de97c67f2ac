"""GitHub behind the `Forge` interface: github.com, and GitHub Enterprise Server by its own base URL.

Thin on purpose: every method is one request (or one list), its body built here, its answer read by `shapes`. Patience,
limits and the token's way are `http`'s. Endpoints and bodies are checked against GitHub's own OpenAPI description by
`make forge-contract`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from dev_agent.forges import shapes
from dev_agent.forges.accounts import Actor, ActorKind, Permission
from dev_agent.forges.check_runs import MAX_ANNOTATIONS, Annotation, CheckReport, CheckRun, StatusReport
from dev_agent.forges.errors import ForgeRefused, ForgeUnintelligible
from dev_agent.forges.forge import MAX_BODY, Comparison, Ref, RepositoryInfo
from dev_agent.forges.http import Http, SystemTime
from dev_agent.forges.patience import NOT_THE_API
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.shapes import Shape, ShapeError
from dev_agent.forges.text import cut
from dev_agent.forges.threads import Comment, Issue, NewPullRequest, OpenState, PullRequest
from dev_agent.forges.token import token_of

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel

API = "https://api.github.com"
ACTIONS_BOT = Actor(login="github-actions[bot]", kind=ActorKind.BOT)
"""Who writes with a job's own token. The host tells installations nothing about themselves."""

_DESCRIPTION = 140
_Value = TypeVar("_Value")


def github_of(
    environ: Mapping[str, str], repository: RepositoryName, *, cancel: Cancel, login: str | None = None
) -> GitHub:
    """The client of a job or a person: `GITHUB_API_URL` and the token come from the environment; to be closed.

    `login` is who the token writes as, where the host would not say. Raises UsageFault and EnvironmentFault.
    """
    http = Http(environ.get("GITHUB_API_URL") or API, token_of(environ), cancel=cancel, clock=SystemTime())
    return GitHub(http, repository, login=login)


class GitHub:
    """One repository on GitHub, seen with one token."""

    def __init__(self, http: Http, repository: RepositoryName, *, login: str | None = None) -> None:
        self._http = http
        self._repository = repository
        self._login = login
        self._root = f"/repos/{repository}"

    def __enter__(self) -> GitHub:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def repository(self) -> RepositoryName:
        """Which repository."""
        return self._repository

    def describe(self) -> RepositoryInfo:
        """The repository as a whole."""
        return self._read(self._root, shapes.repository_info)

    def viewer(self) -> Actor:
        """Who we are; a job's own token is the Actions bot, to which the host does not say so."""
        if self._login is not None:
            kind = ActorKind.BOT if self._login.endswith("[bot]") else ActorKind.USER
            return Actor(login=self._login, kind=kind)
        try:
            return self._read("/user", shapes.actor)
        except ForgeRefused as refused:
            if refused.status != 403:
                raise
            return ACTIONS_BOT

    def permission(self, login: str) -> Permission:
        """What the account may do; the host knows no permissions of one that is no collaborator or no user at all."""
        try:
            return self._read(
                f"{self._root}/collaborators/{quote(login, safe='')}/permission", shapes.permission
            )
        except ForgeRefused as refused:
            if refused.status != 404:
                raise
            return Permission.NONE

    def issue(self, number: int) -> Issue:
        """The issue."""
        return self._read(f"{self._root}/issues/{number}", shapes.issue)

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All comments, oldest first, as the host orders them."""
        return self._list(f"{self._root}/issues/{number}/comments", shapes.comment)

    def comment(self, identity: int) -> Comment:
        """One comment."""
        return self._read(f"{self._root}/issues/comments/{identity}", shapes.comment)

    def create_comment(self, number: int, body: str) -> Comment:
        """Say something."""
        path = f"{self._root}/issues/{number}/comments"
        return self._write("POST", path, {"body": cut(body, MAX_BODY)}, shapes.comment)

    def update_comment(self, identity: int, body: str) -> Comment:
        """Say it differently."""
        path = f"{self._root}/issues/comments/{identity}"
        return self._write("PATCH", path, {"body": cut(body, MAX_BODY)}, shapes.comment)

    def pull_request(self, number: int) -> PullRequest:
        """The pull request."""
        return self._read(f"{self._root}/pulls/{number}", shapes.pull_request)

    def pull_requests(
        self, *, head: str, state: OpenState | None = OpenState.OPEN
    ) -> tuple[PullRequest, ...]:
        """Those from our own branch `head`, newest first. The host ignores a filter it cannot read, so we look too."""
        found = self._list(
            f"{self._root}/pulls",
            shapes.pull_request,
            head=f"{self._repository.owner}:{head}",
            state=state.value if state else "all",
            sort="created",
            direction="desc",
        )
        return tuple(pull for pull in found if pull.head.ref == head and not pull.is_fork)

    def create_pull_request(self, new: NewPullRequest) -> PullRequest:
        """Open one."""
        body = {
            "title": new.title,
            "body": cut(new.body, MAX_BODY),
            "head": new.head,
            "base": new.base,
            "draft": new.draft,
        }
        return self._write("POST", f"{self._root}/pulls", body, shapes.pull_request)

    def update_pull_request(
        self, number: int, *, title: str | None = None, body: str | None = None
    ) -> PullRequest:
        """Replace what is given."""
        given = {"title": title, "body": None if body is None else cut(body, MAX_BODY)}
        said = {name: value for name, value in given.items() if value is not None}
        return self._write("PATCH", f"{self._root}/pulls/{number}", said, shapes.pull_request)

    def check_runs(self, sha: str, *, name: str) -> tuple[CheckRun, ...]:
        """The check runs of that name, newest first."""
        path = f"{self._root}/commits/{quote(sha, safe='')}/check-runs"
        found = self._list(path, shapes.check_run, key="check_runs", check_name=name, filter="all")
        return tuple(sorted(found, key=lambda run: run.id, reverse=True))

    def create_check_run(self, sha: str, report: CheckReport) -> CheckRun:
        """Begin a check, or tell it at once."""
        body = {"head_sha": sha, **_check(report)}
        return self._write("POST", f"{self._root}/check-runs", body, shapes.check_run)

    def update_check_run(self, identity: int, report: CheckReport) -> CheckRun:
        """Replace what a check says, and add annotations."""
        return self._write("PATCH", f"{self._root}/check-runs/{identity}", _check(report), shapes.check_run)

    def set_status(self, sha: str, report: StatusReport) -> None:
        """Set a commit status."""
        body = {
            "context": report.context,
            "state": report.state.value,
            "description": cut(report.description, _DESCRIPTION),
            **({"target_url": report.target_url} if report.target_url else {}),
        }
        self._http.send("POST", f"{self._root}/statuses/{quote(sha, safe='')}", body)

    def ref(self, name: str) -> Ref | None:
        """The ref, or None; a token that may not see the repository is told by every other method."""
        path = f"{self._root}/git/ref/{quote(name.removeprefix('refs/'), safe='')}"
        try:
            found = self._read(path, shapes.ref)
        except ForgeRefused as refused:
            if refused.status != 404:
                raise
            return None
        return found if found.name == name else None

    def compare(self, base: str, head: str) -> Comparison:
        """How `head` stands to `base`."""
        basehead = f"{quote(base, safe='')}...{quote(head, safe='')}"
        return self._read(f"{self._root}/compare/{basehead}", shapes.comparison, per_page=1)

    def _read(self, path: str, read: Callable[[Shape], _Value], **params: str | int) -> _Value:
        return _understood(path, lambda: read(Shape.of(self._http.get(path, **params), "answer")))

    def _write(
        self, method: str, path: str, body: Mapping[str, Any], read: Callable[[Shape], _Value]
    ) -> _Value:
        answer = self._http.send(method, path, body)
        return _understood(path, lambda: read(Shape.of(answer, "answer")))

    def _list(
        self, path: str, read: Callable[[Shape], _Value], *, key: str = "", **params: str | int
    ) -> tuple[_Value, ...]:
        found = list(self._http.pages(path, key=key, **params))
        return _understood(path, lambda: shapes.each(found, "answer", read))


def _understood(path: str, read: Callable[[], _Value]) -> _Value:
    try:
        return read()
    except ShapeError as error:
        raise ForgeUnintelligible(f"{path}: {error}", hint=NOT_THE_API) from error


def _check(report: CheckReport) -> dict[str, Any]:
    """The body of a check run. Raises ValueError for more annotations than a request takes."""
    if len(report.annotations) > MAX_ANNOTATIONS:
        raise ValueError(f"{len(report.annotations)} annotations in one request, {MAX_ANNOTATIONS} are taken")
    output: dict[str, Any] = {"title": report.title, "summary": cut(report.summary, MAX_BODY)}
    if report.text:
        output["text"] = cut(report.text, MAX_BODY)
    if report.annotations:
        output["annotations"] = [_annotation(one) for one in report.annotations]
    body: dict[str, Any] = {"name": report.name, "status": report.status.value, "output": output}
    if report.conclusion is not None:
        body["conclusion"] = report.conclusion.value
    if report.external_id:
        body["external_id"] = report.external_id
    if report.details_url:
        body["details_url"] = report.details_url
    return body


def _annotation(one: Annotation) -> dict[str, Any]:
    body: dict[str, Any] = {
        "path": one.path,
        "start_line": one.start_line,
        "end_line": one.end_line,
        "annotation_level": one.level.value,
        "message": one.message,
    }
    if one.title:
        body["title"] = cut(one.title, 255)
    if one.raw_details:
        body["raw_details"] = cut(one.raw_details, MAX_BODY)
    return body
