"""After goods came: inspection ends a quality hold, and what is accepted is put away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from assets.commerce.identifiers import identify
from assets.contracts.purchasing import GoodsInspected, GoodsPutAway
from assets.inventory.service import flush, open_books
from assets.ports import CaseType, InboxEvent, OrderLineView
from assets.procure_to_stock.accepting import accept, wait_for_the_rest
from assets.procure_to_stock.curing import cure_quantities
from assets.procure_to_stock.writes import Writes


def inspect(events: list[InboxEvent], writes: Writes) -> None:
    """Book what passed as accepted and what did not as rejected; each document once."""
    now = _of_goods_that_came(
        events,
        writes,
        ("goods_inspected", "inspection_id"),
        lambda said: said.passed_quantity + said.rejected_quantity,
        lambda line: line.held_quantity,
        "units are on hold",
    )
    if not now:
        return
    touched: dict[tuple[str, str], InboxEvent] = {}
    for event, _ in now:
        for said in event.data.lines:
            touched[event.data.purchase_order_id, said.purchase_order_line_id] = event
    books = open_books(
        {writes.lines[key].sku for key in touched},
        min(event.occurred_at for event, _ in now),
        writes.unit_of_work,
    )
    for event, inspection in now:
        data: GoodsInspected = event.data
        accepted = []
        for said in data.lines:
            line = writes.lines[data.purchase_order_id, said.purchase_order_line_id]
            line.held_quantity -= said.passed_quantity + said.rejected_quantity
            line.rejected_quantity += said.rejected_quantity
            wait_for_the_rest(line, writes)
            accepted.append((said.line_number, line, said.passed_quantity))
            writes.rows["goods_inspected"].append(
                (
                    inspection,
                    said.line_number,
                    data.document_number,
                    data.purchase_order_id,
                    said.purchase_order_line_id,
                    data.node_id,
                    line.sku,
                    said.passed_quantity,
                    said.rejected_quantity,
                    said.rejection_reason,
                    event.occurred_at,
                )
            )
        accept(event, "goods_inspection", inspection, accepted, books)
        _note("goods inspected", "inspected for", event, inspection, writes)
    flush(books)
    cure_quantities(touched, writes)


def put_away(events: list[InboxEvent], writes: Writes) -> None:
    """Keep where goods lie; it changes no stock, which is there since they were accepted."""
    now = _of_goods_that_came(
        events,
        writes,
        ("goods_put_away", "put_away_id"),
        lambda said: said.quantity,
        lambda line: line.accepted_quantity - line.put_away_quantity,
        "accepted units are not put away yet",
    )
    for event, identity in now:
        data: GoodsPutAway = event.data
        for said in data.lines:
            line = writes.lines[data.purchase_order_id, said.purchase_order_line_id]
            line.put_away_quantity += said.quantity
            writes.rows["goods_put_away"].append(
                (
                    identity,
                    said.line_number,
                    data.document_number,
                    data.purchase_order_id,
                    said.purchase_order_line_id,
                    data.node_id,
                    line.sku,
                    said.quantity,
                    said.location,
                    event.occurred_at,
                )
            )
        _note("goods put away", "put away for", event, identity, writes)


def _of_goods_that_came(
    events: list[InboxEvent],
    writes: Writes,
    kept_in: tuple[str, str],
    wanted: Callable[[Any], int],
    there: Callable[[OrderLineView], int],
    what_is_there: str,
) -> list[tuple[InboxEvent, str]]:
    """Documents about units that are there, with their ids; the others wait, or are refused.

    Args:
        events: All of one kind.
        writes: What the batch stores.
        kept_in: Table and column of the documents that were booked.
        wanted: Units that a line of the document is about.
        there: Units that it can be about.
        what_is_there: That, in words.
    """
    unit_of_work = writes.unit_of_work
    writes.load(event.data.purchase_order_id for event in events)
    table, column = kept_in
    ids = [str(identify(table, event.source, event.data.document_number)) for event in events]
    booked = unit_of_work.known(table, column, ids)
    spoken_for: Counter[tuple[str, str]] = Counter()
    now = []
    for event, identity in zip(events, ids, strict=True):
        order = event.data.purchase_order_id
        asked: Counter[str] = Counter()
        for said in event.data.lines:
            asked[said.purchase_order_line_id] += wanted(said)
        lines = {name: writes.lines.get((order, name)) for name in asked}
        wrong = _wrong(order, lines, asked, spoken_for, there, what_is_there)
        not_come = [name for name, line in lines.items() if line and not line.delivered_quantity]
        if identity in booked:
            said_before = f"{event.data.document_number} was booked before"
            unit_of_work.inbox.quarantine(event, "document_already_booked", said_before)
        elif order not in writes.of_order:
            unit_of_work.inbox.park(event, "purchase_order_unknown", f"purchase_order:{order}")
        elif event.data.node_id not in writes.nodes:
            unit_of_work.inbox.park(event, "unknown_node", f"node:{event.data.node_id}")
        elif not_come:
            unit_of_work.inbox.park(event, "goods_not_received", f"goods:{order}/{not_come[0]}")
        elif wrong:
            writes.refuse(event, CaseType.GOODS_NOT_THERE, wrong)
        else:
            booked.add(identity)
            spoken_for.update({(order, name): units for name, units in asked.items()})
            now.append((event, identity))
    return now


def _wrong(
    order: str,
    lines: dict[str, OrderLineView | None],
    asked: Counter[str],
    spoken_for: Counter[tuple[str, str]],
    there: Callable[[OrderLineView], int],
    what_is_there: str,
) -> str | None:
    for name, line in lines.items():
        if line is None:
            return f"order {order} has no line {name}"
        left = there(line) - spoken_for[order, name]
        if asked[name] > left:
            return f"{asked[name]} of line {order}/{name}, of which {left} {what_is_there}"
    return None


def _note(activity: str, role: str, event: InboxEvent, identity: str, writes: Writes) -> None:
    writes.process.add(
        activity,
        identity,
        event.occurred_at,
        [
            ("purchase_order", event.data.purchase_order_id, role),
            ("node", event.data.node_id, role),
        ],
    )
