"""The pytest command line and the runner's instructions for one tree. Pure.

What the base's configuration and the environment's plugins would do is kept, but for what makes a verdict
impossible or dependent on chance: stopping at the first failure, distributing over processes, a coverage
threshold, a cache of earlier runs. `pythonpath` is taken over into the runner's own order of paths, because
pytest puts it in front of the standard library before it loads plugins.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from dev_agent.gates.bench import EMPTY_PYTEST_INI
from dev_agent.gates.environment import Installed
from dev_agent.gates.layout import TestLayout, import_roots, own_names
from dev_agent.gates.project import Project
from dev_agent.gates.tool_config import PytestConfig
from dev_agent.gates.tools import Tool
from dev_agent.values import dataclass

_NEUTRAL = {"xdist": ("-n0",), "pytest_cov": ("--no-cov",), "randomly": ("-p", "no:randomly")}
_NEEDS_CACHE = re.compile(
    r"--(lf|ff|nf|sw|last-failed|failed-first|new-first|stepwise|cache)|-o|--override-ini"
)

FOUNDATIONS = frozenset({"pluggy", "iniconfig", "packaging", "pygments", "exceptiongroup"})
"""Modules pytest is built on. A repository of one of them is judged by a pytest that runs on the judged module."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TestCommand:
    """Everything that shapes a run but the tree and the tests asked for.

    `foundations` are those of pytest's own foundations that are this very project; `brings_pytest` says that pytest is.
    """

    __test__ = False

    project: Project
    tool: Tool
    config: PytestConfig
    roots: tuple[str, ...]
    exempt: tuple[str, ...]
    foundations: tuple[str, ...] = ()
    brings_pytest: bool = False

    @classmethod
    def of(
        cls, project: Project, tool: Tool, config: PytestConfig, base_paths: Sequence[str], layout: TestLayout
    ) -> TestCommand:
        """The command for a project as its base has it."""
        extra = [one for one in project.config.env.get("PYTHONPATH", "").split(":") if one]
        roots = import_roots(base_paths, (*extra, *config.pythonpath, *project.pth_roots))
        folders = {one.rpartition("/")[0] or "." for one in base_paths if layout.is_test_side(one)}
        exempt = own_names(base_paths, {*roots, *folders})
        # The base's: a change that brings a pluggy of its own must not be loaded before the judge.
        own = own_names(base_paths, roots)
        return cls(
            project=project,
            tool=tool,
            config=config,
            roots=roots,
            exempt=tuple(sorted(exempt & sys.stdlib_module_names)),
            foundations=tuple(sorted(own & FOUNDATIONS)),
            brings_pytest=not own.isdisjoint({"pytest", "_pytest"}),
        )

    def arguments(self, targets: Sequence[str]) -> tuple[str, ...]:
        """pytest's arguments for some targets (paths or node ids; none means what the configuration says)."""
        root = str(self.project.root)
        file = f"{root}/{self.config.file}" if self.config.file else EMPTY_PYTEST_INI
        early, late = self._plugins()
        arguments = ["-c", file, f"--rootdir={root}", f"--confcutdir={root}"]
        for name in early:
            arguments += ["-p", name]
        if any(_NEEDS_CACHE.match(one) for one in self.config.addopts):
            arguments += ["-o", "cache_dir=/tmp/pytest-cache"]
        else:
            arguments += ["-p", "no:cacheprovider"]
        if self.config.pythonpath:
            arguments += ["-o", "pythonpath="]
        own = {
            name for dist in self.project.installed.distributions if dist.editable for name, _ in dist.plugins
        }
        for name in (*early, *(one for one in late if one not in own)):
            arguments += _NEUTRAL.get(name, ())
        arguments += ["--continue-on-collection-errors", "--maxfail=0", "--color=no"]
        for one in self.project.config.tests.deselect:
            arguments += ["--deselect", one]
        return (*arguments, "--", *targets) if targets else tuple(arguments)

    def _plugins(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return plugins(self.project.installed, founded=bool(self.foundations) or self.brings_pytest)

    def instructions(self, paths: Sequence[str], targets: Sequence[str]) -> Mapping[str, Any]:
        """What the launcher is told, for a tree with these file paths."""
        interpreter = self.project.interpreter
        _, late = self._plugins()
        own = own_names(paths, self.roots)
        return {
            "argv": list(self.arguments(targets)),
            "prefix": str(interpreter.prefix) if interpreter.is_venv else "",
            "site_dirs": [str(one) for one in interpreter.site_dirs],
            "lent": [str(target) for target, _ in self.tool.shown],
            "roots": list(self.roots),
            "own": sorted(own - sys.stdlib_module_names),
            "foundations": list(self.foundations),
            "exempt": list(self.exempt),
            "late_plugins": list(late),
        }


def plugins(installed: Installed, *, founded: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of pytest plugins: those that load first, and those that have to wait for the repository's own modules.

    The latter come from the repository itself, or need what is installed from it, as a plugin that uses `attrs` does
    in the repository of attrs; `founded` says that those modules are there from the beginning. Only distributions
    installed in the environment count; a `*.dist-info` inside the tree is not one.
    """
    early: dict[str, None] = {}
    late: dict[str, None] = {}
    for dist in installed.distributions:
        waits = bool(dist.plugins) and not founded and installed.needs_editable(dist)
        for name, module in dist.plugins:
            top = dist.site / module.partition(".")[0]
            lies_there = top.is_dir() or any(dist.site.glob(f"{top.name}.*"))
            (early if lies_there and dist.editable is None and not waits else late)[name] = None
    return tuple(early), tuple(one for one in late if one not in early)
