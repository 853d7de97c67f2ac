"""`dev-agent init`: write the files a team needs to have dev-agent in CI and in hooks; shown first, then asked."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory
from dev_agent.cli.pages.init import offers_page, plan_page, written_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.init.offers import Kind
from dev_agent.programs.init.plan import plan_files
from dev_agent.programs.init.write import write_files

app = command_app()

Github = Annotated[
    bool, typer.Option("--github", help="Workflows for GitHub Actions: issue bot, pre-merge bot, reporter.")
]
Gitlab = Annotated[bool, typer.Option("--gitlab", help="A GitLab CI job that judges merge requests.")]
PreCommit = Annotated[bool, typer.Option("--pre-commit", help="A configuration of pre-commit.")]
Hook = Annotated[
    bool, typer.Option("--hook", help="A git hook: pre-push, or pre-receive in a bare repository.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Also replace files of ours that have other content.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def init(
    *,
    github: Github = False,
    gitlab: Gitlab = False,
    pre_commit: PreCommit = False,
    hook: Hook = False,
    overwrite: Overwrite = False,
    yes: Yes = False,
    directory: Directory = HERE,
    as_json: AsJson = False,
) -> int:
    """Write files for continuous integration and hooks: the diff first, then the question.

    Without a kind it says what there is. Files with other content stay, unless --overwrite is given; files that hold
    things of your own, and hooks that are not ours, always stay. Exit code 1: something that was asked for stays.
    """
    asked = {Kind.GITHUB: github, Kind.GITLAB: gitlab, Kind.PRE_COMMIT: pre_commit, Kind.HOOK: hook}
    kinds = [kind for kind, wanted in asked.items() if wanted]
    session = Session(directory=directory, as_json=as_json)
    if not kinds:
        session.output.page(offers_page())
        return 0
    plan = plan_files(session.repository, kinds, overwrite=overwrite)
    if not as_json:
        session.output.page(plan_page(plan))
    if plan.to_write and not yes and (as_json or not _agreed(len(plan.to_write))):
        if as_json:
            session.output.page(plan_page(plan))
        return 0
    with stoppable(session):
        done = write_files(plan)
    session.output.page(written_page(plan, done))
    return done.exit_code


def _agreed(files: int) -> bool:
    """A person's answer; nobody at a terminal has agreed to nothing."""
    if not sys.stdin.isatty():
        sys.stderr.write("Nothing was written. To write it, add --yes\n")
        return False
    sys.stderr.write(f"Write {files} file{'' if files == 1 else 's'}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    sys.stderr.write("Nothing was written.\n")
    return False
