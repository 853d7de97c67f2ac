"""`dev-agent program run` and what belongs to it: programs of your own, driven by the governed runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.options import HERE, AsJson, Key, Quiet, RunName
from dev_agent.cli.pages.hosted import hosted_page, hosted_runs_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.errors import UsageFault
from dev_agent.programs.hosting.given import given
from dev_agent.programs.hosting.host import Host
from dev_agent.programs.hosting.places import default_runs, list_hosted, run_once
from dev_agent.programs.hosting.secrets import Secrets, secrets_at
from dev_agent.runtime.host import Reporter

_NO_SECRETS = Secrets()

File = Annotated[Path, typer.Argument(metavar="FILE", help="The program, as TOML.")]
Actions = Annotated[
    str,
    typer.Option(
        "--actions", metavar="MODULE", help="A .py file or a module that holds ACTIONS.", show_default=False
    ),
]
ActionsAgain = Annotated[
    str | None, typer.Option("--actions", metavar="MODULE", help="The actions; default: where they were.")
]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input of the run; repeatable."),
]
InputsFile = Annotated[
    Path | None, typer.Option("--inputs", metavar="FILE", help="Inputs as one JSON object.")
]
Runs = Annotated[
    Path | None,
    typer.Option(
        "--runs",
        metavar="DIR",
        envvar="DEV_AGENT_RUNS",
        help="Where runs are kept; default: your state directory.",
    ),
]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="How many branches run at once.")]
Signal = Annotated[
    str | None, typer.Option("--signal", metavar="OUTCOME", help="The answer a waiting state asks for.")
]
Data = Annotated[
    list[str] | None,
    typer.Option("--data", metavar="NAME=VALUE", help="What belongs to the answer; repeatable."),
]
Secret = Annotated[
    list[str] | None,
    typer.Option(
        "--capability",
        metavar="NAME=env:VAR|file:PATH",
        help="Where a secret lies that actions may resolve by this name; repeatable.",
    ),
]
Again = Annotated[
    Path | None,
    typer.Option("--program", metavar="FILE", help="Refuse to go on under any other program than this."),
]


def run(  # noqa: PLR0913 - one parameter an option
    path: File,
    *,
    actions: Actions,
    inputs: Inputs = None,
    inputs_file: InputsFile = None,
    capability: Secret = None,
    runs: Runs = None,
    key: Key = None,
    workers: Workers = 4,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run a program of your own with actions of your own; git is not needed.

    Exit codes: 0 ended well; 1 ended in a final that refuses; 4 over a budget; 5 waits for an answer; 130 interrupted.
    """
    session = Session(directory=HERE, as_json=as_json, quiet=quiet)
    session.listen()
    text, values = _text(path), given(inputs or (), inputs_file)
    secrets = secrets_at(capability or (), session.environ)
    with stoppable(session), session.output.watching() as reporter:
        report = run_once(
            _host(session, runs, reporter, workers, secrets),
            text,
            source=path.name,
            module=actions,
            inputs=values,
            key=key,
        )
    session.output.page(hosted_page(report))
    return report.exit_code


def resume(  # noqa: PLR0913 - one parameter an option
    name: RunName,
    *,
    signal: Signal = None,
    data: Data = None,
    actions: ActionsAgain = None,
    program: Again = None,
    capability: Secret = None,
    runs: Runs = None,
    workers: Workers = 4,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Go on with a run after a crash, an interruption, or with the answer it waits for."""
    session = Session(directory=HERE, as_json=as_json, quiet=quiet)
    session.listen()
    text, values = _text(program) if program else None, given(data or ())
    secrets = secrets_at(capability or (), session.environ)
    with stoppable(session), session.output.watching() as reporter:
        report = _host(session, runs, reporter, workers, secrets).take_up(
            name, module=actions, text=text, outcome=signal, data=values
        )
    session.output.page(hosted_page(report))
    return report.exit_code


def show(name: RunName = "last", *, runs: Runs = None, as_json: AsJson = False) -> int:
    """Tell what happened in a run of a program of your own."""
    session = Session(directory=HERE, as_json=as_json)
    report = _host(session, runs, Reporter(), 1).report(name)
    session.output.page(hosted_page(report, story=True))
    return 0


def list_runs(*, runs: Runs = None, as_json: AsJson = False) -> int:
    """List the runs of programs of your own, newest first."""
    session = Session(directory=HERE, as_json=as_json)
    session.output.page(hosted_runs_page(*list_hosted(_host(session, runs, Reporter(), 1))))
    return 0


def _host(
    session: Session, runs: Path | None, reporter: Reporter, workers: int, secrets: Secrets = _NO_SECRETS
) -> Host:
    default = default_runs(session.environ)
    return Host(
        runs=(runs or default).absolute(),
        default=default,
        environ=session.environ,
        cancel=session.cancel,
        reporter=reporter,
        workers=workers,
        secrets=secrets,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageFault(
            f"the program {path} cannot be read: {reason}", hint="name a program file"
        ) from error
