"""Running the user's commit hooks on a staged tree, confined like any gate.

A hook is the user's program, but what it reads is the change: a hook that runs the project's code would run the
patch. So it gets a clone at the repository's own path, writable and thrown away, the repository's objects and the
project's environment read-only, no network, and what pre-commit keeps for itself (its environments), read-only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.gates.bench import tail_of, without_nested
from dev_agent.gates.in_sight import InSight
from dev_agent.sandbox.job import Ended, EndedHow, Job, Limits, Mount, MountKind
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dev_agent.cancel import Cancel
    from dev_agent.gates.bench import Bench
    from dev_agent.gates.project import Project
    from dev_agent.sandbox.sandbox import Sandbox

_TIMEOUT_S = 600
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "pre-commit": (),
    "prepare-commit-msg": ("message",),
    "commit-msg": (),
}
# What pre-commit says when it begins to fetch or build an environment, and where it fails that has no records yet.
_UNPREPARED = (b"Initializing environment for ", b"Installing environment for ", b"pre_commit/store.py")
_PREPARE = "make them once by hand: pre-commit install-hooks"
_TAKES_MESSAGE = frozenset({"prepare-commit-msg", "commit-msg"})


@dataclass(frozen=True, kw_only=True, slots=True)
class HookRun:
    """How one hook ended: `problem` is empty if it passed."""

    name: str
    problem: str
    output: bytes
    ms: int


class HookBench:
    """Runs hooks in a clone that lies in `clone` on the host and is shown at the repository's path."""

    def __init__(self, project: Project, bench: Bench, sandbox: Sandbox, *, cache: Path | None) -> None:
        self._project = project
        self._bench = bench
        self._sandbox = sandbox
        self._cache = cache

    def run(
        self, names: Sequence[str], *, clone: Path, objects: tuple[Path, Path], message: str, cancel: Cancel
    ) -> tuple[HookRun, ...]:
        """Run the hooks one after the other; the first that fails is the last that runs.

        `objects` is (where the sandbox shows the repository's objects, where they are); `message` is the message
        file's path in the clone.
        """
        ended: list[HookRun] = []
        for name in names:
            ended.append(self._run_one(name, clone, objects, message, cancel))
            if ended[-1].problem:
                break
        return tuple(ended)

    def command(
        self,
        argv: Sequence[str],
        *,
        clone: Path,
        objects: tuple[Path, Path],
        network: bool,
        limits: Limits,
        cancel: Cancel,
    ) -> Ended:
        """Run any program in a clone, at its top; what it changes there stays, and nothing else is writable."""
        job = Job(
            argv=tuple(argv),
            cwd=self._project.root,
            env=self._bench.environment(),
            mounts=self._view(clone, objects),
            limits=limits,
            network=network,
        )
        return self._sandbox.run(job, cancel)

    @property
    def in_sight(self) -> InSight:
        """What a program of `command` can find, the profile's own folders aside."""
        project = self._project
        return InSight(
            root=project.root,
            python=project.interpreter.path,
            search=tuple(map(Path, self._bench.environment()["PATH"].split(":"))),
            shown=tuple(target for target, _ in project.shown),
        )

    def _run_one(
        self, name: str, clone: Path, objects: tuple[Path, Path], message: str, cancel: Cancel
    ) -> HookRun:
        given = ((message,) if name in _TAKES_MESSAGE else ()) + _ARGUMENTS[name]
        root = self._project.root
        job = Job(
            argv=("git", "hook", "run", name, *(("--", *given) if given else ())),
            cwd=root,
            env=self._environment(root),
            mounts=self._view(clone, objects),
            limits=Limits(wall_s=_TIMEOUT_S),
        )
        done = self._sandbox.run(job, cancel)
        problem = ""
        if done.how is not EndedHow.EXITED:
            problem = f"{name} {done.how.value}{': ' + done.detail if done.detail else ''}"
        elif done.code:
            said = tail_of(done.stdout + b"\n" + done.stderr)
            problem = f"{name} ended with status {done.code}{': ' + said if said else ' and said nothing'}"
            if any(mark in done.stdout + done.stderr for mark in _UNPREPARED):
                problem = f"{name} could not make pre-commit's environments, having no network; {_PREPARE}\n{problem}"
        return HookRun(name=name, problem=problem, output=done.stdout + done.stderr, ms=done.ms)

    def _environment(self, root: Path) -> dict[str, str]:
        cache = {"PRE_COMMIT_HOME": str(self._cache)} if self._cache else {}
        return {
            **self._bench.environment(),
            **cache,
            "GIT_INDEX_FILE": str(root / ".git/index"),
            "GIT_EDITOR": ":",
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def _view(self, clone: Path, objects: tuple[Path, Path]) -> tuple[Mount, ...]:
        shown = dict(self._project.shown)
        shown[objects[0]] = objects[1]
        if self._cache:
            shown[self._cache] = self._cache
        return (
            Mount(kind=MountKind.WRITABLE, target=self._project.root, source=clone.resolve()),
            *(
                Mount(kind=MountKind.READ_ONLY, target=target, source=source.resolve())
                for target, source in sorted(without_nested(shown).items())
            ),
        )
