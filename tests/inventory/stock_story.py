"""What other systems say of our stock, in the words of `tests.builders`."""

from __future__ import annotations

from typing import Any

from tests.builders import LEEDS, WAREHOUSE, WEB, Event, Shop, count, event, minutes, product

__all__ = ["LEEDS", "WAREHOUSE", "acknowledgement", "price", "shown", "snapshot", "stocked"]


def snapshot(
    system: str = "wms",
    at: float = 60,
    node_id: str | None = WAREHOUSE,
    channel: str | None = None,
    document: str | None = None,
    told_at: float | None = None,
    lines: list[dict[str, Any]] | None = None,
    **units: int,
) -> Event:
    """What a system believes as of minute ``at``: ``snapshot("wms", 60, MUG=8)``."""
    where = {"channel": channel} if channel else {"node_id": node_id}
    number = document or f"{system}-{channel or node_id}-{at}"
    data = {
        "document_number": number,
        "system": system,
        "as_of": minutes(at).isoformat(),
        **where,
        "lines": lines or [{"sku": sku, "quantity": units[sku]} for sku in units],
    }
    return event(
        "retail.inventory.snapshot_taken.v1",
        f"snapshot-{number}",
        number,
        at if told_at is None else told_at,
        source=system,
        data=data,
    )


def acknowledgement(publication_id: str, at: float, channel: str = WEB) -> Event:
    data = {"channel": channel, "publication_id": publication_id}
    return event(
        "retail.availability.acknowledged.v1",
        f"heard-{publication_id}-{at}",
        f"availability/{channel}",
        at,
        source=channel,
        data=data,
    )


def price(sku: str, amount: str, at: float = 0, channel: str = WEB) -> Event:
    """An approved price, from minute ``at`` on."""
    data = {"sku": sku, "price_channel": channel, "unit_price": amount, "currency": "GBP"}
    identity = f"price-{channel}-{sku}-{at}-{amount}"
    return event("retail.price.changed.v1", identity, f"{channel}/{sku}", at, data=data)


def shown(at: float, channel: str = WEB, currency: str = "GBP", **prices: str) -> Event:
    """What a channel shows as of minute ``at``."""
    number = f"shown-{channel}-{at}"
    data = {
        "document_number": number,
        "channel": channel,
        "as_of": minutes(at).isoformat(),
        "currency": currency,
        "lines": [{"sku": sku, "unit_price": amount} for sku, amount in prices.items()],
    }
    return event("retail.price.shown.v1", number, number, at, source=channel, data=data)


def stocked(shop: Shop, **units: int) -> Shop:
    """Products at two pounds fifty each, counted at the warehouse an hour before opening."""
    shop.tell(*(product(sku, cost="2.50") for sku in units), count(WAREHOUSE, **units))
    return shop


def drift(shop: Shop) -> list[tuple[Any, ...]]:
    """(SKU, revision, reason, units) of all drift."""
    return shop.rows(
        "select sku, revision, reason_code, quantity from inventory_drift_reason"
        " order by occurred_at, sku, revision, reason_code"
    )


def corrections(shop: Shop) -> list[tuple[Any, ...]]:
    """(SKU, status, units, amount) of all corrections."""
    return shop.rows(
        "select sku, status, quantity, amount::text from stock_correction"
        " order by occurred_at, sku, revision"
    )


def quarantine(shop: Shop) -> list[str]:
    return [code for (code,) in shop.rows("select reason_code from quarantined_event order by 1")]
