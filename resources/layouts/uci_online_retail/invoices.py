"""From rows to invoices: what each one is, and whether it can be right.

What an invoice becomes is `events`' subject, and when it happened `timeline`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resources.layouts.uci_online_retail import values as uci
from resources.layouts.uci_online_retail.declaration import Declaration
from resources.layouts.uci_online_retail.rows import LARGEST_AMOUNT, Rows

ORDER, RETURN, LEDGER, ADJUSTMENT = range(4)

_MOST_LINES = 5_000
_MOST_CHARGES = 1_000


@dataclass(frozen=True)
class Invoices:
    """By invoice, in the order of the sorted rows.

    Attributes:
        starts: Its first row.
        ends: The row after its last.
        goods: How many of its rows are goods; they come first.
        kind: `ORDER`, `RETURN`, `LEDGER` or `ADJUSTMENT`.
        refused: Why it is not taken; nothing where its rows say it all.
    """

    starts: npt.NDArray[np.intp]
    ends: npt.NDArray[np.intp]
    goods: uci.Codes
    kind: npt.NDArray[np.intp]
    refused: dict[int, list[str]]


def judge_invoices(rows: Rows, declared: Declaration) -> Invoices:
    """Group sorted rows by invoice, and say what each invoice is."""
    starts = np.flatnonzero(np.diff(rows.number, prepend=-1))
    ends = np.append(starts[1:], len(rows.number))
    goods = np.add.reduceat((~rows.is_charge).astype(np.int32), starts)
    kind = _kinds(rows, starts)
    invoices = Invoices(starts, ends, goods, kind, refused={})
    for mask, reason in _rules(rows, invoices, declared):
        for invoice in np.flatnonzero(mask).tolist():
            invoices.refused.setdefault(invoice, []).append(reason)
    bad_row = np.zeros(len(rows.row), np.bool_)
    bad_row[list(rows.problems)] = True
    for invoice in np.flatnonzero(_any_of(bad_row[rows.row], starts)).tolist():
        # What is wrong with a row may be all that is wrong with its invoice.
        invoices.refused[invoice] = []
    return invoices


def _any_of(mask: uci.Truths, starts: npt.NDArray[np.intp]) -> uci.Truths:
    result: uci.Truths = np.logical_or.reduceat(mask, starts)
    return result


def _differ(values: uci.Codes, starts: npt.NDArray[np.intp]) -> uci.Truths:
    result: uci.Truths = np.minimum.reduceat(values, starts) != np.maximum.reduceat(values, starts)
    return result


def _kinds(rows: Rows, starts: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    unpriced = ~_any_of(rows.price != 0, starts)
    negative = ~_any_of(rows.quantity >= 0, starts)
    letters = np.array([name[:1] for name in rows.numbers] + [""])
    letter = letters[np.minimum(rows.number[starts], len(rows.numbers))]
    return np.select(
        [letter == "C", letter == "A", unpriced | negative],
        [RETURN, LEDGER, ADJUSTMENT],
        ORDER,
    )


def _rules(
    rows: Rows, invoices: Invoices, declared: Declaration
) -> list[tuple[npt.NDArray[np.bool_], str]]:
    """What no invoice may be: which invoices are, and the reason."""
    starts, kind = invoices.starts, invoices.kind
    largest = np.iinfo(np.int32).max
    least = np.minimum.reduceat(np.where(rows.is_charge, largest, rows.quantity), starts)
    most = np.maximum.reduceat(np.where(rows.is_charge, -largest, rows.quantity), starts)
    debt = declared.ledger_adjustment.charge
    ledger_sku = np.array([declared.charge_codes.get(sku) == debt for sku in rows.skus] + [False])
    is_about_more = _any_of(~ledger_sku[rows.sku], starts)
    is_priced_charge = _any_of(rows.is_charge & (rows.price != 0), starts)
    amount = np.add.reduceat(
        np.where(rows.is_charge, rows.price.astype(np.float64) * rows.quantity, 0), starts
    )
    charges = invoices.ends - starts - invoices.goods
    unsold = "it has prices, and goods whose quantity is not positive"
    return [
        (_differ(rows.customer, starts), "its rows name several customers"),
        (_differ(rows.country, starts), "its rows name several countries"),
        ((kind == RETURN) & (most >= 0), "goods of a C invoice do not come back"),
        ((kind == ORDER) & (least <= 0), unsold),
        ((kind == LEDGER) & is_about_more, "an A invoice is about more than a debt"),
        (
            (kind == ADJUSTMENT) & is_priced_charge,
            "a charge is given back outside a C invoice",
        ),
        (invoices.goods > _MOST_LINES, f"it has more than {_MOST_LINES:,} lines"),
        (charges > _MOST_CHARGES, f"it has more than {_MOST_CHARGES:,} charges"),
        (np.abs(amount) >= LARGEST_AMOUNT, "its charges are too large an amount"),
    ]
