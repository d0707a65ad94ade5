"""A small retailer's stored rows in which everything holds, for tests to break one thing of.

Written row by row and not by the flows, so that a flow and its check cannot be wrong together.
The story, at the warehouse: ten mugs and five hats are received; order 1001 buys three mugs and two
hats, pays, is sent two mugs and two hats, and gets them; order 1002 holds a mug; a return waits; a
broken body is in quarantine.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pandas as pd
import sqlalchemy as sa

from assets.commerce.identifiers import (
    command_id,
    decision_id,
    fulfilment_order_id,
    identify,
    order_id,
)
from assets.contracts.registry import CONTRACTS
from assets.order_to_fulfillment.decision import KIND, SourcingInputs, decide_again, outcome_hash
from assets.order_to_fulfillment.sourcing.tables import NO_EXCLUSIONS, NO_USAGE, Tables
from resources.operational_store.schema import metadata
from resources.policy_book import FilePolicyBook

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
NODE, CHANNEL = "dc_midlands", "web_shop"
MUG, HAT = "MUG", "HAT"
FIRST = order_id(CHANNEL, "1001")
SECOND = order_id(CHANNEL, "1002")
FULFILMENT = fulfilment_order_id(FIRST, NODE)
SHIPMENT = identify("shipment", FULFILMENT)
RECEIPT = identify("stock_document", "erp", "GR-1")
BATCH = identify("decision_batch", KIND, FIRST, SECOND)
SCOPE = {"legal_entity": "acme", "brand": "acme", "region": "uk", "channel": CHANNEL}


def minutes(count: int) -> datetime:
    return MORNING + timedelta(minutes=count)


class LedgerStory:
    """Writes the story into a migrated database, each step in a transaction of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._policies = FilePolicyBook()
        self._now = MORNING

    def tell(self) -> None:
        with self._step(0):
            self._master_data()
        with self._step(1):
            self._receive()
        with self._step(10):
            self._place()
        with self._step(11):
            self._authorise()
        with self._step(20):
            self._dispatch()
        with self._step(21):
            self._capture()
        with self._step(22):
            self._deliver()
        with self._step(23):
            self._publish()
            self._show_prices()
            self._wait_and_refuse()

    @contextmanager
    def _step(self, minute: int) -> Iterator[None]:
        self._now = minutes(minute)
        with self._engine.begin() as self._connection:
            yield

    def _add(self, table: str, *rows: dict[str, Any]) -> None:
        """Insert rows by one statement; what a table has of times is now."""
        columns = metadata.tables[table].columns
        times = {
            name: self._now
            for name in ("occurred_at", "effective_at")
            if name in columns and name not in rows[0]
        }
        self._connection.execute(
            sa.insert(metadata.tables[table]).values([{**times, **row} for row in rows])
        )

    def _event(self, source: str, event_id: str, event_type: str, **data: Any) -> None:
        contract = CONTRACTS[event_type]
        body = msgspec.json.encode([source, event_id, data])
        self._add(
            "event_identity",
            {"source": source, "event_id": event_id, "body_hash": hashlib.sha256(body).digest()},
        )
        waits = contract.consumer == "return_to_resolution"
        self._add(
            "event_inbox",
            {
                "source": source,
                "event_id": event_id,
                "event_type": event_type,
                "consumer": contract.consumer,
                "phase": contract.phase,
                "subject": data.get("order_number", event_id),
                **SCOPE,
                "correlation_id": event_id,
                "data": data,
                "status": "waiting" if waits else "applied",
                "waiting_reason": "consumer_not_built" if waits else None,
                "release_condition": "flow:return_to_resolution" if waits else None,
                "waiting_since": self._now if waits else None,
            },
        )
        self._tally(source, event_type, accepted=1)

    def _tally(
        self,
        source: str,
        event_type: str,
        accepted: int = 0,
        duplicates: int = 0,
        quarantined: int = 0,
    ) -> None:
        self._add(
            "door_tally",
            {
                "source": source,
                "event_type": event_type,
                "received": accepted + duplicates + quarantined,
                "accepted": accepted,
                "duplicates": duplicates,
                "quarantined": quarantined,
            },
        )

    def _command(
        self, partner: str, command_type: str, key: object, discriminator: str = "", **payload: Any
    ) -> None:
        self._add(
            "command_outbox",
            {
                "command_id": command_id(partner, command_type, key, discriminator),
                "partner": partner,
                "command_type": command_type,
                "business_key": str(key),
                "correlation_id": "c",
                "payload": payload,
                "owner": "order_desk",
            },
        )

    def _entry(self, kind: str, key: object, **legs: str) -> None:
        self._add(
            "journal_line",
            *(
                {
                    "entry_id": identify("journal_entry", kind, key),
                    "line_number": number,
                    "entry_kind": kind,
                    "business_key": str(key),
                    "account_code": account.removeprefix("a"),
                    "amount": amount,
                    "currency_code": "GBP",
                    "legal_entity": "acme",
                }
                for number, (account, amount) in enumerate(legs.items(), start=1)
            ),
        )

    def _master_data(self) -> None:
        self._add("home_clock", {"only": True, "mode": "simulated", "effective_at": minutes(23)})
        self._add(
            "node",
            {
                "node_id": NODE,
                "kind": "warehouse",
                "zone": "Europe/London",
                "country_code": "GB",
                "is_active": True,
            },
        )
        common = {"currency_code": "GBP", "tax_rate_basis_points": 2000, "is_synthetic": True}
        self._add(
            "product",
            {"sku": MUG, "description": "Mug", "standard_cost": "2.5000", **common},
            {"sku": HAT, "description": "Hat", "standard_cost": "4.0000", **common},
        )
        for document in self._policies.documents.values():
            self._add(
                "policy_version",
                {
                    "policy_hash": document.policy_hash,
                    "policy": document.policy,
                    "owner": document.owner,
                    "effective_from": document.effective_from,
                    "document": msgspec.to_builtins(document),
                },
            )

    def _receive(self) -> None:
        self._event(
            "erp",
            "receipt-1",
            "retail.inventory.received.v1",
            document_number="GR-1",
            node_id=NODE,
            lines=[
                {"line_number": 1, "sku": MUG, "quantity": 10},
                {"line_number": 2, "sku": HAT, "quantity": 5},
            ],
        )
        self._tally("erp", "retail.inventory.received.v1", duplicates=1)
        common = {
            "node_id": NODE,
            "kind": "received",
            "reason_code": "goods_receipt",
            "reference_id": RECEIPT,
        }
        self._add(
            "stock_movement",
            {**common, "sku": MUG, "quantity": 10, "reference_line": 1},
            {**common, "sku": HAT, "quantity": 5, "reference_line": 2},
        )
        self._add(
            "stock_position",
            {"node_id": NODE, "sku": MUG, "on_hand_quantity": 10},
            {"node_id": NODE, "sku": HAT, "on_hand_quantity": 5},
        )
        self._entry("inventory_received", f"{RECEIPT}/GBP", a1400="45", a2300="-45")

    def _position(self, sku: str, on_hand: int = 0, reserved: int = 0, allocated: int = 0) -> None:
        position = metadata.tables["stock_position"]
        self._connection.execute(
            sa.update(position)
            .where(position.c.sku == sku)
            .values(
                on_hand_quantity=position.c.on_hand_quantity + on_hand,
                reserved_quantity=position.c.reserved_quantity + reserved,
                allocated_quantity=position.c.allocated_quantity + allocated,
            )
        )

    def _reservation(
        self, order: uuid.UUID, line_number: int, sku: str, quantity: int, kind: str = "reserved"
    ) -> None:
        starts = kind == "reserved"
        self._add(
            "reservation_movement",
            {
                "order_id": order,
                "line_number": line_number,
                "node_id": NODE,
                "sku": sku,
                "kind": kind,
                "quantity": quantity,
                "is_start": starts,
                "expires_at": self._now + timedelta(minutes=15) if starts else None,
            },
        )

    def _place(self) -> None:
        for number, event_id, lines in (
            ("1001", "order-1", [(MUG, 3, "6"), (HAT, 2, "9")]),
            ("1002", "order-2", [(MUG, 1, "6")]),
        ):
            self._event(
                CHANNEL,
                event_id,
                "retail.order.placed.v1",
                order_number=number,
                currency="GBP",
                lines=[
                    {"line_number": i, "sku": sku, "quantity": units, "unit_price": price}
                    for i, (sku, units, price) in enumerate(lines, start=1)
                ],
            )
            order = order_id(CHANNEL, number)
            amount = sum(units * int(price) for _, units, price in lines)
            self._add(
                "order_placed",
                {
                    "order_id": order,
                    "order_number": number,
                    "source": CHANNEL,
                    **SCOPE,
                    "correlation_id": event_id,
                    "country_code": "GB",
                    "service_level": "standard",
                    "currency_code": "GBP",
                    "line_count": len(lines),
                    "ordered_quantity": sum(units for _, units, _ in lines),
                    "goods_amount": amount,
                    "charge_amount": 0,
                    "total_amount": amount,
                    "trading_date": date(2026, 3, 2),
                    "promised_date": date(2026, 3, 5),
                },
            )
            for line_number, (sku, units, price) in enumerate(lines, start=1):
                self._add(
                    "order_line",
                    {
                        "order_id": order,
                        "line_number": line_number,
                        "sku": sku,
                        "ordered_quantity": units,
                        "reserved_quantity": units,
                        "unfilled_quantity": 0,
                        "unit_price": price,
                        "line_amount": units * int(price),
                        "tax_amount": 0,
                    },
                )
                self._reservation(order, line_number, sku, units)
                self._position(sku, reserved=units)
            self._command(
                "payment_provider", "payment.authorise", order, order_number=number, amount="1"
            )
            self._command(
                "crm", "message.send", order, "order_confirmed", template="order_confirmed"
            )
        self._decide()

    def _decide(self) -> None:
        tables = Tables(
            orders=pd.DataFrame(
                {
                    "order_id": [str(FIRST), str(SECOND)],
                    "profile": [0, 0],
                    "country_code": "GB",
                    "service_level": "standard",
                    "decided_at": minutes(10),
                    "promised_at": minutes(10) + timedelta(days=3),
                }
            ),
            order_lines=pd.DataFrame(
                [(0, 1, MUG, 3, 20_000), (0, 2, HAT, 2, 20_000), (1, 1, MUG, 1, 20_000)],
                columns=["order", "line_number", "sku", "quantity", "unit_price"],
            ),
            stock=pd.DataFrame(
                [(NODE, MUG, 10), (NODE, HAT, 5)],
                columns=["node_id", "sku", "unpromised_quantity"],
            ),
            nodes=pd.DataFrame(
                [(NODE, "warehouse", "Europe/London")], columns=["node_id", "kind", "zone"]
            ),
            usage=NO_USAGE,
            exclusions=NO_EXCLUSIONS,
        )
        inputs = SourcingInputs(tables, [(CHANNEL, "uk", "acme")])
        policy = self._policies.documents["order_to_fulfillment"]
        self._add(
            "decision_batch",
            {
                "decision_batch_id": BATCH,
                "kind": KIND,
                "policy_hash": policy.policy_hash,
                "mode": "normal",
                "inputs": inputs.encode(),
                "outcome_hash": outcome_hash(tables, decide_again(inputs, policy)),
            },
        )
        for order in (FIRST, SECOND):
            self._add(
                "decision_record",
                {
                    "decision_id": decision_id(KIND, order),
                    "decision_batch_id": BATCH,
                    "kind": KIND,
                    "business_key": str(order),
                    "outcome": "filled",
                    "reason_codes": [],
                },
            )

    def _payment(self, kind: str, amount: str) -> None:
        self._add(
            "payment_movement",
            {
                "payment_movement_id": identify(f"payment_{kind}", FIRST, "PAY-1"),
                "order_id": FIRST,
                "payment_reference": "PAY-1",
                "kind": kind,
                "amount": amount,
                "currency_code": "GBP",
            },
        )
        self._event(
            "payment_provider",
            f"{kind}-1",
            f"retail.payment.{kind}.v1",
            order_number="1001",
            payment_reference="PAY-1",
            amount=amount,
            currency="GBP",
        )

    def _authorise(self) -> None:
        self._payment("authorised", "36")
        self._entry("authorisation", FIRST, a9000="36", a9001="-36")
        for line_number, sku, units in ((1, MUG, 3), (2, HAT, 2)):
            self._reservation(FIRST, line_number, sku, -units, "consumed")
            self._position(sku, reserved=-units, allocated=units)
        self._command(
            "wms", "fulfilment_order.create", FIRST, NODE, node_id=NODE, order_number="1001"
        )

    def _dispatch(self) -> None:
        self._event(
            "wms",
            "dispatch-1",
            "retail.shipment.dispatched.v1",
            order_number="1001",
            fulfilment_order_id=str(FULFILMENT),
            shipment_number="S-1",
            node_id=NODE,
        )
        self._add(
            "shipment_dispatched",
            {
                "shipment_id": SHIPMENT,
                "shipment_number": "S-1",
                "order_id": FIRST,
                "fulfilment_order_id": FULFILMENT,
                "node_id": NODE,
                "carrier": "parcels",
                "shipped_quantity": 4,
            },
        )
        common = {
            "node_id": NODE,
            "kind": "shipped",
            "quantity": -2,
            "reason_code": "sold",
            "reference_id": SHIPMENT,
            "order_id": FIRST,
        }
        self._add(
            "stock_movement",
            {**common, "sku": MUG, "reference_line": 1},
            {**common, "sku": HAT, "reference_line": 2},
        )
        self._add(
            "deallocation",
            {
                "order_id": FIRST,
                "line_number": 1,
                "node_id": NODE,
                "sku": MUG,
                "quantity": 1,
                "reason_code": "short_shipped",
            },
        )
        self._position(MUG, on_hand=-2, allocated=-3)
        self._position(HAT, on_hand=-2, allocated=-2)
        self._entry("revenue", SHIPMENT, a2100="30", a4000="-25", a2200="-5")
        self._entry("cost_of_goods", SHIPMENT, a5000="13", a1400="-13")
        self._command("payment_provider", "payment.capture", FIRST, NODE, payment_reference="PAY-1")
        self._command("carrier", "shipment.book", FIRST, "S-1", shipment_number="S-1")

    def _capture(self) -> None:
        self._payment("captured", "30")
        self._entry(
            "capture", identify("payment_captured", FIRST, "PAY-1"), a1200="30", a2100="-30"
        )

    def _deliver(self) -> None:
        self._event(
            "carrier",
            "delivery-1",
            "retail.shipment.delivered.v1",
            order_number="1001",
            shipment_number="S-1",
        )
        self._add(
            "shipment_delivered",
            {"shipment_id": SHIPMENT, "shipment_number": "S-1", "order_id": FIRST},
        )

    def _publish(self) -> None:
        """Mugs: 8 on hand, 1 reserved; hats: 3 on hand; the shop is told two fewer of each."""
        watermark = self._connection.scalar(sa.text("select last_value from stock_ledger_sequence"))
        policy_hash = self._policies.documents["inventory"].policy_hash
        for sku, available in ((MUG, 7), (HAT, 3)):
            self._add(
                "channel_availability",
                {
                    "channel": CHANNEL,
                    "sku": sku,
                    "published_quantity": available - 2,
                    "available_quantity": available,
                    "policy_hash": policy_hash,
                    "ledger_watermark": watermark,
                },
            )
        as_of = self._now.isoformat()
        self._command(
            CHANNEL,
            "availability.publish",
            f"availability/{CHANNEL}",
            f"{as_of}/0",
            as_of=as_of,
            lines=[{"sku": MUG, "quantity": 5}, {"sku": HAT, "quantity": 1}],
        )

    def _show_prices(self) -> None:
        """The shop shows mugs at the price that was approved in the morning."""
        price = {"sku": MUG, "channel": CHANNEL, "unit_price": "6", "currency_code": "GBP"}
        self._add("price", {**price, "occurred_at": MORNING})
        document = identify("price_document", CHANNEL, "P-1")
        graced_from = self._now - timedelta(minutes=30)
        self._add("price_shown", {**price, "document_id": document, "graced_from": graced_from})

    def _wait_and_refuse(self) -> None:
        self._event(CHANNEL, "return-1", "retail.return.requested.v1", return_number="R-1")
        self._add(
            "quarantined_event",
            {
                "source": CHANNEL,
                "event_type": "unknown",
                "reason_code": "malformed_json",
                "reason": "not JSON",
                "position": "orders.jsonl:7",
                "body_hash": hashlib.sha256(b"{").digest(),
            },
        )
        self._add(
            "quarantined_body",
            {"source": CHANNEL, "body_hash": hashlib.sha256(b"{").digest(), "body": b"{"},
        )
        # It came twice, and is kept once.
        self._tally(CHANNEL, "unknown", quarantined=2)
