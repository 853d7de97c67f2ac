"""types, tests, checks: the three gates as branches of `check`, each giving one verdict on the staged tree.

The verdict is recorded; what it quotes and its output go beside the trace as blobs. A gate that learned nothing is
`error`, never `passed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.gates.judge import GateName, Judgement
from dev_agent.gates.verdict import GateResult
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.judged_by import judged_by
from dev_agent.programs.judging_base import subject_of
from dev_agent.programs.staged import required
from dev_agent.programs.texts import TEXTS, quoted_verdicts
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.gates.subject import Subject
    from dev_agent.programs.context import ApplyContext

_FACTS = {
    "tree": FactType.STR,
    "base_tree": FactType.STR,
    "result": FactType.STR,
    "reason": FactType.STR,
    "new_failures": FactType.INT,
    "preexisting": FactType.INT,
    "superseded": FactType.INT,
    "verdicts": FactType.JSON,
    "texts": FactType.BOOL,
}


_SEVERITY = {GateResult.SKIPPED: 0, GateResult.PASSED: 1, GateResult.FAILED: 2, GateResult.ERROR: 3}


def _gate(name: GateName) -> Declared:
    def run(context: ApplyContext, view: View) -> Result:
        staged = required(view.facts)
        subject = subject_of(context, staged)
        judgement = context.judges.ask(name, subject, context.cancel)
        context.cancel.check()
        return _recorded(subject, judgement)

    return Declared(
        name=name.value, outcomes=frozenset({"passed", "failed", "skipped"}), facts=_FACTS, run=run
    )


def _recorded(subject: Subject, judgement: Judgement) -> Result:
    """The worst of the verdicts is the branch's; all of them are kept. None at all is `skipped`."""
    verdicts = judgement.verdicts
    worst = max(verdicts, key=lambda one: _SEVERITY[one.result], default=None)
    result = worst.result if worst else GateResult.SKIPPED
    recorded, texts = quoted_verdicts([one.to_json() for one in verdicts])
    data = {
        "tree": subject.tree,
        "base_tree": subject.base_tree,
        "result": result.value,
        "reason": worst.reason if worst else "none_configured",
        "new_failures": sum(len(one.new_failures) for one in verdicts),
        "preexisting": sum(one.preexisting for one in verdicts),
        "superseded": sum(len(one.superseded) for one in verdicts),
        "verdicts": recorded,
        **judged_by(judgement),
        **({TEXTS: True} if texts else {}),
    }
    strangers = [
        one.gate for one in verdicts if (one.tree, one.base_tree) != (subject.tree, subject.base_tree)
    ]
    if strangers:
        raise AssertionError(f"BUG: {strangers} judged another tree")
    output = b"\n".join(one.output for one in verdicts if one.output)
    outcome = "error" if result is GateResult.ERROR else result.value
    return Result(outcome, data, {**({"output": output} if output else {}), **texts})


TYPES = _gate(GateName.TYPES)
TESTS = _gate(GateName.TESTS)
CHECKS = _gate(GateName.CHECKS)
