"""What must be true of a closed window of the stock ledgers. Quantities are in each."""

from __future__ import annotations

import pandas as pd

from assets.quality_gate import Suite, between, holds, is_true, not_less, one_of, unique

#: A count can find what a hundred receipts brought, so the limit is that of the contracts.
LARGEST_MOVEMENT = 100_000_000
OWNER = "stock_control"


def _sign_follows_kind(rows: pd.DataFrame) -> pd.Series[bool]:
    is_wrong = ((rows["kind"] == "received") & (rows["quantity"] <= 0)) | (
        (rows["kind"] == "shipped") & (rows["quantity"] >= 0)
    )
    return ~is_wrong


STOCK_MOVEMENT = Suite(
    name="stock_movement_window",
    owner=OWNER,
    required=(
        "ledger_sequence",
        "node_id",
        "sku",
        "kind",
        "quantity",
        "reason_code",
        "reference_id",
        "reference_line",
        "occurred_at",
        "effective_at",
        "sku_is_known",
        "node_is_known",
        "order_is_known",
    ),
    optional=("order_id",),
    said=(
        one_of(
            "kind_is_known",
            "kind",
            ("received", "counted", "adjusted", "shipped"),
            "nobody knows this kind of movement",
        ),
        between(
            "quantity_is_possible",
            "quantity",
            -LARGEST_MOVEMENT,
            LARGEST_MOVEMENT,
            "an absurd number of units",
        ),
        holds(
            "sign_follows_kind",
            ("kind", "quantity"),
            _sign_follows_kind,
            "a receipt took units away, or a despatch added some",
        ),
        holds(
            "despatch_has_an_order",
            ("kind",),
            lambda rows: (rows["kind"] != "shipped") | rows["order_id"].notna(),
            "units were despatched for no order",
        ),
        holds(
            "only_a_despatch_has_an_order",
            ("kind", "order_id"),
            lambda rows: rows["kind"].isin(["shipped"]),
            "units moved for an order and were not despatched",
            severity="warning",
        ),
        not_less(
            "movement_is_not_from_the_future",
            "effective_at",
            "occurred_at",
            "units moved after we were told",
        ),
        unique(
            "reference_moves_once",
            ("reference_id", "reference_line"),
            "one line of a document moved stock twice",
        ),
        unique("sequence_is_there_once", ("ledger_sequence",), "the ledger repeats a number"),
        is_true("sku_is_known", "the SKU is not in the master data"),
        is_true("node_is_known", "the node is not in the master data"),
        is_true("order_is_known", "despatched for an order that nobody placed"),
    ),
    blocks_by=("node_id", "sku"),
)

RESERVATION_KINDS = ("reserved", "consumed", "released", "expired", "moved_to_shortage")

RESERVATION_MOVEMENT = Suite(
    name="reservation_movement_window",
    owner=OWNER,
    required=(
        "ledger_sequence",
        "order_id",
        "line_number",
        "node_id",
        "sku",
        "kind",
        "quantity",
        "is_start",
        "effective_at",
        "line_is_known",
        "sku_agrees",
        "node_is_known",
        "start_agrees",
    ),
    optional=("expires_at",),
    said=(
        one_of("kind_is_known", "kind", RESERVATION_KINDS, "nobody knows this kind of movement"),
        holds(
            "start_adds_and_end_takes",
            ("is_start", "quantity"),
            lambda rows: rows["is_start"].astype(bool) == (rows["quantity"] > 0),
            "a start that adds nothing, or an end that does",
        ),
        holds(
            "start_is_a_reservation",
            ("is_start", "kind"),
            lambda rows: (
                (rows["is_start"].astype(bool) == (rows["kind"] == "reserved"))
                | ~rows["kind"].isin(RESERVATION_KINDS)
            ),
            "a reservation starts as something else, or ends as a reservation",
        ),
        holds(
            "start_expires",
            ("kind",),
            lambda rows: (rows["kind"] != "reserved") | rows["expires_at"].notna(),
            "a reservation that would hold stock for ever",
        ),
        not_less(
            "expiry_is_after_the_start",
            "expires_at",
            "effective_at",
            "a reservation expired before it began",
        ),
        unique(
            "reservation_starts_and_ends_once",
            ("order_id", "line_number", "node_id", "is_start"),
            "a reservation starts or ends twice",
        ),
        is_true("line_is_known", "reserved for an order line that nobody ordered"),
        is_true("sku_agrees", "reserved another SKU than the line's"),
        is_true("node_is_known", "the node is not in the master data"),
        is_true("start_agrees", "a reservation ends without its start, or with other units"),
    ),
    blocks_by=("node_id", "sku"),
)

SUITES = {"stock_movement": STOCK_MOVEMENT, "reservation_movement": RESERVATION_MOVEMENT}
