"""What stores say about pickups: accepted, refused, ready. A refusal leads to another way."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from assets.commerce.identifiers import identify
from assets.contracts.fulfilment import FulfilmentRejected, RejectedLine
from assets.inventory.late_facts import correct_counts
from assets.inventory.ledger import Movement
from assets.order_to_fulfillment import shipping
from assets.order_to_fulfillment.handing_over import (
    AT_THE_NODE,
    close,
    deallocate,
    fulfilment_order_of,
)
from assets.order_to_fulfillment.paying import request_capture
from assets.order_to_fulfillment.pickup.moving_on import move_on
from assets.order_to_fulfillment.pickup.promising import step
from assets.order_to_fulfillment.pickup.rules import next_reminder
from assets.order_to_fulfillment.refunding import give_back_surplus
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes
from assets.ports import (
    About,
    AllocatedLine,
    CaseType,
    FulfilmentOrderView,
    InboxEvent,
    OrderView,
    PickupView,
)

#: Goods may turn out to be broken while they wait at the counter.
IN_THE_STORE = AT_THE_NODE | {"ready"}
OWNER = "store_operations"


def take_acceptances(events: list[InboxEvent], writes: Writes) -> None:
    """The node works on it; a store is now waited for until the goods are at its counter."""
    shipping.take_acceptances(events, writes)
    for event in events:
        fulfilment_order = writes.fulfilment_orders.get(event.data.fulfilment_order_id)
        if fulfilment_order is None or fulfilment_order.status != "accepted":
            continue
        if writes.is_picked_up(fulfilment_order):
            order = writes.order_of(event)
            pickup = writes.pickups[order.order_id]
            late = writes.pickup_policy(order.region, order.brand).late_ready_minutes
            pickup.due_at = pickup.promised_ready_at + timedelta(minutes=late)


def take_rejections(events: list[InboxEvent], writes: Writes) -> None:
    """A node cannot do it. For what a customer comes for another way is found at once."""
    pickups = [event for event in events if _is_pickup(event, writes)]
    for event in pickups:
        _reject(event, writes)
    others = [event for event in events if event not in pickups]
    if others:
        if pickups:
            # What was found for a pickup may be what another of these events is about.
            writes.flush()
        shipping.take_rejections(others, writes)


def _is_pickup(event: InboxEvent, writes: Writes) -> bool:
    fulfilment_order = writes.fulfilment_orders.get(event.data.fulfilment_order_id)
    return fulfilment_order is not None and writes.is_picked_up(fulfilment_order)


def _reject(event: InboxEvent, writes: Writes) -> None:
    fulfilment_order = fulfilment_order_of(event, IN_THE_STORE, writes)
    if fulfilment_order is None:
        return
    order = writes.order_of(event)
    data: FulfilmentRejected = event.data
    lines = _allocated(fulfilment_order, writes)
    wrong = _what_is_wrong(data.lines, lines)
    if wrong:
        writes.refuse(event, CaseType.REJECTED_NOT_ALLOCATED, wrong)
        return
    reject(order, fulfilment_order, data.reason, data.lines, event.occurred_at, writes)


def _allocated(fulfilment_order: FulfilmentOrderView, writes: Writes) -> dict[int, AllocatedLine]:
    order_id, node = fulfilment_order.order_id, fulfilment_order.node_id
    return writes.unit_of_work.orders.allocated_lines([order_id])[order_id, node]


def _what_is_wrong(said: list[RejectedLine], allocated: dict[int, AllocatedLine]) -> str | None:
    for line in said:
        sku, units, *_ = allocated.get(line.line_number, (None, 0))
        if sku != line.sku or line.quantity > units:
            return f"line {line.line_number}: {units} of {line.sku} were allocated"
    return None


def reject(
    order: OrderView,
    fulfilment_order: FulfilmentOrderView,
    reason: str,
    said: list[RejectedLine],
    occurred_at: datetime,
    writes: Writes,
) -> None:
    """A store gives an order back: its stock is put right, and the order moves on or ends."""
    pickup = writes.pickups[order.order_id]
    lines = _allocated(fulfilment_order, writes)
    deallocate(fulfilment_order, lines, reason, writes)
    effect = writes.pickup_policy(order.region, order.brand).stock_effect(reason)
    if effect != "none":
        wrong = {line.line_number: line.quantity for line in said} or {
            number: line.quantity for number, line in lines.items()
        }
        kind = "counted" if effect == "count_correction" else "adjusted"
        units = {number: (lines[number].sku, quantity) for number, quantity in wrong.items()}
        _take_off(order, fulfilment_order, kind, reason, units, occurred_at, writes)
    was_ready = fulfilment_order.status == "ready"
    fulfilment_order.status = "rejected"
    order.undelivered_fulfilment_orders -= 1
    pickup.due_at = pickup.ready_at = None
    step(pickup, "rejected", occurred_at, writes, reason=reason)
    writes.process.add(
        "pickup rejected",
        fulfilment_order.fulfilment_order_id,
        occurred_at,
        [
            ("order", order.order_id, "rejected for"),
            ("fulfilment_order", fulfilment_order.fulfilment_order_id, "rejected"),
            ("node", fulfilment_order.node_id, "rejected"),
        ],
        order.order_id,
    )
    if not (was_ready and order.capture_requested_amount) and move_on(
        order, pickup, lines, occurred_at, writes
    ):
        return
    _give_up(order, pickup, fulfilment_order.node_id, reason, occurred_at, writes)


def _give_up(
    order: OrderView,
    pickup: PickupView,
    node: str,
    reason: str,
    occurred_at: datetime,
    writes: Writes,
) -> None:
    """No way is left: the order ends, and a person hears of it."""
    writes.open_case(
        CaseType.PICKUP_NOT_FULFILLED,
        f"{order.channel}/{order.order_number}",
        f"{node} refused order {order.order_number} ({reason}) and nothing else was possible after"
        f" {pickup.attempt} store(s)",
        About.order(order, node),
    )
    pickup.node_id = None
    close(order, occurred_at, writes)
    order.payable_amount = 0
    give_back_surplus(order, "unfilled", occurred_at, writes)


def _take_off(
    order: OrderView,
    fulfilment_order: FulfilmentOrderView,
    kind: str,
    reason: str,
    units: dict[int, tuple[str, int]],
    occurred_at: datetime,
    writes: Writes,
) -> None:
    """The store does not have these units, or nobody can buy them: they leave its stock."""
    node = fulfilment_order.node_id
    reference = str(identify("pickup_rejected", fulfilment_order.fulfilment_order_id))
    products = writes.unit_of_work.master_data.products({sku for sku, _ in units.values()})
    value: dict[str, int] = defaultdict(int)
    # The order tells them from what a node says by itself: others hear of them from us.
    movements = [
        Movement(node, sku, kind, -quantity, reason, reference, number, order.order_id, occurred_at)
        for number, (sku, quantity) in units.items()
    ]
    writes.rows["stock_movement"] += movements
    for sku, quantity in units.values():
        value[products[sku].currency_code] += products[sku].standard_cost * quantity
        writes.positions.add(node, sku, on_hand=-quantity)
    accounts = writes.journal.accounts(order)
    for currency, amount in value.items():
        writes.journal.post(
            order,
            f"inventory_{kind}",
            f"{reference}/{currency}",
            currency,
            occurred_at,
            [(accounts.inventory_adjustment, amount), (accounts.inventory, -amount)],
        )
    # A count after the refusal that was told before it knew of it.
    told = [(order, movement) for movement in movements]
    correct_counts(told, products, writes.stock_ledgers)
    _tell_erp(order, fulfilment_order, reason, units, writes)


def _tell_erp(
    order: OrderView,
    fulfilment_order: FulfilmentOrderView,
    reason: str,
    units: dict[int, tuple[str, int]],
    writes: Writes,
) -> None:
    """Whoever hears of stock from us hears that it is gone, as of a correction."""
    gone: dict[str, int] = defaultdict(int)
    for sku, quantity in units.values():
        gone[sku] -= quantity
    writes.send(
        "erp",
        "stock_adjustment.post",
        order,
        {
            "document_number": f"PR-{fulfilment_order.fulfilment_order_id}",
            "node_id": fulfilment_order.node_id,
            "reason": reason,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in gone.items()],
        },
        discriminator=fulfilment_order.node_id,
        owner=OWNER,
    )


def take_readiness(events: list[InboxEvent], writes: Writes) -> None:
    """The goods are at the counter: the customer is told, and the time to collect begins."""
    for event in events:
        fulfilment_order = fulfilment_order_of(event, AT_THE_NODE, writes)
        if fulfilment_order is None:
            continue
        order = writes.order_of(event)
        if not writes.is_picked_up(fulfilment_order):
            writes.refuse(event, CaseType.NOT_A_PICKUP, "nobody comes for it")
            continue
        _be_ready(order, fulfilment_order, event.occurred_at, writes)


def _be_ready(
    order: OrderView,
    fulfilment_order: FulfilmentOrderView,
    occurred_at: datetime,
    writes: Writes,
) -> None:
    pickup = writes.pickups[order.order_id]
    policy = writes.pickup_policy(order.region, order.brand)
    order.status = next_status(order.status, "ready")
    fulfilment_order.status = "ready"
    pickup.ready_at = occurred_at
    pickup.expires_at = occurred_at + policy.held_for
    pickup.reminders_sent = 0
    pickup.due_at = next_reminder(occurred_at, 0, pickup.expires_at, policy)
    step(pickup, "ready", occurred_at, writes)
    writes.process.add(
        "ready for pickup",
        fulfilment_order.fulfilment_order_id,
        occurred_at,
        [
            ("order", order.order_id, "ready"),
            ("fulfilment_order", fulfilment_order.fulfilment_order_id, "prepared"),
            ("node", fulfilment_order.node_id, "hands out"),
        ],
        order.order_id,
    )
    if policy.capture_when == "ready":
        request_capture(order, order.payable_amount, fulfilment_order.node_id, writes)
    writes.tell_customer(
        order,
        "pickup_ready",
        str(pickup.attempt),
        store_id=pickup.node_id,
        collect_by=occurred_at + timedelta(hours=policy.collect_within_hours),
    )
