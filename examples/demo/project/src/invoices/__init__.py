"""Invoices with exact money."""

from invoices.discounts import discounted
from invoices.invoice import Invoice, Line
from invoices.money import cents
from invoices.render import render

__all__ = ["Invoice", "Line", "cents", "discounted", "render"]
