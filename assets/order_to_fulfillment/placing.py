"""Orders come in: known goods are reserved where the policy asks first, the rest is unfilled."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import pandas as pd

from assets.commerce.calendar import add_working_days, trading_date
from assets.commerce.identifiers import decision_id, identify, order_id
from assets.commerce.money import tax_included, to_ten_thousandths, to_text
from assets.contracts.order import OrderPlaced, ShipTo
from assets.order_to_fulfillment.decision import KIND, SourcingInputs, outcome_hash
from assets.order_to_fulfillment.paying import authorise, void
from assets.order_to_fulfillment.rules import next_status, source
from assets.order_to_fulfillment.writes import Writes
from assets.ports import InboxEvent, OrderView, ProductTerms, Reservation

OUT_OF_STOCK = "out_of_stock"


@dataclass
class Candidate:
    """An order on its way in, with what it was given: line index → (node, units)."""

    event: InboxEvent
    order_id: str
    first_line: int = 0
    sourced: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def data(self) -> OrderPlaced:
        """The contract's payload."""
        placed: OrderPlaced = self.event.data
        return placed


def place(events: list[InboxEvent], writes: Writes) -> None:
    """Take orders in: check, source, reserve, ask for the payment, tell ERP and customer."""
    products = writes.unit_of_work.master_data.products(
        {line.sku for event in events for line in event.data.lines}
    )
    candidates = _admit(events, products, writes)
    if not candidates:
        return
    batch_id = _source(candidates, writes)
    for candidate in candidates:
        _reserve(candidate, products, batch_id, writes)
    writes.unit_of_work.inbox.release(f"order:{candidate.order_id}" for candidate in candidates)


def _admit(
    events: list[InboxEvent], products: dict[str, ProductTerms], writes: Writes
) -> list[Candidate]:
    """Park orders of unknown goods; refuse a second order of the same number."""
    ids = [str(order_id(event.channel, event.data.order_number)) for event in events]
    taken = set(writes.unit_of_work.orders.lock(ids)) | set(writes.orders)
    candidates = []
    for event, identity in zip(events, ids, strict=True):
        unknown = next((line.sku for line in event.data.lines if line.sku not in products), None)
        if identity in taken:
            writes.refuse(
                event, "order_already_placed", "the channel used this order number before"
            )
            _redact(event, writes)
        elif unknown is not None:
            writes.unit_of_work.inbox.park(event, "unknown_sku", f"sku:{unknown}")
        else:
            taken.add(identity)
            candidates.append(Candidate(event, identity))
    return candidates


def _source(candidates: list[Candidate], writes: Writes) -> str:
    """Decide all lines at once and keep the decision; fills each candidate's ``sourced``."""
    scopes = _scopes(candidates)
    index_of = {scope: index for index, scope in enumerate(scopes)}
    rows: list[tuple[str, int, str, int, int]] = []
    owners: list[Candidate] = []
    for candidate in candidates:
        event = candidate.event
        profile = index_of[event.channel, event.region, event.brand]
        candidate.first_line = len(rows)
        for line in candidate.data.lines:
            rows.append((candidate.order_id, line.line_number, line.sku, line.quantity, profile))
            owners.append(candidate)
    order_lines = pd.DataFrame(
        rows, columns=["order_id", "line_number", "sku", "quantity", "profile"]
    ).astype({"line_number": "int64", "quantity": "int64", "profile": "int64"})
    positions = writes.unit_of_work.stock.lock_positions({row[2] for row in rows})
    stock = pd.DataFrame(
        [(position.node_id, position.sku, position.unpromised) for position in positions],
        columns=["node_id", "sku", "unpromised_quantity"],
    ).astype({"unpromised_quantity": "int64"})
    nodes = sorted(writes.unit_of_work.master_data.nodes())
    inputs = SourcingInputs(order_lines, stock, scopes, nodes)
    sourced = source(order_lines, stock, inputs.profiles(writes.policy))
    for line, node, units in zip(
        sourced["line"].tolist(),
        sourced["node_id"].tolist(),
        sourced["quantity"].tolist(),
        strict=True,
    ):
        owners[line].sourced[line].append((node, units))
    return _keep_decision(candidates, inputs, outcome_hash(order_lines, sourced), writes)


def _scopes(candidates: list[Candidate]) -> list[tuple[str, str, str]]:
    """Distinct (channel, region, brand) in the order in which they come."""
    return list(dict.fromkeys((c.event.channel, c.event.region, c.event.brand) for c in candidates))


def _keep_decision(
    candidates: list[Candidate], inputs: SourcingInputs, outcome: bytes, writes: Writes
) -> str:
    batch_id = str(identify("decision_batch", KIND, *(c.order_id for c in candidates)))
    writes.unit_of_work.append(
        "decision_batch",
        {
            "decision_batch_id": [batch_id],
            "kind": [KIND],
            "policy_hash": [writes.unit_of_work.policies.policy_hash("order_to_fulfillment")],
            "mode": ["normal"],
            "inputs": [inputs.encode()],
            "outcome_hash": [outcome],
        },
    )
    return batch_id


def _reserve(
    candidate: Candidate,
    products: dict[str, ProductTerms],
    batch_id: str,
    writes: Writes,
) -> None:
    """Write one order with its lines and reservations, and set it on its way."""
    event, data = candidate.event, candidate.data
    identity = candidate.order_id
    policy = writes.policy(event.region, event.brand)
    expires_at = writes.unit_of_work.effective_at + timedelta(minutes=policy.reservation_minutes)

    goods = payable = ordered = reserved_units = 0
    reservations: list[Reservation] = []
    for offset, line in enumerate(data.lines):
        price = to_ten_thousandths(line.unit_price)
        given = candidate.sourced.get(candidate.first_line + offset, [])
        reserved = sum(units for _, units in given)
        amount = price * line.quantity
        writes.rows["order_line"].append(
            (
                identity,
                line.line_number,
                line.sku,
                line.quantity,
                reserved,
                line.quantity - reserved,
                None if reserved == line.quantity else OUT_OF_STOCK,
                price,
                amount,
                tax_included(amount, products[line.sku].tax_rate_basis_points),
            )
        )
        for node, units in given:
            reservations.append(Reservation(identity, line.line_number, node, line.sku, units))
            writes.rows["reservation_movement"].append(
                (identity, line.line_number, node, line.sku, "reserved", units, True, expires_at)
            )
            writes.positions.add(node, line.sku, reserved=units)
        ordered += line.quantity
        goods += amount
        payable += price * reserved
        reserved_units += reserved

    charges = _charges(candidate, writes)
    is_shippable = reserved_units > 0 or not data.lines
    order = OrderView(
        order_id=identity,
        order_number=data.order_number,
        status="new",
        legal_entity=event.legal_entity,
        brand=event.brand,
        region=event.region,
        channel=event.channel,
        correlation_id=event.correlation_id,
        customer_id=_remember_customer(candidate, writes),
        country_code=data.ship_to.country,
        service_level=data.service_level,
        currency_code=data.currency,
        line_count=len(data.lines),
        charge_amount=charges,
        total_amount=goods + charges,
        payable_amount=max(0, payable + charges) if is_shippable else 0,
        authorised_amount=0,
        capture_requested_amount=0,
        captured_amount=0,
        payment_reference=None,
        open_fulfilment_orders=0,
        undelivered_fulfilment_orders=0,
        expires_at=None,
        changed_at=event.occurred_at,
    )
    writes.orders[identity] = order
    _record(candidate, order, goods, ordered, writes)
    _record_decision(candidate, ordered, reserved_units, batch_id, writes)
    _set_on_its_way(candidate, order, reservations, expires_at, writes)


def _charges(candidate: Candidate, writes: Writes) -> int:
    total = 0
    for number, charge in enumerate(candidate.data.charges, start=1):
        amount = to_ten_thousandths(charge.amount)
        writes.rows["order_charge"].append((candidate.order_id, number, charge.code, amount))
        total += amount
    return total


def _record(
    candidate: Candidate, order: OrderView, goods: int, ordered: int, writes: Writes
) -> None:
    event, data = candidate.event, candidate.data
    policy = writes.policy(event.region, event.brand)
    day = trading_date(event.occurred_at, policy.trading_zone)
    promised = data.promised_date or add_working_days(
        day, policy.promise_days(event.region, data.service_level)
    )
    writes.rows["order_placed"].append(
        (
            order.order_id,
            order.order_number,
            event.source,
            order.legal_entity,
            order.brand,
            order.region,
            order.channel,
            order.correlation_id,
            order.customer_id,
            order.country_code,
            order.service_level,
            order.currency_code,
            len(data.lines),
            ordered,
            goods,
            order.charge_amount,
            order.total_amount,
            day,
            promised,
            event.occurred_at,
        )
    )
    objects = [("order", order.order_id, "placed")]
    if order.customer_id:
        objects.append(("customer", order.customer_id, "placed by"))
    writes.process.add("order placed", order.order_id, event.occurred_at, objects, order.order_id)


def _record_decision(
    candidate: Candidate, ordered: int, reserved: int, batch_id: str, writes: Writes
) -> None:
    nodes = {node for given in candidate.sourced.values() for node, _ in given}
    reasons = ["split_over_nodes"] if len(nodes) > 1 else []
    if not ordered:
        outcome = "charges_only"
    elif reserved == ordered:
        outcome = "filled"
    else:
        outcome = "partly_filled" if reserved else "unfilled"
        reasons.append(OUT_OF_STOCK)
    writes.rows["decision_record"].append(
        (
            str(decision_id(KIND, candidate.order_id)),
            batch_id,
            KIND,
            candidate.order_id,
            outcome,
            reasons,
        )
    )
    objects = [("order", candidate.order_id, "sourced for")]
    objects += [("node", node, "ships") for node in sorted(nodes)]
    writes.process.add(
        "stock reserved" if reserved else "stock not found",
        candidate.order_id,
        writes.unit_of_work.effective_at,
        objects,
        candidate.order_id,
    )


def _set_on_its_way(
    candidate: Candidate,
    order: OrderView,
    reservations: list[Reservation],
    expires_at: datetime,
    writes: Writes,
) -> None:
    """Tell ERP and customer, and ask for the money, unless there is nothing to do."""
    event, data = candidate.event, candidate.data
    writes.send(
        "erp",
        "sales_order.create",
        order,
        {
            "order_number": order.order_number,
            "order_id": order.order_id,
            "channel": order.channel,
            "region": order.region,
            "ordered_at": event.occurred_at,
            "currency": order.currency_code,
            "total_amount": to_text(order.total_amount),
            "lines": [
                {"sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price}
                for line in data.lines
            ],
        },
    )
    granted = data.authorisation
    granted_amount = to_ten_thousandths(granted.amount) if granted else 0
    if data.lines and not reservations:
        order.status = next_status(order.status, "found_nothing")
        writes.cancel_at_erp(order, OUT_OF_STOCK)
        writes.tell_customer(order, "order_cancelled")
        if granted is not None:
            void(order, granted.reference, writes)
        return
    writes.tell_customer(order, "order_confirmed")
    if not order.payable_amount and not reservations:
        order.status = next_status(order.status, "nothing_to_pay_or_ship")
        if granted is not None:
            void(order, granted.reference, writes)
        return
    order.status = next_status(order.status, "reserved")
    order.expires_at = expires_at
    if granted is not None and granted_amount < order.payable_amount:
        # Not enough to capture from: give it back and ask for all of it.
        void(order, granted.reference, writes)
        writes.open_case(
            "authorisation_mismatch",
            f"{order.channel}/{order.order_number}",
            f"{to_text(order.payable_amount)} {order.currency_code} is to pay,"
            f" {to_text(granted_amount)} was authorised at checkout",
        )
        granted = None
    if granted is not None:
        authorise(order, event, granted.reference, granted_amount, reservations, writes)
    elif not order.payable_amount:
        authorise(order, event, None, 0, reservations, writes)
    else:
        writes.send(
            "payment_provider",
            "payment.authorise",
            order,
            {
                "order_number": order.order_number,
                "amount": to_text(order.payable_amount),
                "currency": order.currency_code,
            },
            owner="payments",
        )


def _remember_customer(candidate: Candidate, writes: Writes) -> str | None:
    """The pseudonymous id; what is personal goes to the one table that can be erased."""
    data, ship_to = candidate.data, candidate.data.ship_to
    personal = (ship_to.name, ship_to.email, ship_to.address, ship_to.city, ship_to.postcode)
    if data.customer_number is None and not any(personal):
        return None
    number = data.customer_number or f"guest of {candidate.order_id}"
    identity = str(identify("customer", candidate.event.legal_entity, number))
    if any(personal):
        writes.remember_contact(identity, number, ship_to.country, *personal)
        _redact(candidate.event, writes)
    return identity


def _redact(event: InboxEvent, writes: Writes) -> None:
    """The inbox keeps where an order goes by its country alone."""
    bare = ShipTo(country=event.data.ship_to.country)
    writes.unit_of_work.inbox.redact(event, msgspec.structs.replace(event.data, ship_to=bare))
