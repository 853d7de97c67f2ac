"""What is taken off a line before tax."""

from decimal import Decimal

from invoices.money import cents, percent

BULK_FROM = 10
BULK_RATE = Decimal(5)


def discounted(unit_price: Decimal, quantity: int) -> Decimal:
    """The price of a line: from ten items on, five percent are taken off."""
    if quantity < 1:
        raise ValueError("a line has at least one item")
    gross = cents(unit_price * quantity)
    if quantity > BULK_FROM:
        return gross - percent(gross, BULK_RATE)
    return gross
