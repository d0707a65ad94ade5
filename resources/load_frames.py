"""A load as the frames that its suites judge: its events, and what those of master data say.

What is known already stands beside what is told now, so that a suite can compare the two. Money is
in whole ten-thousandths.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pandas as pd
import sqlalchemy as sa

from assets.bulk_loads.expectations import JUDGED_TYPES
from assets.commerce.money import to_ten_thousandths
from assets.contracts.registry import CONTRACTS
from resources import bulk_loads
from resources.operational_store.bulk import fetch, fetch_frame

#: Which event a row is of; no suite looks at it.
INBOX_ID = "inbox_id"


def events_of(connection: sa.Connection, source: str, oldest_at: datetime) -> pd.DataFrame:
    """The events of a load in the order in which they came, one row each."""
    return fetch_frame(
        connection,
        "select inbox_id, event_type, subject, occurred_at, md5(data::text) as content,"
        " data::text as data, %s::timestamptz as oldest_at from event_inbox"
        " where status = 'waiting' and release_condition = %s and waiting_reason = %s"
        " order by inbox_id",
        oldest_at,
        bulk_loads.release_condition(source),
        bulk_loads.AWAITS_GATE,
    )


def frames_of(connection: sa.Connection, events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What the master data events of a load say, by suite; types that are absent have no frame."""
    told = {
        suite: events[events["event_type"] == event_type]
        for suite, event_type in JUDGED_TYPES.items()
    }
    frames: dict[str, pd.DataFrame] = {}
    if len(told["product_load"]):
        frames["product_load"] = _products(connection, told["product_load"])
    if len(told["price_load"]):
        arriving = set(frames["product_load"]["sku"]) if "product_load" in frames else set()
        frames["price_load"] = _prices(connection, told["price_load"], arriving)
    if len(told["node_load"]):
        frames["node_load"] = _nodes(told["node_load"])
    return frames


def _payloads(events: pd.DataFrame) -> list[Any]:
    event_type = events["event_type"].iloc[0]
    decode = msgspec.json.Decoder(CONTRACTS[event_type].struct).decode
    return [decode(text) for text in events["data"]]


def _beside(events: pd.DataFrame, columns: dict[str, list[Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    frame[INBOX_ID] = events[INBOX_ID].array
    frame["occurred_at"] = events["occurred_at"].array
    return frame


def _whole(values: list[int | None]) -> pd.Series[Any]:
    """Whole numbers of which some are missing: as objects, for a float would round them."""
    return pd.Series(values, dtype=object)


def _products(connection: sa.Connection, events: pd.DataFrame) -> pd.DataFrame:
    products = _payloads(events)
    known = dict(
        fetch(
            connection,
            "select sku, (standard_cost * 10000)::bigint from product where sku = any(%s)",
            sorted({product.sku for product in products}),
        )
    )
    frame = _beside(
        events,
        {
            "sku": [product.sku for product in products],
            "description": [product.description for product in products],
            "standard_cost": [to_ten_thousandths(product.standard_cost) for product in products],
            "currency_code": [product.currency for product in products],
            "tax_rate_basis_points": [product.tax_rate for product in products],
            "is_synthetic": [product.is_synthetic for product in products],
            "gtin": [product.gtin for product in products],
        },
    )
    frame["known_standard_cost"] = _whole([known.get(product.sku) for product in products])
    return frame


def _prices(
    connection: sa.Connection, events: pd.DataFrame, arriving_skus: set[str]
) -> pd.DataFrame:
    prices = _payloads(events)
    skus = sorted({price.sku for price in prices})
    last = {
        (sku, channel): (amount, currency)
        for sku, channel, amount, currency in fetch(
            connection,
            "select distinct on (sku, channel) sku, channel, (unit_price * 10000)::bigint,"
            " currency_code from price where sku = any(%s)"
            " order by sku, channel, occurred_at desc",
            skus,
        )
    }
    known_skus = arriving_skus | {
        sku for (sku,) in fetch(connection, "select sku from product where sku = any(%s)", skus)
    }
    former = [last.get((price.sku, price.price_channel)) for price in prices]
    frame = _beside(
        events,
        {
            "sku": [price.sku for price in prices],
            "channel": [price.price_channel for price in prices],
            "unit_price": [to_ten_thousandths(price.unit_price) for price in prices],
            "currency_code": [price.currency for price in prices],
            "sku_is_known": [price.sku in known_skus for price in prices],
            "currency_agrees": [
                before is None or before[1] == price.currency
                for before, price in zip(former, prices, strict=True)
            ],
        },
    )
    frame["known_unit_price"] = _whole([before[0] if before else None for before in former])
    return frame


def _nodes(events: pd.DataFrame) -> pd.DataFrame:
    nodes = _payloads(events)
    return _beside(
        events,
        {
            "node_id": [node.node_id for node in nodes],
            "kind": [node.kind for node in nodes],
            "zone": [node.zone for node in nodes],
            "country_code": [node.country for node in nodes],
            "is_active": [node.is_active for node in nodes],
        },
    )
