"""Three-way match: what an invoice charges, against what was ordered and what came.

The keys and their computation are those of SAP's logistics invoice verification, by the sources
that each rule names; limits are cumulative over the invoices of an order's line, or many small
overcharges would pass. A limit is kept up to and including itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.decisions.typed_policy import amount_in
from assets.procure_to_stock.policy import Limit, Tolerances

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Reason(StrEnum):
    """Why a line of an invoice is not paid as it is, or is paid and noted."""

    PRICE_ABOVE = "price_above"
    PRICE_BELOW = "price_below"
    QUANTITY = "quantity"
    DATE = "date"
    LINE_AMOUNT = "line_amount"
    WITHOUT_ORDER = "without_order"
    FREIGHT = "freight"
    TOTAL = "total"
    OTHER_SUPPLIER = "other_supplier"
    OTHER_CURRENCY = "other_currency"
    ORDER_CLOSED = "order_closed"
    UNKNOWN_ORDER_LINE = "unknown_order_line"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    BLANKET_VALUE = "blanket_value"
    BLANKET_DATE = "blanket_date"
    EXCHANGE_RATE = "exchange_rate"
    BANK_UNCONFIRMED = "bank_unconfirmed"


#: What is told and paid all the same.
NOTED = frozenset({Reason.PRICE_BELOW})
#: Columns of what `match` gives.
FOUND = ("line", "reason_code", "quantity_difference", "value_difference")


def excess(quantity: Integers, quantity_before: Integers, payable_quantity: Integers) -> Integers:
    """Units of each invoice line beyond what is payable, earlier lines of it served first.

    ``min(q, max(0, q_before + q − payable))``: the excesses of an order's line add up to
    what was invoiced beyond what is payable.
    """
    beyond = np.maximum(quantity_before + quantity - payable_quantity, 0)
    return np.asarray(np.minimum(quantity, beyond), np.int64)


def is_short(
    not_payable: Integers,
    quantity: Integers,
    order_price: Integers,
    is_before_receipt: Flags,
    tolerances: Tolerances,
    currency: str,
) -> Flags:
    """Whether units that are not payable, of those charged, are beyond their limit."""

    def beyond(limit: Limit) -> Flags:
        if limit == Limit():
            return np.zeros(len(quantity), np.bool_)
        is_beyond = _exceeds(not_payable * order_price, quantity * order_price, limit, currency)
        # Without a price nothing is worth anything, and yet it did not come: beyond any limit.
        return np.asarray(is_beyond | ((order_price == 0) & (not_payable > 0)), np.bool_)

    return np.where(
        is_before_receipt,
        beyond(tolerances.quantity_before_receipt or tolerances.quantity),
        beyond(tolerances.quantity),
    )


def match(lines: pd.DataFrame, tolerances: Tolerances, currency: str) -> pd.DataFrame:
    """Find what is off in invoice lines that an order stands behind.

    Args:
        lines: One row per invoice line, in the order in which lines of one order line were posted.
            Quantities are in each, money in ten-thousandths of ``currency``: ``order_line`` (any
            key), ``quantity``, ``amount``, ``order_unit_price``, ``payable_quantity`` (received
            and not rejected, or ordered where no receipt is expected), ``quantity_before`` and
            ``amount_before`` (of the same order line, invoiced before the first row of it here)
            and ``days_early`` (whole days that the invoice comes before its goods are due, ≥ 0);
            ``is_price_estimated`` (the order's price is a guess) and ``is_before_receipt``
            (nothing had come when it was charged) choose limits.
        tolerances: The keys' limits.
        currency: Of all amounts.

    Returns:
        One row per line and reason, ordered by both: ``line`` (position in ``lines``, from 0),
        ``reason_code``, ``quantity_difference`` (each; units not payable, else 0) and
        ``value_difference`` (ten-thousandths; of ``price_above`` and ``price_below`` what is off
        over all invoices of the order's line so far).

    Formulas: price ``Σ amount − Σ quantity × order price`` (key PP; PS of an estimate); quantity
    ``order price × excess`` (key DQ; DW before any receipt); date ``amount × days early`` in
    value-days (key ST); see the decision record.
    """
    quantity = _column(lines, "quantity")
    amount = _column(lines, "amount")
    order_price = _column(lines, "order_unit_price")
    key = pd.factorize(lines["order_line"])[0]
    before_here = _running(quantity, key) - quantity
    quantity_before = _column(lines, "quantity_before") + before_here
    amount_so_far = _column(lines, "amount_before") + _running(amount, key)
    agreed = (quantity_before + quantity) * order_price
    off = amount_so_far - agreed
    not_payable = excess(quantity, quantity_before, _column(lines, "payable_quantity"))
    worth = not_payable * order_price
    none = np.zeros(len(lines), np.int64)
    is_above = np.where(
        lines["is_price_estimated"].to_numpy(np.bool_),
        _exceeds(off, agreed, tolerances.estimated_price_above or tolerances.price_above, currency),
        _exceeds(off, agreed, tolerances.price_above, currency),
    )
    is_too_much = is_short(
        not_payable,
        quantity,
        order_price,
        lines["is_before_receipt"].to_numpy(np.bool_),
        tolerances,
        currency,
    )
    found = {
        Reason.PRICE_ABOVE: (is_above, none, off),
        Reason.PRICE_BELOW: (_exceeds(-off, agreed, tolerances.price_below, currency), none, off),
        Reason.QUANTITY: (is_too_much, not_payable, worth),
    }
    if tolerances.date_value_days_by_currency is not None:
        limit = amount_in(currency, tolerances.date_value_days_by_currency)
        days = _column(lines, "days_early")
        # amount × days > limit, without a product that may not fit.
        found[Reason.DATE] = ((days > 0) & (amount > limit // np.maximum(days, 1)), none, amount)
    if tolerances.line_amount_by_currency is not None:
        limit = amount_in(currency, tolerances.line_amount_by_currency)
        found[Reason.LINE_AMOUNT] = (amount > limit, none, amount)
    return _rows(found)


def exceeds(value: int, base: int, limit: Limit, currency: str) -> bool:
    """Whether one value is beyond a limit; see `match`."""
    return bool(_exceeds(np.array([value]), np.array([base]), limit, currency)[0])


def _column(lines: pd.DataFrame, name: str) -> Integers:
    return lines[name].to_numpy(np.int64)


def _running(values: Integers, key: npt.NDArray[Any]) -> Integers:
    return pd.Series(values).groupby(key, sort=False).cumsum().to_numpy(np.int64)


def _exceeds(value: Integers, base: Integers, limit: Limit, currency: str) -> Flags:
    """Whether values are above zero and beyond one of the limits that are set; all int64."""
    beyond = np.zeros(len(value), np.bool_)
    if (amount := limit.amount(currency)) is not None:
        beyond |= value > amount
    if limit.basis_points is not None:
        # ⌊base × share⌋ in parts: the product itself may not fit.
        share = base // 10_000 * limit.basis_points + base % 10_000 * limit.basis_points // 10_000
        beyond |= value > share
    return beyond & (value > 0)


def _rows(found: Mapping[Reason, tuple[Flags, Integers, Integers]]) -> pd.DataFrame:
    parts = []
    for reason, (is_off, units, value) in found.items():
        line = np.flatnonzero(is_off)
        parts.append(
            pd.DataFrame(
                {
                    "line": line,
                    "reason_code": str(reason),
                    "quantity_difference": units[line],
                    "value_difference": value[line],
                }
            )
        )
    rows = pd.concat(parts, ignore_index=True)
    return rows.sort_values(["line", "reason_code"], kind="stable").reset_index(drop=True)
