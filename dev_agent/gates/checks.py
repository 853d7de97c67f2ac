"""Further checks: any command of the settings, judged by its exit status against the base's.

The command runs on the staged tree in the sandbox, with the project's environment first in PATH. It is green
with status 0. A check that is red on the base too is counted, not charged, unless the mode is strict: an exit
status does not say whether it got worse.
"""

from __future__ import annotations

from collections.abc import Sequence

from dev_agent.cancel import Cancel
from dev_agent.gates.bench import Ran
from dev_agent.gates.cache import digest_of
from dev_agent.gates.config import CheckConfig
from dev_agent.gates.context import GateContext
from dev_agent.gates.settings import Mode
from dev_agent.gates.subject import Checkout, Subject
from dev_agent.gates.verdict import Failure, GateResult, Verdict
from dev_agent.sandbox.job import EndedHow

GATE = "checks"
_BLAMED = frozenset(
    {EndedHow.SIGNALLED, EndedHow.TIMED_OUT, EndedHow.MEMORY, EndedHow.PROCESSES, EndedHow.DISK}
)


class ChecksGate:
    """Judges all checks of the settings. Safe to use beside the other gates in a thread."""

    def __init__(self, context: GateContext) -> None:
        self._context = context

    def judge(self, subject: Subject, cancel: Cancel) -> tuple[Verdict, ...]:
        """One verdict a check, in the order of the settings; none if there are none."""
        checks = self._context.project.config.checks
        if not checks:
            return ()
        with self._context.trees.lease("checks") as slot:
            return tuple(self.one(check, subject, slot, cancel) for check in checks)

    def one(
        self, check: CheckConfig, subject: Subject, slot: Checkout, cancel: Cancel, *, mode: Mode = Mode.DELTA
    ) -> Verdict:
        """The verdict of one check."""
        context = self._context
        key = digest_of(
            [
                subject.tree,
                subject.base_tree,
                context.project.digest,
                check.name,
                list(check.command),
                mode.value,
            ]
        )
        found = context.cache.get("check-verdict", key)
        if found is not None:
            return Verdict.from_json(found).from_cache()
        now = self._run(check, subject.tree, slot, cancel)
        verdict = self._decide(check, subject, slot, now, cancel, mode)
        if verdict.result in {GateResult.PASSED, GateResult.FAILED} and now.ended.how is EndedHow.EXITED:
            context.cache.put("check-verdict", key, verdict.to_json())
        return verdict

    def _decide(
        self, check: CheckConfig, subject: Subject, slot: Checkout, now: Ran, cancel: Cancel, mode: Mode
    ) -> Verdict:
        if _green(now):
            return self._verdict(check, subject, GateResult.PASSED, "exit_status", now, passed=1)
        base = self._run(check, subject.base_tree, slot, cancel)
        if not _green(base) and mode is not Mode.STRICT and now.ended.how is EndedHow.EXITED:
            if not _ran(base):
                return self._verdict(check, subject, GateResult.ERROR, "baseline_not_run", base)
            return self._verdict(check, subject, GateResult.PASSED, "red_on_base_too", now, preexisting=1)
        if now.ended.how is EndedHow.EXITED and not _ran(now) and not now.of("setup_failed"):
            return self._verdict(check, subject, GateResult.ERROR, "not_run", now)
        if now.ended.how is not EndedHow.EXITED and now.ended.how not in _BLAMED:
            return self._verdict(check, subject, GateResult.ERROR, now.ended.how.value.replace("-", "_"), now)
        reason = "exit_status" if now.ended.how is EndedHow.EXITED else now.ended.how.value.replace("-", "_")
        return self._verdict(check, subject, GateResult.FAILED, reason, now)

    def _run(self, check: CheckConfig, tree: str, slot: Checkout, cancel: Cancel) -> Ran:
        return self._context.bench.run(
            "command",
            {"argv": list(check.command)},
            tree=slot.checkout(tree),
            timeout_s=check.timeout_s,
            cancel=cancel,
        )

    def _verdict(
        self,
        check: CheckConfig,
        subject: Subject,
        result: GateResult,
        reason: str,
        ran: Ran,
        *,
        passed: int = 0,
        preexisting: int = 0,
    ) -> Verdict:
        failed = result is GateResult.FAILED
        said = ran.output.decode(errors="replace").strip()
        last = said.splitlines()[-1][:300] if said else ran.ended.detail or f"exit status {ran.ended.code}"
        return Verdict(
            gate=check.name,
            result=result,
            reason=reason,
            tree=subject.tree,
            base_tree=subject.base_tree,
            argv=check.command,
            tool=check.command[0],
            environment=self._context.project.digest,
            exit_code=ran.ended.code,
            passed=passed,
            new_failures=(Failure(id=check.name, code=reason, message=last, detail=said[-3000:]),)
            if failed
            else (),
            preexisting=preexisting,
            notes=self._context.project.notes,
            # An error has no list of failures to say it in.
            hint=ran.ended.detail or (last if result is GateResult.ERROR else ""),
            ms=ran.ended.ms,
            output=ran.output,
        )


def _ran(ran: Ran) -> bool:
    """True if the command itself was started and ended by itself; 126 and 127 are a shell's and exec's failures."""
    return ran.ended.how is EndedHow.EXITED and bool(ran.of("ready")) and ran.ended.code not in {126, 127}


def _green(ran: Ran) -> bool:
    return _ran(ran) and ran.ended.code == 0


def together(subject: Subject, verdicts: Sequence[Verdict], environment: str) -> Verdict:
    """All checks as one verdict: the worst result counts, every failure and note is kept."""
    order = (GateResult.ERROR, GateResult.FAILED, GateResult.PASSED)
    result = next((one for one in order if any(each.result is one for each in verdicts)), GateResult.SKIPPED)
    leading = [each for each in verdicts if each.result is result]
    return Verdict(
        gate=GATE,
        result=result,
        reason=", ".join(dict.fromkeys(each.reason for each in leading)) or "no_checks",
        tree=subject.tree,
        base_tree=subject.base_tree,
        tool=", ".join(each.gate for each in verdicts),
        environment=environment,
        passed=sum(each.passed for each in verdicts),
        new_failures=tuple(failure for each in verdicts for failure in each.new_failures),
        preexisting=sum(each.preexisting for each in verdicts),
        notes=tuple(dict.fromkeys(note for each in verdicts for note in each.notes)),
        hint=next((each.hint for each in leading if each.hint), ""),
        ms=sum(each.ms for each in verdicts),
        cached=bool(verdicts) and all(each.cached for each in verdicts),
        output=b"".join(b"== %s\n%s\n" % (each.gate.encode(), each.output) for each in verdicts),
    )
