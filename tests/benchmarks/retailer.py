"""A retailer for the benchmarks: products and stock, orders, and what partners answer to them.

Everything is made beforehand and without a sandbox, so that only the product's own work is timed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from assets.commerce.identifiers import fulfilment_order_id, order_id
from assets.contracts.admission import Submission
from resources.operational_store.door import Door
from resources.operational_store.store import OperationalStore, SimulatedClock, create_engine
from tests.benchmarks.measuring import Server

T0 = datetime(2025, 3, 3, 9, tzinfo=UTC)
NODE, CHANNEL, CURRENCY = "dc_midlands", "web_shop", "GBP"
PRODUCTS = 2_000
#: More than any benchmark sells: what is measured is selling, not running out.
PLENTY = 10_000_000
EVENTS_IN_ONE_ADMISSION = 2_000


@dataclass(frozen=True)
class Order:
    """One order of the benchmark: its number and its lines (SKU index, units)."""

    number: str
    placed_at: datetime
    lines: tuple[tuple[int, int], ...]

    @property
    def amount(self) -> str:
        pence = sum(price_pence(sku) * units for sku, units in self.lines)
        return f"{pence // 100}.{pence % 100:02d}"

    @property
    def order_id(self) -> str:
        return str(order_id(CHANNEL, self.number))


def price_pence(sku: int) -> int:
    return 199 + sku % 17 * 50


def code(sku: int) -> str:
    return f"SKU-{sku:05d}"


def make_orders(count: int, lines: int, *, first: int = 0, seed: int = 1) -> list[Order]:
    """Orders a second apart; some SKUs are asked for far more often than others, as in life."""
    dice = random.Random(seed)
    made = []
    for number in range(first, first + count):
        skus: dict[int, int] = {}
        while len(skus) < lines:
            skus[int(PRODUCTS * dice.random() ** 2)] = dice.randint(1, 5)
        made.append(Order(f"B-{number:07d}", T0 + timedelta(seconds=number), tuple(skus.items())))
    return made


def envelope(source: str, event_type: str, key: str, subject: str, at: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": key,
        "source": source,
        "type": f"retail.{event_type}.v1",
        "subject": subject,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "legalentity": "retailer_uk",
        "brand": "house",
        "region": "uk",
        "channel": CHANNEL,
        "correlationid": subject,
    }


def submission(
    source: str, event_type: str, key: str, subject: str, at: datetime, data: dict[str, Any]
) -> Submission:
    body = {**envelope(source, event_type, key, subject, at), "data": data}
    return Submission(source, msgspec.json.encode(body), key)


def placed(order: Order) -> Submission:
    lines = [
        {
            "line_number": number,
            "sku": code(sku),
            "quantity": units,
            "unit_price": f"{price_pence(sku) // 100}.{price_pence(sku) % 100:02d}",
        }
        for number, (sku, units) in enumerate(order.lines, start=1)
    ]
    data = {
        "order_number": order.number,
        "currency": CURRENCY,
        "lines": lines,
        "customer_number": f"C-{hash_of(order.number) % 20_000:05d}",
        "ship_to": {"country": "GB"},
    }
    return submission(CHANNEL, "order.placed", order.number, order.number, order.placed_at, data)


def hash_of(number: str) -> int:
    return int(number.removeprefix("B-")) * 7_919


def payment(order: Order, kind: str, after: timedelta) -> Submission:
    data = {
        "order_number": order.number,
        "payment_reference": f"P-{order.number}",
        "amount": order.amount,
        "currency": CURRENCY,
    }
    key = f"{kind}-{order.number}"
    at = order.placed_at + after
    return submission("payment_provider", f"payment.{kind}", key, order.number, at, data)


def authorised(order: Order) -> Submission:
    return payment(order, "authorised", timedelta(seconds=2))


def captured(order: Order) -> Submission:
    return payment(order, "captured", timedelta(hours=5))


def dispatched(order: Order) -> Submission:
    lines = [
        {"line_number": number, "sku": code(sku), "quantity": units}
        for number, (sku, units) in enumerate(order.lines, start=1)
    ]
    data = {
        "order_number": order.number,
        "fulfilment_order_id": str(fulfilment_order_id(order_id(CHANNEL, order.number), NODE)),
        "shipment_number": f"S-{order.number}",
        "node_id": NODE,
        "carrier": "carrier",
        "lines": lines,
    }
    at = order.placed_at + timedelta(hours=4)
    return submission("wms", "shipment.dispatched", f"S-{order.number}", order.number, at, data)


def delivered(order: Order) -> Submission:
    data = {"order_number": order.number, "shipment_number": f"S-{order.number}"}
    at = order.placed_at + timedelta(days=1)
    return submission("carrier", "shipment.delivered", f"D-{order.number}", order.number, at, data)


#: What happens to every order, in this order, and what makes the event.
LIFE = (
    ("order_placed", placed),
    ("payment_authorised", authorised),
    ("shipment_dispatched", dispatched),
    ("payment_captured", captured),
    ("shipment_delivered", delivered),
)


def opened_database(server: Server) -> str:
    """A fresh database in which the warehouse has plenty of every product."""

    def open_shop(url: str) -> None:
        store = store_of(url)
        bring(store, opening(), T0)
        store.engine.dispose()

    return server.database("opened", open_shop)


def store_of(url: str) -> OperationalStore:
    return OperationalStore(create_engine(url), clock=SimulatedClock(T0))


def opening(stock: dict[str, int] | None = None) -> list[Submission]:
    """The warehouse, every product, and a count; ``stock`` names units by SKU instead."""
    counted = stock or {code(sku): PLENTY for sku in range(PRODUCTS)}
    before = T0 - timedelta(days=1)
    node = {"node_id": NODE, "kind": "warehouse", "zone": "Europe/London", "country": "GB"}
    events = [submission("erp", "node.registered", "node", NODE, before, node)]
    for sku in counted:
        product = {"sku": sku, "standard_cost": "1.25", "currency": CURRENCY, "tax_rate": 2000}
        events.append(submission("erp", "product.registered", f"p-{sku}", sku, before, product))
    count = {
        "document_number": "COUNT-1",
        "node_id": NODE,
        "lines": [{"sku": sku, "quantity": units} for sku, units in counted.items()],
    }
    events.append(submission("erp", "inventory.counted", "count", NODE, before, count))
    return events


def admit(store: OperationalStore, submissions: Sequence[Submission], door: Door) -> None:
    """Through the door, all in one transaction; nothing may be refused."""
    with store.transaction() as connection:
        receipts = door.admit(connection, submissions)
    strange = next((receipt for receipt in receipts if receipt.outcome != "accepted"), None)
    if strange is not None:
        raise SystemExit(f"the door did not take {strange.event_id}: {strange.reason}")


def bring(store: OperationalStore, submissions: Sequence[Submission], now: datetime) -> None:
    """Through the door and applied, however many."""
    door = Door()
    for start in range(0, len(submissions), EVENTS_IN_ONE_ADMISSION):
        admit(store, submissions[start : start + EVENTS_IN_ONE_ADMISSION], door)
    tally = store.drain_all(now)
    if tally.applied != len(submissions):
        raise SystemExit(f"{tally.applied} of {len(submissions)} events were applied")


def bring_whole_lives(store: OperationalStore, orders: Sequence[Order]) -> None:
    """Orders from placed to delivered."""
    for _, event_of in LIFE:
        bring(store, list(map(event_of, orders)), orders[-1].placed_at + timedelta(days=2))
