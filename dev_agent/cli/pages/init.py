"""What `init` offers, what it would write, and what it wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Line, Page, Style, count, line, prose, quotation, span, table
from dev_agent.cli.output.patch import patch_lines
from dev_agent.programs.init.offers import PRE_PUSH, PRE_RECEIVE, TEMPLATES, Kind
from dev_agent.programs.init.plan import State

if TYPE_CHECKING:
    from dev_agent.programs.init.plan import InitPlan, PlannedFile
    from dev_agent.programs.init.write import Written

_MEANING = {
    Kind.GITHUB: "GitHub Actions: the issue bot, the pre-merge bot, and the workflow that reports",
    Kind.GITLAB: "GitLab CI: a job that judges merge requests",
    Kind.PRE_COMMIT: "pre-commit: what `git commit` would commit is judged first",
    Kind.HOOK: "git itself: a pre-push hook, or in a bare repository a pre-receive hook",
}


def offers_page() -> Page:
    """The kinds and their files."""
    rows = [(span(f"--{kind.value}", Style.NAME), span(text)) for kind, text in _MEANING.items()]
    data = {
        "kinds": {
            kind.value: [one.target for one in (*TEMPLATES, PRE_PUSH, PRE_RECEIVE) if one.kind is kind]
            for kind in Kind
        }
    }
    closing = (
        "The diff is shown first, and nothing is overwritten silently. From nothing to a bot: docs/ci.md"
    )
    return Page(
        data=data,
        lines=(
            *prose("dev-agent init writes the files for one or more of"),
            *table(rows, indent=2),
            *prose(closing),
        ),
    )


def plan_page(plan: InitPlan) -> Page:
    """The diff, then what stays and why."""
    return Page(data=_data(plan, written=(), done=False), lines=tuple(_plan_lines(plan)))


def written_page(plan: InitPlan, done: Written) -> Page:
    """What was written, what stays, and what to do next."""
    lines: list[Line] = []
    for one, why in done.kept:
        lines += prose(f"{_shown(one)} stays: {why}", lead=(span("kept: ", Style.WARN),))
        if one.state is State.THEIRS:
            lines += quotation(one.after.decode("utf-8"), indent=2, style=Style.DIM)
    if done.written:
        lead = (span("Written: ", Style.GOOD),)
        lines += prose(f"{', '.join(map(_shown, done.written))}.", lead=lead)
        lines += prose(_next(done.written))
    elif not done.kept:
        lines += prose("Nothing to write: everything is there already.")
    else:
        lines += prose("Nothing was written.")
    return Page(data=_data(plan, written=done.written, done=True), lines=tuple(lines))


def _plan_lines(plan: InitPlan) -> Iterator[Line]:
    diff = plan.diff().decode("utf-8", "replace")
    if diff:
        yield from patch_lines(diff)
        yield line("")
    for one in plan.files:
        if one.state is State.SAME:
            yield line(span("same     ", Style.DIM), span(_shown(one)))
    if plan.to_write:
        yield line(span("to write ", Style.STRONG), span(count(len(plan.to_write), "file")))


def _next(written: Iterable[PlannedFile]) -> str:
    kinds = {one.kind for one in written}
    if kinds == {Kind.HOOK}:
        return "dev-agent has to be on the PATH of whoever runs the hook."
    if kinds <= {Kind.PRE_COMMIT, Kind.HOOK}:
        return "Now: pre-commit install"
    return "They name the settings they need at their top; commit them, then go on in docs/ci.md"


def _shown(one: PlannedFile) -> str:
    return f".git/{one.path}" if one.kind is Kind.HOOK and one.root.name == ".git" else one.path


def _data(plan: InitPlan, *, written: Iterable[PlannedFile], done: bool) -> dict[str, Any]:
    names = {one.path for one in written}
    return {
        "done": done,
        "files": [
            {
                "path": one.path,
                "kind": one.kind.value,
                "state": one.state.value,
                "written": one.path in names,
                "why": one.why,
            }
            for one in plan.files
        ],
        "diff": plan.diff().decode("utf-8", "replace"),
    }
