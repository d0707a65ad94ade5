"""Placed to allocated without this product's machinery: the SQL that one would write by hand.

The six steps below write the same rows into the same tables as the flow does for order_placed and
payment_authorised. `bench_orders.py` runs them as one transaction per order, and as six
transactional steps of a DBOS workflow.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg

from assets.commerce.identifiers import command_id, decision_id, fulfilment_order_id, identify
from assets.commerce.money import tax_included
from assets.contracts.admission import check
from tests.benchmarks.retailer import CHANNEL, CURRENCY, NODE, Order, authorised, code, price_pence
from tests.benchmarks.retailer import placed as placed_event

Cursor = psycopg.Cursor[tuple[Any, ...]]
SCOPE = ("retailer_uk", "house", "uk", CHANNEL)
_encode = msgspec.json.encode


class PlainOrder(msgspec.Struct):
    """One order on its way, and what the steps found out, in a form that can be stored."""

    number: str
    order_id: str
    at: datetime
    lines: list[tuple[int, str, int, int]]  # number, SKU, units, price in pence
    bodies: list[tuple[str, bytes]]  # source and body of both events
    reserved: list[int] = []
    nodes: list[tuple[str, int]] = []  # SKU and units unpromised, as they were

    @property
    def amount(self) -> str:
        pence = sum(units * price for _, _, units, price in self.lines)
        return f"{pence // 100}.{pence % 100:02d}"


def plain(order: Order) -> PlainOrder:
    lines = [
        (number, code(sku), units, price_pence(sku))
        for number, (sku, units) in enumerate(order.lines, start=1)
    ]
    events = [placed_event(order), authorised(order)]
    bodies = [(event.source, event.body) for event in events]
    return PlainOrder(order.number, order.order_id, order.placed_at, lines, bodies)


def take_in(cursor: Cursor, order: PlainOrder) -> PlainOrder:
    """Check both events against their contracts and keep them, once each."""
    now = datetime.now(UTC)
    for source, body in order.bodies:
        event = check(source, body, now)
        sent = event.envelope
        cursor.execute(
            "insert into event_identity (source, event_id, body_hash) values (%s, %s, %s)",
            (source, sent.id, event.body_hash),
        )
        cursor.execute(
            "insert into event_inbox (source, event_id, event_type, consumer, phase, subject,"
            " legal_entity, brand, region, channel, correlation_id, data, occurred_at, status,"
            " effective_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'applied', %s)",
            (
                source,
                sent.id,
                sent.type,
                event.contract.consumer,
                event.contract.phase,
                sent.subject,
                *SCOPE,
                sent.correlationid,
                event.data.decode(),
                event.occurred_at,
                order.at,
            ),
        )
    return order


def reserve(cursor: Cursor, order: PlainOrder) -> PlainOrder:
    """Lock the positions, take what there is, write the order and its lines."""
    skus = [sku for _, sku, _, _ in order.lines]
    rows = cursor.execute(
        "select p.sku, p.on_hand_quantity - p.reserved_quantity - p.allocated_quantity,"
        " t.tax_rate_basis_points"
        " from stock_position p join product t on t.sku = p.sku"
        " where p.node_id = %s and p.sku = any(%s) order by p.sku for update of p",
        (NODE, skus),
    ).fetchall()
    free = {sku: units for sku, units, _ in rows}
    rate = {sku: points for sku, _, points in rows}
    order.nodes = list(free.items())
    order.reserved = [min(units, free.get(sku, 0)) for _, sku, units, _ in order.lines]
    units = sum(line[2] for line in order.lines)
    cursor.execute(
        "insert into order_placed (order_id, order_number, source, legal_entity, brand, region,"
        " channel, correlation_id, country_code, service_level, currency_code, line_count,"
        " ordered_quantity, goods_amount, charge_amount, total_amount, trading_date,"
        " promised_date, occurred_at, effective_at) values (%s, %s, %s, %s, %s, %s, %s, %s, 'GB',"
        " 'standard', %s, %s, %s, %s, 0, %s, %s, %s, %s, %s)",
        (
            order.order_id,
            order.number,
            CHANNEL,
            *SCOPE,
            order.number,
            CURRENCY,
            len(order.lines),
            units,
            order.amount,
            order.amount,
            order.at.date(),
            order.at.date() + timedelta(days=3),
            order.at,
            order.at,
        ),
    )
    lines = [
        (
            order.order_id,
            number,
            sku,
            ordered,
            taken,
            ordered - taken,
            None if taken == ordered else "out_of_stock",
            price / 100,
            price * ordered / 100,
            tax_included(price * ordered * 100, rate[sku]) / 10_000,
            order.at,
        )
        for (number, sku, ordered, price), taken in zip(order.lines, order.reserved, strict=True)
    ]
    cursor.executemany(
        "insert into order_line (order_id, line_number, sku, ordered_quantity, reserved_quantity,"
        " unfilled_quantity, unfilled_reason_code, unit_price, line_amount, tax_amount,"
        " effective_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        lines,
    )
    move(cursor, order, "reserved", 1, order.at + timedelta(minutes=15))
    return order


def allocate(cursor: Cursor, order: PlainOrder) -> PlainOrder:
    """Turn what is reserved into an allocation with its fulfilment order."""
    move(cursor, order, "consumed", -1, None)
    cursor.execute(
        "insert into fulfilment_order (fulfilment_order_id, order_id, node_id, status, quantity,"
        " effective_at) values (%s, %s, %s, 'requested', %s, %s)",
        (fulfilment(order), order.order_id, NODE, sum(order.reserved), order.at),
    )
    cursor.execute(
        "insert into order_state (order_id, status, payment_reference, authorised_amount,"
        " payable_amount, open_fulfilment_orders, undelivered_fulfilment_orders, effective_at)"
        " values (%s, 'allocated', %s, %s, %s, 1, 1, %s)",
        (order.order_id, f"P-{order.number}", order.amount, order.amount, order.at),
    )
    return order


def decide(cursor: Cursor, order: PlainOrder) -> PlainOrder:
    """Keep the decision with what it was made from."""
    batch = identify("decision_batch", "sourcing", order.order_id)
    cursor.execute(
        "insert into decision_batch (decision_batch_id, kind, policy_hash, mode, inputs,"
        " outcome_hash, effective_at) values (%s, 'sourcing', 'plain', 'normal', %s, %s, %s)",
        (batch, _encode([order.lines, order.nodes]), _encode(order.reserved), order.at),
    )
    cursor.execute(
        "insert into decision_record (decision_id, decision_batch_id, kind, business_key, outcome,"
        " reason_codes, effective_at) values (%s, %s, 'sourcing', %s, 'filled', '{}', %s)",
        (decision_id("sourcing", order.order_id), batch, order.order_id, order.at),
    )
    return order


def command(cursor: Cursor, order: PlainOrder) -> PlainOrder:
    """Four commands: ERP, customer, payment provider, warehouse."""
    lines = [{"line_number": n, "sku": sku, "quantity": units} for n, sku, units, _ in order.lines]
    common: dict[str, Any] = {"order_number": order.number, "order_id": order.order_id}
    common |= dict(zip(("legal_entity", "brand", "region", "channel"), SCOPE, strict=True))
    common |= {"correlation_id": order.number, "effective_at": order.at}
    money = {"amount": order.amount, "currency": CURRENCY}
    warehouse = {"node_id": NODE, "country": "GB", "fulfilment_order_id": fulfilment(order)}
    commands = (
        ("erp", "sales_order.create", "order_desk", {**money, "lines": lines}),
        ("crm", "message.send", "customer_care", {"template": "order_confirmed"}),
        ("payment_provider", "payment.authorise", "payments", money),
        ("wms", "fulfilment_order.create", "fulfilment", {**warehouse, "lines": lines}),
    )
    cursor.executemany(
        "insert into command_outbox (command_id, partner, command_type, business_key,"
        " correlation_id, payload, owner, effective_at) values (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            (
                command_id(partner, kind, order.order_id),
                partner,
                kind,
                order.order_id,
                order.number,
                _encode({**common, **payload}).decode(),
                owner,
                order.at,
            )
            for partner, kind, owner, payload in commands
        ],
    )
    return order


def book(cursor: Cursor, order: PlainOrder) -> PlainOrder:
    """The authorisation in the ledger, and what happened as process events."""
    reference = f"P-{order.number}"
    cursor.execute(
        "insert into payment_movement (payment_movement_id, order_id, payment_reference, kind,"
        " amount, currency_code, occurred_at, effective_at)"
        " values (%s, %s, %s, 'authorised', %s, %s, %s, %s)",
        (
            identify("payment_authorised", order.order_id, reference),
            order.order_id,
            reference,
            order.amount,
            CURRENCY,
            order.at,
            order.at,
        ),
    )
    entry = identify("journal_entry", "authorisation", order.order_id)
    cursor.execute(
        "insert into journal_line (entry_id, line_number, entry_kind, business_key, account_code,"
        " amount, currency_code, legal_entity, occurred_at, effective_at)"
        " select %s, leg.number, 'authorisation', %s, leg.account, leg.sign * %s::numeric, %s, %s,"
        " %s, %s from (values (1, '9000', 1), (2, '9001', -1)) as leg (number, account, sign)",
        (entry, order.order_id, order.amount, CURRENCY, SCOPE[0], order.at, order.at),
    )
    order_object = {"type": "order", "id": order.order_id, "qualifier": "about"}
    node_object = {"type": "node", "id": NODE, "qualifier": "ships"}
    activities = ("order placed", "stock reserved", "payment authorised", "stock allocated")
    cursor.executemany(
        "insert into process_event (process_event_id, activity, order_id, objects, occurred_at,"
        " effective_at) values (%s, %s, %s, %s, %s, %s)",
        [
            (
                identify("process_event", activity, order.order_id),
                activity,
                order.order_id,
                _encode([order_object, node_object]).decode(),
                order.at,
                order.at,
            )
            for activity in activities
        ],
    )
    return order


#: In the order in which they are done.
STEPS: tuple[tuple[str, Callable[[Cursor, PlainOrder], PlainOrder]], ...] = (
    ("take_in", take_in),
    ("reserve", reserve),
    ("allocate", allocate),
    ("decide", decide),
    ("command", command),
    ("book", book),
)


def fulfilment(order: PlainOrder) -> str:
    return str(fulfilment_order_id(order.order_id, NODE))  # type: ignore[arg-type]


def move(
    cursor: Cursor, order: PlainOrder, kind: str, sign: int, expires_at: datetime | None
) -> None:
    """Write the movements of what is reserved, and the positions that they lead to."""
    taken = [
        (number, sku, units)
        for (number, sku, _, _), units in zip(order.lines, order.reserved, strict=True)
        if units
    ]
    cursor.executemany(
        "insert into reservation_movement (order_id, line_number, node_id, sku, kind, quantity,"
        " is_start, expires_at, effective_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            (order.order_id, n, NODE, sku, kind, sign * units, sign > 0, expires_at, order.at)
            for n, sku, units in taken
        ],
    )
    allocated = "0" if sign > 0 else "%(units)s"
    cursor.executemany(
        "update stock_position set reserved_quantity = reserved_quantity + %(change)s,"
        f" allocated_quantity = allocated_quantity + {allocated}, is_unpublished = true"
        " where node_id = %(node)s and sku = %(sku)s",
        [
            {"change": sign * units, "units": units, "node": NODE, "sku": sku}
            for _, sku, units in sorted(taken, key=lambda line: line[1])
        ],
    )
