"""An invoice: lines, and what they add up to."""

from dataclasses import dataclass
from decimal import Decimal

from invoices.discounts import discounted
from invoices.money import percent


@dataclass(frozen=True, kw_only=True)
class Line:
    """One position of an invoice."""

    text: str
    unit_price: Decimal
    quantity: int = 1

    @property
    def net(self) -> Decimal:
        """The price of the position after discounts, before tax."""
        return discounted(self.unit_price, self.quantity)


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """Lines for one customer, taxed at one rate (in percent)."""

    customer: str
    lines: tuple[Line, ...]
    tax_rate: Decimal = Decimal(19)

    @property
    def net(self) -> Decimal:
        """The sum before tax."""
        return sum((line.net for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """The tax on the sum, rounded once."""
        return percent(self.net, self.tax_rate)

    @property
    def total(self) -> Decimal:
        """What the customer pays."""
        return self.net + self.tax
