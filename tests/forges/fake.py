"""A code host of our own: GitHub's REST shapes over loopback HTTP, with state, and faults on demand.

Issues, comments, pull requests, checks, statuses and permissions live here; branches and commits in a real bare git
repository, so that what was pushed and what the host says are two things that can disagree. Tokens are read-only or may
write. What the client asked is kept in `asked`.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

READER, WRITER = "reader-token-0000", "writer-token-0000"
OWNER, NAME = "octo", "shop"
SLUG = f"{OWNER}/{NAME}"
BOT = "dev-agent-bot"


@dataclass
class Fault:
    """What is answered instead, `times` times, to requests of this method whose path matches; None: no answer at all.

    `after` lets the request be done first: its answer is lost.
    """

    method: str
    path: str
    status: int | None = None
    body: bytes = b'{"message": "no"}'
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    after: bool = False


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


class Fake:
    """The state, and what happens to it."""

    def __init__(self, remote: Path | None = None) -> None:
        self.remote = remote
        self.url = ""
        self.permissions = {"maintainer": "write", "boss": "admin", "reader": "read", BOT: "write"}
        self.viewers: dict[str, str | None] = {READER: BOT, WRITER: BOT}
        self.issues: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, dict[str, Any]] = {}
        self.pulls: dict[int, dict[str, Any]] = {}
        self.checks: dict[int, dict[str, Any]] = {}
        self.statuses: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.asked: list[Request] = []
        self.before: dict[str, Callable[[], object]] = {}
        self._ids = iter(range(1000, 1_000_000))
        self._lock = threading.RLock()
        self._seconds = 0

    # What people do

    def now(self) -> str:
        self._seconds += 1
        return f"2026-11-22T10:{self._seconds // 60:02d}:{self._seconds % 60:02d}Z"

    def open_issue(
        self, number: int = 12, title: str = "Totals are wrong", body: str = "", **more: Any
    ) -> int:
        now = self.now()
        self.issues[number] = {
            "number": number,
            "title": title,
            "body": body,
            "state": "open",
            "user": user("stranger"),
            "author_association": "NONE",
            "labels": [],
            "created_at": now,
            "updated_at": now,
            "locked": False,
            "html_url": f"https://github.test/{SLUG}/issues/{number}",
            **more,
        }
        return number

    def comment(self, number: int, body: str, login: str = "maintainer", association: str = "MEMBER") -> int:
        identity = next(self._ids)
        now = self.now()
        self.comments[identity] = {
            "id": identity,
            "issue": number,
            "body": body,
            "user": user(login),
            "author_association": association,
            "created_at": now,
            "updated_at": now,
            "html_url": f"https://github.test/{SLUG}/issues/{number}#issuecomment-{identity}",
        }
        return identity

    def edit_comment(self, identity: int, body: str) -> None:
        self.comments[identity].update(body=body, updated_at=self.now())

    def label(self, number: int, name: str) -> None:
        self.issues[number]["labels"].append({"name": name})

    def open_pull(
        self, branch: str, *, title: str = "A change", body: str = "", login: str = BOT, **more: Any
    ) -> int:
        number = max([*self.issues, *self.pulls, 30]) + 1
        self.pulls[number] = {
            "number": number,
            "title": title,
            "body": body,
            "state": "open",
            "draft": True,
            "merged": False,
            "merged_at": None,
            "user": user(login),
            "author_association": "MEMBER",
            "labels": [],
            "branch": branch,
            "base": "main",
            "updated_at": self.now(),
            "html_url": f"https://github.test/{SLUG}/pull/{number}",
            **more,
        }
        return number

    def ours(self, number: int = 12) -> list[dict[str, Any]]:
        """Our comments on an issue."""
        return [
            one for one in self.comments.values() if one["issue"] == number and one["user"]["login"] == BOT
        ]

    def writes(self) -> list[Request]:
        return [one for one in self.asked if one.method != "GET"]

    # Git

    def git(self, *args: str) -> str:
        assert self.remote is not None
        done = subprocess.run(["git", *args], cwd=self.remote, capture_output=True, check=False, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    def tip(self, branch: str) -> str:
        return (
            self.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") if self.remote else "c" * 40
        )

    # The API

    def answer(self, request: Request, login: str | None, *, writes: bool) -> tuple[int, Any]:
        with self._lock:
            for method, pattern, handler in _ROUTES:
                found = re.fullmatch(pattern, request.path)
                if found and method == request.method:
                    if method != "GET" and not writes:
                        return 403, {"message": "Resource not accessible by integration"}
                    return handler(self, request, login, *found.groups())
            return 404, {"message": "Not Found"}

    def pull_json(self, number: int) -> dict[str, Any]:
        pull = dict(self.pulls[number])
        branch, base = pull.pop("branch"), pull.pop("base")
        sha = pull.pop("sha", None) or self.tip(branch)
        whole = {"full_name": SLUG}
        return {
            **pull,
            "head": {"ref": branch, "sha": sha, "repo": pull.pop("head_repo", whole)},
            "base": {"ref": base, "sha": self.tip(base), "repo": whole},
        }

    def issue_json(self, number: int) -> dict[str, Any] | None:
        if number in self.issues:
            return self.issues[number]
        if number in self.pulls:
            pull = self.pulls[number]
            kept = ("number", "title", "body", "state", "user", "author_association", "labels", "updated_at")
            return {
                **{name: pull[name] for name in kept},
                "locked": False,
                "pull_request": {},
                "html_url": "",
            }
        return None


def user(login: str) -> dict[str, Any]:
    return {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def _repository(fake: Fake, *_: Any) -> tuple[int, Any]:
    return 200, {
        "full_name": SLUG,
        "default_branch": "main",
        "private": False,
        "archived": False,
        "clone_url": f"https://github.test/{SLUG}.git",
    }


def _viewer(_fake: Fake, _request: Request, login: str | None) -> tuple[int, Any]:
    if login is None:
        return 403, {"message": "Resource not accessible by integration"}
    return 200, user(login)


def _permission(fake: Fake, _request: Request, _login: Any, who: str) -> tuple[int, Any]:
    who = unquote(who)
    if who.endswith("[bot]"):
        return 404, {"message": f"{who} is not a user"}
    return 200, {"permission": fake.permissions.get(who, "read"), "user": user(who)}


def _issue(fake: Fake, _request: Request, _login: Any, number: str) -> tuple[int, Any]:
    found = fake.issue_json(int(number))
    return (200, found) if found else (404, {"message": "Not Found"})


def _comments(fake: Fake, request: Request, _login: Any, number: str) -> tuple[int, Any]:
    return _page(fake, request, [one for one in fake.comments.values() if one["issue"] == int(number)])


def _page(_fake: Fake, request: Request, items: list[Any]) -> tuple[int, Any]:
    size, page = int(request.query.get("per_page", "30")), int(request.query.get("page", "1"))
    request.headers["more"] = str(page + 1) if len(items) > page * size else ""
    return 200, items[(page - 1) * size : page * size]


def _comment(fake: Fake, _request: Request, _login: Any, identity: str) -> tuple[int, Any]:
    found = fake.comments.get(int(identity))
    return (200, found) if found else (404, {"message": "Not Found"})


def _new_comment(fake: Fake, request: Request, login: Any, number: str) -> tuple[int, Any]:
    if fake.issue_json(int(number)) is None:
        return 404, {"message": "Not Found"}
    if len(request.body["body"]) > 65_536:
        return 422, {"message": "Validation Failed", "errors": [{"field": "body", "code": "too_long"}]}
    identity = fake.comment(int(number), request.body["body"], login or "github-actions[bot]", "CONTRIBUTOR")
    return 201, fake.comments[identity]


def _change_comment(fake: Fake, request: Request, _login: Any, identity: str) -> tuple[int, Any]:
    if int(identity) not in fake.comments:
        return 404, {"message": "Not Found"}
    fake.edit_comment(int(identity), request.body["body"])
    return 200, fake.comments[int(identity)]


def _pull(fake: Fake, _request: Request, _login: Any, number: str) -> tuple[int, Any]:
    known = int(number) in fake.pulls
    return (200, fake.pull_json(int(number))) if known else (404, {"message": "Not Found"})


def _pulls(fake: Fake, request: Request, _login: Any) -> tuple[int, Any]:
    head = request.query.get("head", "").partition(":")[2]
    state = request.query.get("state", "open")
    found = [
        fake.pull_json(number)
        for number, pull in sorted(fake.pulls.items(), reverse=True)
        if pull["branch"] == head and state in {"all", pull["state"]}
    ]
    return _page(fake, request, found)


def _new_pull(fake: Fake, request: Request, login: Any) -> tuple[int, Any]:
    said = request.body
    if not fake.tip(said["head"]):
        return 422, {"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]}
    if any(one["branch"] == said["head"] and one["state"] == "open" for one in fake.pulls.values()):
        return 422, {"message": "Validation Failed", "errors": [{"message": "A pull request already exists"}]}
    number = fake.open_pull(
        said["head"], title=said["title"], body=said["body"], login=login or "github-actions[bot]"
    )
    fake.pulls[number]["draft"] = said["draft"]
    return 201, fake.pull_json(number)


def _change_pull(fake: Fake, request: Request, _login: Any, number: str) -> tuple[int, Any]:
    fake.pulls[int(number)].update(request.body, updated_at=fake.now())
    return 200, fake.pull_json(int(number))


def _ref(fake: Fake, _request: Request, _login: Any, name: str) -> tuple[int, Any]:
    sha = fake.git("rev-parse", "--verify", "--quiet", f"refs/{unquote(name)}")
    found = {"ref": f"refs/{unquote(name)}", "object": {"sha": sha, "type": "commit"}}
    return (200, found) if sha else (404, {"message": "Not Found"})


def _compare(fake: Fake, _request: Request, _login: Any, basehead: str) -> tuple[int, Any]:
    base, _, head = unquote(basehead).partition("...")
    merge_base = fake.git("merge-base", base, head)
    if not merge_base:
        return 404, {"message": "Not Found"}
    ahead = int(fake.git("rev-list", "--count", f"{base}..{head}"))
    behind = int(fake.git("rev-list", "--count", f"{head}..{base}"))
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}.get(
        (ahead > 0, behind > 0), "diverged"
    )
    return 200, {
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "merge_base_commit": {"sha": merge_base},
    }


def _checks(fake: Fake, request: Request, _login: Any, sha: str) -> tuple[int, Any]:
    name = request.query.get("check_name")
    found = [one for one in fake.checks.values() if one["head_sha"] == sha and name in {None, one["name"]}]
    status, page = _page(fake, request, found)
    return status, {"total_count": len(found), "check_runs": page}


def _new_check(fake: Fake, request: Request, _login: Any) -> tuple[int, Any]:
    identity = next(fake._ids)
    fake.checks[identity] = {
        "id": identity,
        "external_id": "",
        "conclusion": None,
        "html_url": "",
        "annotations": [],
    }
    return _said_check(fake, identity, request, 201)


def _change_check(fake: Fake, request: Request, _login: Any, identity: str) -> tuple[int, Any]:
    return _said_check(fake, int(identity), request, 200)


def _said_check(fake: Fake, identity: int, request: Request, status: int) -> tuple[int, Any]:
    said = dict(request.body)
    added = said.get("output", {}).get("annotations", [])
    if len(added) > 50:
        return 422, {"message": "Invalid request. No subschema matched: 50 annotations"}
    check = fake.checks[identity]
    check.update(said)
    check["annotations"] = [*check["annotations"], *added]
    return status, check


def _status(fake: Fake, request: Request, _login: Any, sha: str) -> tuple[int, Any]:
    fake.statuses.append({"sha": sha, **request.body})
    return 201, {"state": request.body["state"]}


_R = f"/repos/{OWNER}/{NAME}"
_ROUTES: list[tuple[str, str, Callable[..., tuple[int, Any]]]] = [
    ("GET", _R, _repository),
    ("GET", "/user", _viewer),
    ("GET", rf"{_R}/collaborators/([^/]+)/permission", _permission),
    ("GET", rf"{_R}/issues/(\d+)", _issue),
    ("GET", rf"{_R}/issues/(\d+)/comments", _comments),
    ("POST", rf"{_R}/issues/(\d+)/comments", _new_comment),
    ("GET", rf"{_R}/issues/comments/(\d+)", _comment),
    ("PATCH", rf"{_R}/issues/comments/(\d+)", _change_comment),
    ("GET", rf"{_R}/pulls/(\d+)", _pull),
    ("PATCH", rf"{_R}/pulls/(\d+)", _change_pull),
    ("GET", rf"{_R}/pulls", _pulls),
    ("POST", rf"{_R}/pulls", _new_pull),
    ("GET", rf"{_R}/git/ref/(.+)", _ref),
    ("GET", rf"{_R}/compare/(.+)", _compare),
    ("GET", rf"{_R}/commits/([^/]+)/check-runs", _checks),
    ("POST", rf"{_R}/check-runs", _new_check),
    ("PATCH", rf"{_R}/check-runs/(\d+)", _change_check),
    ("POST", rf"{_R}/statuses/([^/]+)", _status),
]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # one packet an answer: two wait for each other's acknowledgement
    fake: Fake

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(
            method=self.command,
            path=parts.path,
            query={name: values[-1] for name, values in parse_qs(parts.query).items()},
            body=json.loads(body) if body else None,
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        fake = self.fake
        fake.asked.append(request)
        hook = next((name for name in fake.before if f"{request.method} {request.path}".endswith(name)), None)
        if hook is not None:
            fake.before.pop(hook)()
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        fault = next(
            (
                one
                for one in fake.faults
                if one.method == request.method and re.search(one.path, request.path)
            ),
            None,
        )
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                fake.faults.remove(fault)
            if fault.after:
                fake.answer(request, fake.viewers.get(token), writes=token == WRITER)
            if fault.status is None:
                self.close_connection = True
                return
            self._send(fault.status, fault.body, {"Content-Type": "application/json", **fault.headers})
            return
        if token not in fake.viewers:
            self._send(401, b'{"message": "Bad credentials"}', {"Content-Type": "application/json"})
            return
        status, data = fake.answer(request, fake.viewers[token], writes=token == WRITER)
        content = json.dumps(data).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if request.method == "GET" and status == 200:
            headers["ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            if request.headers.get("if-none-match") == headers["ETag"]:
                status, content = 304, b""
        if request.headers.get("more"):
            query = "&".join(
                f"{k}={v}" for k, v in {**request.query, "page": request.headers["more"]}.items()
            )
            headers["Link"] = f'<{fake.url}{request.path}?{query}>; rel="next", <{fake.url}/x>; rel="last"'
        self._send(status, content, headers)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    """The fake behind a loopback port while inside."""
    handler = type("Handler", (_Handler,), {"fake": fake})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()


class Minutes:
    """A clock that goes on by sleeping, and remembers for how long."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.time = now
        self.slept = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept += seconds
