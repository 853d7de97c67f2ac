"""Pictures of a program, drawn from its table and nothing else. They cannot disagree with what runs."""

from __future__ import annotations

from dev_agent.runtime.program import Program
from dev_agent.runtime.states import Kind, State

_SHAPES = {
    Kind.ACTION: ("[", "]"),
    Kind.CHOOSE: ("{", "}"),
    Kind.PARALLEL: ("[[", "]]"),
    Kind.WAIT: ("[/", "/]"),
    Kind.FINAL: ("([", "])"),
}


def mermaid(program: Program) -> str:
    """Return a Mermaid flowchart.

    Actions are boxes, choices diamonds, forks double boxes, waits slanted, finals round. States get
    numbered ids, since words such as `end` mean something to Mermaid.
    """
    ids = {name: f"s{index}" for index, name in enumerate(program.states)}
    lines = ["flowchart TD"]
    lines += [f"    {ids[state.name]}{_shape(state)}" for state in program.states.values()]
    lines += [f"    start(( )) --> {ids[program.start]}"]
    for state in program.states.values():
        lines += [
            f"    {ids[state.name]} -->|{outcome}| {ids[target]}" for outcome, target in state.on.items()
        ]
    return "\n".join(lines) + "\n"


def text(program: Program) -> str:
    """Return the table for a terminal: one block a state, its kind and what it runs, then its edges."""
    blocks = [f"{program.name}: starts in {program.start}\n"]
    for state in program.states.values():
        edges = "".join(f"    {outcome} → {target}\n" for outcome, target in state.on.items())
        blocks.append(f"{state.name}  ({_what(state)})\n{edges}")
    return "\n".join(blocks)


def _shape(state: State) -> str:
    opening, closing = _SHAPES[state.kind]
    return f'{opening}"{state.name}"{closing}'


def _what(state: State) -> str:
    if state.kind is Kind.ACTION and state.action != state.name:
        return f"action {state.action}"
    if state.kind is Kind.PARALLEL:
        return f"parallel: {', '.join(branch.name for branch in state.branches)}"
    return state.kind.value
