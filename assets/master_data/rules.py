"""Whether what a channel shows is what was approved. Pure."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEY = ["channel", "sku"]


def judge_parity(shown: pd.DataFrame, versions: pd.DataFrame) -> pd.DataFrame:
    """Compare shown prices with the approved versions that were in force at their time.

    Args:
        shown: One row per ``channel`` and ``sku`` with ``unit_price`` (ten-thousandths),
            ``currency_code``, ``as_of`` and ``graced_from`` (UTC): a version that was in force at
            any instant from the one to the other is right.
        versions: The approved prices: ``channel``, ``sku``, ``unit_price``, ``currency_code`` and
            ``valid_from`` (UTC); each is in force until the next of its channel and SKU.

    Returns:
        ``shown`` in its own order plus ``outcome``: ``agrees``, ``differs`` or
        ``no_approved_price``; and ``approved_price`` (ten-thousandths, null where there is none):
        the version at ``as_of``.
    """
    ordered = versions.sort_values([*KEY, "valid_from"])
    until = ordered.groupby(KEY)["valid_from"].shift(-1)
    approved = ordered.assign(valid_until=until).rename(
        columns={"unit_price": "approved_price", "currency_code": "approved_currency"}
    )
    pairs = shown.reset_index(names="position").merge(approved, on=KEY)
    is_open = pairs["valid_until"].isna()
    counts = (pairs["valid_from"] <= pairs["as_of"]) & (
        is_open | (pairs["valid_until"] > pairs["graced_from"])
    )
    pairs = pairs[counts]
    is_same = (pairs["approved_price"] == pairs["unit_price"]) & (
        pairs["approved_currency"] == pairs["currency_code"]
    )
    agrees = is_same.groupby(pairs["position"]).any().reindex(shown.index)
    last = pairs.groupby("position")["approved_price"].last().reindex(shown.index)
    outcome = np.select(
        [agrees.isna(), agrees.eq(True)], ["no_approved_price", "agrees"], "differs"
    )
    return shown.assign(outcome=outcome, approved_price=last.astype("Int64"))
