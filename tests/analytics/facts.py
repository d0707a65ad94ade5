"""Made facts, straight into the operational tables: what the flows would have written.

A `Transaction` is what one unit of work wrote. The facts of an order are made as the list of its
transactions, so that a test can record them in any order and in any number of batches.
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from resources.operational_store import schema

Transaction = dict[str, list[dict[str, Any]]]
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
PRICES = {"MUG": Decimal("6.0000"), "LAMP": Decimal("24.6000"), "CARD": Decimal("0.8500")}


def identify(*parts: object) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, "/".join(map(str, parts)))


def at(text: str) -> datetime:
    """``"03-02 10:00"`` in March-or-so 2026, UTC."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def record(engine: sa.Engine, *transactions: Transaction) -> None:
    """Write each transaction as one of its own."""
    for transaction in transactions:
        with engine.begin() as connection:
            for name, rows in transaction.items():
                table = schema.metadata.tables[name]
                # Rows of one statement share their columns.
                shapes: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
                for row in rows:
                    shapes[tuple(row)].append(row)
                for alike in shapes.values():
                    # One statement: that is what the journal's balance is judged by.
                    connection.execute(sa.insert(table).values(alike))


def master_data() -> Transaction:
    opened = at("01-01 00:00")
    times = {"occurred_at": opened, "effective_at": opened}
    return {
        "node": [
            {
                "node_id": node,
                "kind": kind,
                "zone": "Europe/London",
                "country_code": "GB",
                "is_active": True,
                **times,
            }
            for node, kind in (("dc", "warehouse"), ("store", "store"))
        ],
        "product": [
            {
                "sku": sku,
                "description": f"a {sku.lower()}",
                "standard_cost": Decimal("1.5000"),
                "currency_code": "GBP",
                "tax_rate_basis_points": 2000,
                "is_synthetic": True,
                **times,
            }
            for sku in PRICES
        ],
        "customer": [{"customer_id": identify("customer", 1), "country_code": "GB", **times}],
    }


def moved(
    kind: str, node: str, sku: str, quantity: int, when: datetime, document: str
) -> Transaction:
    return {
        "stock_movement": [
            {
                "node_id": node,
                "sku": sku,
                "kind": kind,
                "quantity": quantity,
                "reason_code": kind,
                "reference_id": identify("document", document),
                "reference_line": 1,
                "order_id": None,
                "occurred_at": when,
                "effective_at": when,
            }
        ]
    }


def snapshot(
    name: str, system: str, node: str, as_of: datetime, **units: tuple[int, int]
) -> Transaction:
    """What a system states of a node, by SKU: (stated, held by us then)."""
    return {
        "inventory_snapshot": [
            {
                "snapshot_id": identify("snapshot", name),
                "system": system,
                "node_id": node,
                "channel": None,
                "document_number": name,
                "sku": sku,
                "unit_of_measure": "each",
                "units_per_case": None,
                "stated_quantity": stated,
                "held_quantity": held,
                "drift_quantity": stated - held,
                "ledger_watermark": 0,
                "occurred_at": as_of,
                "effective_at": as_of,
            }
            for sku, (stated, held) in units.items()
        ]
    }


def drift(name: str, sku: str, revision: int, as_of: datetime, **units: int) -> Transaction:
    """The drift of one line by reason."""
    return {
        "inventory_drift_reason": [
            {
                "snapshot_id": identify("snapshot", name),
                "sku": sku,
                "revision": revision,
                "reason_code": reason,
                "quantity": quantity,
                "amount": quantity * Decimal("1.5"),
                "currency_code": "GBP",
                "occurred_at": as_of,
                "effective_at": as_of,
            }
            for reason, quantity in units.items()
        ]
    }


def correction(
    name: str, sku: str, revision: int, node: str, status: str, quantity: int, as_of: datetime
) -> Transaction:
    return {
        "stock_correction": [
            {
                "snapshot_id": identify("snapshot", name),
                "sku": sku,
                "revision": revision,
                "node_id": node,
                "status": status,
                "quantity": quantity,
                "amount": quantity * Decimal("1.5"),
                "currency_code": "GBP",
                "reference_id": identify("correction", name, revision),
                "occurred_at": as_of,
                "effective_at": as_of,
            }
        ]
    }


def published(
    name: str, channel: str, since: datetime, when: datetime, **units: tuple[int, int]
) -> Transaction:
    """One message to a channel, by SKU: (published, available)."""
    return {
        "availability_published": [
            {
                "publication_id": identify("publication", name),
                "channel": channel,
                "sku": sku,
                "published_quantity": told,
                "available_quantity": available,
                "occurred_at": since,
                "effective_at": when,
            }
            for sku, (told, available) in units.items()
        ]
    }


def acknowledged(name: str, channel: str, when: datetime) -> Transaction:
    return {
        "availability_acknowledged": [
            {
                "publication_id": identify("publication", name),
                "channel": channel,
                "occurred_at": when,
                "effective_at": when,
            }
        ]
    }


def case(
    case_type: str, key: str, opened: datetime, closed: datetime | None = None, owner: str = "team"
) -> Transaction:
    return {
        "exception_case": [
            {
                "case_id": identify("case", case_type, key),
                "case_type": case_type,
                "business_key": key,
                "owner": owner,
                "status": "open" if closed is None else "closed",
                "reason": "words that stay with the case",
                "opened_at": opened,
                "cycle_started_at": opened,
                "closed_at": closed,
            }
        ]
    }


@dataclass
class Order:
    """One order's facts, made step by step.

    Lines are (sku, ordered, {node: units found}). Every step gives the transaction it wrote.
    """

    number: str
    placed_at: datetime
    lines: list[tuple[str, int, dict[str, int]]]
    promised: date
    channel: str = "web_shop"
    region: str = "uk"
    charge: Decimal = Decimal("0")
    transactions: list[Transaction] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.order_id = identify("order", self.channel, self.number)
        self.transactions.append(self._placed())

    def _entry(
        self, kind: str, key: object, when: datetime, legs: list[tuple[str, Decimal]]
    ) -> list[dict[str, Any]]:
        kept = [leg for leg in legs if leg[1]]
        return [
            {
                "entry_id": identify("entry", kind, key),
                "line_number": number,
                "entry_kind": kind,
                "business_key": str(key),
                "account_code": account,
                "amount": amount,
                "currency_code": "GBP",
                "legal_entity": "gb",
                "occurred_at": when,
                "effective_at": when,
            }
            for number, (account, amount) in enumerate(kept, start=1)
        ]

    def _happened(self, activity: str, key: object, when: datetime) -> list[dict[str, Any]]:
        return [
            {
                "process_event_id": identify("process", activity, key),
                "activity": activity,
                "order_id": self.order_id,
                "objects": [{"type": "order", "id": str(self.order_id), "qualifier": activity}],
                "occurred_at": when,
                "effective_at": when,
            }
        ]

    def _placed(self) -> Transaction:
        order, when = self.order_id, self.placed_at
        lines, reservations = [], []
        for number, (sku, ordered, found) in enumerate(self.lines, start=1):
            reserved = sum(found.values())
            amount = PRICES[sku] * ordered
            lines.append(
                {
                    "order_id": order,
                    "line_number": number,
                    "sku": sku,
                    "ordered_quantity": ordered,
                    "reserved_quantity": reserved,
                    "unfilled_quantity": ordered - reserved,
                    "unfilled_reason_code": None if reserved == ordered else "out_of_stock",
                    "unit_price": PRICES[sku],
                    "line_amount": amount,
                    "tax_amount": (amount / 6).quantize(Decimal("0.0001")),
                    "effective_at": when,
                }
            )
            reservations += [
                {
                    "order_id": order,
                    "line_number": number,
                    "node_id": node,
                    "sku": sku,
                    "kind": "reserved",
                    "quantity": units,
                    "is_start": True,
                    "expires_at": when + timedelta(minutes=15),
                    "effective_at": when,
                }
                for node, units in found.items()
            ]
        goods = sum((PRICES[sku] * ordered for sku, ordered, _ in self.lines), Decimal(0))
        written: Transaction = {
            "order_placed": [
                {
                    "order_id": order,
                    "order_number": self.number,
                    "source": self.channel,
                    "legal_entity": "gb",
                    "brand": "main",
                    "region": self.region,
                    "channel": self.channel,
                    "correlation_id": self.number,
                    "customer_id": identify("customer", 1),
                    "country_code": "GB",
                    "service_level": "standard",
                    "currency_code": "GBP",
                    "line_count": len(self.lines),
                    "ordered_quantity": sum(ordered for _, ordered, _ in self.lines),
                    "goods_amount": goods,
                    "charge_amount": self.charge,
                    "total_amount": goods + self.charge,
                    "trading_date": when.date(),
                    "promised_date": self.promised,
                    "occurred_at": when,
                    "effective_at": when,
                }
            ],
            "order_line": lines,
            "reservation_movement": reservations,
            "process_event": self._happened("order placed", order, when),
        }
        if self.charge:
            written["order_charge"] = [
                {
                    "order_id": order,
                    "charge_number": 1,
                    "charge_code": "postage",
                    "charge_amount": self.charge,
                    "effective_at": when,
                }
            ]
        batch = identify("batch", order)
        written["decision_batch"] = [
            {
                "decision_batch_id": batch,
                "kind": "sourcing",
                "policy_hash": "hash",
                "mode": "normal",
                "inputs": b"inputs",
                "outcome_hash": b"outcome",
                "effective_at": when,
            }
        ]
        written["decision_record"] = [
            {
                "decision_id": identify("decision", order),
                "decision_batch_id": batch,
                "kind": "sourcing",
                "business_key": str(order),
                "outcome": "filled",
                "reason_codes": ["split_over_nodes", "out_of_stock"],
                "effective_at": when,
            }
        ]
        return {name: rows for name, rows in written.items() if rows}

    def _reservations_end(self, kind: str, when: datetime) -> list[dict[str, Any]]:
        return [
            {
                "order_id": self.order_id,
                "line_number": number,
                "node_id": node,
                "sku": sku,
                "kind": kind,
                "quantity": -units,
                "is_start": False,
                "expires_at": None,
                "effective_at": when,
            }
            for number, (sku, _, found) in enumerate(self.lines, start=1)
            for node, units in found.items()
        ]

    def _payment(self, kind: str, amount: Decimal, when: datetime, key: object) -> dict[str, Any]:
        return {
            "payment_movement_id": identify("payment", kind, key),
            "order_id": self.order_id,
            "payment_reference": f"pay-{self.number}",
            "kind": kind,
            "amount": amount,
            "currency_code": "GBP",
            "occurred_at": when,
            "effective_at": when,
        }

    def paid(self, when: datetime) -> Order:
        amount = sum(
            (PRICES[sku] * sum(found.values()) for sku, _, found in self.lines), self.charge
        )
        authorised, contra = ("9000", amount), ("9001", -amount)
        self.transactions.append(
            {
                "payment_movement": [self._payment("authorised", amount, when, self.order_id)],
                "journal_line": self._entry(
                    "authorisation", self.order_id, when, [authorised, contra]
                ),
                "reservation_movement": self._reservations_end("consumed", when),
                "process_event": self._happened("payment authorised", self.order_id, when)
                + self._happened("stock allocated", self.order_id, when),
            }
        )
        return self

    def paid_but_screened(self, when: datetime) -> Order:
        """Its stock stays reserved until somebody has looked at its payment."""
        amount = sum(
            (PRICES[sku] * sum(found.values()) for sku, _, found in self.lines), self.charge
        )
        self.transactions.append(
            {"payment_movement": [self._payment("authorised", amount, when, self.order_id)]}
        )
        return self

    def ended(self, status: str, when: datetime) -> Order:
        """Cancelled, declined or expired before it was paid."""
        kind = "expired" if status == "expired" else "released"
        written: Transaction = {
            "reservation_movement": self._reservations_end(kind, when),
            "process_event": self._happened(f"order {status}", self.order_id, when),
        }
        if status == "declined":
            declined = self._payment("declined", Decimal("1.0000"), when, self.order_id)
            written["payment_movement"] = [declined]
        self.transactions.append({name: rows for name, rows in written.items() if rows})
        return self

    def _shipment(self, node: str) -> uuid.UUID:
        return identify("shipment", self.order_id, node)

    def dispatched(
        self, when: datetime, node: str = "dc", *, short: int = 0, with_charge: bool = True
    ) -> Order:
        """All that was found at the node leaves it, less ``short`` units of its first line."""
        shipment = self._shipment(node)
        movements, lost, goods = [], [], Decimal(0)
        for number, (sku, _, found) in enumerate(self.lines, start=1):
            if node not in found:
                continue
            missing, short = short, 0
            units = found[node] - missing
            goods += PRICES[sku] * units
            movements.append(
                {
                    "node_id": node,
                    "sku": sku,
                    "kind": "shipped",
                    "quantity": -units,
                    "reason_code": "sold",
                    "reference_id": shipment,
                    "reference_line": number,
                    "order_id": self.order_id,
                    "occurred_at": when,
                    "effective_at": when,
                }
            )
            if missing:
                lost.append(self._lost(number, node, sku, missing, "short_shipped", when))
        charge = self.charge if with_charge else Decimal(0)
        total = goods + charge
        tax = (goods / 6).quantize(Decimal("0.0001"))
        charge_tax = (charge / 6).quantize(Decimal("0.0001"))
        revenue = [("2100", total), ("4000", tax - goods), ("4100", charge_tax - charge)]
        capture = [("1200", total), ("2100", -total), ("9001", total), ("9000", -total)]
        captured = self._payment("captured", total, when, shipment)
        self.transactions.append(
            {
                "stock_movement": movements,
                "shipment_dispatched": [
                    {
                        "shipment_id": shipment,
                        "shipment_number": f"{self.number}-{node}",
                        "order_id": self.order_id,
                        "fulfilment_order_id": identify("fulfilment", self.order_id, node),
                        "node_id": node,
                        "carrier": "parcel",
                        "shipped_quantity": -sum(row["quantity"] for row in movements),
                        "occurred_at": when,
                        "effective_at": when,
                    }
                ],
                "journal_line": self._entry(
                    "revenue", shipment, when, [*revenue, ("2200", -tax - charge_tax)]
                ),
                "process_event": self._happened("goods dispatched", shipment, when),
                **({"deallocation": lost} if lost else {}),
            }
        )
        self.transactions.append(
            {
                "payment_movement": [captured],
                "journal_line": self._entry(
                    "capture", captured["payment_movement_id"], when, capture
                ),
            }
        )
        return self

    def _lost(
        self, number: int, node: str, sku: str, units: int, reason: str, when: datetime
    ) -> dict[str, Any]:
        return {
            "order_id": self.order_id,
            "line_number": number,
            "node_id": node,
            "sku": sku,
            "quantity": units,
            "reason_code": reason,
            "effective_at": when,
        }

    def rejected(self, when: datetime, node: str = "dc") -> Order:
        fulfilment_order = identify("fulfilment", self.order_id, node)
        happened = self._happened("fulfilment rejected", fulfilment_order, when)
        happened[0]["objects"] += [
            {"type": "fulfilment_order", "id": str(fulfilment_order), "qualifier": "rejected"},
            {"type": "node", "id": node, "qualifier": "rejected"},
        ]
        self.transactions.append(
            {
                "process_event": happened,
                "deallocation": [
                    self._lost(number, node, sku, found[node], "damaged", when)
                    for number, (sku, _, found) in enumerate(self.lines, start=1)
                    if node in found
                ],
            }
        )
        return self

    def screened(self, outcome: str, when: datetime, reason: str | None = None) -> Order:
        """What was asked or answered about its payment."""
        self.transactions.append(
            {
                "payment_screened": [
                    {
                        "payment_screened_id": identify("screened", self.order_id, outcome),
                        "order_id": self.order_id,
                        "payment_reference": f"pay-{self.number}",
                        "outcome": outcome,
                        "reason_code": reason,
                        "decided_by": "sam" if outcome in {"released", "cancelled"} else None,
                        "occurred_at": when,
                        "effective_at": when,
                    }
                ]
            }
        )
        return self

    def stepped(
        self,
        step: str,
        when: datetime,
        *,
        attempt: int = 1,
        number: int = 1,
        promised: datetime | None = None,
        reason: str | None = None,
    ) -> Order:
        """Something that happened to it at the store where it is collected."""
        self.transactions.append(
            {
                "pickup_step": [
                    {
                        "order_id": self.order_id,
                        "attempt": attempt,
                        "step": step,
                        "step_number": number,
                        "node_id": None if step == "shipped_instead" else "store",
                        "promised_ready_at": promised,
                        "reason_code": reason,
                        "occurred_at": when,
                        "effective_at": when,
                    }
                ]
            }
        )
        return self

    def delivered(self, when: datetime, node: str = "dc") -> Order:
        shipment = self._shipment(node)
        self.transactions.append(
            {
                "shipment_delivered": [
                    {
                        "shipment_id": shipment,
                        "shipment_number": f"{self.number}-{node}",
                        "order_id": self.order_id,
                        "occurred_at": when,
                        "effective_at": when,
                    }
                ],
                "process_event": self._happened("order delivered", shipment, when),
            }
        )
        return self


def random_orders(rng: random.Random, count: int, first: int = 0) -> list[Order]:
    """Orders of every fate, over two weeks."""
    orders = []
    for number in range(first, first + count):
        placed = at("03-02 00:00") + timedelta(minutes=rng.randrange(14 * 24 * 60))
        lines: list[tuple[str, int, dict[str, int]]] = []
        for _ in range(rng.randint(0, 4)):
            ordered = rng.randint(1, 9)
            in_dc = rng.randint(0, ordered)
            in_store = rng.choice([0, ordered - in_dc])
            found = {node: n for node, n in (("dc", in_dc), ("store", in_store)) if n}
            lines.append((rng.choice(list(PRICES)), ordered, found))
        order = Order(
            f"N{number}",
            placed,
            lines,
            (placed + timedelta(days=3)).date(),
            channel=rng.choice(["web_shop", "marketplace"]),
            region=rng.choice(["uk", "eu"]),
            charge=rng.choice([Decimal(0), Decimal("4.9900")]),
        )
        nodes = sorted({node for _, _, found in lines for node in found})
        fate = rng.random()
        if nodes and fate < 0.2:
            order.ended(rng.choice(["cancelled", "declined", "expired"]), placed)
        elif nodes and fate < 0.9:
            order.paid(placed + timedelta(minutes=rng.randint(1, 60)))
            for index, node in enumerate(nodes):
                left = placed + timedelta(hours=rng.randint(2, 90))
                if rng.random() < 0.15 and index:
                    order.rejected(left, node)
                elif rng.random() < 0.9:
                    order.dispatched(left, node, with_charge=index == 0)
                    if rng.random() < 0.8:
                        order.delivered(left + timedelta(hours=rng.randint(5, 80)), node)
        if not number % 3:
            # Of its own chance, so that the other facts are as they were without it.
            _collect_or_not(order, placed, random.Random(number))
        orders.append(order)
    return orders


def _collect_or_not(order: Order, placed: datetime, rng: random.Random) -> None:
    """A pickup of every fate, promised for a day or the next."""
    hour = timedelta(hours=1)
    promised = placed + rng.randint(2, 20) * hour
    if rng.random() < 0.4:
        order.screened("asked", placed + hour)
        order.screened(rng.choice(["cleared", "held", "rejected"]), placed + 2 * hour, "unusual")
    order.stepped("promised", placed, promised=promised)
    if rng.random() < 0.2:
        order.stepped("promised", placed + hour, number=2, promised=promised + 12 * hour)
    if rng.random() < 0.3:
        order.stepped(
            "rejected", placed + hour, reason=rng.choice(["not_found", "too_busy", "odd"])
        )
        if rng.random() < 0.5:
            order.stepped("shipped_instead", placed + hour, attempt=2)
        else:
            order.stepped("promised", placed + hour, attempt=2, promised=promised + 24 * hour)
    elif rng.random() < 0.8:
        ready = promised + rng.randint(-2, 2) * hour
        order.stepped("ready", ready)
        order.stepped("reminded", ready + 24 * hour)
        if rng.random() < 0.8:
            order.stepped(rng.choice(["collected", "unclaimed"]), ready + rng.randint(1, 90) * hour)
