"""What is proved about a program, and its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dev_agent.cli.output.page import Line, Page, Style, count, line, prose, quotation, span

if TYPE_CHECKING:
    from dev_agent.runtime.program import Program


def check_page(program: Program) -> Page:
    """That the program may run, and the digest by which receipts name it."""
    return Page(data=_plain(program), lines=_proved(program))


def checks_page(programs: Sequence[Program]) -> Page:
    """The same of several programs."""
    lines = tuple(one for program in programs for one in _proved(program))
    return Page(data={"programs": [_plain(program) for program in programs]}, lines=lines)


def _plain(program: Program) -> dict[str, object]:
    return {"program": program.name, "states": len(program.states), "digest": program.digest}


def _proved(program: Program) -> tuple[Line, ...]:
    sizes = f"{count(len(program.states), 'state')}, {count(len(program.invariants), 'invariant')}"
    lead = (span("Proved: ", Style.GOOD),)
    return prose(f"program {program.name} may run ({sizes}).", lead=lead)


def graph_page(drawing: str) -> Page:
    """A drawing, line by line."""
    return Page(data={"graph": drawing}, lines=quotation(drawing.rstrip("\n")))


def graphs_page(drawings: Mapping[str, str], *, mark: str) -> Page:
    """Drawings by name, each below its name; `mark` begins the line of a name."""
    lines: list[Line] = []
    for name, drawing in drawings.items():
        lines += [line(""), *quotation(f"{mark}{name}"), *quotation(drawing.rstrip("\n"))]
    data = {"programs": [{"program": name, "graph": drawing} for name, drawing in drawings.items()]}
    return Page(data=data, lines=tuple(lines[1:]))
