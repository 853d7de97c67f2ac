from decimal import Decimal

from invoices import Invoice, Line, render

INVOICE = Invoice(
    customer="Ada",
    lines=(Line(text="Green tea", unit_price=Decimal("4.95"), quantity=3),),
)


def test_one_row_per_line_and_three_sums() -> None:
    assert render(INVOICE).splitlines() == [
        "Invoice for Ada",
        "3 x Green tea                      14.85",
        "net                                14.85",
        "tax 19 %                            2.82",
        "total                              17.67",
    ]


def test_a_long_text_does_not_push_the_amount_out() -> None:
    long = Invoice(customer="Ada", lines=(Line(text="x" * 99, unit_price=Decimal(1)),))
    assert max(len(row) for row in render(long).splitlines()) == 40
