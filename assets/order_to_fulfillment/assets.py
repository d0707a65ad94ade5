"""This flow's facts and states as assets."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from assets.asset_graph import caught_up, table

GROUP = "order_to_fulfillment"
READS = ("event_inbox", "product", "node", "stock_position")
WAITS_FOR = (*READS, "inbound_announced")
A_DAY = timedelta(days=1)
THREE_DAYS = timedelta(days=3)

SPECS = [
    table(
        "order_placed",
        "One row per order as it came.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
        fresh_within=A_DAY,
    ),
    table(
        "order_line",
        "One row per ordered line, with what could be reserved when it came.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
        fresh_within=A_DAY,
    ),
    table(
        "order_line_component",
        "One row per component of an ordered bundle, as it was when the order came.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
    ),
    table(
        "bundle_handed_over",
        "One row per shipment and bundle line: bundles whose last component left with it.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
    ),
    table(
        "order_charge",
        "One row per charge of an order beside its goods.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
    ),
    table(
        "order_state",
        "One row per order: where it stands now.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
    ),
    table(
        "reservation_movement",
        "One row per start and one per end of a reservation.",
        group=GROUP,
        owner="stock_control",
        deps=READS,
        fresh_within=A_DAY,
    ),
    table(
        "order_promise",
        "One row per promise of an order, the first and every later one, with its cause.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
        fresh_within=A_DAY,
    ),
    table(
        "backorder_movement",
        "One row per start and one per end of an order line's wait for supply.",
        group=GROUP,
        owner="order_desk",
        deps=WAITS_FOR,
    ),
    table(
        "supply_pool",
        "One row per SKU and pool: the units that order lines wait for, and their cap.",
        group=GROUP,
        owner="order_desk",
        deps=WAITS_FOR,
    ),
    table(
        "pooled_line",
        "One row per order line that waits for supply now.",
        group=GROUP,
        owner="order_desk",
        deps=WAITS_FOR,
    ),
    table(
        "deallocation",
        "One row per allocation that ended other than by being shipped.",
        group=GROUP,
        owner="stock_control",
        deps=READS,
    ),
    table(
        "fulfilment_order",
        "One row per part of an order that one node ships.",
        group=GROUP,
        owner="fulfilment",
        deps=READS,
    ),
    table(
        "shipment_dispatched",
        "One row per shipment handed to a carrier.",
        group=GROUP,
        owner="fulfilment",
        deps=READS,
        fresh_within=THREE_DAYS,
    ),
    table(
        "shipment_delivered",
        "One row per shipment handed to its customer.",
        group=GROUP,
        owner="fulfilment",
        deps=READS,
        fresh_within=THREE_DAYS,
    ),
    table(
        "pickup",
        "One row per order that its customer collects: where it stands now.",
        group=GROUP,
        owner="store_operations",
        deps=READS,
    ),
    table(
        "pickup_step",
        "One row per thing that happened to an order that its customer collects.",
        group=GROUP,
        owner="store_operations",
        deps=READS,
    ),
    table(
        "payment_screened",
        "One row per question and answer about a payment that may be fraud.",
        group=GROUP,
        owner="payments",
        deps=READS,
    ),
    table(
        "payment_movement",
        "One row per answer of the payment provider about an order.",
        group=GROUP,
        owner="payments",
        deps=READS,
        fresh_within=A_DAY,
    ),
    table(
        "decision_batch",
        "One row per batch of automatic decisions, with the inputs that they rest on.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
    ),
    table(
        "decision_record",
        "One row per automatic decision, recomputable from its batch.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
        fresh_within=A_DAY,
    ),
    table(
        "process_event",
        "One row per thing that happened, with its objects and their roles.",
        group=GROUP,
        owner="order_desk",
        deps=READS,
        fresh_within=A_DAY,
    ),
]

order_to_fulfillment: dg.AssetsDefinition = caught_up("order_to_fulfillment", SPECS)
ASSETS = [order_to_fulfillment]
