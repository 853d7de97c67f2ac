"""What a campaign may use up, and what of it one repository gets. Pure.

Reserve, then settle: a child is given a grant before it begins, and the grant counts as used until the child has said
what it really used. So children that run at once cannot overspend together, whatever each of them does within its
grant. What is free is divided by the places that could be filled now, so that the first one does not take it all.

What is not known is never counted as nothing: calls without a price, and a child that said nothing, use up their grant.
A model's last answer may cost more than was left; a campaign can exceed a limit by no more than that, once a child.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dev_agent.programs.spending import Spending
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.cost import Cost

_MINUTE_MS = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """What was used up; `money` in millionths of a dollar."""

    model_calls: int = 0
    tokens: int = 0
    money: int = 0

    def and_of(self, other: Used) -> Used:
        """Both together."""
        return Used(
            model_calls=self.model_calls + other.model_calls,
            tokens=self.tokens + other.tokens,
            money=self.money + other.money,
        )


NOTHING = Used()


def reserved(grant: Spending) -> Used:
    """What a grant takes from the others while nobody knows what is used of it."""
    return Used(model_calls=grant.model_calls or 0, tokens=grant.tokens or 0, money=grant.money or 0)


def settled(cost: Cost | None, grant: Spending) -> Used:
    """What a child that was given `grant` has used; None: it did not say."""
    if cost is None:
        return reserved(grant)
    money = max(cost.micro_usd, grant.money or 0) if cost.unpriced else cost.micro_usd
    return Used(model_calls=cost.calls, tokens=cost.tokens, money=money)


def total(parts: Iterable[Used]) -> Used:
    """The sum."""
    calls = tokens = money = 0
    for one in parts:
        calls += one.model_calls
        tokens += one.tokens
        money += one.money
    return Used(model_calls=calls, tokens=tokens, money=money)


def share(limits: Spending, used: Used, *, elapsed_ms: int, places: int) -> Spending | None:
    """The grant of the next child, when `places` could begin now; None if something is used up.

    `used` holds what is set aside for others. Time is not divided, because it passes for all at once; it is granted in
    whole minutes, because that is how a child is told.
    """
    parts: dict[str, int | None] = {}
    for name in ("model_calls", "tokens", "money"):
        limit = getattr(limits, name)
        if limit is None:
            continue
        free = max(limit - getattr(used, name), 0)
        # Where a part would be nothing, the first takes what there is: one call is worth more than two halves.
        parts[name] = free // max(places, 1) or free
    if limits.wall_ms is not None:
        left = limits.wall_ms - elapsed_ms
        parts["wall_ms"] = -(-left // _MINUTE_MS) * _MINUTE_MS if left > 0 else 0
    if 0 in parts.values():
        return None
    return Spending(**parts)
