"""Building the jobs of all gates: what they see, what they may spend, and the trusted launcher in front.

The staged tree is shown at the repository's own path, so that editable installs, absolute paths and scripts of
the environment lead to it and not to the user's checkout. Over it lie, read-only: an empty `.git` (so that no
test finds a repository), the environment if it lives in the tree, and the included untracked files. Nothing
else of the host is shown but what the interpreter needs and what the settings name. A sandbox that cannot mount says
these paths anew; the launcher then puts the staged roots in front of what an editable install leads to.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dev_agent.cancel import Cancel
from dev_agent.gates.ground import Ground
from dev_agent.gates.project import Project
from dev_agent.gates.records import BadReport, read_records
from dev_agent.gates.tools import TRUSTED, Tool
from dev_agent.sandbox.job import Ended, Job, Limits, Mount, MountKind
from dev_agent.sandbox.sandbox import Sandbox
from dev_agent.values import dataclass

_RUNNER = Path(__file__).resolve().parent / "runner"
_RUNNER_SHOWN = TRUSTED / "runner"
EMPTY_PYTEST_INI = str(_RUNNER_SHOWN / "empty.ini")
_TAIL = 1500
_REPORT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """One finished job with its records; `forged` says why the report cannot be believed, "" if it can."""

    ended: Ended
    records: tuple[Mapping[str, Any], ...]
    forged: str

    def of(self, kind: str) -> tuple[Mapping[str, Any], ...]:
        """The records of one type."""
        return tuple(one for one in self.records if one.get("type") == kind)

    @property
    def output(self) -> bytes:
        """What the program said, both streams, for people."""
        return (
            self.ended.stdout
            + (b"\n" if self.ended.stdout and self.ended.stderr else b"")
            + self.ended.stderr
        )


class Bench:
    """Runs the launcher on a checked-out tree. `limits` are the profile's; the time is each gate's own.

    `ground` is told of every program that ended.
    """

    def __init__(self, project: Project, sandbox: Sandbox, limits: Limits, ground: Ground) -> None:
        self._project = project
        self._sandbox = sandbox
        self._limits = limits
        self._ground = ground

    def run(
        self,
        kind: str,
        instructions: Mapping[str, Any],
        *,
        tree: Path,
        timeout_s: int,
        cancel: Cancel,
        tool: Tool | None = None,
        mounts: Sequence[Mount] = (),
        read_only: bool = False,
    ) -> Ran:
        """Run one kind of job (`tests`, `types`, `command`) on the directory `tree`.

        `tool` brings its own interpreter and what it needs to be shown; `mounts` are whatever else the job needs.
        """
        view = (*self._view(tree, tool.shown if tool else (), read_only=read_only), *mounts)
        told = {
            **instructions,
            "staged_roots": list(instructions.get("roots", self._project.pth_roots)),
            "setup": [list(one) for one in self._project.config.setup],
        }
        limits = replace(self._limits, wall_s=timeout_s, cpu_s=max(2 * timeout_s, 60))
        python = tool.python if tool else self._project.interpreter.path
        return self._go(kind, told, view, python, self._project.root, limits, cancel)

    def run_apart(
        self, kind: str, instructions: Mapping[str, Any], *, limits: Limits, tool: Tool, cancel: Cancel
    ) -> Ran:
        """Run a job that sees the environment and nothing of the repository: no tree, no set-up, no included file."""
        project = self._project
        shown = {
            target: source
            for target, source in project.shown
            if target.is_relative_to(project.interpreter.prefix) or not target.is_relative_to(project.root)
        }
        view = _read_only(without_nested({**shown, **dict(tool.shown), _RUNNER_SHOWN: _RUNNER}))
        told = {**instructions, "staged_roots": [], "setup": []}
        return self._go(kind, told, view, tool.python, Path("/"), limits, cancel)

    def _go(
        self,
        kind: str,
        instructions: Mapping[str, Any],
        view: Sequence[Mount],
        python: Path,
        cwd: Path,
        limits: Limits,
        cancel: Cancel,
    ) -> Ran:
        key = secrets.token_bytes(32)
        places = [str(mount.target) for mount in view]
        payload = {**instructions, "kind": kind, "key": key.hex(), "places": places}
        launcher = str(_RUNNER_SHOWN / "launch.py")
        job = Job(
            # The places as arguments: a sandbox without mounts puts there where each of them really is.
            argv=(str(python), "-I", "-S", "-B", launcher, *places),
            cwd=cwd,
            env=self.environment(),
            mounts=tuple(view),
            limits=limits,
            input=json.dumps(payload).encode("ascii"),
            report_bytes=_REPORT_BYTES,
        )
        try:
            ended = self._sandbox.run(job, cancel)
        finally:
            self._ground.program_ended()
        try:
            return Ran(ended=ended, records=read_records(ended.report, key), forged="")
        except (BadReport, ValueError) as error:
            return Ran(ended=ended, records=(), forged=str(error))

    def environment(self) -> dict[str, str]:
        """The variables of every judged program: the settings' own under the few that must hold."""
        interpreter = self._project.interpreter
        env = {
            **self._project.env,
            "PATH": f"{interpreter.prefix / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            # Programs that the tests start import from where they are, as on the user's machine; the launcher
            # itself is kept safe by -I.
            "PYTHONSAFEPATH": "",
            "PYTHONNOUSERSITE": "1",
        }
        if interpreter.is_venv:
            env["VIRTUAL_ENV"] = str(interpreter.prefix)
        return env

    def _view(self, tree: Path, more: Sequence[tuple[Path, Path]], *, read_only: bool) -> tuple[Mount, ...]:
        root = self._project.root
        shown = without_nested({**dict(self._project.shown), **dict(more), _RUNNER_SHOWN: _RUNNER})
        return (
            Mount(
                kind=MountKind.READ_ONLY if read_only else MountKind.SCRATCH,
                target=root,
                source=tree.resolve(),
                ours=True,
            ),
            Mount(kind=MountKind.DATA, target=root / ".git"),
            *_read_only(shown),
        )


def _read_only(shown: Mapping[Path, Path]) -> tuple[Mount, ...]:
    # The sources' links are resolved here: a mount may not go through one.
    return tuple(
        Mount(kind=MountKind.READ_ONLY, target=target, source=source.resolve())
        for target, source in sorted(shown.items())
    )


def without_nested(shown: Mapping[Path, Path]) -> dict[Path, Path]:
    """Leave out what an outer mount of `shown` shows anyway, at the same place."""
    return {
        target: source
        for target, source in shown.items()
        if not any(
            other in target.parents and source == outer / target.relative_to(other)
            for other, outer in shown.items()
        )
    }


def tail_of(output: bytes) -> str:
    """The end of what a program said, in whole lines, led by the last one with a word: that tends to say it."""
    text = output.decode(errors="replace").strip()
    kept = text[-_TAIL:]
    if len(text) > _TAIL:
        kept = kept.partition("\n")[2] or kept
    lines = kept.split("\n")
    last = next((one for one in reversed(lines) if any(map(str.isalnum, one))), lines[-1])
    return kept if last == kept else f"{last}\n{kept}"
