"""What must be true of products, prices and nodes before decisions rest on them.

Costs and prices are in whole ten-thousandths.
"""

from __future__ import annotations

import zoneinfo

import pandas as pd

from assets.quality_gate import (
    Suite,
    between,
    holds,
    is_true,
    matches,
    not_less,
    one_of,
    unique,
)

LARGEST_PRICE = 10**12
OWNER = "master_data"


def _has_check_digit(rows: pd.DataFrame) -> pd.Series[bool]:
    """GS1's check digit: from the right, every other digit counts three times."""
    codes = rows["gtin"].astype(str)
    is_gtin = codes.str.fullmatch(r"[0-9]{8}|[0-9]{12,14}")
    padded = codes.where(is_gtin, "0").str.zfill(14)
    total = sum(
        padded.str[position].astype(int) * (3 if position % 2 == 0 else 1) for position in range(14)
    )
    # One of another shape is what `gtin_has_a_length` says.
    return (total % 10 == 0) | ~is_gtin


def _is_a_zone(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["zone"].isin(zoneinfo.available_timezones())


PRODUCT = Suite(
    name="product",
    owner=OWNER,
    required=(
        "sku",
        "description",
        "standard_cost",
        "currency_code",
        "tax_rate_basis_points",
        "is_synthetic",
    ),
    optional=("gtin",),
    said=(
        matches("sku_has_no_blanks_around", "sku", r"^\S(.*\S)?$", "the SKU begins or ends blank"),
        holds(
            "sku_is_upper_case",
            ("sku",),
            lambda rows: rows["sku"].str.upper() == rows["sku"],
            "the SKU is not in capitals, as the ERP writes it",
        ),
        between(
            "cost_is_possible",
            "standard_cost",
            0,
            LARGEST_PRICE,
            "the cost is below zero or absurd",
        ),
        matches("currency_is_a_code", "currency_code", r"^[A-Z]{3}$", "the currency is no code"),
        between(
            "tax_rate_is_possible",
            "tax_rate_basis_points",
            0,
            10_000,
            "a tax rate below nothing or above everything",
        ),
        matches(
            "gtin_has_a_length", "gtin", r"^([0-9]{8}|[0-9]{12,14})$", "no GTIN has this shape"
        ),
        holds("gtin_checks", ("gtin",), _has_check_digit, "the GTIN's check digit is wrong"),
        matches(
            "product_is_described",
            "description",
            r"\S",
            "a product without a description",
            severity="warning",
        ),
        unique("sku_is_there_once", ("sku",), "one SKU is two products"),
        unique("gtin_is_there_once", ("gtin",), "one GTIN names two products", severity="warning"),
    ),
    blocks_by=("sku",),
)

NODE = Suite(
    name="node",
    owner=OWNER,
    required=("node_id", "kind", "zone", "country_code", "is_active"),
    said=(
        one_of(
            "kind_is_known", "kind", ("warehouse", "store", "drop_ship"), "no such kind of node"
        ),
        holds("zone_is_known", ("zone",), _is_a_zone, "the zone is not in the time zone database"),
        matches("country_is_a_code", "country_code", r"^[A-Z]{2}$", "the country is no code"),
        unique("node_is_there_once", ("node_id",), "one node is there twice"),
    ),
    blocks_by=("node_id",),
)

PRICE_SHOWN = Suite(
    name="price_shown_window",
    owner="pricing",
    required=(
        "document_id",
        "channel",
        "sku",
        "unit_price",
        "currency_code",
        "graced_from",
        "occurred_at",
        "effective_at",
        "sku_is_known",
    ),
    said=(
        between(
            "price_is_possible",
            "unit_price",
            1,
            LARGEST_PRICE,
            "a price of nothing, or an absurd one",
        ),
        matches("currency_is_a_code", "currency_code", r"^[A-Z]{3}$", "the currency is no code"),
        not_less(
            "grace_is_before_it_was_shown",
            "occurred_at",
            "graced_from",
            "approved prices count from after it was shown",
        ),
        not_less(
            "price_was_shown_before_it_was_judged",
            "effective_at",
            "occurred_at",
            "shown after it was judged",
            # A channel's clock may be ahead by what the policy allows.
            severity="warning",
        ),
        unique("sku_is_shown_once", ("document_id", "sku"), "one document has two prices of a SKU"),
        is_true("sku_is_known", "nobody knows the SKU that is shown", severity="warning"),
    ),
    blocks_by=("channel", "sku"),
)

SUITES = {"product": PRODUCT, "node": NODE, "price_shown": PRICE_SHOWN}
