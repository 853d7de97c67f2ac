"""What is proved about a program, and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dev_agent.cli.output.escape import escape_lines
from dev_agent.cli.output.page import Line, Page, Span, Style, count, prose, span


def check_page(path: Path | None, faults: Sequence[str]) -> Page:
    """Every fault, or that the program may run."""
    name = str(path) if path else "the built-in program apply"
    data = {"program": str(path) if path else "apply", "faults": list(faults)}
    if not faults:
        lead = (span("Proved: ", Style.GOOD),)
        return Page(data=data, lines=prose(f"{name} may run.", lead=lead))
    listed = tuple(one for fault in faults for one in prose(fault, indent=2))
    end = prose(f"{name} may not run: {count(len(faults), 'fault')}.", lead=(span("Refused: ", Style.BAD),))
    return Page(data=data, lines=(*listed, *end))


def graph_page(drawing: str) -> Page:
    """A drawing, line by line."""
    lines = escape_lines(drawing.rstrip("\n"))
    return Page(data={"graph": drawing}, lines=tuple(Line(spans=(Span(text),)) for text in lines))
