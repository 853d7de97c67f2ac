"""The types gate: mypy on the staged tree, compared with mypy on its base.

The configuration and the plugins that lie in the repository are the base's, put into the tree that is checked;
so is the decision which files are checked: a file that mypy took on the base and, though it is still there,
does not take now, fails the gate (a stub put in front of a source is how that looks). Inline comments that
switch checking off are part of the sources; they are named in the notes, and policy rules on them.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import PurePosixPath

from dev_agent.cancel import Cancel
from dev_agent.gates.cache import digest_of
from dev_agent.gates.checks import ChecksGate
from dev_agent.gates.config import CheckConfig
from dev_agent.gates.context import GateContext
from dev_agent.gates.delta import Finding, compare_findings
from dev_agent.gates.layout import TestLayout, type_targets
from dev_agent.gates.mypy_cache import leased_cache
from dev_agent.gates.mypy_seed import Seed
from dev_agent.gates.settings import Mode
from dev_agent.gates.shadows import shadowing
from dev_agent.gates.subject import Subject
from dev_agent.gates.tool_config import MYPY_FILES, MypyConfig, read_mypy_config, read_pytest_config
from dev_agent.gates.tools import Tool
from dev_agent.gates.type_run import NO_FILES, TypeChecker, TypeRun, mypy_arguments
from dev_agent.gates.verdict import Failure, GateResult, Verdict

GATE = "types"
_INLINE = re.compile(rb"^[ \t]*#[ \t]*mypy:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_DAMAGED_CACHE_MAY_BE = frozenset({"crashed", "inconsistent_report", "unreadable_output"})
_SUDDEN = frozenset({"timed_out", "memory", "processes", "disk", "signalled"})


class TypesGate:
    """Judges the types of one subject after another. Safe to use beside the other gates in a thread."""

    def __init__(self, context: GateContext) -> None:
        self._context = context

    def judge(self, subject: Subject, cancel: Cancel) -> Verdict:
        """The verdict on a staged tree. Errors of the machine are verdicts too, never exceptions."""
        context = self._context
        if context.settings.types is Mode.OFF or not context.project.config.types.enabled:
            return self._verdict(subject, GateResult.SKIPPED, "switched_off")
        if context.project.config.types.command:
            return self._by_command(subject, cancel)
        tool = context.project.mypy
        if tool is None:
            return self._verdict(
                subject,
                GateResult.ERROR,
                "no_type_checker",
                hint="install mypy into the project's environment",
            )
        config = read_mypy_config(context.reader(subject.base_tree))
        targets = self._targets(subject, config)
        if not targets and not config.has_targets:
            allowed = context.settings.allow_no_types
            return self._verdict(
                subject,
                GateResult.SKIPPED if allowed else GateResult.FAILED,
                "no_types",
                hint="" if allowed else "name what to check in gates.types.paths",
            )
        key = self._key(subject, tool, config, targets)
        found = context.cache.get("types-verdict", key)
        if found is not None:
            return Verdict.from_json(found).from_cache()
        shadows = shadowing(context, subject)
        if shadows:
            refused = self._verdict(subject, GateResult.FAILED, "shadowed_modules")
            return replace(refused, new_failures=tuple(shadows))
        verdict = self._fresh(subject, tool, config, targets, cancel)
        if verdict.result in {GateResult.PASSED, GateResult.FAILED} and verdict.reason not in _SUDDEN:
            context.cache.put("types-verdict", key, verdict.to_json())
        return verdict

    def _by_command(self, subject: Subject, cancel: Cancel) -> Verdict:
        """The project's own type checker, of which only the exit status is understood."""
        config = self._context.project.config.types
        check = CheckConfig(name=GATE, command=config.command, timeout_s=config.timeout_s)
        with self._context.trees.lease(GATE) as slot:
            return ChecksGate(self._context).one(
                check, subject, slot, cancel, mode=self._context.settings.types
            )

    def _targets(self, subject: Subject, config: MypyConfig) -> tuple[str, ...]:
        configured = self._context.project.config.types.paths
        if configured or config.has_targets:
            return configured
        trees = self._context.trees
        base, now = trees.paths(subject.base_tree), trees.paths(subject.tree)
        globs = read_pytest_config(self._context.reader(subject.base_tree)).python_files
        tests = TestLayout.of({*base, *now}, globs)
        return tuple(sorted({*type_targets(base, tests), *type_targets(now, tests)}))

    def _key(self, subject: Subject, tool: Tool, config: MypyConfig, targets: tuple[str, ...]) -> str:
        settings = self._context.settings
        return digest_of(
            [
                subject.tree,
                subject.base_tree,
                self._context.project.digest,
                list(self._arguments(tool, config, targets)),
                settings.types.value,
            ]
        )

    def _arguments(self, tool: Tool, config: MypyConfig, targets: tuple[str, ...]) -> tuple[str, ...]:
        project = self._context.project
        return mypy_arguments(
            tool, config, targets, strict=project.config.types.strict, python=project.interpreter.version[:2]
        )

    def _fresh(
        self, subject: Subject, tool: Tool, config: MypyConfig, targets: tuple[str, ...], cancel: Cancel
    ) -> Verdict:
        context = self._context
        plugins = self._plugin_files(subject, config)
        kept = {*MYPY_FILES, *(path for path, _ in plugins)}
        judged = context.with_base_entries(subject.base_tree, subject.tree, kept)
        roots = tuple(dict.fromkeys(root for _, root in plugins))
        key = digest_of([context.project.digest, config.file, context.project.config.types.strict])
        checker = TypeChecker(context.bench, context.project, tool)
        # A name that neither tree has is a fault of the settings; one that only one has is the change.
        known = any(self._exists(tree, one) for tree in (subject.base_tree, judged) for one in targets)
        seed = self._seed(subject, tool)
        with (
            context.trees.lease("types") as slot,
            leased_cache(context.cache_dir / "mypy", key, seed) as cache,
        ):

            def run(tree: str) -> TypeRun:
                present = tuple(one for one in targets if self._exists(tree, one))
                if known and not present:
                    return NO_FILES

                def once() -> TypeRun:
                    return checker.run(
                        self._arguments(tool, config, present),
                        plugin_roots=roots,
                        tree=slot.checkout(tree),
                        cache=cache.path,
                        is_base=tree == subject.base_tree,
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

            arguments = self._arguments(tool, config, targets)
            stored = context.cache.get("types-baseline", self._baseline_key(subject.base_tree, arguments))
            base = replace(TypeRun.from_json(stored), ms=0) if stored is not None else run(subject.base_tree)
            if base.crashed:
                return self._unfounded(subject, tool, base)
            if stored is None:
                self._remember(subject.base_tree, arguments, base)
            now = run(judged)
        if judged == subject.tree and not now.crashed:
            # Once it has landed this tree is the next base, and this run its baseline.
            self._remember(subject.tree, arguments, now)
        return self._decide(subject, tool, base, now, self._notes(subject, config, plugins))

    def _seed(self, subject: Subject, tool: Tool) -> Seed | None:
        """The user's own cache, unless somebody else may have had a hand in it."""
        project, trees = self._context.project, self._context.trees
        place = project.own_mypy_cache
        if place is None or tool.lent or not place.is_dir():
            return None
        if place.is_relative_to(project.root):
            path = place.relative_to(project.root).as_posix()
            there = (one for tree in (subject.base_tree, subject.tree) for one in trees.paths(tree))
            if trees.in_checkout(path) or any(one == path or one.startswith(f"{path}/") for one in there):
                return None
        return Seed(path=place, owners=frozenset({os.geteuid(), project.root.stat().st_uid}))

    def _remember(self, tree: str, arguments: tuple[str, ...], run: TypeRun) -> None:
        self._context.cache.put("types-baseline", self._baseline_key(tree, arguments), run.to_json())

    def _baseline_key(self, tree: str, arguments: tuple[str, ...]) -> str:
        return digest_of([tree, self._context.project.digest, list(arguments)])

    def _exists(self, tree: str, target: str) -> bool:
        paths = self._context.trees.paths(tree)
        return any(one == target or one.startswith(f"{target}/") for one in paths) or target == "."

    def _plugin_files(self, subject: Subject, config: MypyConfig) -> tuple[tuple[str, str], ...]:
        """(path, import root) of the plugins that lie in the base tree; the others are installed."""
        present = set(self._context.trees.paths(subject.base_tree))
        found: list[tuple[str, str]] = []
        for entry in config.plugins:
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

    def _notes(
        self, subject: Subject, config: MypyConfig, plugins: tuple[tuple[str, str], ...]
    ) -> tuple[str, ...]:
        changed = set(subject.changed)
        notes = [*self._context.project.notes, *self._context.project.mypy_notes]
        if config.file in changed:
            notes.append(f"the change edits {config.file}: types were judged with the base's")
        notes += [
            f"the change edits the mypy plugin {path}: types were judged with the base's"
            for path, _ in plugins
            if path in changed
        ]
        for path in sorted(changed):
            notes += self._inline_switches(subject, path)
        return tuple(notes)

    def _inline_switches(self, subject: Subject, path: str) -> list[str]:
        if not path.endswith((".py", ".pyi")):
            return []
        trees = self._context.trees
        before = _INLINE.findall(trees.read(subject.base_tree, path) or b"")
        now = _INLINE.findall(trees.read(subject.tree, path) or b"")
        return [
            f"{path} sets mypy options for itself: # mypy: {one.decode(errors='replace')[:100]}"
            for one in now
            if one not in before
        ]

    def _decide(
        self, subject: Subject, tool: Tool, base: TypeRun, now: TypeRun, notes: tuple[str, ...]
    ) -> Verdict:
        verdict = replace(
            _with_run(self._verdict(subject, GateResult.ERROR, now.crashed), tool, now), notes=notes
        )
        verdict = replace(verdict, ms=base.ms + now.ms)
        if now.crashed:
            blamed = now.crashed in _SUDDEN or now.crashed == "setup_failed"
            return replace(verdict, result=GateResult.FAILED if blamed else GateResult.ERROR, hint=now.detail)
        diff = dict(self._context.trees.diff(subject.base_tree, subject.tree))
        delta = compare_findings(
            base.findings,
            now.findings,
            gone=frozenset(path for path, status in diff.items() if status == "D"),
            added=frozenset(path for path, status in diff.items() if status == "A"),
        )
        counted = now.findings if self._context.settings.types is Mode.STRICT else delta.new
        unchecked = self._unchecked(subject, base, now)
        reasons = (
            ("new_type_errors", counted),
            ("fewer_files_checked", unchecked),
            ("nothing_checked", now.blocked and not base.blocked),
        )
        reason = next((name for name, there in reasons if there), "")
        return replace(
            verdict,
            result=GateResult.FAILED if reason else GateResult.PASSED,
            reason=reason or ("no_new_type_errors" if now.findings else "clean"),
            new_failures=(*map(_failure, counted), *map(_unchecked_failure, unchecked)),
            preexisting=len(now.findings) - len(counted),
            fixed=tuple(
                sorted({f"{one.path}:{one.symbol}: {one.message} [{one.code}]" for one in delta.fixed})
            ),
            passed=len(now.sources or ()),
        )

    def _unchecked(self, subject: Subject, base: TypeRun, now: TypeRun) -> list[str]:
        """Files still there that mypy took on the base and does not take now."""
        if base.sources is None or now.sources is None or now.blocked:
            return []
        left = set(base.sources) - set(now.sources)
        return sorted(path for path in left if self._context.trees.entry(subject.tree, path) is not None)

    def _unfounded(self, subject: Subject, tool: Tool, base: TypeRun) -> Verdict:
        verdict = self._verdict(
            subject,
            GateResult.ERROR,
            f"baseline_{base.crashed}",
            hint=f"mypy does not run on the base: {base.detail}",
        )
        return replace(_with_run(verdict, tool, base), ms=base.ms)

    def _verdict(self, subject: Subject, result: GateResult, reason: str, *, hint: str = "") -> Verdict:
        project = self._context.project
        return Verdict(
            gate=GATE,
            result=result,
            reason=reason,
            tree=subject.tree,
            base_tree=subject.base_tree,
            environment=project.digest,
            notes=(*project.notes, *project.mypy_notes),
            hint=hint,
        )


def _with_run(verdict: Verdict, tool: Tool, run: TypeRun) -> Verdict:
    return replace(
        verdict,
        argv=run.argv,
        tool=tool.name,
        tool_version=tool.version,
        exit_code=run.exit_code,
        output=run.output,
    )


def _failure(finding: Finding) -> Failure:
    return Failure(
        id=f"{finding.path}:{finding.symbol or '<module>'}",
        path=finding.path,
        line=finding.line if finding.line > 0 else None,
        code=finding.code,
        message=finding.message,
        detail=finding.detail,
    )


def _unchecked_failure(path: str) -> Failure:
    return Failure(
        id=path,
        path=path,
        code="not-checked",
        message="was type-checked on the base and is not any more",
        detail="a stub beside it hides it, or another file took its module's name",
    )
