"""The gates as a run uses them: prepared for a base when that base is first judged, hooks included.

A run whose branch moved is judged on a new base, and configuration, interpreter settings and baselines are that
base's. Preparing costs a question to the interpreter, so it is done once a base.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.gates.config import GateConfig, read_config
from dev_agent.gates.gates import Gates, Preflight
from dev_agent.gates.hooks import HookRun
from dev_agent.gates.interpreter import Surroundings
from dev_agent.gates.judge import LOCAL, GateName, Judge, Judgement, Question, Terms
from dev_agent.sandbox.job import Ended
from dev_agent.sandbox.profile import Profile
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.in_sight import InSight
    from dev_agent.gates.subject import Subject, Trees
    from dev_agent.gates.type_run import TypeRun
    from dev_agent.policy.policy import GatePolicy
    from dev_agent.repository.discovery import Repository
    from dev_agent.sandbox.sandbox import Sandbox


def judged_at(repository: Repository) -> Path:
    """Where judged code believes to lie: the work tree's place; of a bare repository an empty folder of ours."""
    if repository.root is not None:
        return repository.root
    place = repository.state_dir / "judged"
    place.mkdir(parents=True, exist_ok=True)
    return place


@dataclass(frozen=True, kw_only=True, slots=True)
class Judging:
    """Gates for whatever base a run comes to stand on. Safe to use from several threads.

    `confinement` is the setting that `sandbox` was chosen for. `python` is the caller's word for the interpreter, ""
    for what the base's settings and the machine say. `judge` answers what the gates are asked; everything else is done
    here. `afresh`: of what was judged before nothing counts.
    """

    repository: Repository
    trees: Trees
    sandbox: Sandbox
    policy: GatePolicy
    must_pass: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)  # may hold secrets
    cancel: Cancel
    cache: Path
    profile: Profile = field(default_factory=Profile)
    confinement: str = "auto"
    python: str = ""
    afresh: bool = False
    judge: Judge = LOCAL
    _prepared: dict[str, Gates] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, base_tree: str) -> Gates:
        """The gates for `base_tree`. Raises UsageFault or EnvironmentFault if they cannot be had."""
        with self._lock:
            if base_tree not in self._prepared:
                self._prepared[base_tree] = Gates.prepare(
                    judged_at(self.repository),
                    self.trees,
                    base_tree,
                    self._config(base_tree),
                    policy=self.policy,
                    sandbox=self.sandbox,
                    cache=self.cache,
                    surroundings=Surroundings.of(self.environ),
                    cancel=self.cancel,
                    must_pass=self.must_pass,
                    limits=self.profile.limits,
                )
            return self._prepared[base_tree]

    def _config(self, base_tree: str) -> GateConfig:
        config = read_config(self.trees, base_tree)
        return replace(config, python=self.python) if self.python else config

    def apart(self, cache: Path) -> Judging:
        """The same gates, remembering elsewhere: of what was judged before they know nothing."""
        return replace(self, cache=cache, afresh=True, _prepared={}, _lock=threading.Lock())

    @property
    def confined(self) -> bool:
        """True if what is run here sees mounts instead of the machine."""
        return self.sandbox.tier == 1

    @property
    def width(self) -> int | None:
        """How many questions are answered at a time; None: as many as this machine can."""
        return self.judge.width

    def preflight(self, base_tree: str) -> Preflight:
        """What can be judged on a base."""
        return self.of(base_tree).preflight()

    def describe(self, base_tree: str) -> dict[str, Any]:
        """The environment of a base's gates, with its digest."""
        gates = self.of(base_tree)
        return {**gates.describe(), "digest": gates.project.digest}

    def ask(self, gate: GateName, subject: Subject, cancel: Cancel) -> Judgement:
        """What a gate says about a tree; of checks one verdict each, maybe none."""
        terms = Terms(
            rules=self.policy,
            profile=self.profile,
            sandbox=self.confinement,
            must_pass=self.must_pass,
            python=self.python,
            afresh=self.afresh,
        )
        question = Question(gate=gate, subject=subject, terms=terms)
        return self.judge.judge(question, self.of(subject.base_tree), cancel)

    def answers_on_types(self, base_tree: str) -> bool:
        """True if `ask_types` can be, on this base."""
        return self.of(base_tree).answers_on_types

    def ask_types(self, subject: Subject, cancel: Cancel) -> TypeRun:
        """What the type checker says about a tree, judged by nothing."""
        return self.of(subject.base_tree).ask_types(subject, cancel)

    def run_hooks(
        self,
        names: Sequence[str],
        *,
        base_tree: str,
        clone: Path,
        objects: tuple[Path, Path],
        message: str,
        cancel: Cancel,
    ) -> tuple[HookRun, ...]:
        """Run the user's commit hooks in a clone; the first that fails is the last that runs."""
        return self.of(base_tree).run_hooks(
            names, clone=clone, objects=objects, message=message, cancel=cancel
        )

    def run_command(
        self,
        argv: Sequence[str],
        *,
        base_tree: str,
        clone: Path,
        objects: tuple[Path, Path],
        network: bool,
        cancel: Cancel,
    ) -> Ended:
        """Run a program that is to change a clone, within the profile's limits."""
        return self.of(base_tree).run_command(
            argv, clone=clone, objects=objects, network=network, limits=self.profile.limits, cancel=cancel
        )

    def in_sight(self, base_tree: str) -> InSight:
        """What such a program can find, with the folders that the profile shows."""
        found = self.of(base_tree).in_sight
        return replace(found, shown=(*found.shown, *self.profile.read_only))
