"""Where a task is said: on the command line, in a file, on standard input; never more than a task may have."""

from __future__ import annotations

import sys
from pathlib import Path

from dev_agent.errors import UsageFault


def read_task_text(task: str | None, file: str | None, *, longest: int) -> str:
    """The task's text, at most one character more than `longest` of it. Raises UsageFault for none, or two."""
    if (task is None) == (file is None):
        raise UsageFault(
            "the task is missing" if task is None else "the task is given twice",
            hint="write it after the command, or name a file with --task-file; see `dev-agent apply --help`",
        )
    if file is None:
        return str(task)
    try:
        if file == "-":
            data = sys.stdin.buffer.read(4 * longest + 4)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(4 * longest + 4)
        return data.decode("utf-8")[: longest + 1]
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageFault(
            f"the task {file!r} cannot be read: {said}",
            hint="--task-file takes a text file, or - for standard input",
        ) from error
