"""What must be true of a closed window of this flow's facts before anybody builds on it.

The database refuses what one row can say about itself; these suites also ask what rows say about
each other. Money is in whole ten-thousandths, and columns that end in ``_is_known`` or ``_agree``
are computed by the query that reads the window.
"""

from __future__ import annotations

import pandas as pd

from assets.quality_gate import Suite, between, holds, is_true, matches, not_less, one_of, unique

CODE = r"^[a-z][a-z0-9_]{0,63}$"
COUNTRY = r"^[A-Z]{2}$"
CURRENCY = r"^[A-Z]{3}$"
SERVICE_LEVELS = ("standard", "express", "pickup")
LARGEST_QUANTITY = 1_000_000
LARGEST_AMOUNT = 10**15
#: A million of any currency: not wrong, but somebody should look.
UNUSUAL_AMOUNT = 10_000_000_000
OWNER = "order_desk"


def _tax_is_within_the_amount(rows: pd.DataFrame) -> pd.Series[bool]:
    tax, amount = rows["tax_amount"], rows["line_amount"]
    # An amount below zero is what `price_is_not_negative` says.
    return (tax >= 0) & ((tax <= amount) | (amount < 0))


# Asked of the facts and of the marts built from them.
CHANNEL_IS_A_CODE = matches("channel_is_a_code", "channel", CODE, "the channel is no code")
PROMISE_IS_NOT_BEFORE_THE_ORDER = not_less(
    "promise_is_not_before_the_order",
    "promised_date",
    "trading_date",
    "promised for a day before the order",
)

ORDER_PLACED = Suite(
    name="order_placed_window",
    owner=OWNER,
    required=(
        "order_id",
        "order_number",
        "legal_entity",
        "brand",
        "region",
        "channel",
        "correlation_id",
        "country_code",
        "service_level",
        "currency_code",
        "line_count",
        "charge_count",
        "ordered_quantity",
        "goods_amount",
        "charge_amount",
        "total_amount",
        "trading_date",
        "promised_date",
        "occurred_at",
        "effective_at",
        "lines_agree",
        "charges_agree",
    ),
    said=(
        matches("legal_entity_is_a_code", "legal_entity", CODE, "the legal entity is no code"),
        matches("brand_is_a_code", "brand", CODE, "the brand is no code"),
        matches("region_is_a_code", "region", CODE, "the region is no code"),
        CHANNEL_IS_A_CODE,
        matches("country_is_a_code", "country_code", COUNTRY, "the country is no ISO 3166 code"),
        matches(
            "currency_is_a_code", "currency_code", CURRENCY, "the currency is no ISO 4217 code"
        ),
        one_of(
            "service_level_is_offered",
            "service_level",
            SERVICE_LEVELS,
            "nobody offers this service",
        ),
        between("line_count_is_possible", "line_count", 0, 5_000, "too many or too few lines"),
        between(
            "ordered_quantity_is_possible",
            "ordered_quantity",
            0,
            5_000 * LARGEST_QUANTITY,
            "the ordered quantity is negative or absurd",
        ),
        between(
            "goods_are_not_negative", "goods_amount", 0, LARGEST_AMOUNT, "goods cost below zero"
        ),
        between(
            "total_is_not_unusual",
            "total_amount",
            -UNUSUAL_AMOUNT,
            UNUSUAL_AMOUNT,
            "an order of more than a million",
            severity="warning",
        ),
        holds(
            "order_is_not_empty",
            ("line_count", "charge_count"),
            lambda rows: (rows["line_count"] != 0) | (rows["charge_count"] != 0),
            "the order has neither lines nor charges",
        ),
        holds(
            "amounts_add_up",
            ("goods_amount", "charge_amount", "total_amount"),
            lambda rows: rows["goods_amount"] + rows["charge_amount"] == rows["total_amount"],
            "goods and charges do not add up to the total",
        ),
        PROMISE_IS_NOT_BEFORE_THE_ORDER,
        not_less(
            "order_is_not_from_the_future",
            "effective_at",
            "occurred_at",
            "ordered after it was taken",
        ),
        unique(
            "order_is_placed_once",
            ("channel", "order_number"),
            "the channel used an order number twice",
        ),
        is_true("lines_agree", "the lines say another count, quantity or amount than the order"),
        is_true("charges_agree", "the charges say another count or amount than the order"),
    ),
    blocks_by=("order_id",),
)

ORDER_LINE = Suite(
    name="order_line_window",
    owner=OWNER,
    required=(
        "order_id",
        "line_number",
        "sku",
        "ordered_quantity",
        "reserved_quantity",
        "unfilled_quantity",
        "backordered_quantity",
        "unit_price",
        "line_amount",
        "tax_amount",
        "order_is_known",
        "sku_is_known",
        "reservations_agree",
    ),
    optional=("unfilled_reason_code",),
    said=(
        between(
            "ordered_quantity_is_possible",
            "ordered_quantity",
            1,
            LARGEST_QUANTITY,
            "the ordered quantity is not between one and a million",
        ),
        between(
            "reserved_is_not_negative",
            "reserved_quantity",
            0,
            LARGEST_QUANTITY,
            "fewer than no units were reserved",
        ),
        between(
            "price_is_not_negative", "unit_price", 0, LARGEST_AMOUNT, "the price is below zero"
        ),
        holds(
            "every_unit_is_accounted",
            ("ordered_quantity", "reserved_quantity", "unfilled_quantity", "backordered_quantity"),
            lambda rows: (
                rows["reserved_quantity"] + rows["unfilled_quantity"] + rows["backordered_quantity"]
                == rows["ordered_quantity"]
            ),
            "reserved, unfilled and backordered units are not what was ordered",
        ),
        holds(
            "a_line_waits_whole",
            ("ordered_quantity", "backordered_quantity"),
            lambda rows: (
                (rows["backordered_quantity"] == 0)
                | (rows["backordered_quantity"] == rows["ordered_quantity"])
            ),
            "a part of a line waits for supply",
        ),
        holds(
            "unfilled_has_a_reason",
            ("unfilled_quantity",),
            lambda rows: (rows["unfilled_quantity"] == 0) | rows["unfilled_reason_code"].notna(),
            "units are unfilled and nobody says why",
        ),
        holds(
            "reason_has_unfilled_units",
            ("unfilled_quantity", "unfilled_reason_code"),
            lambda rows: rows["unfilled_quantity"] > 0,
            "there is a reason for unfilled units, and no such unit",
        ),
        holds(
            "amount_is_price_times_quantity",
            ("ordered_quantity", "unit_price", "line_amount"),
            lambda rows: rows["ordered_quantity"] * rows["unit_price"] == rows["line_amount"],
            "the amount is not price times quantity",
        ),
        holds(
            "tax_is_within_the_amount",
            ("line_amount", "tax_amount"),
            _tax_is_within_the_amount,
            "the tax is negative or more than the amount that includes it",
        ),
        unique("line_is_there_once", ("order_id", "line_number"), "an order repeats a line number"),
        is_true("order_is_known", "a line without its order"),
        is_true("sku_is_known", "the SKU is not in the master data"),
        is_true("reservations_agree", "the reservations are not the reserved units"),
    ),
    blocks_by=("order_id",),
)

SHIPMENT_DISPATCHED = Suite(
    name="shipment_dispatched_window",
    owner="fulfilment",
    required=(
        "shipment_id",
        "shipment_number",
        "order_id",
        "fulfilment_order_id",
        "node_id",
        "carrier",
        "shipped_quantity",
        "occurred_at",
        "effective_at",
        "order_is_known",
        "node_is_known",
        "fulfilment_order_is_known",
        "movements_agree",
    ),
    said=(
        between(
            "shipped_quantity_is_possible",
            "shipped_quantity",
            1,
            5_000 * LARGEST_QUANTITY,
            "nothing, or an absurd number of units, was shipped",
        ),
        not_less(
            "despatch_is_not_from_the_future",
            "effective_at",
            "occurred_at",
            "despatched after we were told",
        ),
        unique(
            "fulfilment_order_ships_once",
            ("fulfilment_order_id",),
            "one fulfilment order was despatched twice",
        ),
        is_true("order_is_known", "a shipment without its order"),
        is_true("node_is_known", "despatched from a node that is not in the master data"),
        is_true("fulfilment_order_is_known", "nobody asked for this shipment"),
        is_true("movements_agree", "stock went down by another number of units"),
    ),
    blocks_by=("order_id",),
)

SHIPMENT_DELIVERED = Suite(
    name="shipment_delivered_window",
    owner="fulfilment",
    required=(
        "shipment_id",
        "shipment_number",
        "order_id",
        "occurred_at",
        "effective_at",
        "despatch_is_known",
        "order_agrees",
    ),
    optional=("dispatched_at",),
    said=(
        not_less(
            "delivery_is_not_from_the_future",
            "effective_at",
            "occurred_at",
            "delivered after we were told",
        ),
        not_less(
            "delivery_is_not_before_despatch",
            "occurred_at",
            "dispatched_at",
            "delivered before it was despatched",
        ),
        unique("shipment_arrives_once", ("shipment_id",), "one shipment was delivered twice"),
        is_true("despatch_is_known", "delivered, but nobody despatched it"),
        is_true("order_agrees", "delivered for another order than it was despatched for"),
    ),
    blocks_by=("order_id",),
)

PAYMENT_MOVEMENT = Suite(
    name="payment_movement_window",
    owner="payments",
    required=(
        "payment_movement_id",
        "order_id",
        "payment_reference",
        "kind",
        "amount",
        "currency_code",
        "occurred_at",
        "effective_at",
        "order_is_known",
        "currency_agrees",
        "captures_agree",
    ),
    said=(
        one_of(
            "kind_is_known",
            "kind",
            (
                "authorised",
                "declined",
                "captured",
                "voided",
                "refund_requested",
                "refunded",
                "refund_declined",
            ),
            "nobody knows this kind of payment",
        ),
        between("amount_is_not_negative", "amount", 0, LARGEST_AMOUNT, "an amount below zero"),
        matches(
            "currency_is_a_code", "currency_code", CURRENCY, "the currency is no ISO 4217 code"
        ),
        not_less(
            "payment_is_not_from_the_future",
            "effective_at",
            "occurred_at",
            "paid after we were told",
        ),
        unique(
            "movement_is_there_once", ("payment_movement_id",), "one payment movement came twice"
        ),
        is_true("order_is_known", "a payment without its order"),
        is_true("currency_agrees", "paid in another currency than the order's"),
        is_true("captures_agree", "more was captured than was authorised"),
    ),
    blocks_by=("order_id",),
)

SUITES = {
    "order_placed": ORDER_PLACED,
    "order_line": ORDER_LINE,
    "shipment_dispatched": SHIPMENT_DISPATCHED,
    "shipment_delivered": SHIPMENT_DELIVERED,
    "payment_movement": PAYMENT_MOVEMENT,
}
