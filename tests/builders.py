"""Short words for what senders say, and a shop to say it to.

A builder gives one CloudEvent as a mapping; what a test does not care about has a plain default.
Times are minutes after `OPENING`, so that stories read as a list of moments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import sqlalchemy as sa

from assets.commerce.identifiers import fulfilment_order_id, order_id
from assets.contracts.admission import Receipt, Submission
from resources.operational_store.door import Door
from resources.operational_store.invariants import check
from resources.operational_store.store import (
    OperationalStore,
    SimulatedClock,
    create_engine,
    write_clock,
)
from resources.policy_book import FilePolicyBook

OPENING = datetime(2026, 3, 2, 9, tzinfo=UTC)
WAREHOUSE, LEEDS, BRISTOL = "dc_midlands", "store_leeds", "store_bristol"
WEB = "web_shop"

Event = dict[str, Any]
Line = tuple[str, int, str]


def minutes(count: float) -> datetime:
    return OPENING + timedelta(minutes=count)


def event(event_type: str, event_id: str, subject: str, at: float, **parts: Any) -> Event:
    """An envelope; ``data`` and attributes come as keywords."""
    data = parts.pop("data")
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "partner",
        "type": event_type,
        "subject": subject,
        "time": minutes(at).isoformat(),
        "legalentity": "uk_ltd",
        "brand": "main",
        "region": "uk",
        "channel": WEB,
        "correlationid": subject,
        **parts,
        "data": data,
    }


# Master data and stock


def product(
    sku: str, cost: str = "1.00", tax: int = 2_000, at: float = -60, **attributes: Any
) -> Event:
    data = {
        "sku": sku,
        "description": sku.title(),
        "standard_cost": cost,
        "currency": attributes.pop("currency", "GBP"),
        "tax_rate": tax,
    }
    if "available_from" in attributes:
        data["available_from"] = minutes(attributes.pop("available_from")).isoformat()
    identity = attributes.pop("event_id", f"product-{sku}-{at}")
    return event("retail.product.registered.v1", identity, sku, at, data=data, **attributes)


def bundle(sku: str, cost: str = "0.00", at: float = -60, **components: int) -> Event:
    """A SKU that is so many units of others: ``bundle("GIFT", MUG=2, HAT=1)``."""
    told = product(sku, cost=cost, at=at, event_id=f"bundle-{sku}-{at}")
    parts = [{"sku": name, "quantity": units} for name, units in components.items()]
    return {**told, "data": {**told["data"], "components": parts}}


def node(node_id: str, at: float = -60, **attributes: Any) -> Event:
    """A place whose name says of what kind it is: ``dc_…``, ``supplier_…``, else a store."""
    kinds = {"dc": "warehouse", "supplier": "drop_ship"}
    data = {
        "node_id": node_id,
        "kind": kinds.get(node_id.partition("_")[0], "store"),
        "zone": "Europe/London",
        "country": "GB",
    }
    return event(
        "retail.node.registered.v1", f"node-{node_id}", node_id, at, data=data, **attributes
    )


def count(node_id: str, at: float = -50, document: str | None = None, **units: int) -> Event:
    """A count of a node: ``count(WAREHOUSE, MUG=10)``."""
    number = document or f"opening-{node_id}-{at}"
    data = {
        "document_number": number,
        "node_id": node_id,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()],
    }
    return event("retail.inventory.counted.v1", f"count-{number}", number, at, data=data)


def _document(
    fact: str, number: str, node_id: str, at: float, units: Mapping[str, int], **data: Any
) -> Event:
    lines = [
        {"line_number": position, "sku": sku, "quantity": quantity}
        for position, (sku, quantity) in enumerate(units.items(), start=1)
    ]
    body = {"document_number": number, "node_id": node_id, "lines": lines, **data}
    return event(f"retail.inventory.{fact}.v1", f"{fact}-{number}", number, at, data=body)


def receipt(
    number: str,
    node_id: str = WAREHOUSE,
    at: float = 0,
    inbound: str | None = None,
    **units: int,
) -> Event:
    """Goods received, by an announcement of theirs where one is named."""
    data = {"inbound_document": inbound} if inbound else {}
    return _document("received", number, node_id, at, units, **data)


def inbound(
    number: str,
    due: float,
    status: str = "confirmed",
    node_id: str = WAREHOUSE,
    at: float = -30,
    **units: int,
) -> Event:
    """Supply that is announced for an instant: ``inbound("PO1", due=2 * 24 * 60, MUG=10)``."""
    told = _document(
        "inbound_announced",
        number,
        node_id,
        at,
        units,
        status=status,
        expected_at=minutes(due).isoformat(),
    )
    return {**told, "id": f"inbound-{number}-{at}"}


def adjustment(number: str, node_id: str = WAREHOUSE, at: float = 0, **units: int) -> Event:
    """Units found, or written off where negative."""
    return _document("adjusted", number, node_id, at, units, reason="damaged")


def ledger_adjustment(number: str, amount: str = "5.00", at: float = 0, **changes: Any) -> Event:
    data = {
        "document_number": number,
        "debit_account": "bad_debt",
        "credit_account": "accounts_receivable",
        "amount": amount,
        "currency": "GBP",
        **changes,
    }
    return event("retail.ledger.adjusted.v1", f"ledger-{number}-{at}", number, at, data=data)


# Orders and what follows them


def order_placed(number: str, *lines: Line, at: float = 0, **changes: Any) -> Event:
    """An order of (SKU, units, unit price); other keywords are fields of the order or envelope."""
    attributes = {
        name: changes.pop(name)
        for name in ("channel", "brand", "region", "source", "id")
        if name in changes
    }
    identity = attributes.pop("id", f"order-{attributes.get('channel', WEB)}-{number}")
    data = {
        "order_number": number,
        "currency": "GBP",
        "lines": [
            {"line_number": position, "sku": sku, "quantity": units, "unit_price": price}
            for position, (sku, units, price) in enumerate(lines, start=1)
        ],
        "ship_to": {"country": "GB"},
        **changes,
    }
    return event("retail.order.placed.v1", identity, number, at, data=data, **attributes)


def _about(kind: str, number: str, at: float, suffix: object = "", **parts: Any) -> Event:
    data = {"order_number": number, **parts.pop("data")}
    identity = f"{kind.replace('retail.', '').replace('.v1', '')}-{number}-{suffix}"
    return event(kind, parts.pop("event_id", identity), number, at, data=data, **parts)


def order_cancelled(number: str, at: float = 0) -> Event:
    return _about("retail.order.cancelled.v1", number, at, data={"reason": "customer_changed_mind"})


def _payment(fact: str, number: str, amount: str, at: float, reference: str | None) -> Event:
    data = {
        "payment_reference": reference or f"pay-{number}",
        "amount": amount,
        "currency": "GBP",
    }
    return _about(f"retail.payment.{fact}.v1", number, at, f"{reference}-{at}", data=data)


def payment_authorised(
    number: str, amount: str, at: float = 1, reference: str | None = None
) -> Event:
    return _payment("authorised", number, amount, at, reference)


def payment_captured(
    number: str, amount: str, at: float = 31, reference: str | None = None
) -> Event:
    return _payment("captured", number, amount, at, reference)


def payment_declined(
    number: str, at: float = 1, reason: str = "insufficient_funds", attempt: int = 1
) -> Event:
    suffix = "" if attempt == 1 else f"-{attempt}"
    data = {"payment_reference": f"pay-{number}{suffix}", "reason": reason}
    return _about("retail.payment.declined.v1", number, at, suffix, data=data)


def fulfilment_of(number: str, node_id: str = WAREHOUSE, channel: str = WEB) -> str:
    return str(fulfilment_order_id(order_id(channel, number), node_id))


def fulfilment_accepted(number: str, node_id: str = WAREHOUSE, at: float = 10) -> Event:
    data = {"fulfilment_order_id": fulfilment_of(number, node_id), "node_id": node_id}
    return _about("retail.fulfilment.accepted.v1", number, at, node_id, data=data)


def fulfilment_rejected(number: str, node_id: str = WAREHOUSE, at: float = 10) -> Event:
    data = {
        "fulfilment_order_id": fulfilment_of(number, node_id),
        "node_id": node_id,
        "reason": "not_found",
    }
    return _about("retail.fulfilment.rejected.v1", number, at, node_id, data=data)


def shipment_dispatched(
    number: str,
    *lines: tuple[int, str, int],
    node_id: str = WAREHOUSE,
    at: float = 30,
    shipment: str | None = None,
) -> Event:
    """Units of (line number, SKU, units) that leave a node."""
    data = {
        "fulfilment_order_id": fulfilment_of(number, node_id),
        "shipment_number": shipment or f"{number}-{node_id}",
        "node_id": node_id,
        "carrier": "carrier",
        "lines": [
            {"line_number": line, "sku": sku, "quantity": units} for line, sku, units in lines
        ],
    }
    return _about("retail.shipment.dispatched.v1", number, at, node_id, data=data)


def shipment_delivered(
    number: str, node_id: str = WAREHOUSE, at: float = 1_500, shipment: str | None = None
) -> Event:
    data = {"shipment_number": shipment or f"{number}-{node_id}"}
    return _about("retail.shipment.delivered.v1", number, at, data["shipment_number"], data=data)


# Orders that their customers collect


def pickup_placed(
    number: str,
    *lines: Line,
    store: str = LEEDS,
    other_store: bool = False,
    shipping: bool = False,
    at: float = 0,
    **changes: Any,
) -> Event:
    """An order to be collected, and what its customer accepts if the store cannot."""
    pickup = {"node_id": store, "accepts_other_store": other_store, "accepts_shipping": shipping}
    return order_placed(number, *lines, at=at, service_level="pickup", pickup=pickup, **changes)


def payment_screened(
    number: str, outcome: str, at: float = 2, reference: str | None = None
) -> Event:
    data = {"payment_reference": reference or f"pay-{number}", "outcome": outcome}
    return _about("retail.payment.screened.v1", number, at, f"{outcome}-{at}", data=data)


def hold_decided(number: str, decision: str, at: float = 60) -> Event:
    data = {"decision": decision, "decided_by": "p.osei", "reason": "called the customer"}
    return _about("retail.order.hold_decided.v1", number, at, decision, data=data)


def store_rejected(
    number: str,
    reason: str,
    *lines: tuple[int, str, int],
    store: str = LEEDS,
    at: float = 10,
) -> Event:
    """A store refuses; lines are (line number, SKU, units) that its reason is about."""
    data = {
        "fulfilment_order_id": fulfilment_of(number, store),
        "node_id": store,
        "reason": reason,
        "lines": [
            {"line_number": line, "sku": sku, "quantity": units} for line, sku, units in lines
        ],
    }
    return _about("retail.fulfilment.rejected.v1", number, at, f"{store}-{reason}", data=data)


def ready_for_pickup(number: str, store: str = LEEDS, at: float = 60) -> Event:
    data = {"fulfilment_order_id": fulfilment_of(number, store), "node_id": store}
    return _about("retail.fulfilment.ready_for_pickup.v1", number, at, store, data=data)


def collected(
    number: str, *lines: tuple[int, str, int], store: str = LEEDS, at: float = 300
) -> Event:
    """Units of (line number, SKU, units) that the customer takes."""
    data = {
        "fulfilment_order_id": fulfilment_of(number, store),
        "handover_number": f"{number}-{store}",
        "node_id": store,
        "lines": [
            {"line_number": line, "sku": sku, "quantity": units} for line, sku, units in lines
        ],
    }
    return _about("retail.fulfilment.collected.v1", number, at, store, data=data)


def payment_refunded(
    number: str, amount: str, at: float = 10_000, reference: str | None = None
) -> Event:
    data = {
        "payment_reference": reference or f"pay-{number}",
        "refund_reference": f"refund-{number}",
        "amount": amount,
        "currency": "GBP",
    }
    return _about("retail.payment.refunded.v1", number, at, at, data=data)


def refund_declined(number: str, at: float = 10_000) -> Event:
    data = {
        "payment_reference": f"pay-{number}",
        "refund_reference": f"refund-{number}",
        "reason": "account_closed",
    }
    return _about("retail.payment.refund_declined.v1", number, at, at, data=data)


def happy_ending(number: str, sku: str, units: int, amount: str, at: float) -> list[Event]:
    """Everything that follows an order of one line until it is delivered."""
    return [
        payment_authorised(number, amount, at=at + 1),
        shipment_dispatched(number, (1, sku, units), at=at + 30),
        payment_captured(number, amount, at=at + 31),
        shipment_delivered(number, at=at + 600),
    ]


# Frames of the rules


def stock(**units_by_node: Mapping[str, int]) -> pd.DataFrame:
    """Unpromised units: ``stock(leeds={"MUG": 3})``."""
    rows = [
        (node_id, sku, quantity)
        for node_id, units in units_by_node.items()
        for sku, quantity in units.items()
    ]
    frame = pd.DataFrame(rows, columns=["node_id", "sku", "unpromised_quantity"])
    return frame.astype({"unpromised_quantity": "int64"})


# A shop to tell it to


class Shop:
    """A home's door, flows and clock on one database, without partners.

    It starts with a warehouse and two stores, without products.
    """

    def __init__(self, url: str, policies: FilePolicyBook | None = None) -> None:
        self.engine: sa.Engine = create_engine(url)
        self.clock = SimulatedClock(OPENING)
        self.store = OperationalStore(self.engine, self.clock, policies)
        self.door = Door(wall=lambda: OPENING + timedelta(days=365))
        self._keep_time()
        self.tell(node(WAREHOUSE), node(LEEDS), node(BRISTOL))

    def _keep_time(self) -> None:
        with self.store.transaction() as connection:
            write_clock(connection, "simulated", self.clock.effective_at())

    def close(self) -> None:
        self.engine.dispose()

    def admit(self, *events: Event) -> list[Receipt]:
        """Bring events through the door only."""
        with self.store.transaction() as connection:
            return self.door.admit(connection, submissions(events))

    def tell(self, *events: Event, batch_size: int = 2_000) -> list[Receipt]:
        """Bring events in and apply them."""
        receipts = self.admit(*events)
        self.store.drain_all(batch_size=batch_size)
        return receipts

    def wait_until(self, at: float) -> None:
        """Let time pass, with what time alone does."""
        self.clock.advance(minutes(at))
        self.store.report_overdue()
        self.store.report_silence()
        self.store.expire_reservations()
        self.store.keep_promises()
        self.store.reconcile()
        self.store.publish_availability()
        self.store.route_cases()
        self.store.expire_approvals()
        self.store.escalate()
        self._keep_time()

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), values)]

    def value(self, statement: str, **values: Any) -> Any:
        ((value,),) = self.rows(statement, **values)
        return value

    def status(self, number: str, channel: str = WEB) -> str:
        return str(
            self.value(
                "select status from order_state where order_id = :order_id",
                order_id=order_id(channel, number),
            )
        )

    def position(self, sku: str, node_id: str = WAREHOUSE) -> tuple[int, int, int]:
        """(on hand, reserved, allocated)."""
        found = self.rows(
            "select on_hand_quantity, reserved_quantity, allocated_quantity from stock_position"
            " where sku = :sku and node_id = :node_id",
            sku=sku,
            node_id=node_id,
        )
        return found[0] if found else (0, 0, 0)  # type: ignore[return-value]

    def entries(self, *kinds: str) -> list[tuple[str, str, str]]:
        """(kind, name of the account, amount) of the journal, in the order of posting."""
        accounts = self.store.policies.documents["finance"].values["accounts"]
        names = {code: name for name, code in accounts.items()}
        return [
            (kind, names[account], str(amount.normalize() + 0))
            for kind, account, amount in self.rows(
                "select entry_kind, account_code, amount from journal_line"
                " where entry_kind = any(:kinds)"
                " order by recorded_xid::text::bigint, occurred_at, entry_kind, entry_id,"
                " line_number",
                kinds=list(kinds),
            )
        ]

    def balance(self, account: str) -> Decimal:
        """Σ of an account, by its name in the policy."""
        code = self.store.policies.documents["finance"].values["accounts"][account]
        return Decimal(
            self.value(
                "select coalesce(sum(amount), 0) from journal_line where account_code = :code",
                code=code,
            )
        )

    def commands(self, *command_types: str) -> list[tuple[str, dict[str, Any]]]:
        """(command type, payload), oldest first."""
        return [
            (kind, payload)
            for kind, payload in self.rows(
                "select command_type, payload from command_outbox"
                " where command_type = any(:kinds) order by outbox_sequence",
                kinds=list(command_types),
            )
        ]

    def messages(self) -> list[str]:
        """Templates of what customers were told."""
        return [payload["template"] for _, payload in self.commands("message.send")]

    def cases(self) -> list[tuple[str, str, int]]:
        """(type, business key, count) of every case."""
        return self.rows(  # type: ignore[return-value]
            "select case_type, business_key, case_count from exception_case order by 1, 2"
        )

    def inbox(self) -> dict[str, str]:
        """Status of everything but master data and counts, by event id."""
        return dict(
            self.rows(  # type: ignore[arg-type]
                "select event_id, status from event_inbox where consumer <> 'master_data'"
                " and event_type not like '%%.counted.%%' order by inbox_id"
            )
        )

    def line(self, number: str, line: int = 1, channel: str = WEB) -> tuple[int, int, str | None]:
        """(reserved, unfilled, why unfilled)."""
        ((reserved, unfilled, reason),) = self.rows(
            "select reserved_quantity, unfilled_quantity, unfilled_reason_code from order_line"
            " where order_id = :order_id and line_number = :line",
            order_id=order_id(channel, number),
            line=line,
        )
        return reserved, unfilled, reason

    def payable(self, number: str) -> str:
        return str(
            self.value(
                "select payable_amount from order_state where order_id = :order_id",
                order_id=order_id(WEB, number),
            )
        )


def assert_all_invariants_hold(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        results = check(connection)
    broken = {result.id: result.violations for result in results if not result.holds}
    assert broken == {}


def submissions(events: Iterable[Event]) -> Sequence[Submission]:
    return [Submission(told["source"], json.dumps(told).encode(), "test") for told in events]
