"""How many units are ordered: what is needed, as a supplier sells it."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

Integers = npt.NDArray[np.int64]


class NotOrderable(StrEnum):
    """Why what is needed cannot be ordered as the supplier sells it."""

    MAXIMUM_BREAKS_MINIMUM = "maximum_breaks_minimum"
    MAXIMUM_BREAKS_MULTIPLE = "maximum_breaks_multiple"


def round_up(quantity: Integers, multiple: Integers, anchor: Integers) -> Integers:
    """The least of ``anchor``, ``anchor + multiple``, … that is at least ``quantity``.

    Anchored at zero a multiple of 6 with a minimum of 10 gives 12; anchored at the minimum, 10, 16,
    22: which of them is the supplier's own rule.
    """
    steps = -(-np.maximum(quantity - anchor, 0) // multiple)
    return np.asarray(anchor + steps * multiple, np.int64)


def size(lines: pd.DataFrame, pallet_surplus_basis_points: int) -> pd.DataFrame:
    """Size orders: at least the minimum, rounded up, and at most the maximum.

    A maximum below what is needed cuts the order to it, and the rest is for another day. A maximum
    that contradicts the minimum or the multiple cuts nothing in silence: it is told.

    Args:
        lines: One row per order, all quantities in each: ``needed_quantity`` (above zero),
            ``minimum_quantity``, ``case_quantity`` (sold only in whole cases; 1 for loose),
            ``is_anchored_at_minimum``, ``pallet_quantity`` and ``maximum_quantity`` (0 for none).
        pallet_surplus_basis_points: Whole pallets are taken where they are no more than so much
            above what would be ordered anyway.

    Returns:
        Of each row ``order_quantity`` (each, 0 where it cannot be) and ``problem_code``, a
        `NotOrderable` or ``None``.
    """
    needed, minimum, case, pallet, maximum = (
        lines[name].to_numpy(np.int64)
        for name in (
            "needed_quantity",
            "minimum_quantity",
            "case_quantity",
            "pallet_quantity",
            "maximum_quantity",
        )
    )
    anchor = np.where(lines["is_anchored_at_minimum"].to_numpy(np.bool_), minimum, 0)
    quantity = round_up(np.maximum(needed, minimum), case, anchor)
    whole = round_up(quantity, np.maximum(pallet, 1), np.zeros_like(quantity))
    is_nearly_full = (whole - quantity) * 10_000 <= quantity * pallet_surplus_basis_points
    # A pallet that holds no whole cases, counted from the anchor, is not one that the rule allows.
    is_whole = (whole >= anchor) & ((whole - anchor) % case == 0)
    quantity = np.where((pallet > 0) & is_nearly_full & is_whole, whole, quantity)
    has_maximum = maximum > 0
    is_above = has_maximum & (quantity > maximum)
    cut = np.where(is_above, anchor + (maximum - anchor) // case * case, quantity)
    breaks_minimum = has_maximum & (maximum < minimum)
    breaks_multiple = is_above & ~breaks_minimum & ((cut < minimum) | (cut <= 0))
    problem = np.full(len(lines), None, object)
    problem[breaks_minimum] = NotOrderable.MAXIMUM_BREAKS_MINIMUM
    problem[breaks_multiple] = NotOrderable.MAXIMUM_BREAKS_MULTIPLE
    cut[breaks_minimum | breaks_multiple] = 0
    return pd.DataFrame({"order_quantity": cut, "problem_code": problem}, index=lines.index)


def within_budget(
    amounts: Integers, urgency: npt.NDArray[np.float64], budget: int
) -> npt.NDArray[np.bool_]:
    """Which orders are made of a budget, the most urgent first; what does not fit is passed over.

    Args:
        amounts: Of each order (ten-thousandths).
        urgency: Days that stock still lasts; less is more urgent.
        budget: Of all (ten-thousandths).
    """
    fits = np.zeros(len(amounts), np.bool_)
    left = budget
    for one in np.argsort(urgency, kind="stable").tolist():
        if amounts[one] <= left:
            fits[one] = True
            left -= int(amounts[one])
    return fits
