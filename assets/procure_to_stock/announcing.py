"""What suppliers say before goods come: whether they will, and that they are on their way.

A despatch advice is given a dock, a time and people at once, and the warehouse is told.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

from assets.commerce.identifiers import identify
from assets.contracts.purchasing import GoodsDespatched, PurchaseOrderAcknowledged
from assets.ports import About, CaseType, Command, InboxEvent
from assets.procure_to_stock.replenishment_policy import replenishment_policy
from assets.procure_to_stock.rules.receiving_plan import Slot, find_slot, labour_minutes
from assets.procure_to_stock.writes import Writes

OWNER = "purchasing"


def acknowledge(events: list[InboxEvent], writes: Writes) -> None:
    """Keep what suppliers say to their orders; a line that will not come as ordered is a case."""
    for event in _of_known_orders(events, "purchase_order_acknowledged", writes):
        data: PurchaseOrderAcknowledged = event.data
        identity = document_id(event)
        for said in data.lines:
            line = writes.lines[data.purchase_order_id, said.purchase_order_line_id]
            writes.rows["purchase_order_acknowledged"].append(
                (
                    identity,
                    data.purchase_order_id,
                    said.purchase_order_line_id,
                    data.document_number,
                    said.status,
                    said.quantity,
                    said.promised_at,
                    event.occurred_at,
                )
            )
            # A node may have closed since the order was placed.
            _, zone = writes.nodes.get(line.node_id, ("", "UTC"))
            is_late = _is_later_day(said.promised_at, line.due_at, zone)
            if said.quantity < line.ordered_quantity or is_late:
                value = max(line.ordered_quantity - said.quantity, 0) * line.unit_price
                when = f", by {said.promised_at:%Y-%m-%d}" if said.promised_at else ""
                writes.open_case(
                    CaseType.SUPPLIER_SHORTAGE,
                    f"{line.purchase_order_id}/{line.purchase_order_line_id}",
                    f"{said.quantity} of {line.ordered_quantity} units of {line.sku} are"
                    f" confirmed{when}; wanted by {line.due_at:%Y-%m-%d}",
                    About.scope(event, line.node_id, value, line.currency_code),
                )
        writes.process.add(
            "purchase order acknowledged",
            identity,
            event.occurred_at,
            [("purchase_order", data.purchase_order_id, "acknowledged")],
        )


def _is_later_day(promised_at: datetime | None, due_at: datetime, zone: str) -> bool:
    """Whether a promise is for a later day where the goods are due: messages know days only."""
    if promised_at is None:
        return False
    local = ZoneInfo(zone)
    return promised_at.astimezone(local).date() > due_at.astimezone(local).date()


def despatch(events: list[InboxEvent], writes: Writes) -> None:
    """Keep what is on its way, and plan who unloads it, where and when."""
    now = _of_known_orders(events, "goods_despatched", writes)
    nodes = {event.data.node_id for event in now if event.data.node_id in writes.nodes}
    if not now:
        return
    first = min(event.data.expected_at for event in now)
    given = writes.unit_of_work.purchasing.receiving_slots(nodes, first)
    taken: dict[str, list[Slot]] = defaultdict(list)
    for node_id, dock, starts_at, ends_at in given:
        taken[node_id].append(Slot(dock, starts_at, ends_at))
    for event in now:
        data: GoodsDespatched = event.data
        identity = document_id(event)
        for said in data.lines:
            line = writes.lines[data.purchase_order_id, said.purchase_order_line_id]
            writes.rows["goods_despatched"].append(
                (
                    identity,
                    said.line_number,
                    data.document_number,
                    data.purchase_order_id,
                    said.purchase_order_line_id,
                    data.supplier_id,
                    data.node_id,
                    line.sku,
                    said.quantity,
                    data.expected_at,
                    event.occurred_at,
                )
            )
        writes.process.add(
            "goods despatched",
            identity,
            event.occurred_at,
            [
                ("purchase_order", data.purchase_order_id, "despatched"),
                ("node", data.node_id, "despatched to"),
            ],
        )
        if data.node_id in writes.nodes:
            _plan(event, identity, taken[data.node_id], writes)


def document_id(event: InboxEvent) -> str:
    """The id of a supplier's document: its kind and number at its source."""
    kind = type(event.data).__name__
    return str(identify(kind, event.source, event.data.supplier_id, event.data.document_number))


def _of_known_orders(events: list[InboxEvent], table: str, writes: Writes) -> list[InboxEvent]:
    """Those whose order and lines are known and that were not heard before."""
    unit_of_work = writes.unit_of_work
    writes.load(event.data.purchase_order_id for event in events)
    column = "acknowledgement_id" if table == "purchase_order_acknowledged" else "despatch_id"
    heard = unit_of_work.known(table, column, [document_id(event) for event in events])
    now = []
    for event in events:
        data = event.data
        of_order = writes.of_order.get(data.purchase_order_id)
        if of_order is None:
            unit_of_work.inbox.park(
                event, "purchase_order_unknown", f"purchase_order:{data.purchase_order_id}"
            )
            continue
        strange = [
            line.purchase_order_line_id
            for line in data.lines
            if line.purchase_order_line_id not in of_order
        ]
        other = {line.supplier_id for line in of_order.values()} - {data.supplier_id}
        if document_id(event) in heard:
            unit_of_work.inbox.quarantine(
                event, "document_already_booked", f"{data.document_number} was heard before"
            )
        elif strange:
            reason = f"order {data.purchase_order_id} has no line {strange[0]}"
            writes.refuse(event, CaseType.RECEIPT_NOT_ORDERED, reason)
        elif other:
            reason = f"order {data.purchase_order_id} is not of {data.supplier_id}"
            writes.refuse(event, CaseType.RECEIPT_NOT_ORDERED, reason)
        else:
            heard.add(document_id(event))
            now.append(event)
    return now


def _plan(event: InboxEvent, identity: str, taken: list[Slot], writes: Writes) -> None:
    data: GoodsDespatched = event.data
    of_order = writes.of_order[data.purchase_order_id]
    values = writes.unit_of_work.policies.resolve("replenishment", event.region, event.brand)
    policy = replenishment_policy(values).receiving
    units = sum(line.quantity for line in data.lines)
    minutes = labour_minutes(units, len(data.lines), policy)
    _, zone = writes.nodes[data.node_id]
    slot = find_slot(data.expected_at, minutes, taken, policy, zone)
    if slot is None:
        writes.open_case(
            CaseType.NO_DOCK_FREE,
            f"{data.purchase_order_id}/{data.document_number}",
            f"no dock of {data.node_id} is free within {policy.plans_ahead_days} days of"
            f" {data.expected_at:%Y-%m-%d} for {units} units of {data.supplier_id}",
            About.scope(event, data.node_id),
        )
        return
    taken.append(slot)
    writes.rows["receiving_slot"].append(
        (
            identity,
            data.purchase_order_id,
            data.supplier_id,
            data.node_id,
            slot.dock_number,
            slot.starts_at,
            slot.ends_at,
            units,
            len(data.lines),
            minutes,
        )
    )
    writes.tell(
        Command(
            partner="wms",
            command_type="receiving_plan.update",
            business_key=data.purchase_order_id,
            scope=event,
            payload={
                "occasion": identity,
                "purchase_order_id": data.purchase_order_id,
                "node_id": data.node_id,
                "dock_number": slot.dock_number,
                "starts_at": slot.starts_at,
                "ends_at": slot.ends_at,
                "labour_minutes": minutes,
                "lines": [
                    {
                        "sku": of_order[line.purchase_order_line_id].sku,
                        "quantity": line.quantity,
                    }
                    for line in data.lines
                ],
            },
            owner=OWNER,
            caused_at=event.occurred_at,
            discriminator=identity,
        )
    )
