"""What a replay found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.cli.output.page import Page, Style, count, prose, span, table

if TYPE_CHECKING:
    from dev_agent.programs.comparison import Comparison


def replay_page(found: Comparison) -> Page:
    """The same, or the first difference and what may explain it."""
    data = found.to_json()
    steps = count(found.transitions, "transition")
    if found.difference is None:
        tree = f", tree {found.tree[:12]}" if found.tree else ""
        lead = (span("Same: ", Style.GOOD),)
        return Page(data=data, lines=prose(f"run {found.run}, {steps}{tree}, {found.outcome}.", lead=lead))
    first = found.difference
    rows = table(
        (
            (span("recorded", Style.DIM), span(first.recorded)),
            (span("replayed", Style.DIM), span(first.replayed)),
        ),
        indent=2,
    )
    why = f": {first.explanation}" if first.explanation else ""
    lead = (span("Different: ", Style.BAD),)
    text = f"at transition {first.step} of {found.transitions}, in {first.state} ({first.kind.value}){why}."
    return Page(data=data, lines=(*rows, *prose(text, lead=lead)))
