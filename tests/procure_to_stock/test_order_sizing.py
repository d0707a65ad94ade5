"""What is needed, as a supplier sells it: minimum, cases, pallets, maximum, budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from assets.procure_to_stock.rules.order_sizing import NotOrderable, size, within_budget


def sized(
    needed: int,
    minimum: int = 1,
    case: int = 1,
    *,
    anchored: bool = False,
    pallet: int = 0,
    maximum: int = 0,
    surplus: int = 1_000,
) -> tuple[int, object]:
    lines = pd.DataFrame(
        {
            "needed_quantity": [needed],
            "minimum_quantity": [minimum],
            "case_quantity": [case],
            "is_anchored_at_minimum": [anchored],
            "pallet_quantity": [pallet],
            "maximum_quantity": [maximum],
        }
    )
    row = size(lines, surplus).iloc[0]
    return int(row["order_quantity"]), row["problem_code"]


def test_a_multiple_is_anchored_at_zero_or_at_the_minimum() -> None:
    assert sized(1, minimum=10, case=6) == (12, None)
    assert [sized(need, 10, 6, anchored=True)[0] for need in (1, 10, 11, 16, 17)] == [
        10,
        10,
        16,
        16,
        22,
    ]


def test_at_least_the_minimum_is_ordered_and_whole_cases() -> None:
    assert sized(3, minimum=5) == (5, None)
    assert sized(12, case=12) == (12, None)
    assert sized(13, case=12) == (24, None)


def test_a_pallet_that_is_nearly_full_is_filled() -> None:
    assert sized(91, pallet=100) == (100, None)
    assert sized(90, pallet=100) == (90, None)
    # A pallet of other than whole cases is none.
    assert sized(96, case=12, pallet=100) == (96, None)


def test_a_maximum_cuts_an_order_to_whole_cases() -> None:
    assert sized(50, maximum=50) == (50, None)
    assert sized(51, maximum=50) == (50, None)
    assert sized(51, case=12, maximum=50) == (48, None)


def test_a_maximum_that_contradicts_the_rest_is_told_instead() -> None:
    assert sized(51, minimum=60, maximum=50) == (0, NotOrderable.MAXIMUM_BREAKS_MINIMUM)
    assert sized(5, case=12, maximum=10) == (0, NotOrderable.MAXIMUM_BREAKS_MULTIPLE)
    assert sized(40, minimum=30, case=28, maximum=50) == (0, NotOrderable.MAXIMUM_BREAKS_MULTIPLE)


@given(
    st.integers(1, 10_000),
    st.integers(1, 500),
    st.integers(1, 144),
    st.booleans(),
    st.integers(0, 1_000),
    st.integers(0, 20_000),
)
def test_whatever_is_ordered_is_as_the_supplier_sells_it(
    needed: int, minimum: int, case: int, anchored: bool, pallet: int, maximum: int
) -> None:
    quantity, problem = sized(
        needed, minimum, case, anchored=anchored, pallet=pallet, maximum=maximum
    )
    if problem is not None:
        assert quantity == 0
        return
    assert quantity >= minimum
    assert (quantity - (minimum if anchored else 0)) % case == 0
    assert not maximum or quantity <= maximum
    assert quantity >= needed or quantity + case > maximum > 0


def test_a_budget_goes_to_what_runs_out_first() -> None:
    amounts, days = np.array([60, 50, 40]), np.array([2.0, 1.0, 3.0])
    assert within_budget(amounts, days, 100).tolist() == [False, True, True]
    assert within_budget(amounts, days, 150).tolist() == [True, True, True]
    assert within_budget(amounts, days, 0).tolist() == [False, False, False]
