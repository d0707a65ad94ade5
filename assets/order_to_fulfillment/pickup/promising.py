"""What a store holds for new pickups and when it has them ready: decided, kept and promised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from assets.commerce.calendar import trading_date
from assets.commerce.identifiers import decision_id, identify
from assets.commerce.opening_hours import intervals
from assets.order_to_fulfillment.bundling import bundles_table
from assets.order_to_fulfillment.intake import Candidate
from assets.order_to_fulfillment.pickup.decision import (
    KIND,
    OTHER_STORE_KIND,
    PickupInputs,
    decide,
    decide_store,
    outcome_hash,
)
from assets.order_to_fulfillment.promises import HELD_FOR_SCREENING, NODE_REJECTED, promise
from assets.order_to_fulfillment.sourcing.tables import NO_BUNDLES
from assets.order_to_fulfillment.writes import Writes
from assets.ports import OrderView, PickupView, StockPosition

#: (order_id, node_id, from_at, region, brand)
Wanted = tuple[str, str, datetime, str, str]


def source_pickups(candidates: list[Candidate], writes: Writes) -> str:
    """Decide all pickups at once and keep the decision; fills what each candidate was given."""
    wanted: list[Wanted] = []
    lines: list[tuple[str, int, str, int]] = []
    components: list[tuple[int, int, int]] = []
    for candidate in candidates:
        event, pickup = candidate.event, candidate.data.pickup
        assert pickup is not None  # noqa: S101 - the caller sorted them out
        wanted.append(
            (
                candidate.order_id,
                pickup.node_id,
                event.occurred_at,
                event.region,
                event.brand,
            )
        )
        candidate.first_line = len(lines)
        for line in candidate.stock_lines():
            if line.quantity_per_bundle:
                components.append((len(lines), line.line_number, line.quantity_per_bundle))
            lines.append((candidate.order_id, line.number, line.sku, line.quantity))
    positions = writes.unit_of_work.stock.lock_positions({line[2] for line in lines})
    inputs = _inputs(wanted, lines, positions, writes, bundles_table(components))
    outcome = decide(inputs, writes.pickup_policy)
    units, promised = outcome[0].tolist(), outcome[1]
    for candidate, ready_at in zip(candidates, promised, strict=True):
        candidate.promised_ready_at = None if pd.isna(ready_at) else ready_at.to_pydatetime()
        for index, line in enumerate(candidate.stock_lines(), candidate.first_line):
            if units[index] < line.quantity:
                candidate.unmet[index] = candidate.why_unfilled
            if units[index]:
                candidate.sourced[index].append((str(candidate.store_id), units[index]))
    ids = [candidate.order_id for candidate in candidates]
    return _keep(KIND, ids, inputs, outcome_hash(outcome), writes)


def promise_first(candidate: Candidate, order: OrderView, writes: Writes) -> None:
    """The store of a new order has units for it by an instant."""
    wish, ready_at = candidate.data.pickup, candidate.promised_ready_at
    assert wish is not None and ready_at is not None  # noqa: S101, PT018 - or it was given nothing
    pickup = PickupView(
        order_id=order.order_id,
        node_id=wish.node_id,
        attempt=1,
        promised_ready_at=ready_at,
        expires_at=ready_at,
        due_at=None,
        ready_at=None,
        reminders_sent=0,
        accepts_other_store=wish.accepts_other_store,
        accepts_shipping=wish.accepts_shipping,
    )
    promise_store(order, pickup, wish.node_id, ready_at, candidate.event.occurred_at, writes)


def promise_again(
    order: OrderView, pickup: PickupView, occurred_at: datetime, writes: Writes
) -> None:
    """An order that was held goes on: where its time is too short now, it gets a new promise.

    A store makes up for what its policy says; a customer is not told of that.
    """
    node = pickup.node_id
    assert node is not None  # noqa: S101 - nothing travels before it was allocated
    wanted: list[Wanted] = [(order.order_id, node, occurred_at, order.region, order.brand)]
    inputs = _inputs(wanted, [], [], writes)
    outcome = decide(inputs, writes.pickup_policy)
    (ready_at,) = outcome[1]
    made_up_for = writes.pickup_policy(order.region, order.brand).made_up_for
    if pd.isna(ready_at) or ready_at <= pickup.promised_ready_at + made_up_for:
        return
    occasion = f"{order.order_id}/cleared"
    batch = _keep(KIND, [occasion], inputs, outcome_hash(outcome), writes)
    record(KIND, occasion, batch, "promised_again", ["held"], writes)
    promise_store(order, pickup, node, ready_at.to_pydatetime(), occurred_at, writes, is_again=True)
    writes.tell_customer(
        order, "pickup_moved", "cleared", store_id=node, promised_ready_at=ready_at.to_pydatetime()
    )


def other_store(
    order: OrderView,
    lines: Sequence[tuple[int, str, int]],
    stores: Sequence[str],
    occurred_at: datetime,
    occasion: str,
    writes: Writes,
) -> tuple[str, datetime] | None:
    """The store that takes an order over; the decision is kept.

    Args:
        order: What its store refused.
        lines: (line number, SKU, units) that are wanted.
        stores: Those that may be asked.
        occurred_at: When it was refused.
        occasion: Tells the order's refusals apart.
        writes: Has nothing that is not stored yet.
    """
    positions = writes.unit_of_work.stock.lock_positions({sku for _, sku, _ in lines})
    wanted: list[Wanted] = [
        (order.order_id, store, occurred_at, order.region, order.brand) for store in stores
    ]
    inputs = _inputs(wanted, [(order.order_id, *line) for line in lines], positions, writes)
    outcome = decide_store(inputs, writes.pickup_policy)
    key = f"{order.order_id}/{occasion}"
    batch = _keep(OTHER_STORE_KIND, [key], inputs, outcome_hash(outcome), writes)
    said = ("no_store", ["out_of_stock"]) if outcome is None else ("other_store", [])
    record(OTHER_STORE_KIND, key, batch, *said, writes)
    return outcome


def promise_store(
    order: OrderView,
    pickup: PickupView,
    node: str,
    ready_at: datetime,
    occurred_at: datetime,
    writes: Writes,
    is_again: bool = False,
) -> None:
    """Let a store have the goods at its counter by an instant, and keep the promise.

    A later day is a new promise of the order too; the customer is told by whoever moves it.
    """
    policy = writes.pickup_policy(order.region, order.brand)
    _, zone = writes.unit_of_work.master_data.nodes()[node]
    day = trading_date(ready_at, zone)
    if order.promised_date is not None and day > order.promised_date:
        cause = HELD_FOR_SCREENING if is_again else NODE_REJECTED
        promise(order, day, cause, occurred_at, writes)
    pickup.node_id = node
    pickup.promised_ready_at = ready_at
    pickup.expires_at = ready_at + policy.held_for
    writes.pickups[order.order_id] = pickup
    step(pickup, "promised", occurred_at, writes, number=2 if is_again else 1)


def step(
    pickup: PickupView,
    name: str,
    occurred_at: datetime,
    writes: Writes,
    number: int = 1,
    reason: str | None = None,
) -> None:
    """Something happened to a pickup."""
    promised = pickup.promised_ready_at if name == "promised" else None
    writes.rows["pickup_step"].append(
        (
            pickup.order_id,
            pickup.attempt,
            name,
            number,
            pickup.node_id,
            promised,
            reason,
            occurred_at,
        )
    )


def answer_due(order: OrderView, pickup: PickupView, writes: Writes) -> datetime:
    """By when a store must have said yes, counted from when it may start to work."""
    policy = writes.pickup_policy(order.region, order.brand)
    assert pickup.node_id is not None  # noqa: S101 - only a store answers
    preparation = timedelta(minutes=policy.preparation_minutes(pickup.node_id))
    return pickup.promised_ready_at - preparation + policy.answer_after


def record(
    kind: str, key: str, batch: str, outcome: str, reasons: list[str], writes: Writes
) -> None:
    """Keep one decision of a batch."""
    writes.rows["decision_record"].append(
        (str(decision_id(kind, key)), batch, kind, key, outcome, reasons)
    )


def _inputs(
    wanted: list[Wanted],
    lines: list[tuple[str, int, str, int]],
    positions: Sequence[StockPosition],
    writes: Writes,
    bundles: pd.DataFrame = NO_BUNDLES,
) -> PickupInputs:
    scopes = list(dict.fromkeys((region, brand) for _, _, _, region, brand in wanted))
    orders = pd.DataFrame(
        [
            (order_id, node, from_at, scopes.index((region, brand)))
            for order_id, node, from_at, region, brand in wanted
        ],
        columns=["order_id", "node_id", "from_at", "scope"],
    ).astype({"from_at": "datetime64[us, UTC]", "scope": "int64"})
    return PickupInputs(
        orders,
        _frame(lines, order_id="str", line_number="int64", sku="str", quantity="int64"),
        _frame(
            [(held.node_id, held.sku, held.unpromised) for held in positions],
            node_id="str",
            sku="str",
            unpromised_quantity="int64",
        ),
        _openings(orders, scopes, writes),
        scopes,
        bundles,
    )


def _openings(orders: pd.DataFrame, scopes: list[tuple[str, str]], writes: Writes) -> pd.DataFrame:
    """When the stores of these orders are open, as far ahead as is promised."""
    places = writes.nodes
    found: list[tuple[int, str, datetime, datetime]] = []
    asked = orders.groupby(["scope", "node_id"])["from_at"].agg(["min", "max"]).reset_index()
    for scope, node, first, last in asked.itertuples(index=False, name=None):
        policy = writes.pickup_policy(*scopes[scope])
        days = policy.promise_horizon_days + (last - first).days + 1
        opening = policy.opening(node)
        found += [
            (scope, node, *interval)
            for interval in intervals(opening, places[node][1], first.to_pydatetime(), days)
        ]
    return _frame(
        found,
        scope="int64",
        node_id="str",
        opens_at="datetime64[us, UTC]",
        closes_at="datetime64[us, UTC]",
    )


def _frame(rows: Sequence[tuple[Any, ...]], **kinds: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


def _keep(kind: str, keys: list[str], inputs: PickupInputs, outcome: bytes, writes: Writes) -> str:
    batch_id = str(identify("decision_batch", kind, *keys))
    writes.unit_of_work.append(
        "decision_batch",
        {
            "decision_batch_id": [batch_id],
            "kind": [kind],
            "policy_hash": [writes.unit_of_work.policies.policy_hash("pickup")],
            "mode": ["normal"],
            "inputs": [inputs.encode()],
            "outcome_hash": [outcome],
        },
    )
    return batch_id
