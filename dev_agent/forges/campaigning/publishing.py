"""From a branch that landed here to a draft pull request on the code host: one a repository, however often it is done.

The steps, each of which can be done again, and what a death after it leaves:

    1. ask the run       the branch here is at the commit its run landed                 nothing
    2. look              our pull request of this branch, and the branch's tip there     nothing
    3. base              what the change stands on is on the host already                nothing
    4. push              the remote's transaction, with a lease on the tip               a branch at the verified commit
    5. pull request      found by our marker, or opened as a draft                       done

Done again after 4 the branch is there at our very commit, and it goes on. A branch that is there at another commit is
replaced, under the lease, only if our open pull request says that we put it there; else it is somebody's, and stays. A
pull request of ours that was closed is an answer: none is opened in its place. Step 3 is there so that nobody's
unpushed commits are published by the way.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.forges.campaigning.pull_text import MARKER, pull_body, pull_title
from dev_agent.forges.errors import ForgeRefused
from dev_agent.forges.forge import ComparisonStatus
from dev_agent.forges.opening import opened
from dev_agent.forges.remote import SERVER, Denied, Moved, Remote
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.sticky import marker, state_in
from dev_agent.forges.threads import NewPullRequest, OpenState
from dev_agent.programs.campaigning.address import parse_address
from dev_agent.programs.campaigning.driver import Published
from dev_agent.programs.campaigning.model import Fate
from dev_agent.programs.folders import find_run
from dev_agent.programs.report import Outcome
from dev_agent.programs.runs import read_run
from dev_agent.repository.discovery import resolve_commit
from dev_agent.values import dataclass
from dev_agent.visible import escape_line

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.forges.forge import Forge
    from dev_agent.forges.threads import PullRequest
    from dev_agent.forges.token import Token
    from dev_agent.programs.campaigning.listing import Entry
    from dev_agent.programs.campaigning.model import Row
    from dev_agent.programs.campaigning.work import Job
    from dev_agent.programs.report import RunReport
    from dev_agent.repository.discovery import Repository

Connect = Callable[[RepositoryName, "Cancel"], AbstractContextManager["Forge"]]
_SHOWN = 300
_ANOTHER = "name another with --branch"


class _Stays(Exception):
    """Something of somebody's is in the way: nothing is published over it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Publishing:
    """What publishing works with. `connect` opens the client of a repository; `server` is where the token may go."""

    campaign: str
    connect: Connect = field(repr=False)
    token: Token = field(repr=False)
    server: str = SERVER

    def publish(
        self, repository: Repository, job: Job, entry: Entry, row: Row, *, cancel: Cancel
    ) -> Published:
        """Publish what landed, or say why not. Raises DevAgentError for what kept it from knowing."""
        remote = Remote(repository=repository, token=self.token, server=self.server, name=entry.remote)
        name = self._name(repository, entry)
        try:
            report = _verified(repository, row)
            with self.connect(name, cancel) as forge:
                pull = _published(forge, remote, report, row, job=job, entry=entry, campaign=self.campaign)
        except _Stays as stays:
            return Published(fate=Fate.KEPT, why=str(stays))
        return Published(fate=Fate.PUBLISHED, pull=pull.url)

    def _name(self, repository: Repository, entry: Entry) -> RepositoryName:
        """What the host calls the repository. Raises UsageFault if neither the list nor the remote says it."""
        if entry.repository is not None:
            return RepositoryName.parse(entry.repository)
        host = urlsplit(self.server).hostname or ""
        for url in _urls(repository, entry.remote):
            try:
                address = parse_address(url, folder="/", home="/")
            except UsageFault:
                continue
            if address.is_url and address.host == host:
                return RepositoryName.parse(address.path.removesuffix(".git"))
        raise UsageFault(
            f"the remote {entry.remote} does not say which repository of {host} it is",
            hint="write repository=OWNER/NAME behind it in the list, or remote=NAME; "
            "GITHUB_SERVER_URL names a host of your own",
        )


def _urls(repository: Repository, remote: str) -> tuple[str, ...]:
    """The remote's URL as it is written, and as git reads it: either may be a name of the host's."""
    git = repository.git
    read = git.run("ls-remote", "--get-url", "--end-of-options", remote)
    return git.setting(f"remote.{remote}.url") or "", read.stdout.decode("utf-8", "replace").strip()


def _verified(repository: Repository, row: Row) -> RunReport:
    """The report of the run that landed the commit. Raises _Stays if the branch is not there any more."""
    report = read_run(find_run(repository, row.run)).report
    if report.outcome is not Outcome.COMMITTED or report.commit != row.commit:
        raise EnvironmentFault(
            f"run {row.run} does not say that it landed {row.commit[:12]}",
            hint="nothing was pushed; look at it with show",
        )
    now = resolve_commit(repository, f"refs/heads/{row.branch}")
    if now != row.commit:
        at = f"is at {now[:12]}" if now else "is gone"
        raise _Stays(f"the branch {row.branch} here {at} now, not at the commit that was judged: not pushed")
    return report


def _published(
    forge: Forge, remote: Remote, report: RunReport, row: Row, *, job: Job, entry: Entry, campaign: str
) -> PullRequest:
    pull = _ours(forge, row.branch)
    tip = remote.tip(row.branch)
    if tip != row.commit:
        kept = state_in(pull.body).get("commit") if pull else None
        if tip is not None and tip != kept:
            raise _Stays(
                f"the remote has a branch {row.branch} at {tip[:12]} that no campaign put there: {_ANOTHER}"
            )
        base = entry.start or forge.describe().default_branch
        _require_known(forge, row.base, base, own=tip)
        _push(remote, row, tip)
    body = pull_body(report, job.task, campaign=campaign)
    if pull is not None:
        return (
            pull
            if pull.body.replace("\r\n", "\n") == body
            else forge.update_pull_request(pull.number, body=body)
        )
    new = NewPullRequest(
        title=pull_title(job.task),
        body=body,
        head=row.branch,
        base=entry.start or forge.describe().default_branch,
    )
    made = opened(forge, new)
    if not _is_ours(made, forge):
        raise _Stays(
            f"somebody opened pull request #{made.number} of {row.branch} first: it is left as it is"
        )
    return made


def _ours(forge: Forge, branch: str) -> PullRequest | None:
    """Our open pull request of the branch. Raises _Stays for one of somebody else, and for a closed one of ours."""
    pulls = forge.pull_requests(head=branch, state=None)
    open_ones = [one for one in pulls if one.state is OpenState.OPEN]
    for one in open_ones:
        if not _is_ours(one, forge):
            raise _Stays(
                f"the branch {branch} has pull request #{one.number}, which no campaign opened: {_ANOTHER}"
            )
    if open_ones:
        return open_ones[0]
    closed = next((one for one in pulls if _is_ours(one, forge)), None)
    if closed is not None:
        said = "merged" if closed.merged else "closed"
        raise _Stays(
            f"pull request #{closed.number} of {branch} was {said}, so none is opened in its place: {_ANOTHER}"
        )
    return None


def _is_ours(pull: PullRequest, forge: Forge) -> bool:
    """Anybody can write a marker; ours is in a text of our own account."""
    first = pull.body.partition("\n")[0].rstrip("\r")
    return first == marker(MARKER) and pull.author.login == forge.viewer().login and not pull.is_fork


def _require_known(forge: Forge, base: str, onto: str, *, own: str | None) -> None:
    """Refuse what stands on commits the host does not have on the branch it is to be merged into."""
    if own is not None and base == own:
        return
    try:
        status = forge.compare(base, onto).status
    except ForgeRefused:
        status = ComparisonStatus.DIVERGED
    if status not in {ComparisonStatus.IDENTICAL, ComparisonStatus.AHEAD}:
        raise _Stays(f"the change stands on {base[:12]}, which is not on {onto} of the host: push that first")


def _push(remote: Remote, row: Row, tip: str | None) -> None:
    pushed = remote.push(row.commit, row.branch, expected=tip)
    if isinstance(pushed, Moved):
        raise _Stays(f"somebody pushed to {row.branch} meanwhile: their work stays")
    if isinstance(pushed, Denied):
        said = escape_line(" ".join(pushed.said.split()))[:_SHOWN]
        raise EnvironmentFault(
            f"the server refused the push: {said}",
            hint="the token needs to write contents; a rule may protect the branch",
        )
