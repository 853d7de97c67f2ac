"""Finding out about the candidates of one round: which fit, are the same, are let through, are green.

    resolve   in memory, against the tree the model was shown; then objects are written, which nothing names
    compare   candidates of equal meaning are judged once, in the form with the smallest diff
    policy    and the plan's scope: pure, so before anything runs
    gates     only for those that can win, in waves; a wave with a green one is the last

No candidate gets a commit, a ref or a place in anybody's repository: gates judge trees. Nothing is to be dropped when
one loses, and its diff stays in the trace. How wide a wave is does not depend on the machine, or another machine would
choose another winner; how many of it run at once does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dev_agent.edits.errors import EditError
from dev_agent.errors import DevAgentError
from dev_agent.gates.judge import GateName, Judgement
from dev_agent.gates.subject import Subject
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.policy.decision import decide
from dev_agent.policy.globs import matches
from dev_agent.policy.verdict import Verdict as Word
from dev_agent.programs.candidates.normal import fingerprint
from dev_agent.programs.candidates.ranking import Candidate, Standing
from dev_agent.programs.candidates.records import Finding
from dev_agent.programs.candidates.schedule import at_once
from dev_agent.programs.candidates.surface import public_change
from dev_agent.programs.change import patch_text, tree_changes
from dev_agent.programs.change_facts import facts_on_base
from dev_agent.programs.extent import extent_of
from dev_agent.programs.reproducing import Wish
from dev_agent.programs.resolving import resolve_proposal
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.staging import write_changes
from dev_agent.runtime.waits import ended_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.edits.changes import Change
    from dev_agent.programs.context import ApplyContext

WAVE = 4
"""Candidates that are judged before anybody looks whether one of them is green."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One round's candidates, in front of the judges of a run.

    `scope` are the files the plan lets change; None: any.
    """

    context: ApplyContext
    facts: Mapping[str, Any]
    wish: Wish
    scope: frozenset[str] | None

    def prepared(self, contents: Mapping[int, bytes]) -> list[Finding]:
        """Every candidate by number, each as far as it comes without running anything; `green` is still a promise."""
        found = [self._resolved(number, content) for number, content in sorted(contents.items())]
        return _without_twins(found)

    def judged(self, wave: Sequence[Finding], *, warm: bool) -> Iterator[Finding]:
        """The candidates of one wave with their verdicts, as they come in. `warm`: the base's own results are there."""
        # The first alone, where it has to find the base's results: the others would all look for them at once. Workers
        # have memories of their own, and each has to look.
        ahead = 0 if warm or self.context.judges.width is not None else 1
        for one in wave[:ahead]:
            yield self._judge(one)
        yield from self._at_once(wave[ahead:])

    def _at_once(self, wave: Sequence[Finding]) -> Iterator[Finding]:
        if not wave:
            return
        judges = self.context.judges
        width = at_once(
            len(wave), processors=os.cpu_count() or 1, confined=judges.confined, width=judges.width
        )
        with ThreadPoolExecutor(max_workers=width, thread_name_prefix="candidate") as pool:
            waiting: set[Future[Finding]] = {pool.submit(self._judge, one) for one in wave}
            try:
                while waiting:
                    done = ended_of(waiting)
                    waiting -= done
                    yield from (one.result() for one in done)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _resolved(self, number: int, content: bytes) -> Finding:
        context = self.context
        nothing = Candidate(number=number, standing=Standing.UNRESOLVED)
        try:
            resolved = resolve_proposal(context, self.facts, content)
            base_tree = tree_of(context.repository, context.base)
            tree = write_changes(context.repository, resolved.onto or base_tree, resolved.change_set.changes)
        except EditError:
            return Finding(candidate=nothing, reason="unresolved")
        except DevAgentError as error:
            return Finding(candidate=nothing, reason=getattr(error, "code", "") or "unresolved")
        changes = tree_changes(context.repository, base_tree, tree)
        if not changes:
            return Finding(candidate=replace(nothing, standing=Standing.EMPTY), reason="empty")
        return self._ruled(number, changes, tree, base_tree)

    def _ruled(self, number: int, changes: tuple[Change, ...], tree: str, base_tree: str) -> Finding:
        """What policy and the plan say, and how large it is."""
        policy = self.context.policy
        settings = policy.settings_with(own=self.context.own_paths)
        facts = facts_on_base(self.context.repository, base_tree, changes, settings)
        decision = decide(policy, facts)
        files = tuple(one.path for one in changes)
        outside = self.scope is not None and any(path not in self.scope for path in files)
        standing, reason = Standing.UNJUDGED, ""
        if outside or decision.verdict is Word.DENY:
            standing, reason = Standing.DENIED, "outside_plan" if outside else "policy_denied"
        sources = [one for one in changes if not matches(settings.tests, one.path, casefold=True)]
        candidate = Candidate(
            number=number,
            standing=standing,
            public=public_change(sources),
            source_lines=extent_of(sources).lines,
            lines=extent_of(changes).lines,
        )
        return Finding(
            candidate=candidate,
            tree=tree,
            base_tree=base_tree,
            reason=reason,
            files=files,
            findings=tuple(one.to_json() for one in decision.findings if one.verdict is not Word.ALLOW),
            patch=patch_text(changes),
            meaning=fingerprint(changes),
        )

    def _judge(self, one: Finding) -> Finding:
        """All verdicts on one candidate. What a gate cannot say makes it `error`, never green."""
        try:
            return self._with_verdicts(one)
        except DevAgentError as error:
            candidate = replace(one.candidate, standing=Standing.ERROR)
            return replace(one, candidate=candidate, reason=getattr(error, "code", "") or "not_judged")

    def _with_verdicts(self, one: Finding) -> Finding:
        subject = Subject(base_tree=one.base_tree, tree=one.tree, changed=one.files)
        judges, cancel = self.context.judges, self.context.cancel
        found: list[tuple[GateName, Judgement]] = []
        for gate in (GateName.TYPES, GateName.TESTS, GateName.CHECKS):
            cancel.check()
            found.append((gate, judges.ask(gate, subject, cancel)))
        cancel.check()
        standing = self._standing(one, _verdicts(found))
        tests: tuple[str, ...] = ()
        if standing.lands and self.wish is not Wish.OFF:
            shown = judges.ask(GateName.REPRODUCTION, subject, cancel)
            cancel.check()
            found.append((GateName.REPRODUCTION, shown))
            tests = tuple(test for verdict in shown.verdicts for test in verdict.fixed)
        verdicts = _verdicts(found)
        failures = sum(len(verdict.new_failures) for verdict in verdicts)
        candidate = replace(one.candidate, standing=standing, failures=failures, reproduced=bool(tests))
        ms = sum(verdict.ms for verdict in verdicts)
        by = tuple((gate, one.by) for gate, one in found if one.by is not None)
        return replace(one, candidate=candidate, verdicts=verdicts, by=by, tests=tests, ms=ms)

    def _standing(self, one: Finding, verdicts: Sequence[Verdict]) -> Standing:
        results = {verdict.result for verdict in verdicts}
        if GateResult.ERROR in results:
            return Standing.ERROR
        if GateResult.FAILED in results:
            return Standing.RED
        # A test that passes only in the form a model gave it waits for a person, whatever the policy (check_policy).
        superseded = any(verdict.superseded for verdict in verdicts)
        asks = any(finding["verdict"] == Word.ASK.value for finding in one.findings)
        return Standing.ASKED if asks or superseded else Standing.GREEN


def _verdicts(found: Sequence[tuple[GateName, Judgement]]) -> tuple[Verdict, ...]:
    return tuple(verdict for _, judgement in found for verdict in judgement.verdicts)


def _without_twins(found: Sequence[Finding]) -> list[Finding]:
    """Of those that mean the same, all but the smallest are its duplicates."""
    groups: dict[str, list[Finding]] = {}
    for one in found:
        if one.meaning and one.candidate.standing is Standing.UNJUDGED:
            groups.setdefault(one.meaning, []).append(one)
    kept = {meaning: min(group, key=_size) for meaning, group in groups.items()}
    return [_marked(one, kept.get(one.meaning)) for one in found]


def _marked(one: Finding, kept: Finding | None) -> Finding:
    if kept is None or kept is one or one.candidate.standing is not Standing.UNJUDGED:
        return one
    twin = replace(one.candidate, standing=Standing.DUPLICATE, twin=kept.candidate.number)
    return replace(one, candidate=twin, reason="duplicate")


def _size(one: Finding) -> tuple[int, int, int]:
    return (one.candidate.source_lines, one.candidate.lines, one.candidate.number)
