"""What models cost a run: calls, tokens and money, and how people and programs are told. Pure.

Prices are data with a date (`proposers.prices`). A call nobody knows the price of makes the sum unknown, or a lower
bound of it; it is never counted as free. Money is whole micro-units of a US dollar; it is rounded only when shown, and
what is not nothing is never shown as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dev_agent.runtime.fold import INTERRUPTED, LEFT, RETRIED
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.runtime.events import Event

CALLS, TOKENS, MONEY, UNPRICED = "model_calls", "tokens", "money", "unpriced_calls"
"""The keys of a `Result`'s cost; the first three are budgets as well."""

UNKNOWN = "unknown"
_DOLLAR = 1_000_000
_SMALLEST_SHOWN = 100
_PAYS = (LEFT, RETRIED, INTERRUPTED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """A sum. `micro_usd` is the part that is known; `unpriced` counts the calls that are not in it."""

    calls: int = 0
    tokens: int = 0
    micro_usd: int = 0
    unpriced: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Cost:
        """From the counts of a trace; those that are no model's are left out."""
        return cls(
            calls=counts.get(CALLS, 0),
            tokens=counts.get(TOKENS, 0),
            micro_usd=counts.get(MONEY, 0),
            unpriced=counts.get(UNPRICED, 0),
        )

    def and_of(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            micro_usd=self.micro_usd + other.micro_usd,
            unpriced=self.unpriced + other.unpriced,
        )

    @property
    def money(self) -> str:
        """`$0.0042`, `unknown`, or `at least $0.0042` where only a part has a price."""
        if not self.unpriced:
            return dollars(self.micro_usd)
        return f"at least {dollars(self.micro_usd)}" if self.micro_usd else UNKNOWN

    @property
    def words(self) -> str:
        """One line; "" if no model was asked."""
        if not self.calls:
            return ""
        price = f"price {UNKNOWN}" if self.money == UNKNOWN else self.money
        return f"{self.calls} model call{'' if self.calls == 1 else 's'}, {self.tokens:,} tokens, {price}"

    def to_json(self) -> dict[str, int | None]:
        """Whole numbers. `money` is in micro-units, null where the sum is not known; `money_known` is what is."""
        return {
            CALLS: self.calls,
            TOKENS: self.tokens,
            MONEY: None if self.unpriced else self.micro_usd,
            "money_known": self.micro_usd,
            UNPRICED: self.unpriced,
        }


FREE = Cost()


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One question to a model, as the state that asked it recorded it.

    `micro_usd` None: there is no price, because nobody knows it (`unpriced`) or because it was turned away.
    """

    state: str
    purpose: str
    model: str
    request: str
    outcome: str
    read: int
    written: int
    micro_usd: int | None
    unpriced: bool
    ms: int

    @property
    def money(self) -> str:
        """What it cost, in words."""
        return UNKNOWN if self.unpriced else dollars(self.micro_usd or 0)

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return {
            "state": self.state,
            "purpose": self.purpose,
            "model": self.model,
            "request_id": self.request,
            "outcome": self.outcome,
            "input_tokens": self.read,
            "output_tokens": self.written,
            "micro_usd": self.micro_usd,
            "ms": self.ms,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """What a whole trace paid: in sum, by state in the order they first paid, and call by call."""

    total: Cost = FREE
    states: tuple[tuple[str, Cost], ...] = ()
    calls: tuple[Call, ...] = ()


NOTHING_SPENT = Spending()


def spending_of(events: Sequence[Event]) -> Spending:
    """What a run spent on models, attempts that failed or were interrupted included."""
    states: dict[str, Cost] = {}
    calls: list[Call] = []
    for event in events:
        if event.type not in _PAYS:
            continue
        state, spent = str(event.data["state"]), Cost.of(_mapping(event.data.get("cost")))
        if spent.calls:
            states[state] = states.get(state, FREE).and_of(spent)
        recorded = _mapping(event.data.get("data")).get("calls", ())
        if isinstance(recorded, Sequence) and not isinstance(recorded, str):
            calls += [_call(state, _mapping(one)) for one in recorded]
    total = FREE
    for one in states.values():
        total = total.and_of(one)
    return Spending(total=total, states=tuple(states.items()), calls=tuple(calls))


def dollars(micro: int) -> str:
    """Micro-units as people read money: four decimals below a dollar, two above."""
    if micro == 0:
        return "$0"
    if micro < _SMALLEST_SHOWN:
        return "<$0.0001"
    if micro < _DOLLAR:
        return f"${_rounded(micro, 100) / 10_000:.4f}"
    cents = _rounded(micro, 10_000)
    return f"${cents // 100:,}.{cents % 100:02}"


def _rounded(micro: int, unit: int) -> int:
    return (micro + unit // 2) // unit


def _call(state: str, recorded: Mapping[str, Any]) -> Call:
    used, micro = _mapping(recorded.get("usage")), recorded.get("micro_usd")
    return Call(
        state=state,
        purpose=str(recorded.get("purpose", "")),
        model=str(recorded.get("model", "")),
        request=str(recorded.get("request_id", "")),
        outcome=str(recorded.get("trouble") or recorded.get("stop") or ""),
        read=sum(_count(used.get(name)) for name in ("input", "cache_read", "cache_write")),
        written=_count(used.get("output")),
        micro_usd=micro if isinstance(micro, int) else None,
        unpriced=bool(recorded.get("unpriced", not isinstance(micro, int))),
        ms=_count(recorded.get("ms")),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
