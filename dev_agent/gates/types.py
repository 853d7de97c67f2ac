"""The types gate: mypy on the staged tree, compared with mypy on its base.

The configuration and the plugins that lie in the repository are the base's, put into the tree that is checked;
so is the decision which files are checked: a file that mypy took on the base and, though it is still there,
does not take now, fails the gate (a stub put in front of a source is how that looks). Inline comments that
switch checking off are part of the sources; they are named in the notes, and policy rules on them.

Where the project's Python is older than the one dev-agent reads with, its own parser is asked about the changed files
too (`foreign_syntax`): mypy does not know every syntax that came later.

Where the same error stops mypy before and after (a file that does not parse, a module found twice), it looked at no
type of the change. That is never a pass: it is said, and skipped or refused as in a project without types.

A change that mends what stopped mypy on its base is charged with every error mypy then sees. Nobody knows which of them
were there: the base put together with the mended file would have the change's own errors too, in that file and in
whatever uses it, and a change could hide them behind a mend. The refusal says so, and what leads out of it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dev_agent.cancel import Cancel
from dev_agent.gates.cache import digest_of
from dev_agent.gates.checks import ChecksGate
from dev_agent.gates.config import CheckConfig
from dev_agent.gates.context import GateContext
from dev_agent.gates.delta import Finding, compare_findings
from dev_agent.gates.foreign_syntax import beside, unreadable
from dev_agent.gates.settings import Mode
from dev_agent.gates.shadows import shadowing
from dev_agent.gates.subject import Subject
from dev_agent.gates.tools import Tool
from dev_agent.gates.type_check import TypeCheck
from dev_agent.gates.type_run import NO_FILES, TypeRun
from dev_agent.gates.verdict import Failure, GateResult, Verdict

GATE = "types"
# To the last that is no space, at once: sought from the front, a line of spaces would be read once for each of them.
_INLINE = re.compile(rb"^[ \t]*+#[ \t]*+mypy:[ \t]*+(.*[^ \t\n])", re.MULTILINE)
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
        check = TypeCheck.of(context, tool, subject)
        if not check.has_targets:
            allowed = context.settings.allow_no_types
            return self._verdict(
                subject,
                GateResult.SKIPPED if allowed else GateResult.FAILED,
                "no_types",
                hint="" if allowed else "name what to check in gates.types.paths",
            )
        key = self._key(check)
        found = context.cache.get("types-verdict", key)
        if found is not None:
            return Verdict.from_json(found).from_cache()
        shadows = shadowing(context, subject)
        if shadows:
            refused = self._verdict(subject, GateResult.FAILED, "shadowed_modules")
            return replace(refused, new_failures=tuple(shadows))
        verdict = self._fresh(check, cancel)
        if verdict.result in {GateResult.PASSED, GateResult.FAILED} and verdict.reason not in _SUDDEN:
            context.cache.put("types-verdict", key, verdict.to_json())
        return verdict

    @property
    def answers(self) -> bool:
        """True if `ask` can be: the project has its types checked, and by mypy."""
        config = self._context.project.config.types
        return config.enabled and not config.command and self._context.project.mypy is not None

    def ask(self, subject: Subject, cancel: Cancel) -> TypeRun:
        """What mypy says about a tree, judged by nothing: for whoever wants to mend it. Only where `answers`."""
        tool = self._context.project.mypy
        if tool is None:
            raise AssertionError("BUG: types were asked about where there is no type checker")
        check = TypeCheck.of(self._context, tool, subject)
        if not check.has_targets:
            return NO_FILES
        with check.running(cancel) as runs:
            return runs.now()

    def _by_command(self, subject: Subject, cancel: Cancel) -> Verdict:
        """The project's own type checker, of which only the exit status is understood."""
        config = self._context.project.config.types
        check = CheckConfig(name=GATE, command=config.command, timeout_s=config.timeout_s)
        with self._context.trees.lease(GATE) as slot:
            return ChecksGate(self._context).one(
                check, subject, slot, cancel, mode=self._context.settings.types
            )

    def _key(self, check: TypeCheck) -> str:
        return digest_of(
            [
                check.subject.tree,
                check.subject.base_tree,
                self._context.project.digest,
                list(check.arguments(check.targets)),
                self._context.settings.types.value,
            ]
        )

    def _fresh(self, check: TypeCheck, cancel: Cancel) -> Verdict:
        with check.running(cancel) as runs:
            base = runs.base()
            if base.crashed:
                return self._unfounded(check.subject, check.tool, base)
            now = runs.now()
        faults_before, faults = unreadable(self._context, check.subject, cancel)
        base = replace(base, findings=beside(base.findings, faults_before))
        now = replace(now, findings=beside(now.findings, faults))
        return self._decide(check.subject, check.tool, base, now, self._notes(check))

    def _notes(self, check: TypeCheck) -> tuple[str, ...]:
        subject, config = check.subject, check.config
        changed = set(subject.changed)
        notes = [*self._context.project.notes, *self._context.project.mypy_notes]
        if config.file in changed:
            notes.append(f"the change edits {config.file}: types were judged with the base's")
        notes += [
            f"the change edits the mypy plugin {path}: types were judged with the base's"
            for path, _ in check.plugin_files()
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
            ("nothing_checked", now.blocked),
        )
        reason = next((name for name, there in reasons if there), "")
        result = GateResult.FAILED if reason else GateResult.PASSED
        if reason == "nothing_checked" and base.blocked and self._context.settings.allow_no_types:
            result = GateResult.SKIPPED
        return replace(
            verdict,
            result=result,
            reason=reason or ("no_new_type_errors" if now.findings else "clean"),
            hint=self._hint(reason, base, now),
            new_failures=(*map(_failure, counted), *map(_unchecked_failure, unchecked)),
            preexisting=len(now.findings) - len(counted),
            fixed=tuple(
                sorted({f"{one.path}:{one.symbol}: {one.message} [{one.code}]" for one in delta.fixed})
            ),
            passed=0 if now.blocked else len(now.sources or ()),
        )

    def _hint(self, reason: str, base: TypeRun, now: TypeRun) -> str:
        if reason == "nothing_checked":
            return _stopped(now)
        compared = self._context.settings.types is not Mode.STRICT
        if reason == "new_type_errors" and compared and base.blocked and not now.blocked:
            return _first_seen(base)
        return ""

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
        notes = (*project.notes, *project.mypy_notes)
        return self._context.verdict(GATE, subject, result, reason, notes=notes, hint=hint)


def _with_run(verdict: Verdict, tool: Tool, run: TypeRun) -> Verdict:
    return replace(
        verdict,
        argv=run.argv,
        tool=tool.name,
        tool_version=tool.version,
        exit_code=run.exit_code,
        output=run.output,
    )


def _stopped(run: TypeRun) -> str:
    return (
        f"mypy stops at {_stop_of(run)} and checked no other type; mend that, "
        "or leave the file out: exclude in mypy's settings, or gates.types.paths"
    )


def _first_seen(base: TypeRun) -> str:
    return (
        f"on the base mypy stops at {_stop_of(base)} and checked nothing, so nobody can tell which of these errors "
        "were there before, and all of them count; mend them too, or land the mend alone under rules with "
        'gates.types = "off" (--policy FILE): what comes after it is compared with it'
    )


def _stop_of(run: TypeRun) -> str:
    one = run.findings[0]
    return f"{one.path}:{one.line} ({one.message})" if one.line > 0 else f"{one.path} ({one.message})"


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
