"""`dev-agent policy`: check, test and explain policies, and try their expressions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.check import PatchFile, Staged, Tracked, Untracked, checked_of
from dev_agent.cli.options import HERE, AsJson, Directory, PolicyChoice
from dev_agent.cli.pages.policy import (
    evaluation_page,
    examination_page,
    examples_page,
    explanation_page,
    text_page,
)
from dev_agent.cli.session import Session
from dev_agent.errors import UsageFault
from dev_agent.programs.explain import explain_change, explain_run
from dev_agent.programs.folders import find_run
from dev_agent.programs.policies import evaluate, examine, rules_for, try_examples

app = command_app()

Policy = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME|FILE]", help="A shipped policy or a file; the repository's own if left out."
    ),
]
Subject = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN|BASE..HEAD]", help="A run (its id, the beginning of it, `last`), or a range of commits."
    ),
]
Expression = Annotated[str, typer.Argument(metavar="EXPR", help="A condition, as in a rule's `when`.")]
FactsFile = Annotated[
    Path, typer.Option("--facts", metavar="FILE.json", help="One JSON object: names and values.")
]


@app.callback()
def _group() -> None:
    """Check, test and explain policies, and try their expressions."""


@app.command()
def check(policy: Policy = None, *, directory: Directory = HERE, as_json: AsJson = False) -> int:
    """Say what is wrong with a policy.

    Faults are an error (exit code 2), all of them told at once. Rules that can never fire, never matter or
    contradict each other are remarks (exit code 1).
    """
    session = Session(directory=directory, as_json=as_json)
    rules = rules_for(policy, None if policy else session.repository_or_none)
    examination = examine(rules)
    session.output.page(examination_page(examination))
    return 1 if examination.remarks else 0


@app.command("test")
def run_tests(policy: Policy = None, *, directory: Directory = HERE, as_json: AsJson = False) -> int:
    """Run a policy's in-file tests, `[[rules.test]]`; exit code 1 if one does not hold."""
    session = Session(directory=directory, as_json=as_json)
    rules = rules_for(policy, None if policy else session.repository_or_none)
    results = try_examples(rules)
    session.output.page(examples_page(rules.policy, results))
    return 0 if all(one.holds for one in results) else 1


@app.command()
def explain(
    subject: Subject = None,
    *,
    patch: PatchFile = None,
    staged: Staged = False,
    worktree: Tracked = False,
    untracked: Untracked = False,
    policy: PolicyChoice = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
) -> int:
    """Show the facts about a change and the rules that looked at them: a run's as recorded, a change's as of now.

    Always exit code 0 once there is an answer; `check` judges.
    """
    session = Session(directory=directory, as_json=as_json)
    others = patch is not None or staged or worktree
    commits = subject if subject and ".." in subject else None
    if commits is None and not others:
        if policy is not None:
            raise UsageFault(
                "a run is explained by the policy it had",
                hint="leave --policy out, or name a change: --patch FILE, --staged, --worktree, BASE..HEAD",
            )
        page = explanation_page(explain_run(find_run(session.repository, subject or "last")))
    else:
        named = commits if commits is not None or subject is None else subject
        change = checked_of(named, patch, staged=staged, worktree=worktree, untracked=untracked)
        page = explanation_page(
            explain_change(session.repository, change, policy, subject=_name(commits, patch))
        )
    session.output.page(page)
    return 0


@app.command("eval")
def evaluate_expression(expression: Expression, *, facts: FactsFile, as_json: AsJson = False) -> int:
    """Print whether an expression is true of the facts in a file; exit code 2, with the place, if it is refused."""
    try:
        text = facts.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageFault(f"the facts {facts} cannot be read: {reason}", hint="name a JSON file") from error
    found = evaluate(expression, text, source=str(facts))
    Session(directory=HERE, as_json=as_json).output.page(evaluation_page(found))
    return 0


@app.command()
def show(policy: Policy = None, *, directory: Directory = HERE, as_json: AsJson = False) -> int:
    """Print a policy's text, to begin one of your own with."""
    session = Session(directory=directory, as_json=as_json)
    rules = rules_for(policy, None if policy else session.repository_or_none)
    session.output.page(text_page(rules.policy, rules.text))
    return 0


def _name(commits: str | None, patch: str | None) -> str:
    if commits is not None:
        return commits
    return f"patch {patch}" if patch is not None else "the changes that are not committed"
