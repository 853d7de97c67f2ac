"""What a recovery did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.cli.output.page import Page, Style, prose, span

if TYPE_CHECKING:
    from dev_agent.programs.recovery import Recovered


def recovery_page(done: Recovered) -> Page:
    """One line an action, and what the user has to look at; or that there was nothing to do."""
    data = {"actions": list(done.actions), "kept": list(done.kept)}
    if not done.actions and not done.kept:
        return Page(data=data, lines=prose("Nothing to recover: nothing was left behind."))
    lines = [*prose("everything is in order again.", lead=(span("Recovered: ", Style.GOOD),))]
    for text in done.actions:
        lines += prose(text, indent=2)
    for folder in done.kept:
        text = f"{folder} holds files of yours that could not go back to their place; look at them"
        lines += prose(text, lead=(span("warning: ", Style.WARN),))
    return Page(data=data, lines=tuple(lines))
