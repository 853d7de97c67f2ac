"""`dev-agent premerge`: judge the merge of a head into its base, as a bot, as a hook, or at a shell."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.judging import judge_of
from dev_agent.cli.options import (
    HERE,
    AsJson,
    Cluster,
    Directory,
    MustPass,
    PolicyChoice,
    Quiet,
    SandboxChoice,
)
from dev_agent.cli.output.human import HumanOutput
from dev_agent.cli.output.output import Output
from dev_agent.cli.output.terminal import Terminal, standard_terminals
from dev_agent.cli.pages.premerge import merge_page, push_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.errors import UsageFault
from dev_agent.programs.premerge import MergeRequest, judge_merge

if TYPE_CHECKING:
    from dev_agent.forges.premerge import Files, Subject
    from dev_agent.gates.judge import Judge
    from dev_agent.programs.merge_report import MergeReport
    from dev_agent.programs.pre_receive import PushReport

app = command_app()

Pushed = Annotated[
    list[str] | None, typer.Argument(metavar="REMOTE URL", help="What git tells a pre-push hook.")
]
Base = Annotated[
    str | None,
    typer.Option(
        "--base", metavar="COMMIT", envvar="DEV_AGENT_BASE", help="What is merged into; its rules count."
    ),
]
Head = Annotated[
    str | None, typer.Option("--head", metavar="COMMIT", envvar="DEV_AGENT_HEAD", help="What is merged.")
]
Land = Annotated[
    bool,
    typer.Option(
        "--land",
        envvar="DEV_AGENT_LAND",
        help="Move the base, a branch here or on a remote, to the tested commit.",
    ),
]
Reported = Annotated[
    str,
    typer.Option("--report", metavar="github|none", envvar="DEV_AGENT_REPORT", help="Who else is told."),
]
Sarif = Annotated[
    Path | None, typer.Option("--sarif", metavar="FILE", envvar="DEV_AGENT_SARIF", help="Write SARIF 2.1.0.")
]
Junit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", envvar="DEV_AGENT_JUNIT", help="Write JUnit XML.")
]
Summary = Annotated[
    Path | None,
    typer.Option(
        "--summary", metavar="FILE", envvar="DEV_AGENT_SUMMARY", help="Append the report as Markdown."
    ),
]
Artifact = Annotated[
    Path | None,
    typer.Option(
        "--artifact", metavar="DIR", envvar="DEV_AGENT_ARTIFACT", help="Copy the run there, for --publish."
    ),
]
Publish = Annotated[
    Path | None,
    typer.Option(
        "--publish", metavar="DIR", help="Check the artifact of another job, and report it; judge nothing."
    ),
]
PreReceive = Annotated[
    bool, typer.Option("--pre-receive", help="Be git's pre-receive hook: guard this repository.")
]
PrePush = Annotated[
    bool, typer.Option("--pre-push", help="Be git's pre-push hook: judge what is to be pushed.")
]


@app.command()
def premerge(  # noqa: PLR0913 - one parameter an option
    pushed: Pushed = None,
    *,
    base: Base = None,
    head: Head = None,
    land: Land = False,
    report: Reported = "none",
    sarif: Sarif = None,
    junit: Junit = None,
    summary: Summary = None,
    artifact: Artifact = None,
    publish: Publish = None,
    pre_receive: PreReceive = False,
    pre_push: PrePush = False,
    policy: PolicyChoice = None,
    must_pass: MustPass = None,
    sandbox: SandboxChoice = "auto",
    cluster: Cluster = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Judge the merge of a head into its base; land it with --land, otherwise nothing.

    The merge is computed, never checked out; policy, settings and gates are the base's. Without --base and --head both
    come from the event of a GitHub Actions job. Exit code 0: verified, landed or nothing to merge; 1: rejected; 5: a
    person has to agree; 130: superseded by a new head.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    if report not in {"github", "none"}:
        raise UsageFault(f"--report is {report!r}", hint="it can be: github, none")
    _require_one_mode(
        pre_receive=pre_receive, pre_push=pre_push, publish=publish, named=bool(base or head), pushed=pushed
    )
    if pre_receive or pre_push:
        return _hook(session, pushed or [], pre_receive=pre_receive)
    from dev_agent.forges.premerge import Files  # noqa: PLC0415 - a hook needs none of it

    files = Files(sarif=sarif, junit=junit, summary=summary)
    if publish is not None:
        return _published(session, publish, head, files, policy)
    request = MergeRequest(
        base=base or "",
        head=head or "",
        land=land,
        policy=policy,
        must_pass=tuple(must_pass or ()),
        sandbox=sandbox,
    )
    with judge_of(session, cluster, sandbox) as judge:
        return _judged(session, request, files, artifact, judge, tells=report == "github")


def _require_one_mode(
    *, pre_receive: bool, pre_push: bool, publish: Path | None, named: bool, pushed: list[str] | None
) -> None:
    if sum((pre_receive, pre_push, publish is not None)) > 1:
        raise UsageFault("--pre-receive, --pre-push and --publish are three things", hint="say one of them")
    if named and (pre_receive or pre_push):
        raise UsageFault("a hook is told by git what to judge", hint="leave --base and --head out")
    if pushed and not pre_push:
        raise UsageFault(
            f"{pushed[0]!r} means nothing here", hint="name the ends of a merge: --base main --head topic"
        )


def _judged(
    session: Session,
    request: MergeRequest,
    files: Files,
    artifact: Path | None,
    judge: Judge,
    *,
    tells: bool,
) -> int:
    from dev_agent.forges.artifact import require_free  # noqa: PLC0415 - only here
    from dev_agent.forges.merge_artifact import write_merge_artifact  # noqa: PLC0415 - only here
    from dev_agent.forges.premerge import write_files  # noqa: PLC0415 - only here
    from dev_agent.programs.folders import find_run  # noqa: PLC0415 - only here

    subject = None
    if not (request.base or request.head):
        subject = _subject(session)
        request = replace(request, base=subject.base, head=subject.head, head_ref=subject.head_ref)
    elif not (request.base and request.head):
        raise UsageFault("a merge has two ends", hint="name both: --base main --head topic")
    if tells and subject is None:
        raise UsageFault("--report github needs the event of a job", hint="leave --base and --head out there")
    if artifact is not None:
        require_free(artifact)
    repository = session.repository
    with stoppable(session), session.output.watching() as reporter:
        report = judge_merge(
            repository,
            request,
            environ=session.environ,
            reporter=reporter,
            cancel=session.cancel,
            judge=judge,
        )
        notes: tuple[str, ...] = ()
        if artifact is not None:
            write_merge_artifact(artifact, find_run(repository, report.run.run))
        try:
            if tells and subject is not None:
                report = _told(session, report, subject)
                notes = (f"reported to {subject.repository}",)
        finally:
            # The verdict stands also where the host could not be told.
            write_files(report, files)
    session.output.page(merge_page(report, notes))
    return report.exit_code


def _subject(session: Session) -> Subject:
    from dev_agent.forges.premerge import subject_of  # noqa: PLC0415 - only for a bot

    if not session.environ.get("GITHUB_EVENT_PATH"):
        raise UsageFault("a merge has two ends", hint="name both: --base main --head topic")
    return subject_of(session.repository, session.environ)


def _told(session: Session, report: MergeReport, subject: Subject) -> MergeReport:
    from dev_agent.forges.github import ACTIONS_BOT, github_of  # noqa: PLC0415 - the client is heavy
    from dev_agent.forges.premerge import head_lines, job_url, tell  # noqa: PLC0415 - only for a bot

    login = ACTIONS_BOT.login if session.environ.get("GITHUB_ACTIONS") else None
    with github_of(session.environ, subject.repository, cancel=session.cancel, login=login) as forge:
        lines = head_lines(session.repository, report)
        url = job_url(session.environ)
        return tell(report, forge=forge, number=subject.number, lines=lines, details_url=url)


def _published(session: Session, folder: Path, head: str | None, files: Files, policy: str | None) -> int:
    from dev_agent.forges.github import ACTIONS_BOT, github_of  # noqa: PLC0415 - the client is heavy
    from dev_agent.forges.premerge import job_url, judged_head, publish, write_files  # noqa: PLC0415 - only for a bot
    from dev_agent.forges.repository_name import RepositoryName  # noqa: PLC0415 - only for a bot

    environ = session.environ
    sha = head or judged_head(environ)
    name = RepositoryName.parse(environ.get("GITHUB_REPOSITORY", ""))
    login = ACTIONS_BOT.login if environ.get("GITHUB_ACTIONS") else None
    with stoppable(session), github_of(environ, name, cancel=session.cancel, login=login) as forge:
        url = job_url(environ)
        report = publish(session.repository, folder, forge=forge, head=sha, policy=policy, details_url=url)
        write_files(report, files)
    session.output.page(merge_page(report, (f"reported to {name}",)))
    return report.exit_code


def _hook(session: Session, pushed: list[str], *, pre_receive: bool) -> int:
    """Be a hook: git's lines on stdin, the answer on stderr, where git shows it to the pusher."""
    with stoppable(session):
        report = _guarded(session) if pre_receive else _looked_at(session, pushed)
    if report.answers or report.notes:
        _told_to_pusher(session).page(push_page(report))
    return report.exit_code


def _guarded(session: Session) -> PushReport:
    from dev_agent.programs.pre_receive import pre_receive as guard  # noqa: PLC0415 - only here
    from dev_agent.programs.ref_updates import read_pre_receive  # noqa: PLC0415 - only here

    with HumanOutput(**_streams(session), quiet=session.quiet).watching() as reporter:
        return guard(
            session.repository,
            read_pre_receive(sys.stdin.buffer.read()),
            environ=session.environ,
            reporter=reporter,
            cancel=session.cancel,
        )


def _looked_at(session: Session, pushed: list[str]) -> PushReport:
    from dev_agent.programs.pre_push import pre_push, updates_of  # noqa: PLC0415 - only here

    lines = b"" if sys.stdin.isatty() else sys.stdin.buffer.read()
    remote = pushed[0] if pushed else session.environ.get("PRE_COMMIT_REMOTE_NAME", "")
    with session.output.watching() as reporter:
        return pre_push(
            session.repository,
            updates_of(lines, session.environ),
            remote=remote,
            environ=session.environ,
            reporter=reporter,
            cancel=session.cancel,
        )


def _told_to_pusher(session: Session) -> Output:
    return session.output if session.as_json else HumanOutput(**_streams(session), quiet=True)


def _streams(session: Session) -> dict[str, Terminal]:
    _, stderr = standard_terminals(session.environ)
    return {"stdout": stderr, "stderr": stderr}
