"""What an attempt is given of its run: the view of an action, and the projection for one that feeds a model.

Facts are those of the position the attempt begins at, frozen; what is left of time and money is told besides. A model's
facts are the ones its state shows (see `projection`); a payload among them is read where its blob lies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from types import MappingProxyType

from dev_agent.runtime.actions import AnySpec, ModelActionSpec, Recorder, View
from dev_agent.runtime.budgets import remaining
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.capabilities import Capabilities
from dev_agent.runtime.errors import BlobUnavailable
from dev_agent.runtime.fold import Position
from dev_agent.runtime.host import Cancel
from dev_agent.runtime.program import Program
from dev_agent.runtime.projection import ModelView, model_view
from dev_agent.runtime.states import FactType, State
from dev_agent.runtime.trace import Journal


class Views:
    """Makes the views of one run.

    `declared` gives the types of the program's facts: asked for when the first model is, since few programs have one.
    """

    def __init__(
        self,
        program: Program,
        journal: Journal,
        *,
        cancel: Cancel,
        capabilities: Capabilities,
        declared: Callable[[], Mapping[str, FactType]],
    ) -> None:
        self._program, self._journal, self._cancel = program, journal, cancel
        self._capabilities, self._declared = capabilities, declared

    @cached_property
    def _payload_facts(self) -> frozenset[str]:
        return frozenset(name for name, kind in self._declared().items() if kind is FactType.PAYLOAD)

    def of(
        self,
        position: Position,
        state: State,
        spec: AnySpec,
        *,
        recorder: Recorder,
        branch: str = "",
        share: int = 1,
    ) -> View:
        """Return the view for an attempt; of what is left, `share` branches get as much each."""
        wall = self._program.budgets.wall_ms
        times = [state.timeout_ms, None if wall is None else wall - position.wall_ms]
        return View(
            run=self._journal.run,
            state=state.name,
            branch=branch,
            attempt=position.attempt,
            facts=position.frozen_facts(),
            cancel=self._cancel,
            timeout_ms=min((limit for limit in times if limit is not None), default=None),
            remaining=MappingProxyType(remaining(self._program, position, share)),
            recorder=recorder,
            resolve=lambda ref: self._capabilities.resolve(ref, spec.capabilities),
        )

    def of_model(
        self, position: Position, spec: AnySpec, shows: tuple[str, ...], view: View
    ) -> ModelView | None:
        """Return the projection for an action that feeds a model; None for any other."""
        if not isinstance(spec, ModelActionSpec):
            return None
        return model_view(
            self._shown(position, shows),
            names=shows,
            prompts=spec.prompts,
            cancel=self._cancel,
            timeout_ms=view.timeout_ms,
            resolve=view.resolve,
            spend=view.spend,
        )

    def _shown(self, position: Position, shows: tuple[str, ...]) -> dict[str, Json]:
        """The shown facts there are; a payload is read where its blob lies. One that was erased is not there."""
        found = position.lookup(name for name in shows if name not in self._payload_facts)
        for name in self._payload_facts.intersection(shows):
            commitment = position.payloads.get(name)
            if commitment is not None:
                with suppress(BlobUnavailable):
                    found[name] = self._journal.blob(commitment).decode("utf-8", "replace")
        return found
