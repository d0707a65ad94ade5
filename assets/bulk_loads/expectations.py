"""What must be true of a load before any of it is accepted.

An event's contract was checked at the door, one by one. Here is what no single event shows: two
that contradict each other, a load that was sent again under new ids, and figures of which so many
changed so much that the whole load is in another unit. Money is in whole ten-thousandths.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from assets.bulk_loads.policy import BulkLoadPolicy
from assets.master_data.expectations import LARGEST_PRICE, NODE, OWNER, PRODUCT
from assets.quality_gate import (
    Expectation,
    Suite,
    between,
    holds,
    is_true,
    not_less,
    unique,
)

#: Suite name → event type of which it judges the data.
JUDGED_TYPES: Mapping[str, str] = {
    "product_load": "retail.product.registered.v1",
    "price_load": "retail.price.changed.v1",
    "node_load": "retail.node.registered.v1",
}


def _of_each_row(suite: Suite) -> tuple[Expectation, ...]:
    """What the table's own gate says of a row by itself; in a load a key may come again, later."""
    return tuple(expectation for expectation in suite.said if expectation.level == "row")


def _keeps_its_size(name: str, column: str, policy: BulkLoadPolicy, reason: str) -> Expectation:
    """Of those that are known already, only a small share changes by a large factor."""
    known = f"known_{column}"

    def rule(rows: pd.DataFrame) -> pd.Series[bool]:
        new, old = rows[column].astype("int64"), rows[known].astype("int64")
        factor = policy.jump_factor
        jumps = (old > 0) & ((new >= old * factor) | (new * factor <= old))
        limit = len(rows) * policy.jump_share_percent
        if len(rows) < policy.least_known_for_jumps or int(jumps.sum()) * 100 <= limit:
            jumps = pd.Series(False, index=rows.index)
        return ~jumps

    return holds(name, (column, known), rule, reason, level="set")


def load_suites(policy: BulkLoadPolicy) -> dict[str, Suite]:
    """The suites of a load, by name; `event_load` is about every event of it."""
    suites = (EVENT_LOAD, _product_load(policy), _price_load(policy), NODE_LOAD)
    return {suite.name: suite for suite in suites}


EVENT_LOAD = Suite(
    name="event_load",
    owner="integration",
    required=("event_type", "subject", "occurred_at", "oldest_at", "content"),
    said=(
        not_less(
            "event_is_not_ancient",
            "occurred_at",
            "oldest_at",
            "it happened before the oldest day that is still open",
        ),
        unique(
            "each_fact_is_told_once",
            ("event_type", "subject", "occurred_at", "content"),
            "the same facts come under two ids",
        ),
    ),
)

NODE_LOAD = Suite(
    name="node_load",
    owner=OWNER,
    required=(*NODE.required, "occurred_at"),
    said=(
        *_of_each_row(NODE),
        unique("node_is_told_once", ("node_id", "occurred_at"), "one node is two places"),
    ),
    blocks_by=("node_id",),
)


def _product_load(policy: BulkLoadPolicy) -> Suite:
    return Suite(
        name="product_load",
        owner=OWNER,
        required=(*PRODUCT.required, "occurred_at"),
        optional=(*PRODUCT.optional, "known_standard_cost"),
        said=(
            *_of_each_row(PRODUCT),
            unique("sku_is_told_once", ("sku", "occurred_at"), "one SKU is two products"),
            _keeps_its_size(
                "costs_keep_their_size",
                "standard_cost",
                policy,
                f"too many costs change by {policy.jump_factor} times or more",
            ),
        ),
        blocks_by=("sku",),
    )


def _price_load(policy: BulkLoadPolicy) -> Suite:
    return Suite(
        name="price_load",
        owner="pricing",
        required=(
            "sku",
            "channel",
            "unit_price",
            "currency_code",
            "occurred_at",
            "sku_is_known",
            "currency_agrees",
        ),
        optional=("known_unit_price",),
        said=(
            between(
                "price_is_possible",
                "unit_price",
                1,
                LARGEST_PRICE,
                "a price of nothing, or an absurd one",
            ),
            is_true("currency_agrees", "the price is in another currency than the last one"),
            is_true("sku_is_known", "nobody knows the SKU that has a price", severity="warning"),
            unique(
                "price_is_told_once",
                ("sku", "channel", "occurred_at"),
                "one SKU has two prices at one time in one channel",
            ),
            _keeps_its_size(
                "prices_keep_their_size",
                "unit_price",
                policy,
                f"too many prices change by {policy.jump_factor} times or more",
            ),
        ),
        blocks_by=("sku", "channel"),
    )
