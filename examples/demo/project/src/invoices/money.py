"""Exact amounts: everything is a Decimal, rounded half up to whole cents."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """The amount rounded half up to whole cents."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def percent(amount: Decimal, rate: Decimal) -> Decimal:
    """`rate` percent of the amount, in whole cents."""
    return cents(amount * rate / 100)
