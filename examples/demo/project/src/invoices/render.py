"""An invoice as plain text."""

from decimal import Decimal
from typing import TYPE_CHECKING

from invoices.invoice import Invoice

if TYPE_CHECKING:
    from invoices.invoice import Line

WIDTH = 40


def render(invoice: Invoice) -> str:
    """The invoice as lines of at most WIDTH characters: one per position, then the sums."""
    rows = [_position(line) for line in invoice.lines]
    rows += [("net", invoice.net), (f"tax {invoice.tax_rate} %", invoice.tax), ("total", invoice.total)]
    return "\n".join([f"Invoice for {invoice.customer}", *(_row(text, str(amount)) for text, amount in rows)])


def _position(line: "Line") -> tuple[str, Decimal]:
    return f"{line.quantity} x {line.text}", line.net


def _row(text: str, amount: str) -> str:
    room = WIDTH - len(amount) - 1
    return f"{text[:room]:<{room}} {amount}"
