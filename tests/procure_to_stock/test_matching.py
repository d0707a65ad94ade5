"""Each tolerance key on its edge and just over it, and what holds of excess whatever comes."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.commerce.money import to_ten_thousandths
from assets.procure_to_stock.policy import Limit, Tolerances
from assets.procure_to_stock.rules.matching import Reason, exceeds, excess, match

OFF: dict[str, Any] = {
    "price_above": Limit(),
    "estimated_price_above": Limit(),
    "price_below": Limit(),
    "quantity": Limit(),
    "quantity_before_receipt": Limit(),
    "date_value_days_by_currency": None,
    "line_amount_by_currency": None,
    "amount_without_order_by_currency": {"*": "1000"},
    "freight": Limit(),
    "total_by_currency": {"*": "1"},
    "blanket_value_by_currency": {"*": "0"},
    "blanket_days": 0,
    "exchange_rate_basis_points": 2_000,
}


def tolerances(**set_: Any) -> Tolerances:
    return Tolerances(**{**OFF, **set_})


def line(
    order_line: str = "P1/1", units: int = 10, price: str = "2.50", **said: Any
) -> dict[str, Any]:
    return {
        "order_line": order_line,
        "quantity": units,
        "amount": units * to_ten_thousandths(price),
        "order_unit_price": to_ten_thousandths(said.pop("ordered_at", "2.50")),
        "payable_quantity": said.pop("payable", 1_000_000),
        "quantity_before": said.pop("before", 0),
        "amount_before": to_ten_thousandths(said.pop("amount_before", "0")),
        "days_early": said.pop("days_early", 0),
        "is_price_estimated": said.pop("is_price_estimated", False),
        "is_before_receipt": said.pop("is_before_receipt", False),
    }


def found(
    lines: list[dict[str, Any]], policy: Tolerances, currency: str = "GBP"
) -> list[tuple[Any, ...]]:
    return list(match(pd.DataFrame(lines), policy, currency).itertuples(index=False, name=None))


TOLERANCES_OF_BEFORE = (
    "price_below",
    "date_value_days_by_currency",
    "line_amount_by_currency",
    "amount_without_order_by_currency",
    "freight",
    "total_by_currency",
)
AMOUNT = Limit({"*": "25", "JPY": "2500"})
SHARE = Limit(None, 200)


@pytest.mark.parametrize(
    ("limit", "price", "is_held"),
    [
        # 1,000 units at 2.50: 25.00 more is 0.025 a unit, 2 % more is 0.05 a unit.
        (AMOUNT, "2.5250", False),
        (AMOUNT, "2.5251", True),
        (SHARE, "2.5500", False),
        (SHARE, "2.5501", True),
        # Within both, or the stricter has it.
        (Limit({"*": "25"}, 200), "2.5251", True),
        (Limit({"*": "25"}, 50), "2.5126", True),
        (Limit({"*": "0"}), "2.5000", False),
        (Limit({"*": "0"}), "2.5001", True),
        (Limit(), "99.0000", False),
    ],
)
def test_a_price_above_is_held_from_just_over_its_limit(
    limit: Limit, price: str, is_held: bool
) -> None:
    rows = found([line(units=1_000, price=price)], tolerances(price_above=limit))
    assert [row[1] for row in rows] == (["price_above"] if is_held else [])


def test_a_policy_of_before_says_of_estimates_what_it_says_of_prices() -> None:
    limits = {name: limit for name, limit in OFF.items() if name in TOLERANCES_OF_BEFORE}
    policy = Tolerances(**{**limits, "price_above": SHARE, "quantity": Limit({"*": "0"})})
    guessed = line(units=1_000, price="2.5501", is_price_estimated=True)
    early = line("P2/1", units=1, payable=0, is_before_receipt=True)
    assert [row[1] for row in found([guessed, early], policy)] == ["price_above", "quantity"]


@pytest.mark.parametrize(
    ("price", "is_held"), [("2.7500", False), ("2.7501", True), ("2.5501", False)]
)
def test_an_estimated_price_has_limits_of_its_own(price: str, is_held: bool) -> None:
    policy = tolerances(price_above=SHARE, estimated_price_above=Limit({"*": "300"}, 1_000))
    rows = found([line(units=1_000, price=price, is_price_estimated=True)], policy)
    assert [row[1] for row in rows] == (["price_above"] if is_held else [])


@pytest.mark.parametrize(("units", "is_held"), [(40, False), (41, True)])
def test_before_any_receipt_a_quantity_has_a_limit_of_its_own(units: int, is_held: bool) -> None:
    # A hundred pounds' worth at 2.50 is forty units.
    policy = tolerances(quantity=Limit({"*": "0"}), quantity_before_receipt=Limit({"*": "100"}))
    early = line(units=units, payable=0, is_before_receipt=True)
    assert bool(found([early], policy)) is is_held
    assert found([line(units=1, payable=0)], policy) != []


def test_another_currency_has_its_own_limit() -> None:
    policy = tolerances(price_above=AMOUNT)
    assert found([line(units=1_000, price="5.00")], policy, "JPY") == []
    assert found([line(units=1_000, price="5.0001")], policy, "JPY") == [
        (0, "price_above", 0, to_ten_thousandths("2500.1"))
    ]


@pytest.mark.parametrize(("price", "is_noted"), [("2.2500", False), ("2.2499", True)])
def test_a_price_far_below_is_noted(price: str, is_noted: bool) -> None:
    rows = found([line(price=price)], tolerances(price_below=Limit(None, 1_000)))
    assert [row[1] for row in rows] == (["price_below"] if is_noted else [])


def test_small_overcharges_of_one_order_line_add_up() -> None:
    part = line(units=100, price="2.60")
    policy = tolerances(price_above=Limit({"*": "25"}))
    # Ten, twenty, thirty more: the third one passes the limit, and another line begins anew.
    assert found([part, part, part, line("P1/2", 100, "2.60")], policy) == [
        (2, "price_above", 0, to_ten_thousandths("30"))
    ]


def test_what_was_invoiced_before_counts() -> None:
    policy = tolerances(price_above=Limit({"*": "25"}), quantity=Limit({"*": "0"}))
    late = line(units=100, price="2.60", before=200, amount_before="520", payable=300)
    assert found([late], policy) == [(0, "price_above", 0, to_ten_thousandths("30"))]
    assert found([late | {"payable_quantity": 299}], policy)[1] == (
        0, "quantity", 1, to_ten_thousandths("2.5")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "payable", "held"),
    [
        (Limit({"*": "0"}), 10, []),
        (Limit({"*": "0"}), 9, [(0, "quantity", 1, 25_000)]),
        (Limit({"*": "5"}), 8, []),
        (Limit({"*": "5"}), 7, [(0, "quantity", 3, 75_000)]),
        (Limit(None, 2_000), 8, []),
        (Limit(None, 2_000), 7, [(0, "quantity", 3, 75_000)]),
        (Limit({"*": "0"}, 0), 0, [(0, "quantity", 10, 250_000)]),
        (Limit(), 0, []),
    ],
)
def test_what_did_not_come_is_held_at_the_price_of_the_order(
    limit: Limit, payable: int, held: list[tuple[Any, ...]]
) -> None:
    charged = line(price="9.99", payable=payable)
    assert found([charged], tolerances(quantity=limit)) == held


def test_what_costs_nothing_is_held_too_where_it_did_not_come() -> None:
    free = line(price="0", ordered_at="0", payable=4)
    assert found([free], tolerances(quantity=Limit({"*": "0"}))) == [(0, "quantity", 6, 0)]
    assert found([free], tolerances(quantity=Limit())) == []


def test_what_came_is_payable_to_whoever_charged_first() -> None:
    lines = [line(units=6, payable=10), line(units=6, payable=10), line(units=6, payable=10)]
    assert found(lines, tolerances(quantity=Limit({"*": "0"}))) == [
        (1, "quantity", 2, 50_000),
        (2, "quantity", 6, 150_000),
    ]


@pytest.mark.parametrize(("days", "is_held"), [(0, False), (400, False), (401, True)])
def test_an_invoice_that_comes_too_early_is_held_in_value_days(days: int, is_held: bool) -> None:
    # 25.00 × 400 days = 10,000 value-days.
    rows = found([line(days_early=days)], tolerances(date_value_days_by_currency={"*": "10000"}))
    assert [row[1] for row in rows] == (["date"] if is_held else [])


@pytest.mark.parametrize(("units", "is_held"), [(400, False), (401, True)])
def test_a_line_over_a_limit_is_looked_at_whatever_it_matches(units: int, is_held: bool) -> None:
    rows = found([line(units=units)], tolerances(line_amount_by_currency={"*": "1000"}))
    assert [row[1] for row in rows] == (["line_amount"] if is_held else [])


def test_the_inputs_stay_as_they_are() -> None:
    lines = pd.DataFrame([line(), line("P1/2", payable=3)])
    before = lines.copy()
    match(lines, tolerances(quantity=Limit({"*": "0"})), "GBP")
    pd.testing.assert_frame_equal(lines, before)


def test_an_amount_that_fills_an_integer_does_not_overflow() -> None:
    huge = line(units=1_000_000, price="9999999", ordered_at="9999999", days_early=3_000)
    policy = tolerances(
        price_above=Limit(None, 1_000_000), date_value_days_by_currency={"*": "10000"}
    )
    assert [row[1] for row in found([huge], policy)] == ["date"]


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(0, 200), st.integers(0, 100)
)
def test_the_excess_of_all_lines_is_what_was_charged_beyond_what_is_payable(
    quantities: list[int], payable: int, before: int
) -> None:
    units = np.array(quantities)
    so_far = before + np.cumsum(units) - units
    beyond = excess(units, so_far, np.full(len(units), payable))
    assert (beyond >= 0).all()
    assert (beyond <= units).all()
    charged = before + sum(quantities)
    assert beyond.sum() == max(0, charged - payable) - max(0, before - payable)


@given(st.integers(-(10**15), 10**15), st.integers(0, 10**15), st.integers(0, 20_000))
def test_a_share_is_kept_to_the_last_ten_thousandth(value: int, base: int, share: int) -> None:
    is_beyond = value > 0 and value * 10_000 > base * share
    assert exceeds(value, base, Limit(None, share), "GBP") == is_beyond


@pytest.mark.parametrize("text", ['{"amount_by_currency": {"GBP": "5"}}', '{"basis_points": -1}'])
def test_a_limit_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Limit)


def test_every_reason_is_a_code() -> None:
    assert all(reason == reason.lower() and " " not in reason for reason in Reason)
