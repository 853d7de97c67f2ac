"""What an answer cost, in millionths of a US dollar: dated prices as data, unknown is None and never nothing.

The shipped list is `prices.toml`; a user's own prices (their contract, their gateway, a local model that costs nothing)
stand in their configuration and win. Money is whole numbers throughout; a part of a millionth counts as a whole one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any

from dev_agent.proposers.abilities import spellings
from dev_agent.proposers.model import Usage
from dev_agent.values import dataclass

_KINDS = ("input", "output", "cache_read", "cache_write")
_KEYS = frozenset({"model", "from", "above", "long", *_KINDS})
_DEAREST = Decimal(100_000)
Rates = Mapping[str, Decimal]
"""US dollars for a million tokens, by the kind of `Usage`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model costs from a day on. Above so many tokens of input the `long` rates hold; None: nobody knows."""

    model: str
    begins: date
    rates: Rates
    above: int | None = None
    long: Rates | None = None

    def of(self, usage: Usage) -> int | None:
        """The cost in millionths of a dollar, None if a rate that is needed is not known."""
        rates: Rates | None = self.rates
        if self.above is not None and usage.total - usage.output > self.above:
            rates = self.long
        cost = Decimal(0)
        for kind in _KINDS:
            tokens = getattr(usage, kind)
            if tokens:
                if rates is None or kind not in rates:
                    return None
                # Dollars for a million tokens are millionths of a dollar for one.
                cost += tokens * rates[kind]
        return int(cost.to_integral_value(rounding=ROUND_CEILING))


def cost_of(model: str, usage: Usage | None, when: date, own: Sequence[Price] = ()) -> int | None:
    """What an answer of `model` cost on a day, by `own` prices first; None if that is not known."""
    if usage is None:
        return None
    names = spellings(model)
    for prices in (own, shipped_prices()):
        begun = [one for one in prices if one.model in names and one.begins <= when]
        if begun:
            return max(begun, key=lambda price: price.begins).of(usage)
    return None


@cache
def shipped_prices() -> tuple[Price, ...]:
    """The list that comes with dev-agent."""
    faults: list[str] = []
    table = tomllib.loads(files(__package__).joinpath("prices.toml").read_text("utf-8"))
    prices = read_prices(table["price"], "price", faults)
    if faults:
        raise ValueError(f"BUG: {faults}")
    return prices


def read_prices(rows: object, path: str, faults: list[str]) -> tuple[Price, ...]:
    """Prices from an array of TOML tables; what is wrong goes to `faults`, with its place."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        faults.append(f"{path}: must be a list of tables, each written as [[{path}]]")
        return ()
    read = [_price(row, f"{path}[{position}]", faults) for position, row in enumerate(rows)]
    return tuple(one for one in read if one is not None)


def _price(row: Mapping[str, Any], path: str, faults: list[str]) -> Price | None:
    before = len(faults)
    faults += [
        f"{path}.{key}: is not known; known are {', '.join(sorted(_KEYS))}" for key in set(row) - _KEYS
    ]
    model, begins, above = row.get("model"), row.get("from", date.min), row.get("above")
    if not isinstance(model, str) or not model:
        faults.append(f"{path}.model: must be the name of a model")
    if type(begins) is not date:
        faults.append(f"{path}.from: must be a day, written as 2026-11-22 without quotes")
    if above is not None and (type(above) is not int or above < 0):
        faults.append(f"{path}.above: must be a number of tokens")
    rates = _rates({key: row[key] for key in _KINDS if key in row}, path, faults)
    for kind in ("input", "output"):
        if kind not in row:
            faults.append(f"{path}.{kind}: is missing")
    long = row.get("long")
    if long is not None and not isinstance(long, dict):
        faults.append(f"{path}.long: must be a table of rates")
        long = None
    longer = None if long is None else _rates(long, f"{path}.long", faults)
    if len(faults) > before:
        return None
    return Price(model=str(model), begins=begins, rates=rates, above=above, long=longer)


def _rates(row: Mapping[str, Any], path: str, faults: list[str]) -> Rates:
    made: dict[str, Decimal] = {}
    for kind, text in row.items():
        try:
            rate = Decimal(text) if isinstance(text, str) and kind in _KINDS else Decimal("NaN")
        except InvalidOperation:
            rate = Decimal("NaN")
        if not rate.is_finite() or not 0 <= rate <= _DEAREST:
            faults.append(f'{path}.{kind}: must be dollars for a million tokens as text, like "2.50"')
        else:
            made[kind] = rate
    return made


def total(costs: Iterable[int | None]) -> tuple[int, int]:
    """The sum of what is known, and how many are not."""
    listed = list(costs)
    return sum(cost for cost in listed if cost is not None), sum(cost is None for cost in listed)
