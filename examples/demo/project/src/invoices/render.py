"""An invoice as plain text."""

from invoices.invoice import Invoice

WIDTH = 40


def render(invoice: Invoice) -> str:
    """The invoice as lines of at most WIDTH characters: one per position, then the sums."""
    rows = [(f"{line.quantity} x {line.text}", line.net) for line in invoice.lines]
    rows += [("net", invoice.net), (f"tax {invoice.tax_rate} %", invoice.tax), ("total", invoice.total)]
    return "\n".join([f"Invoice for {invoice.customer}", *(_row(text, str(amount)) for text, amount in rows)])


def _row(text: str, amount: str) -> str:
    room = WIDTH - len(amount) - 1
    return f"{text[:room]:<{room}} {amount}"
