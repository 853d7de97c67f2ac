"""`dev-agent replay`: execute a run again from what it recorded, and compare."""

from __future__ import annotations

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory, Quiet, RunName
from dev_agent.cli.pages.replay import replay_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.folders import find_run
from dev_agent.programs.replay import replay as replay_run

app = command_app()


@app.command()
def replay(
    run: RunName = "last", *, directory: Directory = HERE, as_json: AsJson = False, quiet: Quiet = False
) -> int:
    """Execute a run again from its recorded proposals, and compare every transition and tree.

    Gates run anew; nothing is landed, and no model, proposer or person is asked. Exit code 1 if the second time went
    another way; the first difference is named, with its kind.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    repository = session.repository
    with stoppable(session), session.output.watching() as reporter:
        found = replay_run(
            repository,
            find_run(repository, run),
            environ=session.environ,
            reporter=reporter,
            cancel=session.cancel,
        )
    session.output.page(replay_page(found))
    return found.exit_code
