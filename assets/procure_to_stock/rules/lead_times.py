"""How long suppliers take, learnt from what came of their orders."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.procure_to_stock.replenishment_policy import LeadTimes


def learn(received: pd.DataFrame) -> pd.DataFrame:
    """Mean and deviation of each supplier's days from an order to its goods.

    Args:
        received: One row per line of an order of which something came: ``supplier_id`` and
            ``lead_days`` (from the order to the first of its goods).

    Returns:
        One row per ``supplier_id``: ``line_count``, ``mean_days`` and ``deviation_days`` (of the
        sample; NaN for one line).
    """
    grouped = received.groupby("supplier_id", sort=True)["lead_days"]
    return grouped.agg(line_count="size", mean_days="mean", deviation_days="std").reset_index()


def with_lead_times(terms: pd.DataFrame, learnt: pd.DataFrame, policy: LeadTimes) -> pd.DataFrame:
    """Terms with the lead time that is planned with.

    What a supplier's own deliveries tell is believed once there are enough of them; until then the
    terms are, with the deviation that the policy assumes.

    Args:
        terms: One row per (``supplier_id``, ``sku``) with ``lead_time_days`` as agreed.
        learnt: What `learn` gave.
        policy: How many deliveries are enough.

    Returns:
        ``terms`` with ``lead_time_days`` and ``lead_time_deviation_days`` to plan with, and
        ``agreed_days``.
    """
    both = terms.merge(learnt, on="supplier_id", how="left")
    is_learnt = (both["line_count"] >= policy.learnt_from_receipts).to_numpy(np.bool_)
    agreed = both["lead_time_days"].to_numpy(np.float64)
    assumed = agreed * policy.assumed_deviation_basis_points / 10_000
    return terms.assign(
        agreed_days=agreed,
        lead_time_days=np.where(is_learnt, both["mean_days"], agreed),
        lead_time_deviation_days=np.where(is_learnt, both["deviation_days"].fillna(0.0), assumed),
    )
