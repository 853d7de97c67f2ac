"""A project on a host: a bare repository as the remote, a clone of it as the job's checkout, issues of the fake.

What the first job would make is made once for all tests that ask for the same thing: requests, base and times are
fixed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev_agent.cancel import Cancel
from dev_agent.forges.events import Event, parse_event
from dev_agent.forges.github import GitHub
from dev_agent.forges.http import Http
from dev_agent.forges.issue_report import BotReport
from dev_agent.forges.propose import branch_to_start_from, hand_over, refused, task_of
from dev_agent.forges.publication import Publication
from dev_agent.forges.publish import publish
from dev_agent.forges.remote import Remote
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.request import Refused, read_request, weigh
from dev_agent.forges.token import Token
from dev_agent.forges.trigger import LABEL, Trigger
from dev_agent.programs.apply import apply
from dev_agent.programs.report import RunReport
from dev_agent.programs.request import ApplyRequest
from dev_agent.runtime.engine import Reporter
from tests.forges.fake import NAME, OWNER, READER, SLUG, WRITER, Fake, Minutes, user
from tests.testing.repos import Project

NO_GATES = 'name = "no-gates"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n[on]\n'
FILES = {"notes.txt": b"one\ntwo\nthree\n", "pyproject.toml": b'[project]\nname = "shop"\nversion = "1"\n'}


def replacing(old: str, new: str, path: str = "notes.txt") -> bytes:
    return f"{path}\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n".encode()


TWO = replacing("two", "2")
THREE = replacing("three", "3")


@dataclass
class World:
    fake: Fake
    project: Project
    bare: Project
    folder: Path
    store: Path
    clock: Minutes = field(default_factory=Minutes)
    clients: dict[str, GitHub] = field(default_factory=dict)
    bots: frozenset[str] = frozenset()
    made: dict[tuple[str, str, bytes], Path] = field(default_factory=dict)
    artifacts: int = 0

    def client(self, token: str) -> GitHub:
        """The client of one of the two jobs."""
        if token not in self.clients:
            http = Http(self.fake.url, Token(token), cancel=Cancel(), clock=self.clock)
            self.clients[token] = GitHub(http, RepositoryName(owner=OWNER, name=NAME))
        return self.clients[token]

    @property
    def remote(self) -> Remote:
        return Remote(repository=self.project.repository(), token=Token(WRITER))

    # What happens on the host

    def comment_event(
        self, text: str, *, thread: int = 12, login: str = "maintainer", says: str = "MEMBER"
    ) -> bytes:
        identity = self.fake.comment(thread, text, login, says)
        return self.payload("created", thread, comment=self.fake.comments[identity], login=login)

    def label_event(self, label: str = LABEL, login: str = "maintainer") -> bytes:
        self.fake.label(12, label)
        return self.payload("labeled", 12, label={"name": label}, login=login)

    def payload(self, action: str, thread: int, *, login: str, **more: Any) -> bytes:
        issue = self.fake.issue_json(thread)
        said = {
            "action": action,
            "issue": issue,
            "repository": {"full_name": SLUG},
            "sender": user(login),
            **more,
        }
        return json.dumps(said).encode()

    def trigger(self, payload: bytes) -> Trigger:
        name = "issue_comment" if b'"comment"' in payload else "issues"
        event: Event = parse_event(name, payload)
        found = read_request(self.client(READER), event, None, label=LABEL)
        assert isinstance(found, Trigger), found
        return found

    # The two jobs

    def propose(self, trigger: Trigger, patch: bytes = TWO, *, task: str | None = None) -> Path:
        """The first job, whose checkout has nothing of earlier ones."""
        found = weigh(self.client(READER), trigger, bots=self.bots)
        assert not isinstance(found, Refused), refused(found)
        self.artifacts += 1
        folder = self.folder / f"artifact-{self.artifacts}"
        base = found.place.base or self.project.git("rev-parse", "HEAD")
        known = self.made.get((trigger.digest, base, patch))
        if known is not None:
            shutil.copytree(known, folder)
            return folder
        branch = branch_to_start_from(self.project.repository(), self.remote, found)
        report = self.apply(patch, branch=branch, task=task or task_of(trigger))
        hand_over(folder, self.project.repository(), SLUG, found, report)
        shutil.copytree(folder, kept := self.store / f"{len(self.made)}")
        self.made[trigger.digest, base, patch] = kept
        return folder

    def apply(self, patch: bytes, *, branch: str | None, task: str) -> RunReport:
        request = ApplyRequest(task=task, patch=patch, dry_run=True, branch=branch, policy=self.policy)
        return apply(
            self.project.repository(),
            request,
            environ=self.project.environ,
            reporter=Reporter(),
            cancel=Cancel(),
        )

    def publish(
        self,
        trigger: Trigger,
        artifact: Path,
        *,
        reporter: Reporter | None = None,
        policy: str | None = None,
        through: Callable[[GitHub], Any] = lambda forge: forge,
    ) -> BotReport:
        """The second job. `through` wraps the client."""
        return publish(
            Publication(
                forge=through(self.client(WRITER)),
                remote=self.remote,
                artifact=artifact,
                trigger=trigger,
                bots=self.bots,
                environ=self.project.environ,
                reporter=reporter or Reporter(),
                cancel=Cancel(),
                clock=self.clock,
                policy=policy or self.policy,
            )
        )

    @property
    def policy(self) -> str:
        path = self.folder / "policy.toml"
        path.write_text(NO_GATES, encoding="utf-8")
        return str(path)

    # What there is afterwards

    def branches(self) -> Mapping[str, str]:
        rows = self.bare.git(
            "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/"
        ).splitlines()
        return dict(row.split(" ") for row in rows)

    def told(self) -> str:
        """Our one comment on the issue."""
        (comment,) = self.fake.ours()
        return str(comment["body"])

    def file(self, commit: str, path: str = "notes.txt") -> str:
        return self.bare.git("cat-file", "blob", f"{commit}:{path}")

    def push_as_somebody(self, branch: str, line: str = "four") -> str:
        """Another clone commits on top of a branch and pushes."""
        other = self.folder / f"other-{len(list(self.folder.iterdir()))}"
        self.project.git("clone", "--quiet", "-b", branch, str(self.bare.root), str(other))
        somebody = Project(root=other, environ=self.project.environ)
        commit = somebody.commit("by somebody", {f"{line}.txt": line.encode()})
        somebody.git("push", "--quiet", "origin", branch)
        shutil.rmtree(other)
        return commit


class At(Reporter):
    """Does something once, when a state is entered."""

    def __init__(self, state: str, then: Callable[[], object]) -> None:
        self.state = state
        self.then: Callable[[], object] | None = then

    def entered(self, state: str, attempt: int) -> None:
        if state == self.state and self.then is not None:
            then, self.then = self.then, None
            then()
