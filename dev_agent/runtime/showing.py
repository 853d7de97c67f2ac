"""What is proved of what models are shown: declared facts only, of states that feed one, and all that its prompts name.

Outcomes and visits cannot be shown: how often and how well a state went is not for a model to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dev_agent.runtime.actions import AnySpec, ModelActionSpec
from dev_agent.runtime.declared import Actions
from dev_agent.runtime.errors import Fault
from dev_agent.runtime.naming import nearest
from dev_agent.runtime.program_file import IMPLICIT
from dev_agent.runtime.projection import holes_of
from dev_agent.runtime.states import FactType, Kind, State


def showing_faults(state: State, actions: Actions, declared: Mapping[str, FactType]) -> Iterator[Fault]:
    """Yield what is wrong with what a state shows; its actions are known."""
    where = f"states.{state.name}"
    if state.kind is Kind.ACTION:
        yield from _projection(f"{where}.shows", state.shows, actions[state.action], declared)
    for index, branch in enumerate(state.branches):
        yield from _projection(
            f"{where}.branches[{index}].shows", branch.shows, actions[branch.action], declared
        )


def _projection(
    where: str, shows: tuple[str, ...], spec: AnySpec, declared: Mapping[str, FactType]
) -> Iterator[Fault]:
    for name in shows:
        governs = name.rpartition(".")[2] in IMPLICIT
        if governs or name not in declared:
            said = "governs the run and is not shown to models" if governs else "is no declared fact"
            known = [one for one in declared if one.rpartition(".")[2] not in IMPLICIT]
            yield Fault(where=where, message=f"{name[:80]!r} {said}", hint=nearest(name, known))
    if not isinstance(spec, ModelActionSpec):
        if shows:
            yield Fault(
                where=where, message=f"action {spec.name!r} feeds no model, so nothing is shown to one"
            )
        return
    for prompt, template in spec.prompts.items():
        for name in holes_of(template):
            if name not in shows:
                hint = nearest(name, shows) or f"add it to `shows`: {name!r}"
                message = f"prompt {prompt!r} of {spec.name} names {name!r}, which is not shown"
                yield Fault(where=where, message=message, hint=hint)
