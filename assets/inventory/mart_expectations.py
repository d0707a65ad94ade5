"""What must be true of the stock mart before anybody is shown it. Quantities are in each."""

from __future__ import annotations

from assets.quality_gate import Suite, between, holds, is_true, unique

LARGEST_QUANTITY = 10**12

INVENTORY_POSITION_DAILY = Suite(
    name="inventory_position_daily",
    owner="stock_control",
    required=(
        "trading_date",
        "node_id",
        "sku",
        "opening_quantity",
        "received_quantity",
        "adjusted_quantity",
        "shipped_quantity",
        "closing_quantity",
        "opening_agrees",
        "movements_agree",
    ),
    said=(
        holds(
            "day_adds_up",
            (
                "opening_quantity",
                "received_quantity",
                "adjusted_quantity",
                "shipped_quantity",
                "closing_quantity",
            ),
            lambda rows: (
                rows["opening_quantity"]
                + rows["received_quantity"]
                + rows["adjusted_quantity"]
                - rows["shipped_quantity"]
                == rows["closing_quantity"]
            ),
            "what moved does not lead from opening to closing",
        ),
        between(
            "receipts_add", "received_quantity", 0, LARGEST_QUANTITY, "receipts took units away"
        ),
        between(
            "despatches_take", "shipped_quantity", 0, LARGEST_QUANTITY, "despatches added units"
        ),
        between(
            "stock_is_not_negative",
            "closing_quantity",
            0,
            LARGEST_QUANTITY,
            "a day closes with fewer than no units; a count came late",
            severity="warning",
        ),
        unique("day_is_there_once", ("trading_date", "node_id", "sku"), "one day has two rows"),
        is_true("opening_agrees", "a day does not open as the last one closed"),
        is_true("movements_agree", "the ledger's movements of the day are other units"),
    ),
    blocks_by=("node_id", "sku"),
)
