"""`dev-agent context`: what a model would be shown for a task, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory, Quiet
from dev_agent.cli.pages.context import context_page, rank_page
from dev_agent.cli.session import Session
from dev_agent.errors import UsageFault
from dev_agent.programs.briefing import FILES_BUDGET, first_view
from dev_agent.programs.repository_map import DEFAULT_BUDGET, LONGEST_TASK, ContextRequest, context_for

app = command_app()

Task = Annotated[str | None, typer.Argument(metavar="[TASK]", help="What is to be done, in any words.")]
TaskFile = Annotated[
    str | None,
    typer.Option("--task-file", metavar="FILE|-", help="Read the task from a file; - reads stdin."),
]
Rank = Annotated[bool, typer.Option("--rank", help="Print the ranked paths only, best first.")]
Budget = Annotated[
    int, typer.Option("--budget", metavar="N", help="The most tokens the map may take, by estimate.")
]
FilesBudget = Annotated[
    int,
    typer.Option("--files", metavar="N", help="The most tokens texts of files may take; 0: the map alone."),
]
Full = Annotated[bool, typer.Option("--full", help="Print the texts of files too, as a model gets them.")]
Paths = Annotated[
    list[str] | None,
    typer.Option("--path", metavar="PATTERN", help="Only these files, folders or globs; repeatable."),
]
Base = Annotated[
    str | None, typer.Option("--base", metavar="COMMIT", help="The commit to look at; default: HEAD.")
]


@app.command()
def context(  # noqa: PLR0913 - one parameter an option
    task: Task = None,
    *,
    task_file: TaskFile = None,
    rank: Rank = False,
    budget: Budget = DEFAULT_BUDGET,
    files: FilesBudget = FILES_BUDGET,
    full: Full = False,
    path: Paths = None,
    base: Base = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Show what a model would see of the repository with the first question of a task, and why it was chosen.

    A map of outlines, best first, and the texts of the best files: whole where they fit, else the parts that matter.
    Reads the base commit, not the work tree. Credentials are blotted out, environment and key files never shown.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    request = ContextRequest(task=_task(task, task_file), budget=budget, paths=tuple(path or ()), base=base)
    progress = _Progress(quiet=quiet or as_json).told
    if rank:
        session.output.page(rank_page(context_for(session.repository, request, progress=progress)))
    else:
        view = first_view(session.repository, request, files_budget=files, progress=progress)
        session.output.page(context_page(view, full=full))
    return 0


class _Progress:
    """A line on a terminal while an index is made."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet or not sys.stderr.isatty()

    def told(self, done: int, of: int) -> None:
        if not self._quiet:
            sys.stderr.write(f"\rindexed {done} of {of} files{'' if done < of else chr(10)}")
            sys.stderr.flush()


def _task(task: str | None, file: str | None) -> str:
    if (task is None) == (file is None):
        raise UsageFault(
            "give the task once: as words or with --task-file",
            hint="dev-agent context 'fix the total of an empty bill'",
        )
    if task is not None:
        return task
    try:
        data = sys.stdin.buffer.read(LONGEST_TASK + 1) if file == "-" else _read(Path(str(file)))
    except OSError as error:
        raise UsageFault(
            f"--task-file: {error.strerror}: {file}", hint="name a file that can be read"
        ) from error
    return data.decode("utf-8", "replace")


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(LONGEST_TASK + 1)
