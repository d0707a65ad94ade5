"""Orders come in: known goods are reserved where the policy asks first, the rest is unfilled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from assets.commerce.calendar import trading_date
from assets.commerce.money import tax_included, to_ten_thousandths
from assets.order_to_fulfillment.allocating import reserve
from assets.order_to_fulfillment.backordering.pooling import pool_short_lines
from assets.order_to_fulfillment.backordering.supplying import serve_waiting
from assets.order_to_fulfillment.choosing import promised_date, record_decision, source_lines
from assets.order_to_fulfillment.confirming import set_on_its_way
from assets.order_to_fulfillment.intake import Candidate, admit, remember_customer
from assets.order_to_fulfillment.pickup.promising import promise_first, source_pickups
from assets.order_to_fulfillment.promises import PLACED, promise
from assets.order_to_fulfillment.writes import Writes
from assets.ports import InboxEvent, OrderView, ProductTerms, Reservation

#: Gives candidates their units, and the batch of the decision.
Source = Callable[[list[Candidate], dict[str, ProductTerms], Writes], str]


@dataclass(frozen=True)
class Taken:
    """What the lines of one order came to; money in ten-thousandths, units each.

    Attributes:
        goods_amount: The price of all that was ordered.
        payable_amount: The price of what was reserved or waits for supply.
    """

    ordered_quantity: int
    reserved_quantity: int
    goods_amount: int
    payable_amount: int
    reservations: list[Reservation]


def place(events: list[InboxEvent], writes: Writes) -> None:
    """Take orders in: check, source, reserve, ask for the payment, tell ERP and customer.

    Those to be picked up come first: a customer on the way outranks a parcel, which can leave from
    elsewhere.
    """
    pickups = [event for event in events if event.data.pickup is not None]
    others = [event for event in events if event.data.pickup is None]
    if pickups:
        _place_all(pickups, _source_pickups, writes)
    if pickups and others:
        # What the pickups took is no longer there for the others.
        writes.flush()
    if others:
        _place_all(others, _source_parcels, writes)


def _source_pickups(
    candidates: list[Candidate], _products: dict[str, ProductTerms], writes: Writes
) -> str:
    return source_pickups(candidates, writes)


def _source_parcels(
    candidates: list[Candidate], products: dict[str, ProductTerms], writes: Writes
) -> str:
    """Who waits for supply is served before who comes now."""
    return source_lines(candidates, serve_waiting(set(products), writes), writes)


def _place_all(events: list[InboxEvent], source: Source, writes: Writes) -> None:
    products = writes.unit_of_work.master_data.products(
        {line.sku for event in events for line in event.data.lines}
    )
    candidates = admit(events, products, writes)
    if not candidates:
        return
    batch_id = source(candidates, products, writes)
    pool_short_lines(candidates, products, writes)
    for candidate in candidates:
        _place(candidate, products, batch_id, writes)
    writes.unit_of_work.inbox.release(f"order:{candidate.order_id}" for candidate in candidates)


def _place(
    candidate: Candidate, products: dict[str, ProductTerms], batch_id: str, writes: Writes
) -> None:
    """Write one order with its lines and reservations, and set it on its way."""
    policy = writes.policy(candidate.event.region, candidate.event.brand)
    expires_at = writes.unit_of_work.effective_at + timedelta(minutes=policy.reservation_minutes)
    held_until = expires_at
    if candidate.promised_ready_at is not None:
        pickups = writes.pickup_policy(candidate.event.region, candidate.event.brand)
        held_until = max(expires_at, candidate.promised_ready_at + pickups.held_for)
    if candidate.pooled:
        wait = writes.backorder_policy(candidate.event.region, candidate.event.brand).longest_wait
        held_until = max(line.available_from for line in candidate.pooled.values()) + wait
    taken = _take_lines(candidate, products, held_until, writes)
    order = _new_order(candidate, taken, _charges(candidate, writes), writes)
    writes.orders[order.order_id] = order
    day = promised_date(candidate, writes)
    _record(candidate, order, taken, day, writes)
    promise(order, day, PLACED, candidate.event.occurred_at, writes)
    if candidate.promised_ready_at is not None and taken.reservations:
        promise_first(candidate, order, writes)
    record_decision(candidate, taken.ordered_quantity, taken.reserved_quantity, batch_id, writes)
    set_on_its_way(candidate, order, taken.reservations, expires_at, writes)


def _take_lines(
    candidate: Candidate,
    products: dict[str, ProductTerms],
    expires_at: datetime,
    writes: Writes,
) -> Taken:
    """Write the lines of an order, and reserve what each was given."""
    identity = candidate.order_id
    goods = payable = ordered = reserved_units = 0
    reservations: list[Reservation] = []
    for line, reserved, unmet, held, pooled in candidate.given():
        price = to_ten_thousandths(line.unit_price)
        waiting = pooled.quantity if pooled else 0
        amount = price * line.quantity
        writes.rows["order_line"].append(
            (
                identity,
                line.line_number,
                line.sku,
                line.quantity,
                reserved,
                line.quantity - reserved - waiting,
                unmet,
                waiting,
                price,
                amount,
                tax_included(amount, products[line.sku].tax_rate_basis_points),
            )
        )
        if pooled:
            cap = writes.backorder_policy(candidate.event.region, candidate.event.brand)
            writes.pools.open(
                pooled, cap.cap(pooled.pool, candidate.event.channel), candidate.event.occurred_at
            )
        for reservation in held:
            reserve(reservation, expires_at, writes)
        reservations += held
        ordered += line.quantity
        goods += amount
        payable += price * (reserved + waiting)
        reserved_units += reserved
    writes.rows["order_line_component"] += [
        (identity, part.number, number, part.sku, part.quantity_per_bundle, part.unit_price)
        for number, components in candidate.bundled.items()
        for part in components
    ]
    return Taken(ordered, reserved_units, goods, payable, reservations)


def _new_order(candidate: Candidate, taken: Taken, charges: int, writes: Writes) -> OrderView:
    event, data = candidate.event, candidate.data
    is_shippable = taken.reserved_quantity > 0 or candidate.pooled or not data.lines
    return OrderView(
        order_id=candidate.order_id,
        order_number=data.order_number,
        status="new",
        legal_entity=event.legal_entity,
        brand=event.brand,
        region=event.region,
        channel=event.channel,
        correlation_id=event.correlation_id,
        customer_id=remember_customer(candidate, writes),
        country_code=data.ship_to.country,
        service_level=data.service_level,
        currency_code=data.currency,
        line_count=len(data.lines),
        charge_amount=charges,
        total_amount=taken.goods_amount + charges,
        payable_amount=max(0, taken.payable_amount + charges) if is_shippable else 0,
        authorised_amount=0,
        capture_requested_amount=0,
        captured_amount=0,
        refund_requested_amount=0,
        refunded_amount=0,
        payment_reference=None,
        open_fulfilment_orders=0,
        undelivered_fulfilment_orders=0,
        expires_at=None,
        changed_at=event.occurred_at,
    )


def _charges(candidate: Candidate, writes: Writes) -> int:
    total = 0
    for number, charge in enumerate(candidate.data.charges, start=1):
        amount = to_ten_thousandths(charge.amount)
        writes.rows["order_charge"].append((candidate.order_id, number, charge.code, amount))
        total += amount
    return total


def _record(
    candidate: Candidate, order: OrderView, taken: Taken, promised_day: date, writes: Writes
) -> None:
    event, data = candidate.event, candidate.data
    policy = writes.policy(event.region, event.brand)
    day = trading_date(event.occurred_at, policy.trading_zone)
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
            taken.ordered_quantity,
            taken.goods_amount,
            order.charge_amount,
            order.total_amount,
            day,
            promised_day,
            event.occurred_at,
        )
    )
    objects = [("order", order.order_id, "placed")]
    if order.customer_id:
        objects.append(("customer", order.customer_id, "placed by"))
    writes.process.add("order placed", order.order_id, event.occurred_at, objects, order.order_id)
