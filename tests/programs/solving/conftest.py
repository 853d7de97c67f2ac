"""A shop with a bug in it, and a driver that lets a written model solve tasks on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dev_agent.cancel import Cancel
from dev_agent.gates.judge import LOCAL, Judge
from dev_agent.programs.apply import apply
from dev_agent.programs.proposers import ModelTask, Opened
from dev_agent.programs.report import RunReport
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.resume import resume
from dev_agent.programs.solving.asking import Price
from dev_agent.programs.spending import Spending
from dev_agent.proposers.model import Model, Usage
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.events import Event
from dev_agent.runtime.trace import read_trace
from tests.programs.conftest import NO_GATES, TESTS_ONLY, Shop

TASK = "total() of the cart is wrong for no prices at all"
CART = "src/shop/cart.py"
SUM, BETTER, WRONG = "    return sum(prices)\n", "    return sum(prices, 0)\n", "    return sum(prices) + 1\n"

SETTINGS = '{"proposer": "anthropic", "model": "one", "max_output": 4000}'
"""How the written model says it was opened: by a key that nobody has."""

__all__ = ["BETTER", "CART", "NO_GATES", "SUM", "TASK", "TESTS_ONLY", "WRONG", "Solving"]


def price(_model: str, usage: Usage) -> int | None:
    """A millionth of a dollar a token."""
    return usage.total


@dataclass
class Solving:
    """The shop, and models let loose on it."""

    shop: Shop

    def task(self, model: Model, *, price: Price = price, **more: Any) -> ModelTask:
        opened = Opened(model=model, price=price, max_output=4_000)
        settings: dict[str, Any] = {
            "settings": SETTINGS,
            "spending": Spending(),
            "sleep": lambda _seconds: None,
        }
        return ModelTask(opened=opened, **{**settings, **more})

    def solve(
        self,
        model: Model,
        *,
        policy: str = NO_GATES,
        reporter: Reporter | None = None,
        cancel: Cancel | None = None,
        source: ModelTask | None = None,
        **more: Any,
    ) -> RunReport:
        judge: Judge = more.pop("judge", LOCAL)
        request = ApplyRequest(
            task=str(more.pop("task", TASK)),
            patch=b"",
            policy=self.shop.policy(policy) if "\n" in policy else policy,
            **more,
        )
        return apply(
            self.shop.repository(),
            request,
            environ=self.shop.project.environ,
            reporter=reporter or Reporter(),
            cancel=cancel or self.shop.cancel,
            proposer=source or self.task(model),
            judge=judge,
        )

    def resume(self, run: str, model: Model) -> RunReport:
        return resume(
            self.shop.repository(),
            run,
            environ=self.shop.project.environ,
            reporter=Reporter(),
            cancel=Cancel(),
            models=lambda _settings: Opened(model=model, price=price, max_output=4_000),
        )

    def events(self, report: RunReport) -> tuple[Event, ...]:
        return read_trace(Path(report.trace).parent)

    def path(self, report: RunReport) -> list[str]:
        """The transitions of a run, but for those that only choose among several answers."""
        return [
            f"{event.data['state']}.{event.data['outcome']}"
            for event in self.events(report)
            if event.type == "left" and event.data["state"] not in ("widen", "tryout", "reproduce")
        ]


@pytest.fixture
def solving(shop: Shop) -> Solving:
    return Solving(shop=shop)
