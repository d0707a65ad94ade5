"""What must be true of a closed window of snapshots and corrections. Quantities are in each."""

from __future__ import annotations

import pandas as pd

from assets.inventory.expectations import LARGEST_MOVEMENT, OWNER
from assets.quality_gate import Suite, between, holds, is_true, matches, not_less, one_of, unique


def _of_one_place(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["node_id"].isna() != rows["channel"].isna()


def _says_its_units(rows: pd.DataFrame) -> pd.Series[bool]:
    return (rows["unit_of_measure"] != "case") | rows["units_per_case"].notna()


def _is_the_difference(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["drift_quantity"] == rows["stated_quantity"] - rows["held_quantity"]


INVENTORY_SNAPSHOT = Suite(
    name="inventory_snapshot_window",
    owner=OWNER,
    required=(
        "snapshot_id",
        "system",
        "document_number",
        "sku",
        "unit_of_measure",
        "stated_quantity",
        "held_quantity",
        "drift_quantity",
        "ledger_watermark",
        "occurred_at",
        "effective_at",
        "sku_is_known",
        "node_is_known",
        "reasons_agree",
    ),
    optional=("node_id", "channel", "units_per_case"),
    said=(
        holds("it_is_of_one_place", ("snapshot_id",), _of_one_place, "of no place, or of two"),
        one_of("unit_is_known", "unit_of_measure", ("each", "case"), "nobody counts in this unit"),
        holds(
            "cases_say_their_units",
            ("unit_of_measure",),
            _says_its_units,
            "cases of nobody knows how many units",
        ),
        *(
            between(
                f"{column}_is_possible",
                column,
                -LARGEST_MOVEMENT,
                LARGEST_MOVEMENT,
                "an absurd number of units",
            )
            for column in ("stated_quantity", "held_quantity")
        ),
        holds(
            "drift_is_the_difference",
            ("stated_quantity", "held_quantity", "drift_quantity"),
            _is_the_difference,
            "the drift is not what is stated less what was held",
        ),
        not_less(
            "snapshot_was_over_when_it_was_compared",
            "effective_at",
            "occurred_at",
            "compared before the instant that it is of",
            # A clock may be ahead by what the policy allows, and a home may wait for nothing.
            severity="warning",
        ),
        unique("sku_is_compared_once", ("snapshot_id", "sku"), "one snapshot has a SKU twice"),
        is_true("sku_is_known", "the SKU is not in the master data"),
        is_true("node_is_known", "the node is not in the master data"),
        is_true("reasons_agree", "the reasons of a drift do not add up to it"),
    ),
    blocks_by=("system", "sku"),
)

STATUSES = ("booked", "proposed", "rejected", "reversed")
#: Of these nothing has moved.
UNBOOKED = ("proposed", "rejected")


def _has_a_document(rows: pd.DataFrame) -> pd.Series[bool]:
    is_known = rows["status"].isin(STATUSES)
    return ~is_known | (rows["status"].isin(UNBOOKED) == rows["reference_id"].isna())


def _has_the_sign_of_its_units(rows: pd.DataFrame) -> pd.Series[bool]:
    gains, loses = rows["quantity"] > 0, rows["quantity"] < 0
    return ~((gains & (rows["amount"] < 0)) | (loses & (rows["amount"] > 0)))


STOCK_CORRECTION = Suite(
    name="stock_correction_window",
    owner=OWNER,
    required=(
        "snapshot_id",
        "sku",
        "revision",
        "node_id",
        "status",
        "quantity",
        "amount",
        "currency_code",
        "occurred_at",
        "effective_at",
        "snapshot_is_known",
        "movement_agrees",
        "reversal_is_covered",
    ),
    optional=("reference_id",),
    said=(
        one_of("status_is_known", "status", STATUSES, "nobody knows this step of a correction"),
        holds(
            "what_moves_has_a_document",
            ("status",),
            _has_a_document,
            "booked by no document, or proposed and booked at once",
        ),
        between(
            "quantity_is_possible",
            "quantity",
            -LARGEST_MOVEMENT,
            LARGEST_MOVEMENT,
            "an absurd number of units",
        ),
        holds(
            "correction_is_of_units",
            ("quantity",),
            lambda rows: rows["quantity"] != 0,
            "a correction of nothing",
        ),
        holds(
            "amount_goes_with_its_units",
            ("quantity", "amount"),
            _has_the_sign_of_its_units,
            "units were gained for a loss, or lost for a gain",
        ),
        matches("currency_is_a_code", "currency_code", r"^[A-Z]{3}$", "the currency is no code"),
        not_less(
            "correction_is_not_of_the_future",
            "effective_at",
            "occurred_at",
            "corrected before the instant of its snapshot",
            severity="warning",
        ),
        unique(
            "each_step_is_there_once",
            ("snapshot_id", "sku", "revision"),
            "one step of a correction is there twice",
        ),
        is_true("snapshot_is_known", "no snapshot of the node has such a line"),
        is_true("movement_agrees", "its document moved other units, or none"),
        is_true("reversal_is_covered", "more was taken back than had been booked"),
    ),
    blocks_by=("node_id", "sku"),
)

SUITES = {"inventory_snapshot": INVENTORY_SNAPSHOT, "stock_correction": STOCK_CORRECTION}
