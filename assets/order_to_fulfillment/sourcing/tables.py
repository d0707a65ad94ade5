"""The tables that sourcing decides from."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

NO_BUNDLES = pd.DataFrame(
    {
        "line": pd.Series(dtype="int64"),
        "bundle_line_number": pd.Series(dtype="int64"),
        "quantity_per_bundle": pd.Series(dtype="int64"),
    }
)


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
        bundles: One row per order line that is a component of a bundle; has ``line`` (position in
            ``order_lines``), ``bundle_line_number`` (of the order, one bundle each) and
            ``quantity_per_bundle`` (each). The line's own quantity is of whole bundles.
    """

    orders: pd.DataFrame
    order_lines: pd.DataFrame
    stock: pd.DataFrame
    nodes: pd.DataFrame
    usage: pd.DataFrame
    exclusions: pd.DataFrame
    bundles: pd.DataFrame = field(default_factory=lambda: NO_BUNDLES)


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
