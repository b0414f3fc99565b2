"""Amounts are exact, written and read."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.core.money import NANOS, decimal_amount
from qwenport.metering.amounts import MOST_UNITS, AmountInvalid, amount_nanos


@pytest.mark.parametrize(
    ("nanos", "amount"),
    [(0, "0.00"), (1, "0.000000001"), (500_000_000, "0.50"), (12_345_678_900, "12.3456789"), (-1_500_000_000, "-1.50")],
)
def test_amounts_are_exact_decimals_of_at_least_two_places(nanos: int, amount: str) -> None:
    assert decimal_amount(nanos) == amount


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_an_amount_can_be_read_back_exactly(nanos: int) -> None:
    assert Decimal(decimal_amount(nanos)).scaleb(9) == nanos


@given(st.integers(min_value=1, max_value=MOST_UNITS * NANOS))
def test_what_was_written_is_taken_as_an_amount(nanos: int) -> None:
    assert amount_nanos(decimal_amount(nanos)) == amount_nanos(Decimal(nanos).scaleb(-9)) == nanos


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal(-1), Decimal("1e-10"), Decimal("1e10"), "0", "0.0"])
def test_what_is_no_amount_is_refused(amount: Decimal | str) -> None:
    with pytest.raises(AmountInvalid):
        amount_nanos(amount)


def test_nothing_is_an_amount_where_that_is_said() -> None:
    assert amount_nanos("0.00", zero=True) == 0
