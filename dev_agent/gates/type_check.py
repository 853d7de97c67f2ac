"""mypy on a staged tree and on its base, as the base says: its configuration, its plugins, its files to check.

The gate judges by what is said here, and a recipe mends by it; what a run means is theirs to say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dev_agent.gates.cache import digest_of
from dev_agent.gates.layout import TestLayout, type_targets
from dev_agent.gates.mypy_cache import leased_cache
from dev_agent.gates.mypy_seed import Seed
from dev_agent.gates.tool_config import MYPY_FILES, MypyConfig, read_mypy_config, read_pytest_config
from dev_agent.gates.type_run import NO_FILES, TypeChecker, TypeRun, mypy_arguments
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.context import GateContext
    from dev_agent.gates.subject import Subject
    from dev_agent.gates.tools import Tool

_DAMAGED_CACHE_MAY_BE = frozenset({"crashed", "inconsistent_report", "unreadable_output"})


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeCheck:
    """One subject, and how its types are checked. Empty `targets`: the configuration names them, if anything does."""

    context: GateContext
    tool: Tool
    subject: Subject
    config: MypyConfig
    targets: tuple[str, ...]

    @classmethod
    def of(cls, context: GateContext, tool: Tool, subject: Subject) -> TypeCheck:
        """How `subject` is to be checked; reads the base's configuration and both lists of files."""
        config = read_mypy_config(context.reader(subject.base_tree))
        return cls(
            context=context,
            tool=tool,
            subject=subject,
            config=config,
            targets=_targets(context, subject, config),
        )

    @property
    def has_targets(self) -> bool:
        """True if there is something to check."""
        return bool(self.targets) or self.config.has_targets

    def arguments(self, targets: tuple[str, ...]) -> tuple[str, ...]:
        """mypy's command line for some of the targets."""
        project = self.context.project
        return mypy_arguments(
            self.tool,
            self.config,
            targets,
            strict=project.config.types.strict,
            python=project.interpreter.version[:2],
        )

    def plugin_files(self) -> tuple[tuple[str, str], ...]:
        """(path, import root) of the plugins that lie in the base tree; the others are installed."""
        present = set(self.context.trees.paths(self.subject.base_tree))
        found: list[tuple[str, str]] = []
        for entry in self.config.plugins:
            name = entry.rpartition(":")[0] if ":" in PurePosixPath(entry).name else entry
            if name.endswith(".py"):
                found += [(name, str(PurePosixPath(name).parent))] if name in present else []
                continue
            module = name.replace(".", "/")
            for root in (".", "src"):
                for path in (f"{module}.py", f"{module}/__init__.py"):
                    full = path if root == "." else f"{root}/{path}"
                    if full in present:
                        found.append((full, root))
        return tuple(found)

    @contextmanager
    def running(self, cancel: Cancel) -> Iterator[TypeRuns]:
        """The runs, in one leased work tree with one leased cache."""
        context = self.context
        plugins = self.plugin_files()
        kept = {*MYPY_FILES, *(path for path, _ in plugins)}
        judged = context.with_base_entries(self.subject.base_tree, self.subject.tree, kept)
        roots = tuple(dict.fromkeys(root for _, root in plugins))
        key = digest_of([context.project.digest, self.config.file, context.project.config.types.strict])
        checker = TypeChecker(context.bench, context.project, self.tool)
        # A name that neither tree has is a fault of the settings; one that only one has is the change.
        trees = (self.subject.base_tree, judged)
        known = any(self._exists(tree, one) for tree in trees for one in self.targets)
        lent = leased_cache(context.cache_dir / "mypy", key, self._seed())
        beside = context.trees.lease("plugins") if plugins else nullcontext()
        with context.trees.lease("types") as slot, beside as base_slot, lent as cache:

            def run(tree: str) -> TypeRun:
                present = tuple(one for one in self.targets if self._exists(tree, one))
                if known and not present:
                    return NO_FILES

                is_base = tree == self.subject.base_tree
                aside = base_slot.checkout(self.subject.base_tree) if base_slot and not is_base else None

                def once() -> TypeRun:
                    return checker.run(
                        self.arguments(present),
                        plugin_roots=roots,
                        tree=slot.checkout(tree),
                        cache=cache.path,
                        is_base=is_base,
                        plugin_base=aside,
                        read=context.reader(tree),
                        cancel=cancel,
                    )

                warm = not cache.is_empty
                ran = once()
                if ran.crashed not in _DAMAGED_CACHE_MAY_BE or not warm:
                    return ran
                # What a crash without a cache says is about the tree or mypy.
                cache.forget()
                return once()

            yield TypeRuns(check=self, judged=judged, run=run)

    def _seed(self) -> Seed | None:
        """The user's own cache, unless somebody else may have had a hand in it."""
        project, trees = self.context.project, self.context.trees
        place = project.own_mypy_cache
        if place is None or self.tool.lent or not place.is_dir():
            return None
        if place.is_relative_to(project.root):
            path = place.relative_to(project.root).as_posix()
            ours = (self.subject.base_tree, self.subject.tree)
            there = (one for tree in ours for one in trees.paths(tree))
            if trees.in_checkout(path) or any(one == path or one.startswith(f"{path}/") for one in there):
                return None
        return Seed(path=place, owners=frozenset({os.geteuid(), project.root.stat().st_uid}))

    def _exists(self, tree: str, target: str) -> bool:
        paths = self.context.trees.paths(tree)
        return any(one == target or one.startswith(f"{target}/") for one in paths) or target == "."


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeRuns:
    """Both runs of a check, each made when asked for. `judged` is the tree with the base's configuration."""

    check: TypeCheck
    judged: str
    run: Callable[[str], TypeRun]

    def base(self) -> TypeRun:
        """mypy on the base; kept in the cache unless it crashed."""
        tree = self.check.subject.base_tree
        stored = self.check.context.cache.get("types-baseline", self._key(tree))
        if stored is not None:
            return replace(TypeRun.from_json(stored), ms=0)
        return self._remembered(tree, self.run(tree))

    def now(self) -> TypeRun:
        """mypy on the staged tree."""
        if self.judged == self.check.subject.base_tree:
            return self.base()
        found = self.run(self.judged)
        if self.judged != self.check.subject.tree or self.check.plugin_files():
            return found
        # Once it has landed this tree is the next base, and this run its baseline; with plugins of the base's own, it
        # would be one of a plugin that is not the next base's.
        return self._remembered(self.judged, found)

    def _remembered(self, tree: str, run: TypeRun) -> TypeRun:
        if not run.crashed:
            self.check.context.cache.put("types-baseline", self._key(tree), run.to_json())
        return run

    def _key(self, tree: str) -> str:
        check = self.check
        return digest_of([tree, check.context.project.digest, list(check.arguments(check.targets))])


def _targets(context: GateContext, subject: Subject, config: MypyConfig) -> tuple[str, ...]:
    configured = context.project.config.types.paths
    if configured or config.has_targets:
        return configured
    trees = context.trees
    base, now = trees.paths(subject.base_tree), trees.paths(subject.tree)
    globs = read_pytest_config(context.reader(subject.base_tree)).python_files
    tests = TestLayout.between(base, now, globs)
    return tuple(sorted({*type_targets(base, tests), *type_targets(now, tests)}))
