from decimal import Decimal

from invoices import Invoice, Line

TEA = Line(text="Green tea", unit_price=Decimal("4.95"), quantity=3)
CUP = Line(text="Cup", unit_price=Decimal("7.50"))


def test_net_is_the_sum_of_the_lines() -> None:
    assert Invoice(customer="Ada", lines=(TEA, CUP)).net == Decimal("22.35")


def test_tax_is_rounded_once_on_the_sum() -> None:
    assert Invoice(customer="Ada", lines=(TEA, CUP)).tax == Decimal("4.25")


def test_total_is_net_and_tax() -> None:
    assert Invoice(customer="Ada", lines=(TEA, CUP)).total == Decimal("26.60")


def test_an_invoice_without_lines_costs_nothing() -> None:
    assert Invoice(customer="Ada", lines=()).total == Decimal(0)
