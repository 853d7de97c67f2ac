"""What comes into a run from outside, checked before anything is written: its inputs, and signals.

Outside data lives under facts["input"] or in the output of the wait state it answers, nowhere else; it can
neither shadow nor pose as a fact some action recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from dev_agent.runtime.canonical import Json
from dev_agent.runtime.errors import Fault, InputsRefused, NotCanonical, WrongSignal
from dev_agent.runtime.events import require_recordable
from dev_agent.runtime.facts import has_type
from dev_agent.runtime.fold import Position
from dev_agent.runtime.naming import nearest
from dev_agent.runtime.program import Program
from dev_agent.runtime.states import FactType
from dev_agent.runtime.written import written


def checked_inputs(program: Program, inputs: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the inputs frozen: exactly the declared ones, each of its type. Raises InputsRefused."""
    try:
        content = written(inputs)
        require_recordable("begun", content, "user", {})
    except NotCanonical as fault:
        found = Fault(where="inputs", message=fault.message, hint=fault.hint)
        raise InputsRefused(f"inputs of {program.name}", [found], "correct the inputs") from None
    frozen = content.frozen
    faults = [
        Fault(where=f"inputs.{name}", message=message, hint=hint)
        for name, message, hint in _misfits(program.facts, frozen)
    ]
    if faults:
        raise InputsRefused(f"inputs of {program.name}", faults, "give exactly what the program declares")
    return frozen


def checked_signal(position: Position, signal: Mapping[str, Json]) -> tuple[str, Mapping[str, Json]]:
    """Return outcome and data of a signal the waiting state accepts. Raises WrongSignal."""
    if not position.waiting:
        where = "has ended" if position.finished else f"is in {position.state}, which waits for nothing yet"
        raise WrongSignal(f"no signal is awaited: the run {where}", "resume without a signal")
    state = position.current
    if not set(signal) <= {"outcome", "data"} or not isinstance(signal.get("outcome"), str):
        raise WrongSignal("a signal is {outcome, data}", f"outcomes: {', '.join(state.on)}")
    outcome = cast("str", signal["outcome"])
    if outcome not in state.on:
        raise WrongSignal(f"{state.name} has no outcome {outcome[:60]!r}", nearest(outcome, state.on))
    try:
        content = written(signal.get("data", {}))
        require_recordable("left", content, "user", {})
    except NotCanonical as fault:
        raise WrongSignal(f"the signal's data: {fault.message}", fault.hint) from None
    data = content.frozen
    for name, message, hint in _misfits(state.facts, data):
        raise WrongSignal(f"the signal's data: {name} {message}", hint)
    return outcome, data


def _misfits(declared: Mapping[str, FactType], given: Mapping[str, Json]) -> Iterator[tuple[str, str, str]]:
    for name in given:
        if name not in declared:
            yield name, "is not declared", nearest(name, declared)
    for name, kind in declared.items():
        if name not in given:
            yield name, "is missing", f"declared as {kind}"
        elif not has_type(given[name], kind):
            yield name, f"is {type(given[name]).__name__}, declared is {kind}", ""
