"""What of a merge's judgement can be done again without running anybody's code, and is: before it is believed.

A judgement that comes from elsewhere (from the job of a fork's pull request) is a trace that holds together, which
anybody can write. Its base and head are two commits, and from those the merge, the rules and policy's decision follow
again, here. What cannot follow are the verdicts of gates that run code. They are believed only where the job that made
them was not the head's to write: where the change touches nothing that such a job is made of.

Nothing is checked out and nothing of the head is run. Writes objects only.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from dev_agent.errors import UsageFault
from dev_agent.gates.config import read_config
from dev_agent.policy.decision import decide
from dev_agent.programs.builtin import PREMERGE, builtin_program
from dev_agent.programs.change import excess_of, tree_changes
from dev_agent.programs.change_facts import facts_on_base
from dev_agent.programs.folders import RunFolder
from dev_agent.programs.merge_report import MergeReport
from dev_agent.programs.merging import merging_of
from dev_agent.programs.rules import read_rules
from dev_agent.programs.runs import read_run
from dev_agent.programs.story import told
from dev_agent.repository.discovery import resolve_commit, tree_of
from dev_agent.repository.merge import Merged, merge
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.repository.trees import RepositoryTrees
from dev_agent.runtime.trace import read_trace

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_JOB_FILES = ("ci_files", "hooks_and_editors")
"""What a job on a code host is made of, and what runs on its machine unasked."""


def read_merge(folder: RunFolder) -> MergeReport:
    """The report of a run of `premerge`, from its folder. Raises UsageFault for a run of another program."""
    story = told(read_trace(folder.path))
    merging = merging_of(story)
    if merging is None or story.binding.get("program") != builtin_program(PREMERGE).digest:
        raise UsageFault(
            f"run {story.run} is not a judgement of a merge by this version's program `{PREMERGE}`",
            hint="judge and publish with the same version of dev-agent",
        )
    run = read_run(folder).report
    return MergeReport(run=run, merging=merging, base=run.base)


def doubt_about(repository: Repository, report: MergeReport, *, policy: str | None = None) -> str:
    """Why a passing report from elsewhere cannot be believed, in one sentence; "" if it can.

    `policy` is the caller's own word, as it was when it was judged. Raises UsageFault if base or head are not here.
    """
    for role, commit in (("base", report.base), ("head", report.head)):
        if resolve_commit(repository, commit) is None:
            raise UsageFault(
                f"the {role} {commit} of the report is not here, so nothing about it can be checked",
                hint="fetch it first: git fetch origin refs/pull/N/head (objects only; check nothing out)",
            )
    made = merge(repository, base=report.base, head=report.head)
    if not isinstance(made, Merged) or made.tree != report.tree or report.merging.as_is:
        return "the merge of base and head, made again here, is not the tree that was judged"
    base_tree = tree_of(repository, report.base)
    excess = excess_of(repository, tree_difference(repository, base_tree, made.tree))
    if excess:
        return excess
    with closing(RepositoryTrees(repository)) as trees:
        rules = read_rules(policy, read_config(trees, base_tree).policy, trees, base_tree)
        if rules.policy.digest != report.run.policy.get("digest"):
            return "it was judged by another policy than the base's"
        changes = tree_changes(repository, base_tree, made.tree)
        settings = rules.policy.settings_with(own=rules.own_paths)
        facts = facts_on_base(repository, base_tree, changes, settings)
    decision = decide(rules.policy, facts)
    if decision.verdict.value != report.run.policy.get("verdict"):
        return f"policy, asked again here, says {decision.verdict.value}"
    words: dict[str, Any] = dict(facts.words())
    touched = [name for name in _JOB_FILES if words.get(name)]
    if touched:
        return "the head changes what the job that judged it is made of, so a person has to look at what that job ran"
    return _lacking(report)


def _lacking(report: MergeReport) -> str:
    """What a passing report has to hold; a trace that was written by hand may leave it out."""
    bad = [
        str(one.get("name")) for one in report.run.gates if one.get("verdict") not in ("passed", "skipped")
    ]
    if bad:
        return f"it says it passed, but not that {', '.join(bad)} did"
    missing = {"types", "tests"} - {str(one.get("name")) for one in report.run.gates}
    return f"it holds no verdict of {', '.join(sorted(missing))}" if missing else ""
