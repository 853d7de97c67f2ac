"""`dev-agent resume`: go on with a run that was interrupted, killed or kept."""

from __future__ import annotations

from functools import partial

from dev_agent.cli.app import command_app
from dev_agent.cli.driving import drive
from dev_agent.cli.judging import judge_of
from dev_agent.cli.options import HERE, AsJson, Cluster, Directory, Quiet, RunName
from dev_agent.cli.session import Session
from dev_agent.programs.resume import resume as resume_run

app = command_app()


@app.command()
def resume(
    run: RunName,
    *,
    cluster: Cluster = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Go on with an interrupted run, from its trace alone; whoever judged before, --cluster says who does now."""
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    with judge_of(session, cluster) as judge:
        return drive(session, partial(resume_run, judge=judge), run)
