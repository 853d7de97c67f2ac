"""Explaining a decision of policy: the facts, the rules, which fired and what they looked at.

Of a run it tells what was decided then, from the run's own trace: recorded facts, recorded findings, and the text
of the policy it began with. Of a change it decides now, as a run would, but makes no run: nothing is staged and
nothing of the user's is written (reading index and work tree adds objects, as for `check`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.model import Limits
from dev_agent.edits.parse import parse
from dev_agent.edits.resolve import resolve
from dev_agent.errors import UsageFault
from dev_agent.gates.config import read_config
from dev_agent.policy.decision import decide
from dev_agent.policy.errors import PolicyError
from dev_agent.programs.change import excess_of, tree_changes
from dev_agent.programs.change_facts import facts_on_base
from dev_agent.programs.check import proposal_of
from dev_agent.programs.proposers import PatchFile
from dev_agent.programs.rules import again, read_rules
from dev_agent.programs.story import REQUEST, told
from dev_agent.repository.objects import GitTree
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.repository.trees import RepositoryTrees
from dev_agent.runtime.blobs import Blobs
from dev_agent.runtime.canonical import thaw
from dev_agent.runtime.errors import BlobUnavailable
from dev_agent.runtime.trace import read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev_agent.edits.changes import Change
    from dev_agent.policy.policy import Policy
    from dev_agent.programs.check import Checked
    from dev_agent.programs.folders import RunFolder
    from dev_agent.programs.proposers import ExistingTree
    from dev_agent.programs.setting import Base
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.events import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleRow:
    """One rule: what it says, whether it fired, its condition ("" if built in), and the facts it looked at."""

    rule: str
    says: str
    fired: bool
    because: str
    when: str
    facts: Mapping[str, Any]
    places: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A decision: `values` and `places` by fact, rules strictest first, those of the team that stayed silent last."""

    subject: str
    policy: str
    digest: str
    verdict: str
    values: Mapping[str, Any]
    places: Mapping[str, Any]
    rules: tuple[RuleRow, ...]
    notes: tuple[str, ...] = ()


def explain_change(
    repository: Repository, checked: Checked, named: str | None, *, subject: str
) -> Explanation:
    """What policy says to a change that exists. Raises as `check` does before there is a run, and EditError."""
    base, proposer = proposal_of(repository, checked)
    with closing(RepositoryTrees(repository)) as trees:
        rules = read_rules(named, read_config(trees, base.tree).policy, trees, base.tree)
    policy = rules.policy
    changes = _changes(repository, base, proposer, policy)
    settings = policy.settings_with(own=rules.own_paths)
    facts = facts_on_base(repository, base.tree, changes, settings)
    decision = decide(policy, facts)
    told_facts: Any = facts.to_json()
    words = {name: value for name, value in facts.words().items() if not isinstance(value, tuple)}
    return Explanation(
        subject=subject,
        policy=policy.name,
        digest=policy.digest,
        verdict=decision.verdict.value,
        values=told_facts["values"],
        places=told_facts["places"],
        rules=_rows([one.to_json() for one in decision.findings], policy, words),
    )


def explain_run(folder: RunFolder) -> Explanation:
    """What policy said in a run. Raises UsageFault if it came to no decision, and the errors of reading a trace."""
    events = read_trace(folder.path)
    story = told(events)
    decided: Any = thaw(story.facts.get("check_policy", {}))
    if "verdict" not in decided:
        raise UsageFault(
            f"policy decided nothing in run {folder.run}", hint=f"what happened: dev-agent show {folder.run}"
        )
    known: Any = thaw(story.request["policy"])
    values = decided["facts"]["values"]
    words = {name: len(value) if isinstance(value, list) else value for name, value in values.items()}
    policy, notes = _recorded_policy(folder, events, story.blobs.get(f"{REQUEST}.policy", ""), known)
    return Explanation(
        subject=f"run {folder.run}",
        policy=policy.name if policy else str(known["name"]),
        digest=str(known["digest"]),
        verdict=str(decided["verdict"]),
        values=values,
        places=decided["facts"]["places"],
        rules=_rows(decided["findings"], policy, words),
        notes=notes,
    )


def _changes(
    repository: Repository, base: Base, proposer: PatchFile | ExistingTree, policy: Policy
) -> Sequence[Change]:
    if isinstance(proposer, PatchFile):
        tree = GitTree(repository, base.commit)
        edits = parse(proposer.content).edits
        return resolve(edits, tree, limits=Limits(), max_level=MatchLevel(policy.max_match_level)).changes
    excess = excess_of(repository, tree_difference(repository, base.tree, proposer.tree))
    if excess:
        raise UsageFault(excess, hint="explain a smaller part of it")
    return tree_changes(repository, base.tree, proposer.tree)


def _recorded_policy(
    folder: RunFolder, events: Sequence[Event], commitment: str, known: Mapping[str, Any]
) -> tuple[Policy | None, tuple[str, ...]]:
    """The policy a run began with, or why the rules that stayed silent cannot be told."""
    lengths = {blob.commitment: blob.length for event in events for blob in event.blobs}
    try:
        text = Blobs(folder.path).read(commitment, lengths[commitment]).decode("utf-8")
        policy = again(text, source=str(known["source"]), name=str(known["name"])).policy
    except (KeyError, BlobUnavailable):
        return None, ("the policy's text is no longer in the run: only the rules that fired are known",)
    except PolicyError as error:
        return None, (
            f"this version cannot read the policy of the run: {error.message.partition(chr(10))[0]}",
        )
    if policy.digest != known["digest"]:
        return None, (
            "this version reads the policy of the run differently: only the rules that fired are told",
        )
    return policy, ()


def _rows(
    findings: Sequence[Mapping[str, Any]], policy: Policy | None, words: Mapping[str, Any]
) -> tuple[RuleRow, ...]:
    fired = [
        RuleRow(
            rule=str(one["rule"]),
            says=str(one["verdict"]),
            fired=True,
            because=str(one["because"]),
            when=str(one.get("when", "")),
            facts=one.get("facts", {}),
            places=tuple(one["places"]),
        )
        for one in findings
    ]
    names = {row.rule for row in fired}
    silent = [
        RuleRow(
            rule=rule.id,
            says=rule.then.value,
            fired=False,
            because=rule.because,
            when=rule.when,
            facts={name: words[name] for name in rule.condition.names if name in words},
            places=(),
        )
        for rule in (policy.rules if policy else ())
        if rule.id not in names
    ]
    return (*fired, *silent)
