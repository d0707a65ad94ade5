"""What a supplier's deliveries have for consequences: a warning, or no further orders."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import pandas as pd

from assets.procure_to_stock.replenishment_policy import StandingPolicy


class Standing(StrEnum):
    """How a supplier's deliveries are looked at."""

    GOOD = "good"
    WARN = "warn"
    PREVENT = "prevent"


def judge(delivered: pd.DataFrame, policy: StandingPolicy) -> pd.DataFrame:
    """The standing of each supplier, by the part of lines that came whole and in time.

    Args:
        delivered: One row per ``supplier_id``: ``due_lines`` and ``good_lines`` of them.
        policy: Below which parts; with too few lines nobody is judged.

    Returns:
        ``delivered`` plus ``standing``, a `Standing`.
    """
    due = delivered["due_lines"].to_numpy(np.int64)
    good = delivered["good_lines"].to_numpy(np.int64)
    is_judged = due >= policy.least_lines
    is_bad = is_judged & (good * 10_000 < due * policy.prevent_below_basis_points)
    is_poor = is_judged & (good * 10_000 < due * policy.warn_below_basis_points)
    standing = np.select(
        [is_bad, is_poor], [str(Standing.PREVENT), str(Standing.WARN)], str(Standing.GOOD)
    )
    return delivered.assign(standing=standing.astype(object))


def orderable(terms: pd.DataFrame, delivered: pd.DataFrame, policy: StandingPolicy) -> pd.DataFrame:
    """Terms with ``standing``; of whom nothing more is ordered, ``is_orderable`` is false.

    Args:
        terms: One row per (``supplier_id``, ``sku``) with ``is_orderable``.
        delivered: As for `judge`; a supplier that is not there has a good standing.
        policy: As there.
    """
    judged = judge(delivered, policy)
    of_supplier = dict(zip(judged["supplier_id"], judged["standing"], strict=True))
    good = str(Standing.GOOD)
    standing = terms["supplier_id"].map(lambda supplier: of_supplier.get(supplier, good))
    is_prevented = (standing == str(Standing.PREVENT)).to_numpy(np.bool_)
    is_orderable = terms["is_orderable"].to_numpy(np.bool_) & ~is_prevented
    return terms.assign(standing=standing, is_orderable=is_orderable)
