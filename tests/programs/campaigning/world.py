"""Repositories without git: what every one does is known, so every decision of a campaign can be checked.

The driver below does what the campaign wants done, in an order given by a seed, and checks after every event that the
places and the budget were kept. It keeps the events, as a trace would, and can lose the process at any moment.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from dev_agent.programs.campaigning.events import Ended, Event, Opened, Restarted, Told, from_json, to_json
from dev_agent.programs.campaigning.model import CampaignState, Fate, Phase
from dev_agent.programs.campaigning.step import Order, Publish, Work, fold, opened, step
from dev_agent.programs.cost import Cost
from dev_agent.programs.spending import Spending


def seeded(seed: int) -> random.Random:
    """Chance that is the same every time."""
    return random.Random(seed)  # noqa: S311 - nothing here is a secret


@dataclass
class World:
    """The outside of a campaign. `spent` is what its children really used; none uses more than it was given."""

    seed: int
    names: Sequence[str]
    limits: Spending
    jobs: int = 2
    publish: bool = False
    dies: float = 0.0
    events: list[Event] = field(default_factory=list)
    spent: dict[int, int] = field(default_factory=dict)
    landed: set[int] = field(default_factory=set)
    published: dict[int, int] = field(default_factory=dict)

    def run(self) -> CampaignState:
        """To the end, through as many deaths of the process as chance wants."""
        chance = seeded(self.seed)
        everything = tuple(range(len(self.names)))
        event: Event = Opened(
            names=tuple(self.names),
            chosen=everything,
            jobs=self.jobs,
            limits=self.limits,
            publish=self.publish,
        )
        self._keep(event)
        assert isinstance(event, Opened)
        state, orders = opened(event)
        open_orders = list(orders)
        while open_orders:
            self._require_kept(state, open_orders)
            if chance.random() < self.dies:
                # What was under way may have happened, and nobody knows.
                for order in open_orders:
                    if chance.random() < 0.5:
                        self._do(order, chance)
                again = Restarted(
                    chosen=everything, jobs=self.jobs, limits=self.limits, publish=self.publish, retry=False
                )
                folded = fold(self.events)
                assert folded == state
                self._keep(again)
                state, orders = step(state, again)
                open_orders = list(orders)
                continue
            order = open_orders.pop(chance.randrange(len(open_orders)))
            event = self._do(order, chance)
            self._keep(event)
            state, orders = step(state, event)
            open_orders += orders
        assert fold(self.events) == state
        return state

    def _do(self, order: Order, chance: random.Random) -> Event:
        if isinstance(order, Publish):
            assert order.row in self.landed
            self.published[order.row] = 1  # found again, however often
            return Told(row=order.row, fate=Fate.PUBLISHED, ms=0, pull=f"pull/{order.row}")
        assert isinstance(order, Work)
        # Begun again, it is the same run under its key: it has spent what it has spent.
        most = order.grant.model_calls or 5
        used = self.spent.setdefault(order.row, chance.randint(0, most))
        fate = (Fate.LANDED, Fate.REJECTED, Fate.NO_CHANGE, Fate.TROUBLE)[order.row % 4]
        if fate is Fate.LANDED:
            self.landed.add(order.row)
        cost = Cost(calls=used) if fate is not Fate.TROUBLE else None
        return Ended(row=order.row, fate=fate, ms=0, run=f"run-{order.row}", cost=cost)

    def _keep(self, event: Event) -> None:
        self.events.append(event)
        assert from_json(to_json(event)) == event

    def _require_kept(self, state: CampaignState, orders: Sequence[Order]) -> None:
        assert len(orders) == len(state.busy) <= self.jobs
        assert {one.row for one in orders} == {row.number for row in state.busy}
        if self.limits.model_calls is not None:
            # What is spent, and all that those at work may still spend, is within the limit.
            assert state.used.model_calls <= self.limits.model_calls
            known = {
                row.number for row in state.rows if row.phase is not Phase.PENDING or row.grant is not None
            }
            assert sum(self.spent.get(number, 0) for number in known) <= self.limits.model_calls
