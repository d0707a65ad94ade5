"""The tables that sourcing decides from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Tables:
    """The input of a decision.

    Attributes:
        orders: One row per order in the order of deciding; has ``order_id``, ``profile`` (index),
            ``country_code``, ``service_level``, ``decided_at`` and ``promised_at`` (UTC).
        order_lines: One row per line, orders in the same order; has ``order`` (position in
            ``orders``), ``line_number``, ``sku``, ``quantity`` (each) and ``unit_price``
            (ten-thousandths).
        stock: One row per ``node_id`` and ``sku``; has ``unpromised_quantity`` (each).
        nodes: One row per active node; has ``node_id``, ``kind`` and ``zone``.
        usage: What nodes took on before: ``node_id``, ``day`` (local), ``orders`` and ``units``.
        exclusions: ``order_id`` and ``node_id`` of nodes that rejected the order.
    """

    orders: pd.DataFrame
    order_lines: pd.DataFrame
    stock: pd.DataFrame
    nodes: pd.DataFrame
    usage: pd.DataFrame
    exclusions: pd.DataFrame


NO_USAGE = pd.DataFrame(
    {
        "node_id": pd.Series(dtype="str"),
        "day": pd.Series(dtype="datetime64[s]"),
        "orders": pd.Series(dtype="int64"),
        "units": pd.Series(dtype="int64"),
    }
)
NO_EXCLUSIONS = pd.DataFrame(
    {"order_id": pd.Series(dtype="str"), "node_id": pd.Series(dtype="str")}
)
