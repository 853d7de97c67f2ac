from decimal import Decimal

import pytest

from invoices.discounts import discounted


def test_few_items_cost_the_full_price() -> None:
    assert discounted(Decimal("2.50"), 4) == Decimal("10.00")


def test_many_items_are_cheaper() -> None:
    assert discounted(Decimal("1.00"), 20) == Decimal("19.00")


def test_a_line_without_items_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        discounted(Decimal("1.00"), 0)
