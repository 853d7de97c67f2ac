"""All gates of one repository at one base, for callers: build once, judge as often as needed.

    config = read_config(trees, base_tree)
    gates = Gates.prepare(root, trees, base_tree, config, policy=policy.gates, sandbox=sandbox, cache=folder,
                          surroundings=Surroundings.of(environ), cancel=cancel)
    verdict = gates.judge_types(Subject(...), cancel)      # likewise judge_tests and judge_checks

The three judges may run at the same time in threads of their own. A subject's base tree must be the one the
gates were prepared for: configuration, interpreter settings and baselines are the base's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dev_agent.cancel import Cancel
from dev_agent.errors import UsageFault
from dev_agent.gates.bench import Bench
from dev_agent.gates.cache import Cache
from dev_agent.gates.checks import ChecksGate, together
from dev_agent.gates.config import GateConfig
from dev_agent.gates.context import GateContext
from dev_agent.gates.ground import Ground
from dev_agent.gates.hooks import HookBench, HookRun
from dev_agent.gates.in_sight import InSight
from dev_agent.gates.interpreter import Surroundings
from dev_agent.gates.layout import TestLayout, type_targets
from dev_agent.gates.project import Project, discover
from dev_agent.gates.reproduction import ReproductionGate
from dev_agent.gates.settings import GateRules, GateSettings, Mode
from dev_agent.gates.subject import Subject, Trees
from dev_agent.gates.tests import TestsGate
from dev_agent.gates.tool_config import read_mypy_config, read_pytest_config
from dev_agent.gates.type_run import TypeRun
from dev_agent.gates.types import TypesGate
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.sandbox.job import Ended, Limits
from dev_agent.sandbox.sandbox import Sandbox
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Preflight:
    """What will and will not be judged, known before a run starts. `missing` are sentences for the user.

    A gate that the project's settings or the policy switch off judges as little as one that has nothing to judge.
    """

    has_tests: bool
    has_types: bool
    missing: tuple[str, ...]


class Gates:
    """The gates of one repository at one base."""

    def __init__(self, context: GateContext, hooks: HookBench, ground: Ground) -> None:
        self._context = context
        self._ground = ground
        self._hooks = hooks
        self._types = TypesGate(context)
        self._tests = TestsGate(context)
        self._checks = ChecksGate(context)
        self._reproduction = ReproductionGate(context)
        self._preflight: Preflight | None = None

    @classmethod
    def prepare(  # noqa: PLR0913 - the one place where everything comes together
        cls,
        root: Path,
        trees: Trees,
        base_tree: str,
        config: GateConfig,
        *,
        policy: GateRules,
        sandbox: Sandbox,
        cache: Path,
        surroundings: Surroundings,
        cancel: Cancel,
        must_pass: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> Gates:
        """Find the interpreter, look at what is installed, bind the gates.

        `root` is the user's work tree, `config` what `read_config` found in the base, `cache` a folder that is made
        when needed, `limits` those of the sandbox's profile. Raises UsageFault for wrong settings and
        EnvironmentFault if there is no interpreter to judge with.
        """
        _require_tests(config, policy, must_pass)
        remembered = Cache(cache)
        project = discover(
            root,
            trees,
            base_tree,
            config,
            surroundings=surroundings,
            sandbox=sandbox,
            cancel=cancel,
            cache=remembered,
        )
        kept = surroundings.home / ".cache" / "pre-commit"
        return cls.around(
            project,
            trees,
            policy=policy,
            sandbox=sandbox,
            cache=cache,
            must_pass=must_pass,
            limits=limits,
            hooks_cache=kept if kept.is_dir() else None,
        )

    @classmethod
    def around(
        cls,
        project: Project,
        trees: Trees,
        *,
        policy: GateRules,
        sandbox: Sandbox,
        cache: Path,
        must_pass: Sequence[str] = (),
        limits: Limits | None = None,
        hooks_cache: Path | None = None,
    ) -> Gates:
        """Bind the gates of a project that has been found. Raises UsageFault as `prepare` does."""
        _require_tests(project.config, policy, must_pass)
        ground = Ground(project.is_as_it_was)
        bench = Bench(project, sandbox, limits or Limits(), ground)
        context = GateContext(
            trees=trees,
            project=project,
            bench=bench,
            cache=Cache(cache, keeps=ground.holds),
            cache_dir=cache,
            settings=GateSettings.of(policy, must_pass),
        )
        return cls(context, HookBench(project, bench, sandbox, cache=hooks_cache), ground)

    @property
    def project(self) -> Project:
        """The environment the gates judge in; its `digest` belongs into the trace."""
        return self._context.project

    @property
    def context(self) -> GateContext:
        """What the gates hold: for a judge that asks them somewhere else."""
        return self._context

    def judge_types(self, subject: Subject, cancel: Cancel) -> Verdict:
        """The types gate's verdict."""
        self._check(subject)
        return self._on_firm_ground(self._types.judge(subject, cancel))

    @property
    def answers_on_types(self) -> bool:
        """True if `ask_types` can be."""
        return self._types.answers

    def ask_types(self, subject: Subject, cancel: Cancel) -> TypeRun:
        """What the type checker says about a tree, judged by nothing; see `TypesGate.ask`."""
        self._check(subject)
        return self._types.ask(subject, cancel)

    def judge_tests(self, subject: Subject, cancel: Cancel) -> Verdict:
        """The tests gate's verdict."""
        self._check(subject)
        return self._on_firm_ground(self._tests.judge(subject, cancel))

    def judge_reproduction(self, subject: Subject, cancel: Cancel) -> Verdict:
        """Whether a test that the change brings fails on the base and passes on the change."""
        self._check(subject)
        return self._on_firm_ground(self._reproduction.judge(subject, cancel))

    def judge_checks(self, subject: Subject, cancel: Cancel) -> Verdict:
        """One verdict on all further checks of the settings; `judge_each_check` tells them apart."""
        return together(subject, self.judge_each_check(subject, cancel), self._context.project.digest)

    def judge_each_check(self, subject: Subject, cancel: Cancel) -> tuple[Verdict, ...]:
        """The verdicts of the settings' further checks, in their order."""
        self._check(subject)
        return tuple(map(self._on_firm_ground, self._checks.judge(subject, cancel)))

    def run_hooks(
        self, names: Sequence[str], *, clone: Path, objects: tuple[Path, Path], message: str, cancel: Cancel
    ) -> tuple[HookRun, ...]:
        """Run the user's commit hooks in a clone; see `HookBench.run`."""
        return self._hooks.run(names, clone=clone, objects=objects, message=message, cancel=cancel)

    def run_command(
        self,
        argv: Sequence[str],
        *,
        clone: Path,
        objects: tuple[Path, Path],
        network: bool,
        limits: Limits,
        cancel: Cancel,
    ) -> Ended:
        """Run a program that is to change a clone; see `HookBench.command`."""
        return self._hooks.command(
            argv, clone=clone, objects=objects, network=network, limits=limits, cancel=cancel
        )

    @property
    def in_sight(self) -> InSight:
        """What a program of `run_command` can find."""
        return self._hooks.in_sight

    @property
    def has_tests(self) -> bool:
        """True if the base has tests that can be run."""
        return self.preflight().has_tests

    @property
    def has_types(self) -> bool:
        """True if the base has code whose types can be checked."""
        return self.preflight().has_types

    def describe(self) -> dict[str, Any]:
        """For `doctor`: what was chosen, why, which versions, what is missing and what to do."""
        return {**self._context.project.describe(), "missing": list(self.preflight().missing)}

    def preflight(self) -> Preflight:
        """Look at the base for tests and for something to type-check; runs nothing, and looks only once."""
        if self._preflight is None:
            self._preflight = self._look()
        return self._preflight

    def _look(self) -> Preflight:
        """No path is looked at for a gate that is off: in a large tree that takes time, and nothing asks for it."""
        context = self._context
        config = context.project.config
        rules_tests, rules_types = (
            context.settings.tests is not Mode.OFF,
            context.settings.types is not Mode.OFF,
        )
        has_tests = rules_tests and config.tests.enabled and self._finds_tests()
        has_types = rules_types and config.types.enabled and self._finds_types()
        missing: list[str] = []
        if rules_tests:
            missing += self._lacks_tests(has_tests=has_tests)
        if rules_types:
            missing += self._lacks_types(has_types=has_types)
        return Preflight(has_tests=has_tests, has_types=has_types, missing=tuple(missing))

    def _finds_tests(self) -> bool:
        layout, paths = self._base_layout
        pytest = read_pytest_config(self._context.reader(self._context.project.base_tree))
        return "--doctest-modules" in pytest.addopts or any(map(layout.is_test_file, paths))

    def _finds_types(self) -> bool:
        context = self._context
        if context.project.config.types.paths:
            return True
        if read_mypy_config(context.reader(context.project.base_tree)).has_targets:
            return True
        layout, paths = self._base_layout
        return bool(type_targets(paths, layout))

    @cached_property
    def _base_layout(self) -> tuple[TestLayout, Sequence[str]]:
        """The base's paths, and what they say about which of them are tests."""
        base = self._context.project.base_tree
        paths = self._context.trees.paths(base)
        return TestLayout.of(paths, read_pytest_config(self._context.reader(base)).python_files), paths

    def _lacks_tests(self, *, has_tests: bool) -> list[str]:
        project = self._context.project
        if not project.config.tests.enabled:
            return [f"{project.config.source} switches the tests gate off: no test is run"]
        lacks = [] if has_tests else ["this repository has no tests: nothing would show that a change works"]
        if project.pytest is None:
            lacks.append("no pytest for the project's interpreter: install it there")
        return lacks

    def _lacks_types(self, *, has_types: bool) -> list[str]:
        project = self._context.project
        if not project.config.types.enabled:
            return [f"{project.config.source} switches the types gate off: no type is checked"]
        lacks = [] if has_types else ["nothing to type-check was found: name it in gates.types.paths"]
        if project.mypy is None:
            lacks.append("no mypy: install it into the project's environment")
        return lacks

    def _on_firm_ground(self, verdict: Verdict) -> Verdict:
        """The verdict, unless it is a pass that was found while what it stands on changed.

        The base may have been judged before that and the change after it: the two say nothing about each other.
        """
        if verdict.result is not GateResult.PASSED or verdict.cached or self._ground.holds():
            return verdict
        return replace(
            verdict,
            result=GateResult.ERROR,
            reason="environment_changed",
            hint="installed packages, or files that the gates are shown beside the repository, changed while they ran: "
            "judge it again; of a read_only directory that is written all the time, name the parts that rest",
        )

    def _check(self, subject: Subject) -> None:
        if subject.base_tree != self._context.project.base_tree:
            raise ValueError("BUG: these gates were prepared for another base")


def _require_tests(config: GateConfig, policy: GateRules, must_pass: Sequence[str]) -> None:
    if must_pass and (not config.tests.enabled or Mode(policy.tests) is Mode.OFF):
        who = "the policy" if config.tests.enabled else config.source
        raise UsageFault(
            f"--must-pass names tests, but {who} switches the tests gate off",
            hint="leave --must-pass out, or switch the gate on",
        )
