"""What is proved about a program, and its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.cli.output.page import Page, Style, count, prose, quotation, span

if TYPE_CHECKING:
    from dev_agent.runtime.program import Program


def check_page(program: Program) -> Page:
    """That the program may run, and the digest by which receipts name it."""
    data = {"program": program.name, "states": len(program.states), "digest": program.digest}
    sizes = f"{count(len(program.states), 'state')}, {count(len(program.invariants), 'invariant')}"
    lead = (span("Proved: ", Style.GOOD),)
    return Page(data=data, lines=prose(f"program {program.name} may run ({sizes}).", lead=lead))


def graph_page(drawing: str) -> Page:
    """A drawing, line by line."""
    return Page(data={"graph": drawing}, lines=quotation(drawing.rstrip("\n")))
