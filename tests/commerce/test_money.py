from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.commerce.money import share_out, tax_included, to_decimal, to_ten_thousandths, to_text


@pytest.mark.parametrize(
    ("text", "ten_thousandths"),
    [
        ("0", 0),
        ("2.55", 25_500),
        ("2.5555", 25_555),
        ("0.0001", 1),
        ("-0.0001", -1),
        ("-3", -30_000),
        ("99999999999999.9999", 999_999_999_999_999_999),
    ],
)
def test_four_decimals_are_exact(text: str, ten_thousandths: int) -> None:
    assert to_ten_thousandths(text) == ten_thousandths


@pytest.mark.parametrize(
    "text", ["2.55555", "0.00001", "", ".5", "1e3", "1,50", "--1", "1.-5", "1.2.3", "1.5 ", "½"]
)
def test_five_decimals_and_what_is_no_amount_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most four decimals"):
        to_ten_thousandths(text)


@given(st.integers(-(10**18), 10**18))
def test_money_comes_back_from_text_as_it_went(amount: int) -> None:
    assert to_ten_thousandths(to_text(amount)) == amount
    assert Decimal(to_text(amount)) == to_decimal(amount)


@pytest.mark.parametrize(
    ("amount", "rate", "tax"),
    [
        ("1.20", 2_000, "0.2000"),
        ("17.99", 2_000, "2.9983"),
        ("10.50", 500, "0.5000"),
        ("9.99", 0, "0.0000"),
        ("0.0003", 2_000, "0.0001"),
        ("0.0002", 10_000, "0.0001"),
        ("0.0001", 10_000, "0.0001"),
        ("-1.20", 2_000, "-0.2000"),
        ("-0.0001", 10_000, "-0.0001"),
    ],
)
def test_the_tax_inside_an_amount_is_rounded_half_away_from_zero(
    amount: str, rate: int, tax: str
) -> None:
    assert to_text(tax_included(to_ten_thousandths(amount), rate)) == tax


@given(st.integers(0, 10**15), st.integers(0, 10_000))
def test_the_tax_is_within_half_a_ten_thousandth_of_its_fraction(amount: int, rate: int) -> None:
    assert abs(2 * tax_included(amount, rate) * (10_000 + rate) - 2 * amount * rate) <= (
        10_000 + rate
    )


def test_the_largest_remainders_get_the_odd_pennies() -> None:
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(10, [1, 2, 3]) == [2, 3, 5]
    assert share_out(-10, [1, 1, 1]) == [-3, -3, -4]


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any),
)
def test_parts_add_up_exactly_and_are_fair_to_the_ten_thousandth(
    amount: int, weights: list[int]
) -> None:
    parts = share_out(amount, weights)
    assert sum(parts) == amount
    total = sum(weights)
    assert all(
        abs(part * total - amount * weight) < total
        for part, weight in zip(parts, weights, strict=True)
    )


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_weights_that_say_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        share_out(1, weights)
