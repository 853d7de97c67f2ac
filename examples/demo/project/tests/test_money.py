from decimal import Decimal

import pytest

from invoices.money import cents, percent


@pytest.mark.parametrize(
    ("amount", "rounded"), [("1.004", "1.00"), ("1.005", "1.01"), ("-1.005", "-1.01"), ("2", "2.00")]
)
def test_half_a_cent_is_rounded_away_from_zero(amount: str, rounded: str) -> None:
    assert cents(Decimal(amount)) == Decimal(rounded)


def test_percent_is_in_whole_cents() -> None:
    assert percent(Decimal("9.99"), Decimal(19)) == Decimal("1.90")
