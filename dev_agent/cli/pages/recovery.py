"""What a recovery did."""

from __future__ import annotations

from collections.abc import Sequence

from dev_agent.cli.output.page import Page, Style, prose, span


def recovery_page(done: Sequence[str]) -> Page:
    """One line an action, or that there was nothing to do."""
    data = {"actions": list(done)}
    if not done:
        return Page(data=data, lines=prose("Nothing to recover: nothing was left behind."))
    steps = tuple(one for text in done for one in prose(text, indent=2))
    return Page(data=data, lines=(*prose("in order again.", lead=(span("Recovered: ", Style.GOOD),)), *steps))
