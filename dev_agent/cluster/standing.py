"""A job's project on a worker: the worker's own environment and files, standing where the asker has theirs.

What is judged must not differ by where it is judged: the tree is shown at the asker's path as everywhere, and so are
the environment and the untracked files the job names. A traceback, a command line and an installed script then say
the same words on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.gates.cache import digest_of

if TYPE_CHECKING:
    from dev_agent.cluster.job import Job
    from dev_agent.gates.environment import Installed, PathFile
    from dev_agent.gates.interpreter import Interpreter
    from dev_agent.gates.project import Project
    from dev_agent.gates.tools import Tool

# Of the system: every sandbox shows the worker's own there.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt/dev-agent")


def standing(project: Project, job: Job, files: Mapping[str, Path]) -> Project:
    """The project as the job's asker has it. `files` are where the job's files are here, by sha256."""
    moved = _moved(project, job) if _can_move(project, job) else project
    root = Path(job.root)
    included = {root / one.path: files[one.sha256].resolve() for one in job.files}
    return replace(
        moved,
        shown=tuple(sorted({**dict(moved.shown), **included}.items())),
        digest=digest_of([project.digest, [[one.path, one.sha256] for one in job.files]]),
        included=tuple(sorted(included)),
        vicinity=None,
    )


def _can_move(project: Project, job: Job) -> bool:
    there = Path(job.interpreter)
    if not job.prefix or not project.interpreter.is_venv or project.interpreter.prefix == Path(job.prefix):
        return False
    same_name = project.interpreter.prefix / there.relative_to(job.prefix)
    return same_name.exists() and not any(Path(job.prefix).is_relative_to(one) for one in _SYSTEM)


def _moved(project: Project, job: Job) -> Project:
    here, there = project.interpreter.prefix, Path(job.prefix)

    def place(path: Path) -> Path:
        return there / path.relative_to(here) if path.is_relative_to(here) else path

    return replace(
        project,
        interpreter=_interpreter(project.interpreter, job, place),
        installed=_installed(project.installed, place),
        mypy=_tool(project.mypy, project.interpreter, job, place),
        pytest=_tool(project.pytest, project.interpreter, job, place),
        shown=_shown({**dict(project.shown), here: here.resolve()}, place),
    )


def _interpreter(interpreter: Interpreter, job: Job, place: Callable[[Path], Path]) -> Interpreter:
    return replace(
        interpreter,
        path=Path(job.interpreter),
        prefix=Path(job.prefix),
        site_dirs=tuple(map(place, interpreter.site_dirs)),
        shown=_shown(dict(interpreter.shown), place),
    )


def _installed(installed: Installed, place: Callable[[Path], Path]) -> Installed:
    """Distributions stay where this machine has them: what is read of them later is read from its disk."""

    def moved(one: PathFile) -> PathFile:
        return replace(one, folders=tuple(map(place, one.folders)))

    return replace(installed, path_files=tuple(map(moved, installed.path_files)))


def _tool(
    tool: Tool | None, interpreter: Interpreter, job: Job, place: Callable[[Path], Path]
) -> Tool | None:
    if tool is None:
        return None
    return replace(
        tool,
        python=Path(job.interpreter) if tool.python == interpreter.path else tool.python,
        site_dirs=tuple(map(place, tool.site_dirs)),
        shown=_shown(dict(tool.shown), place),
    )


def _shown(shown: Mapping[Path, Path], place: Callable[[Path], Path]) -> tuple[tuple[Path, Path], ...]:
    return tuple(sorted((place(target), source) for target, source in shown.items()))
