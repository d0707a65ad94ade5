"""What other nodes have of an order that its store refused, so that it travels instead."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from assets.commerce.calendar import add_working_days, end_of_day, trading_date
from assets.commerce.identifiers import decision_id
from assets.order_to_fulfillment.bundling import bundles_of
from assets.order_to_fulfillment.choosing import (
    INSTANT,
    ORDER_COLUMNS,
    active_nodes,
    keep_decision,
    taken_on,
    unpromised,
)
from assets.order_to_fulfillment.decision import KIND, SourcingInputs, outcome_hash
from assets.order_to_fulfillment.sourcing.deciding import source
from assets.order_to_fulfillment.sourcing.tables import Tables
from assets.order_to_fulfillment.writes import Writes
from assets.ports import AllocatedLine, OrderView, Reservation


def source_again(
    order: OrderView,
    lines: dict[int, AllocatedLine],
    refused: set[str],
    occurred_at: datetime,
    occasion: str,
    writes: Writes,
) -> list[Reservation]:
    """What the other nodes have of an order that some have refused; the decision is kept.

    Args:
        order: What is still wanted.
        lines: What was allocated, by line number; components only of whole bundles.
        refused: Nodes that are not asked again.
        occurred_at: When the last of them refused.
        occasion: Tells the order's refusals apart.
        writes: Has nothing that is not stored yet.
    """
    scope = (order.channel, order.region, order.brand)
    profile = writes.policy(order.region, order.brand).profile(order.channel, order.region)
    wanted = sorted(lines.items())
    tables = Tables(
        orders=_order(order, occurred_at, writes),
        order_lines=pd.DataFrame(
            [(0, number, line.sku, line.quantity, line.unit_price) for number, line in wanted],
            columns=["order", "line_number", "sku", "quantity", "unit_price"],
        ).astype(dict.fromkeys(("order", "line_number", "quantity", "unit_price"), "int64")),
        stock=unpromised({line.sku for line in lines.values()}, writes),
        nodes=active_nodes(writes),
        usage=taken_on([occurred_at], [profile], writes),
        exclusions=pd.DataFrame(
            [(order.order_id, node) for node in sorted(refused)], columns=["order_id", "node_id"]
        ),
        bundles=bundles_of(order.order_id, lines, writes.unit_of_work.orders),
    )
    sourced = source(tables, [profile])
    units = sourced.units[["line", "node_id", "quantity"]]
    given = [
        Reservation(order.order_id, wanted[line][0], node, wanted[line][1].sku, quantity)
        for line, node, quantity in units.itertuples(index=False, name=None)
    ]
    key = f"{order.order_id}/{occasion}"
    outcome = outcome_hash(tables, sourced)
    batch = keep_decision([key], SourcingInputs(tables, [scope]), outcome, writes)
    missing = sum(line.quantity for line in lines.values()) - sum(r.quantity for r in given)
    said = "filled" if not missing else "partly_filled" if given else "unfilled"
    writes.rows["decision_record"].append(
        (str(decision_id(KIND, key)), batch, KIND, key, said, ["refused_by_its_store"])
    )
    return given


def _order(order: OrderView, occurred_at: datetime, writes: Writes) -> pd.DataFrame:
    """The order as one that is placed when it was refused: the promise begins anew."""
    policy = writes.policy(order.region, order.brand)
    day = add_working_days(
        trading_date(occurred_at, policy.trading_zone),
        policy.promise_days(order.region, order.service_level),
    )
    promised_at = end_of_day(day, policy.trading_zone)
    row = (order.order_id, 0, order.country_code, order.service_level, occurred_at, promised_at)
    frame = pd.DataFrame([row], columns=list(ORDER_COLUMNS))
    return frame.astype({"profile": "int64", "decided_at": INSTANT, "promised_at": INSTANT})
